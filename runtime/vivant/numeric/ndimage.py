"""Filters and regions of images, as `scipy.ndimage` has them: the same names, meanings and, but for rounding, values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from vivant.numeric import _numeric
from vivant.types import Float32Array, FloatArray

Int32Array = NDArray[np.int32]
Mask = NDArray[np.bool_]
Real = TypeVar("Real", np.float32, np.float64)
Value = TypeVar("Value", bound=np.generic)
Mode = Literal["reflect", "nearest"]
"""What lies beyond the border: the image mirrored at it, or its last value."""
_PAD: dict[Mode, Any] = {"reflect": "symmetric", "nearest": "edge"}
"""NumPy's words for it."""
REACH_SIGMA = 4.0
"""How far a Gaussian goes."""


def gaussian_filter(image: NDArray[Real], sigma: float | tuple[float, ...], mode: Mode = "reflect") -> NDArray[Real]:
    """Blurred by ``sigma`` px, along each axis or of each axis its own (0 leaves it)."""
    for axis, own in enumerate(np.broadcast_to(sigma, image.ndim)):
        image = gaussian_filter1d(image, float(own), axis, mode)
    return image


def gaussian_filter1d(image: NDArray[Real], sigma: float, axis: int, mode: Mode = "reflect") -> NDArray[Real]:
    """Blurred along one axis."""
    return _correlated(image, _gaussian(sigma), axis, mode) if sigma > 0 else image


def gaussian_gradient_magnitude(image: NDArray[Real], sigma: float) -> NDArray[Real]:
    """Steepness of the blurred image, per px."""
    return np.sqrt(sum((_slope(image, sigma, axis) ** 2 for axis in range(image.ndim)), np.zeros_like(image)))


