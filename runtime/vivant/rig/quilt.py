"""Texture that goes on: what a picture lacks is filled by pieces of itself, each chosen to fit what is around it already.

Efros and Freeman, Image Quilting for Texture Synthesis and Transfer, 2001; seams are softened instead of cut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.numeric import ndimage
from vivant.rig.patch import luminance
from vivant.types import Float32Array, UInt8Array

PIECE_PX, EVERY_PX, REACH_PX, SEAM_PX = 24, 15, 44, 1.5
"""Side of a piece, how far apart pieces lie, how far away they are looked for, and how soft their seams are: px of the rig's
square. Pieces hold several strokes of a pen, and are looked for where such strokes run alike."""
MIDDLE = 128.0
"""Subtracted before squares are summed up, for precision."""


def quilted(
    picture: UInt8Array, known: NDArray[np.bool_], wanted: NDArray[np.bool_], depth: Float32Array, texels: float
) -> UInt8Array:
    """The picture (h, w, 3) with what is ``wanted`` (h, w) filled from what is ``known``, in the order of ``depth``."""
    side, step, reach = (round(length * texels) for length in (PIECE_PX, EVERY_PX, REACH_PX))
    out, done = picture.astype(np.float32), known.copy()
    light = (luminance(picture) - MIDDLE).astype(np.float32) * done
    for top, left in _places(wanted, depth, side, step):
        piece = np.s_[top : top + side, left : left + side]
        missing = wanted[piece] & ~done[piece]
        y0, x0 = max(0, top - reach), max(0, left - reach)
        around = np.s_[y0 : top + side + reach, x0 : left + side + reach]
        at = _best(light[around], done[around], light[piece], done[piece])
        if at is None or not missing.any():
            continue
        found = np.s_[y0 + at[0] : y0 + at[0] + side, x0 + at[1] : x0 + at[1] + side]
        share = np.maximum(missing, ndimage.gaussian_filter(missing.astype(np.float32), SEAM_PX * texels) * wanted[piece])
        out[piece] += share[..., None] * (out[found] - out[piece])
        light[piece] += share * (light[found] - light[piece])
        done[piece] |= missing
    return np.where(wanted[..., None], out, picture).round().astype(np.uint8)


def _places(wanted: NDArray[np.bool_], depth: Float32Array, side: int, step: int) -> list[tuple[int, int]]:
    """Upper left corners of the pieces that cover what is wanted, the shallowest first."""
    height, width = wanted.shape
    corners = [(y, x) for y in range(0, height - side, step) for x in range(0, width - side, step)]
    covering = [(y, x) for y, x in corners if wanted[y : y + side, x : x + side].any()]
    return sorted(covering, key=lambda at: float(depth[at[0] + side // 2, at[1] + side // 2]))


def _best(
    around: Float32Array, known: NDArray[np.bool_], piece: Float32Array, has: NDArray[np.bool_]
) -> tuple[int, int] | None:
    """Where ``around`` looks most like what the ``piece`` has; None where nothing there is wholly known."""
    side = len(piece)
    holes = np.zeros((known.shape[0] + 1, known.shape[1] + 1))
    holes[1:, 1:] = (~known).cumsum(axis=0).cumsum(axis=1)
    whole = holes[side:, side:] - holes[:-side, side:] - holes[side:, :-side] + holes[:-side, :-side] == 0
    if not whole.any():
        return None
    weight = has.astype(np.float32)
    unlike = _correlated(around**2, weight) - 2.0 * _correlated(around, weight * piece)
    best = int(np.where(whole, unlike[: whole.shape[0], : whole.shape[1]], np.inf).argmin())
    return best // whole.shape[1], best % whole.shape[1]


def _correlated(image: Float32Array, kernel: Float32Array) -> Float32Array:
    product = np.fft.rfft2(image) * np.conj(np.fft.rfft2(kernel, image.shape))
    return np.asarray(np.fft.irfft2(product, image.shape), np.float32)
