"""Where the lips meet: the landmarks are moved onto the dark line between them, so that the mouth tears there."""

from __future__ import annotations

import numpy as np

from vivant.numeric import ndimage
from vivant.rig import canonical as c
from vivant.rig.crop import MARGIN_PX
from vivant.types import Float32Array, FloatArray, UInt8Array

SEARCH = 0.055
"""How far above and below the landmarks the line is looked for, in mouth widths."""
OPEN_FROM = 0.085
"""Lip gap over mouth width from which the portrait counts as open-mouthed; closed mouths report up to 0.07."""

LIP_FROM, LIP_TO = 0.35, 0.8
"""Part of the way from a lip's inner to its outer edge that is surely lip."""
UNLIKE_LIP = 0.22
"""Difference from the lip's own colour, relative, of what shows between the lips: the dark, teeth, tongue, their edge."""
_RINGS = (
    (c.UPPER_INNER_LIP, (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292), 1 / 3, c.UPPER_OUTER_LIP),
    (c.UPPER_INNER_LIP, (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306), 2 / 3, c.UPPER_OUTER_LIP),
    (c.LOWER_INNER_LIP, (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292), 1 / 3, c.LOWER_OUTER_LIP),
    (c.LOWER_INNER_LIP, (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306), 2 / 3, c.LOWER_OUTER_LIP),
)
"""Landmarks on the lips between their inner and outer edges, and how far between."""
INTO_LIP = 0.06
"""How far beyond the last such colour a lip is cut, in shares of its thickness."""


def mouth_gap(landmarks: Float32Array) -> float:
    """Largest gap between the inner lips over the mouth's width."""
    upper, lower = landmarks[list(c.UPPER_INNER_LIP), :2], landmarks[list(c.LOWER_INNER_LIP), :2]
    width = np.linalg.norm(landmarks[c.MOUTH_LEFT, :2] - landmarks[c.MOUTH_RIGHT, :2])
    return float(np.linalg.norm(upper - lower, axis=1).max() / max(float(width), 1e-3))


def snap_to_seam(landmarks: Float32Array, luminance: FloatArray, texels_per_px: float) -> Float32Array:
    """Landmarks (478, 2+) in rig px with the inner lips closed onto the seam; unchanged if the mouth is open."""
    if mouth_gap(landmarks) > OPEN_FROM:
        return landmarks
    moved = landmarks.copy()
    upper, lower = list(c.UPPER_INNER_LIP), list(c.LOWER_INNER_LIP)
    middle = (landmarks[upper, :2] + landmarks[lower, :2]) / 2
    width = float(np.linalg.norm(landmarks[c.MOUTH_LEFT, :2] - landmarks[c.MOUTH_RIGHT, :2]))
    columns = np.arange(middle[0, 0], middle[-1, 0], 1.0 / texels_per_px)
    guess = np.interp(columns, middle[:, 0], middle[:, 1])
    offsets = np.arange(-SEARCH * width, SEARCH * width, 1.0 / texels_per_px)
    x = np.clip(((columns + MARGIN_PX) * texels_per_px).astype(int), 0, luminance.shape[1] - 1)
    y = np.clip(((guess[None] + offsets[:, None] + MARGIN_PX) * texels_per_px).astype(int), 0, luminance.shape[0] - 1)
    seam = guess + offsets[darkest_path(luminance[y, x[None]])]
    middle[1:-1, 1] = np.interp(middle[1:-1, 0], columns, _smoothed(seam))
    moved[upper, :2] = moved[lower, :2] = middle
    return _in_order(moved)


def cut_inside_lips(landmarks: Float32Array, picture: UInt8Array, texels_per_px: float) -> Float32Array:
    """Landmarks (478, 2+) in rig px of an open mouth with its inner edges where ``picture`` shows lip and nothing else: teeth
    and dark that stuck to a lip would stay between closed ones."""
    moved = landmarks.copy()
    smooth = ndimage.gaussian_filter(picture.astype(np.float32), (0.5 * texels_per_px,) * 2 + (0,))
    share = np.linspace(0.0, 1.0, 41)
    for inner, outer in ((c.UPPER_INNER_LIP, c.UPPER_OUTER_LIP), (c.LOWER_INNER_LIP, c.LOWER_OUTER_LIP)):
        start, way = landmarks[list(inner), :2], landmarks[list(outer), :2] - landmarks[list(inner), :2]
        along = (start[:, None] + share[:, None] * way[:, None] + MARGIN_PX) * texels_per_px
        x, y = np.clip(along.astype(int), 0, np.array(picture.shape[1::-1]) - 1).transpose(2, 0, 1)
        colours = smooth[y, x]
        lip = np.median(colours[:, (share >= LIP_FROM) & (share <= LIP_TO)], axis=1, keepdims=True)
        unlike = np.abs(colours - lip).max(axis=2) > UNLIKE_LIP * lip.max(axis=2)
        last = np.where(unlike & (share < LIP_FROM), share, -INTO_LIP).max(axis=1) + INTO_LIP
        last[[0, -1]] = 0.0
        moved[list(inner), :2] += (_smoothed(last)[:, None] * way).astype(np.float32)
    return _in_order(moved)


def _in_order(landmarks: Float32Array) -> Float32Array:
    """What lies on the lips between their edges stays there when an edge is moved past it: the skin would fold over."""
    for inner, between, share, outer in _RINGS:
        start, end = landmarks[list(inner), :2], landmarks[list(outer), :2]
        landmarks[list(between), :2] = start + share * (end - start)
    return landmarks


def darkest_path(luminance: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Row index per column of the path of least total luminance that moves at most one row per column."""
    rows, columns = luminance.shape
    cost = luminance.astype(np.float64) + 6.0 * np.abs(np.linspace(-1, 1, rows))[:, None]
    came = np.zeros((rows, columns), np.int64)
    for k in range(1, columns):
        before = np.pad(cost[:, k - 1], 1, constant_values=np.inf)
        choices = np.stack([before[:-2] + 2.0, before[1:-1], before[2:] + 2.0])
        best = choices.argmin(axis=0)
        came[:, k] = np.clip(np.arange(rows) + best - 1, 0, rows - 1)
        cost[:, k] += choices.min(axis=0)
    path = np.zeros(columns, np.int64)
    path[-1] = int(cost[:, -1].argmin())
    for k in range(columns - 1, 0, -1):
        path[k - 1] = came[path[k], k]
    return path


def _smoothed(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    kernel = np.hanning(9)[1:-1]
    return np.convolve(np.pad(values, 3, mode="edge"), kernel / kernel.sum(), mode="valid")
