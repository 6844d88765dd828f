"""Watermark detector, blind: knows neither the original nor the session, the size, the place or the handedness."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial, reduce
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.numeric.ndimage import gaussian_filter
from vivant.pixels import LUMA
from vivant.provenance.watermark_code import PRODUCT, band, code_book, layout, parse_words, sync_pattern
from vivant.render._kernel import MARK_CELLS as CELLS
from vivant.types import Float32Array, UInt8Array

LEAST_SIDE_PX = 64
SYNC_THRESHOLD = 8.0
"""In standard deviations of the correlation elsewhere. Straight edges of clean pictures can pass it: then the words decide."""
SURE = 12.0
"""A peak at a usual size so high that other sizes need not be tried."""
SCALE_STEP = 1.012
SMALLEST_SHARE, LARGEST_SHARE = 0.33, 1.45
"""Side of the marked frame over the longer side of the picture."""
_MARGIN_CELLS = 40
_MOST_TRIES = 3
_LIKELY_WORDS = 8
"""Per group."""
_MOST_COMBINATIONS = 1024
"""The likeliest meet a check of 28 bits (product included), which chance passes once in 260 000 such lists."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A watermark that was found, with its check in order."""

    product: int
    session_id: int
    sync: float
    """Height of the correlation peak over its standard deviation; below ``SYNC_THRESHOLD`` nothing is reported."""
    margin: float
    """The weakest word's lead over the runner-up, in standard deviations of a chance word."""
    mirrored: bool
    side_px: float
    """Side that the marked frame has in this picture."""


@dataclass(frozen=True, slots=True)
class _Place:
    sync: float
    side_px: float
    left_px: float
    top_px: float
    mirrored: bool

    def moved(self, grow: float, right: float, down: float) -> _Place:
        """Larger by a share of its side, its middle elsewhere by a number of cells."""
        cell, shift = self.side_px / CELLS, self.side_px * grow / 2
        left_px, top_px = self.left_px + right * cell - shift, self.top_px + down * cell - shift
        return _Place(self.sync, self.side_px * (1 + grow), left_px, top_px, self.mirrored)


def detect(frames: Iterable[UInt8Array]) -> Mark | None:
    """Our mark in one picture or in the frames of a short time (one to three seconds), (h, w, 3 or 4) uint8 of one size."""
    grey = mean_luma(frames)
    return None if grey is None else detect_in_luma(grey)


def mean_luma(frames: Iterable[UInt8Array]) -> Float32Array | None:
    """(h, w): the mark stands still while the face moves, so the mean keeps the one and blurs the other."""
    total: NDArray[np.float32] | None = None
    count = 0
    for frame in frames:
        luma = frame[..., :3].astype(np.float32) @ np.array(LUMA, np.float32)
        total = luma if total is None else total + luma
        count += 1
    return None if total is None else (total / np.float32(count)).astype(np.float32)


def detect_in_luma(luma: Float32Array) -> Mark | None:
    """The same for a (h, w) picture in grey levels."""
    return read_first(luma, likely_places(luma))


def read_first(luma: Float32Array, places: list[_Place]) -> Mark | None:
    """The mark at the first of these places whose words pass their check."""
    for place in places:
        if place.sync < SYNC_THRESHOLD:
            return None
        found = _read(luma, place)
        if found is not None:
            return found
    return None


def likely_places(luma: Float32Array) -> list[_Place]:
    """Where a mark may lie, best first. ``sync`` of the first is the statistic whose tail is in docs/honest.md."""
    if min(luma.shape) < LEAST_SIDE_PX:
        return []
    pyramid = _pyramid(luma)

    def best(sides: Iterable[float]) -> list[_Place]:
        places = [place for side in sides for place in _correlate(pyramid, luma.shape, side)]
        return sorted(places, key=lambda place: -place.sync)[:_MOST_TRIES]

    usual = best({float(max(luma.shape)), float(min(luma.shape))})
    if usual[0].sync >= SURE:
        return usual
    n_steps = int(np.log(LARGEST_SHARE / SMALLEST_SHARE) / np.log(SCALE_STEP))
    return best(max(luma.shape) * LARGEST_SHARE * SCALE_STEP**-step for step in range(n_steps + 1))