def _slope(image: NDArray[Real], sigma: float, along: int) -> NDArray[Real]:
    for axis in range(image.ndim):
        weights = _gaussian(sigma)
        if axis == along:
            weights = weights * np.arange(-(len(weights) // 2), len(weights) // 2 + 1) / sigma**2
        image = _correlated(image, weights, axis, "reflect", odd=axis == along)
    return image


def _gaussian(sigma: float) -> FloatArray:
    radius = int(REACH_SIGMA * sigma + 0.5)
    weights = np.exp(-0.5 / sigma**2 * np.arange(-radius, radius + 1) ** 2)
    return np.asarray(weights / weights.sum())


def uniform_filter(image: NDArray[Real], size: tuple[int, ...], mode: Mode = "reflect") -> NDArray[Real]:
    """Means over boxes of odd sides."""
    for axis, width in enumerate(size):
        image = _correlated(image, np.full(width, 1 / width), axis, mode) if width > 1 else image
    return image


def _correlated(image: NDArray[Real], weights: FloatArray, axis: int, mode: Mode, odd: bool = False) -> NDArray[Real]:
    lines = np.ascontiguousarray(image).reshape(-1, image.shape[axis], int(np.prod(image.shape[axis + 1 :])))
    out = np.empty_like(lines)
    _numeric.correlate(lines, out, weights.tolist(), odd, mode == "nearest")
    return out.reshape(image.shape)


def maximum_filter(image: NDArray[Value], size: int | tuple[int, ...], mode: Mode = "reflect") -> NDArray[Value]:
    """The largest value in a box around each pixel."""
    return _extreme(image, size, mode, np.maximum, _half)


def maximum_filter1d(image: NDArray[Value], size: int, axis: int) -> NDArray[Value]:
    """The largest value around each pixel, along one axis."""
    return _extreme(
        image, tuple(size if k == axis % image.ndim else 1 for k in range(image.ndim)), "reflect", np.maximum, _half
    )


def grey_closing(image: NDArray[Value], size: tuple[int, ...], mode: Mode = "reflect") -> NDArray[Value]:
    """Dark details smaller than a box are gone."""
    dilated = _extreme(image, size, mode, np.maximum, lambda width: (width - 1) // 2)  # even boxes go the other way first
    return _extreme(dilated, size, mode, np.minimum, _half)


def median_filter(values: NDArray[Value], size: int, mode: Mode = "reflect") -> NDArray[Value]:
    """(n,): the middle one (of an even number the upper) of ``size`` values around each."""
    padded = np.pad(values, (size // 2, (size - 1) // 2), mode=_PAD[mode])
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)
    return np.asarray(np.partition(windows, size // 2, axis=-1)[:, size // 2])


def _half(width: int) -> int:
    return width // 2


def _extreme(
    image: NDArray[Value], size: int | tuple[int, ...], mode: Mode, better: np.ufunc, before: Callable[[int], int]
) -> NDArray[Value]:
    """Along each axis in turn, by windows that double until they are wide enough."""
    for axis, width in enumerate(np.broadcast_to(size, image.ndim).tolist()):
        margin = [(before(width), width - 1 - before(width)) if k == axis else (0, 0) for k in range(image.ndim)]
        best, reach, wanted = np.moveaxis(np.pad(image, margin, mode=_PAD[mode]), axis, 0), 1, image.shape[axis]
        while reach < width:
            step = min(reach, width - reach)
            best, reach = better(best[:-step], best[step:]), reach + step
        image = np.moveaxis(best[:wanted], 0, axis)
    return image


def map_coordinates(image: Float32Array, at: Sequence[FloatArray]) -> Float32Array:
    """Values at (rows, columns) between pixels, bilinear; beyond the border those at it."""
    corners = []
    for place, extent in zip(at, image.shape, strict=True):
        inside = np.clip(place, 0, extent - 1)
        low = np.minimum(inside.astype(np.intp), max(extent - 2, 0))
        corners.append((low, np.minimum(low + 1, extent - 1), inside - low))
    (top, bottom, down), (left, right, across) = corners
    above = image[top, left] * (1 - across) + image[top, right] * across
    below = image[bottom, left] * (1 - across) + image[bottom, right] * across
    return np.asarray(above * (1 - down) + below * down, np.float32)


def binary_dilation(mask: Mask, iterations: int = 1) -> Mask:
    """Everything within so many steps of the mask."""
    for _ in range(iterations):
        mask = reduce(np.logical_or, _beside(mask), mask)
    return mask


def binary_erosion(mask: Mask, iterations: int = 1) -> Mask:
    """The mask without what lies within so many steps of its rim; the border of the image is rim, too."""
    for _ in range(iterations):
        mask = reduce(np.logical_and, _beside(mask), mask)
    return mask


def binary_opening(mask: Mask, iterations: int) -> Mask:
    """The mask without thin parts."""
    return binary_dilation(binary_erosion(mask, iterations), iterations)


def binary_closing(mask: Mask, iterations: int) -> Mask:
    """The mask without thin gaps."""
    return binary_erosion(binary_dilation(mask, iterations), iterations)


def _beside(mask: Mask) -> list[Mask]:
    """The mask one step to either side along each axis; nothing comes in from beyond the border."""
    moved = []
    for axis in range(mask.ndim):
        padded = np.pad(mask, [(int(k == axis),) * 2 for k in range(mask.ndim)])
        for start in (0, 2):
            cut = [slice(start, start + mask.shape[k]) if k == axis else slice(None) for k in range(mask.ndim)]
            moved.append(padded[tuple(cut)])
    return moved


def label(mask: Mask) -> tuple[Int32Array, int]:
    """Numbers from 1 on for regions of a mask (n,) or (h, w) that hang together by their sides, 0 elsewhere; and how many."""
    grid = np.ascontiguousarray(mask, bool).reshape(-1, mask.shape[-1])
    out = np.empty(grid.shape, np.int32)
    count = _numeric.label(grid, out)
    return out.reshape(mask.shape), count


def sum_labels(values: NDArray[Any], labels: Int32Array, numbers: range) -> FloatArray:
    """Sum of the values in each of the regions."""
    sums = np.bincount(labels.ravel(), weights=values.ravel(), minlength=numbers.stop)
    return np.asarray(sums[numbers.start : numbers.stop])


def binary_fill_holes(mask: Mask) -> Mask:
    """The mask (h, w) with everything that it surrounds."""
    outside, _ = label(np.pad(~np.asarray(mask, bool), 1, constant_values=True))
    return np.asarray(outside[1:-1, 1:-1] != outside[0, 0])


def distance_transform_edt(mask: NDArray[Any]) -> FloatArray:
    """(h, w) px from each pixel of a mask to the nearest one outside; where there is none, height + width."""
    grid = np.ascontiguousarray(mask, bool)
    out = np.empty(grid.shape)
    _numeric.distances(grid, out)
    return out
