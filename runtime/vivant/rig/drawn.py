"""Eyes of flat drawings, which may be far larger than a person's: their edges are found by their colours."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vivant.numeric import ndimage
from vivant.rig import canonical as c
from vivant.rig.mesh import distance_to_polygon, inside, strip_triangles
from vivant.rig.overlays import add_overlay, steps_from
from vivant.rig.patch import Patch, luminance
from vivant.rig.scene_builder import SceneBuilder
from vivant.rig.skin import Skin, unproject
from vivant.types import ARKIT_INDEX, Float32Array, FloatArray, UInt8Array

UNLIKE_SKIN, UNLIKE_LINE, UNLIKE_WHITE = 24, 60, 90
"""Differences of a channel that part an eye from flat skin, its lid's line from what lies under it, an iris from the white."""
LID_LINE = 100.0
"""Brightness below which the upper border of an eye is its lid's line."""
EDGE_TEXELS = 4
"""Drawn edges are soft up to here."""
WINDOW = 0.4
"""How far beyond the landmarks an eye may reach, in outer-eye distances."""
LINE_HEIGHT, LID_HEIGHT = 0.06, (0.10, 0.14)
"""What lies above the eye's edge, in outer-eye distances: the drawn line; flat lid, to where it fades."""
LEAST_GROWTH, MOST_GROWTH = 0.6, 5.0
"""Height of the drawn eye over the landmarks' that is believed."""


def fit_drawn_eyes(
    landmarks: Float32Array, picture: UInt8Array, skin: FloatArray, unit: float, texels_per_px: float
) -> Float32Array | None:
    """Landmarks (478, 2+) in rig px with lids and irises where a drawing on flat ``skin`` (3,) has them; None if an eye has no
    clear border."""
    moved = landmarks.copy()
    for side in (0, 1):
        contour = [*c.UPPER_LIDS[side], *c.LOWER_LIDS[side][-2:0:-1]]
        patch = Patch.around(picture, landmarks[contour], WINDOW * unit, texels_per_px)
        eye = _eye(patch, skin, landmarks[contour, :2].astype(np.float64))
        if eye is None:
            return None
        _move_lids(moved, side, _opening(patch, eye), patch)
        _move_iris(moved, side, _opening(patch, eye), patch)
        _give_way(moved, landmarks, contour)
    return moved


def add_drawn_lids(
    pool: SceneBuilder, skin: Skin, colour: FloatArray, picture: UInt8Array, texels_per_px: float, unit: float
) -> None:
    """Upper lids of flat ``colour`` (3,), as far as the eye closes, and the drawn line that goes down with them."""
    for side, (upper, lower) in enumerate(zip(skin.upper_lids, skin.lower_lids, strict=True)):
        blink = ARKIT_INDEX[f"eyeBlink{('Right', 'Left')[side]}"]
        steps = steps_from(skin, upper[1:-1], set(lower), 12)
        margin = skin.points[list(upper), :2]
        clear = np.linalg.norm(skin.points[list(steps), None, :2] - margin, axis=2).min(axis=1) / unit
        strength = np.clip((LID_HEIGHT[1] - clear) / (LID_HEIGHT[1] - LID_HEIGHT[0]), 0.0, 1.0)
        patch = Patch.around(picture, skin.points[list(steps)], 0.08 * unit, texels_per_px)
        flat = np.full((*patch.pixels.shape[:2], 4), (*colour.round(), 255)).astype(np.uint8)
        add_overlay(pool, skin, steps, patch, pool.add_texture("bare lid", flat), {blink: 6.0 * strength}, [upper])
        _add_lid_line(pool, skin, side, patch, unit)


def _add_lid_line(pool: SceneBuilder, skin: Skin, side: int, patch: Patch, unit: float) -> None:
    """A drawing's own line above the eye, which goes down with the lid as it is."""
    row, count = np.asarray(skin.upper_lids[side]), len(skin.upper_lids[side])
    texture = pool.add_texture("line of the lid", np.dstack([patch.pixels, np.full(patch.pixels.shape[:2], 255, np.uint8)]))
    starts = []
    for up, alpha in ((LINE_HEIGHT, 0.0), (0.8 * LINE_HEIGHT, 1.0), (0.0, 1.0)):
        points = skin.points[row] + (0.0, -up * unit, 1.0)
        starts.append(pool.add_vertices(unproject(points), patch.uv(points), 1.0, (1.0, 1.0, 1.0, alpha)))
        pool.link(starts[-1] + np.arange(count), row)
    for above, below in pairwise(starts):
        pool.add_layer(strip_triangles(above, below, count), texture)