def _pyramid(luma: Float32Array) -> list[Image.Image]:
    """The picture and its halves: resampling costs by the size of its source."""
    levels = [Image.fromarray(luma)]
    while min(levels[-1].size) >= 2 * CELLS:
        levels.append(levels[-1].reduce(2))
    return levels


def _resampled(pyramid: list[Image.Image], shape: tuple[int, ...], side_px: float) -> Float32Array:
    """The whole picture with a cell per pixel, if the frame has that side."""
    cell = side_px / CELLS
    level = min(max(0, int(np.log2(cell))) if cell > 1 else 0, len(pyramid) - 1)
    source = pyramid[level]
    width, height = (max(16, int(extent / cell)) for extent in (shape[1], shape[0]))
    box = (0.0, 0.0, min(source.width, width * cell / 2**level), min(source.height, height * cell / 2**level))
    return np.asarray(source.resize((width, height), Image.Resampling.BICUBIC, box=box), np.float32)


def _whitened(cells: Float32Array, size: tuple[int, int]) -> NDArray[np.complex64]:
    """Spectrum in which every place and every frequency counts by how little of the picture is in it.

    What is loud is the picture, not the mark. So every cell is weighed by the local variance (its power 0.75, between equal
    loudness and the best weight for Gaussian noise), and then every frequency by its neighbours in the spectrum.
    """
    detail = cells - _box(cells, 3, "edge", "edge")
    variance = np.sqrt(_box(detail * detail, 3, "edge", "edge") + np.float32(0.5))
    even = detail / (variance * np.sqrt(variance))
    most = 3 * float(even.std())
    spectrum = np.fft.rfft2(np.clip(even, -most, most), size).astype(np.complex64)
    loudness = _box(spectrum.real**2 + spectrum.imag**2, 5, "wrap", "reflect")
    weighed: NDArray[np.complex64] = (spectrum * (band(*size) / np.sqrt(loudness + np.float32(1e-6)))).astype(np.complex64)
    return weighed


def _box(values: Float32Array, width: int, rows: Literal["edge", "wrap"], columns: Literal["edge", "reflect"]) -> Float32Array:
    """Means over squares. Several times faster than SciPy's, which counts in double precision."""
    margin = width // 2
    padded = np.pad(np.pad(values, ((margin, margin), (0, 0)), mode=rows), ((0, 0), (margin, margin)), mode=columns)
    tall = sum((padded[at : at + len(values)] for at in range(1, width)), padded[: len(values)])
    n_columns = values.shape[1]
    wide = sum((tall[:, at : at + n_columns] for at in range(1, width)), tall[:, :n_columns])
    return np.asarray(wide / np.float32(width * width), np.float32)


@cache
def _references(height: int, width: int) -> tuple[NDArray[np.complex64], NDArray[np.complex64]]:
    """Conjugate spectra of the sync pattern and of its mirror image."""
    both = (sync_pattern(), np.ascontiguousarray(sync_pattern()[:, ::-1]))
    first, second = (np.conj(np.fft.rfft2(pattern, (height, width))).astype(np.complex64) for pattern in both)
    return first, second


def _correlate(pyramid: list[Image.Image], shape: tuple[int, ...], side_px: float) -> Iterator[_Place]:
    cells = _resampled(pyramid, shape, side_px)
    height, width = (_quick_length(max(extent, CELLS) + _MARGIN_CELLS) for extent in cells.shape)
    spectrum = _whitened(cells, (height, width))
    for mirrored, reference in zip((False, True), _references(height, width), strict=True):
        surface = np.fft.irfft2(spectrum * reference, (height, width))
        peak = int(surface.argmax())
        top, left = divmod(peak, width)
        top, left = (at - extent if at >= extent - _MARGIN_CELLS else at for at, extent in ((top, height), (left, width)))
        cell, spread = side_px / CELLS, np.sqrt(np.vdot(surface, surface) / surface.size) + 1e-9
        yield _Place(float(surface.flat[peak] / spread), side_px, left * cell, top * cell, mirrored)


def _quick_length(least: int) -> int:
    """The next length with no other factors than 2, 3 and 5, of which a Fourier transform is quick."""
    rest = least
    for factor in (2, 3, 5):
        while rest % factor == 0:
            rest //= factor
    return least if rest == 1 else _quick_length(least + 1)


def _aligned(image: Image.Image, place: _Place) -> Float32Array:
    """(128, 128) the cells of the frame at that place; what lies outside of the picture is flat."""
    cell = place.side_px / CELLS
    matrix = (cell, 0.0, place.left_px, 0.0, cell, place.top_px)
    cells = np.asarray(image.transform((CELLS, CELLS), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC), np.float32)
    return cells[:, ::-1] if place.mirrored else cells


def _read(luma: Float32Array, place: _Place) -> Mark | None:
    smoothed = Image.fromarray(gaussian_filter(luma, 0.35 * place.side_px / CELLS) if place.side_px > CELLS else luma)
    inside = Image.fromarray(np.ones_like(luma))
    place = _refined(smoothed, inside, place)
    values = _cell_values(smoothed, inside, place)
    groups = [_best_words(values, number) for number in range(len(layout().word_cells))]
    margin = min(float(scores[0] - scores[1]) for _, scores in groups)
    behind = reduce(np.add.outer, [scores[0] - scores for _, scores in groups])
    for flat in np.argsort(behind, axis=None, kind="stable")[:_MOST_COMBINATIONS]:
        choice = np.unravel_index(flat, behind.shape)
        said = parse_words(tuple(int(words[which]) for (words, _), which in zip(groups, choice, strict=True)))
        if said is not None and said[0] == PRODUCT:
            return Mark(*said, place.sync, margin, place.mirrored, place.side_px)
    return None


def _cell_values(image: Image.Image, inside: Image.Image, place: _Place) -> Float32Array:
    """(128 * 128,) whitened; zero outside of the picture."""
    within = _aligned(inside, place) > 0.99
    cells = _aligned(image, place)
    cells = np.where(within, cells, cells[within].mean() if within.any() else 0).astype(np.float32)
    values = np.fft.irfft2(_whitened(cells, (CELLS, CELLS)), (CELLS, CELLS)).astype(np.float32) * within
    return values.ravel()


def _refined(image: Image.Image, inside: Image.Image, place: _Place) -> _Place:
    """Nudges place and size to a fraction of a cell, judged by the sync chips alone."""
    measure = partial(_sync_sum, image, inside)
    best, height = place, measure(place)
    for step in (0.5, 0.25):
        improved = True
        while improved:
            centre, improved = best, False
            for grow, right, down in ((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)):
                tried = centre.moved(grow * step * (SCALE_STEP - 1), right * step, down * step)
                if (value := measure(tried)) > height:
                    best, height, improved = tried, value, True
    return best


def _sync_sum(image: Image.Image, inside: Image.Image, place: _Place) -> float:
    values = _cell_values(image, inside, place)
    return float((values * sync_pattern().ravel()).sum() / (values.std() + 1e-9))


def _best_words(values: Float32Array, number: int) -> tuple[NDArray[np.intp], Float32Array]:
    """The likeliest words of a group, best first, with their scores in standard deviations of a chance word."""
    scores = code_book() @ (values[layout().word_cells[number]] * layout().word_signs[number])
    both = np.stack([scores, -scores], axis=1).ravel() / (np.sqrt(np.mean(scores**2)) + np.float32(1e-9))
    likely = np.argsort(-both)[:_LIKELY_WORDS]
    return likely, both[likely].astype(np.float32)