def _eye(patch: Patch, skin: FloatArray, contour: FloatArray) -> NDArray[np.bool_] | None:
    """(h, w): everything unlike skin that hangs together where the landmarks have the eye."""
    at = patch.coordinates()
    unlike = np.abs(patch.pixels - skin).max(axis=2) > UNLIKE_SKIN
    pieces, count = ndimage.label(unlike)
    within = inside(at.reshape(-1, 2), contour).reshape(unlike.shape)
    if not (unlike & within).any():
        return None
    largest = 1 + int(np.argmax(ndimage.sum_labels(within, pieces, range(1, count + 1))))
    eye = np.asarray(ndimage.binary_fill_holes(pieces == largest))
    rows = np.flatnonzero(eye.any(axis=1))
    growth = len(rows) / patch.texels_per_px / np.ptp(contour[:, 1])
    closed = not (eye[[0, -1]].any() or eye[:, [0, -1]].any())
    return eye if closed and LEAST_GROWTH < growth < MOST_GROWTH else None


def _opening(patch: Patch, eye: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The eye without the line of its upper lid, which goes with the lid."""
    columns = np.flatnonzero(eye.any(axis=0))
    first = eye.argmax(axis=0)
    edge = np.median(patch.pixels[np.minimum(first + EDGE_TEXELS, eye.shape[0] - 1), np.arange(eye.shape[1])][columns], axis=0)
    if luminance(edge) > LID_LINE:
        return eye
    unlike = np.abs(patch.pixels - edge).max(axis=2) > UNLIKE_LINE
    soft = np.arange(eye.shape[0])[:, None] < first + EDGE_TEXELS
    line = np.logical_and.accumulate(soft | ~unlike, axis=0)
    return eye & ~line


def _move_lids(moved: Float32Array, side: int, opening: NDArray[np.bool_], patch: Patch) -> None:
    columns = np.flatnonzero(opening.any(axis=0))
    at = patch.coordinates()
    x, y = at[0, :, 0], at[:, 0, 1]
    top = y[opening.argmax(axis=0)]
    bottom = y[len(y) - 1 - opening[::-1].argmax(axis=0)]
    for row, border in ((c.UPPER_LIDS[side], top), (c.LOWER_LIDS[side], bottom)):
        share = (1.0 - np.cos(np.linspace(0.0, np.pi, len(row)))) / 2.0  # round eyes are steep at their corners
        place = x[columns[0]] + share * (x[columns[-1]] - x[columns[0]])
        heights = np.interp(place, x[columns], border[columns])
        heights[[0, -1]] = [(top[k] + bottom[k]) / 2 for k in columns[[0, -1]]]
        moved[list(row), :2] = np.column_stack([place, heights])


def _move_iris(moved: Float32Array, side: int, opening: NDArray[np.bool_], patch: Patch) -> None:
    white = np.percentile(patch.pixels[opening], 95, axis=0)
    iris = ndimage.binary_fill_holes(opening & (np.abs(patch.pixels - white).max(axis=2) > UNLIKE_WHITE))
    iris = ndimage.binary_opening(iris, iterations=2)
    if not iris.any():
        return
    seen = patch.coordinates()[iris]
    low, high = np.percentile(seen, 0.5, axis=0), np.percentile(seen, 99.5, axis=0)
    radius = float((high - low).max()) / 2
    around = np.array([(0, 0), (1, 0), (0, -1), (-1, 0), (0, 1)]) * radius
    moved[list(c.IRISES[side]), :2] = (low + high) / 2 + around


def _give_way(moved: Float32Array, landmarks: Float32Array, contour: list[int]) -> None:
    """What lies around the lids follows them, less and less, so that nothing is folded over."""
    shift = moved[contour, :2] - landmarks[contour, :2]
    reach = 3.0 * float(np.linalg.norm(shift, axis=1).max()) + 1e-3
    others = np.setdiff1d(np.arange(c.N_SURFACE), contour)
    points = landmarks[others, :2].astype(np.float64)
    nearest = np.linalg.norm(points[:, None] - landmarks[contour, :2], axis=2).argmin(axis=1)
    share = np.clip(1.0 - distance_to_polygon(points, landmarks[contour, :2].astype(np.float64)) / reach, 0.0, 1.0) ** 2
    moved[others, :2] += (share[:, None] * shift[nearest]).astype(np.float32)
