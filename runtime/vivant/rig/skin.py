"""The main mesh: face, head and whatever surrounds them, with the motion of all 52 shapes on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivant.easing import smoothstep, smoothsteps
from vivant.numeric.sparse import Interpolation
from vivant.rig import canonical as c
from vivant.rig.crop import MARGIN_PX, SIDE_PX
from vivant.rig.folds import unfolded
from vivant.rig.head import HeadFit, axis_depth, surface_depth
from vivant.rig.mesh import Spreader, distance_to_polygon, inside, mark_open, neighbours, refine, triangulate_around
from vivant.rig.scene_builder import OPEN_EDGE
from vivant.types import ARKIT_INDEX, Float32Array, FloatArray

CAMERA_DISTANCE_PX = 1500.0
GRID_PX = 16.0
EYE_MARGIN = 0.006
"""The landmarks run inside the true lid margin; the eye holes are widened by this share of the outer-eye distance."""
LID_MEETING = 0.16
"""Where closing lids meet: this share of the opening above the lower lid."""
FALL = 0.45
"""How fast hair and ears fall back behind the face oval, px of depth per px, down to the axis that the head turns about: less
than they do, for the sheet must not fold."""
OUTLINE = 0.75
"""How far beyond the face oval, in outer-eye distances, the outline of the head is. Chosen by eye."""
OUTLINE_HELD_DEG, OUTLINE_HELD, OUTLINE_LEVEL = (6.0, 24.0), 0.35, 0.1
"""From which turn of the portrait on smiles do not bulge over the far cheek's outline, and wholly so; how far inside of it they
still give way; within how many eye distances up and down it is looked for. Chosen by eye."""
ROUNDNESS = 0.65
"""Exponent of the open mouth's edge, (1 - x^2) to this power: below, its corners are those of a box. Chosen by eye."""
FLATTENS = 1.5
"""Of the seam's own waves, how much an open jaw takes out of the lower lip's edge: they are those of the upper lip."""
UPPER_SHARE, CORNERS_IN, GIVES_WAY = 0.4, 0.94, 0.55
"""Closing an open mouth: how far down the gap the lips meet, how much of the width stays, how far around the skin gives way
(outer-eye distances)."""
PURSES = {"mouthPucker": 0.025, "mouthFunnel": 0.08}
"""How far rounding draws the lips together beside their middle, where an open jaw would part them along all their width,
outer-eye distances: a rounded vowel is a small oval (Fromkin 1964). Chosen by eye."""
PURSED_WITHIN, PURSED_ABOVE = 0.05, 0.25
"""How far above and below their line the lips follow, outer-eye distances; and the upper one's share of the way, for it stays
near its corners. Chosen by eye."""
HIPS = 5.0
"""How far below the neck the hips are, outer-eye distances: half a metre."""
REACH = 0.75
"""How far beyond the face oval, in outer-eye distances, expressions are felt."""


@dataclass(frozen=True)
class Skin:
    """The main mesh in rig px. Index groups refer to its vertices."""

    points: FloatArray
    """(n, 3) as seen in the portrait (not yet un-projected)."""
    triangles: c.Int32Array
    neighbours: c.Int32Array
    head: FloatArray
    """(n,) 1 follows the head."""
    body: FloatArray
    """(n,) 1 follows the shoulders."""
    round: FloatArray
    """(n,) 1 is on the head's outline, 0 on the face."""
    fields: FloatArray
    """(52, n, 3)"""
    closing: FloatArray
    """(n, 3) brings the lips together; zero unless the mouth is open in the portrait."""
    upper_lids: tuple[tuple[int, ...], ...]
    lower_lids: tuple[tuple[int, ...], ...]
    upper_lip: tuple[int, ...]
    lower_lip: tuple[int, ...]
    n_face: int
    """Vertices of the face itself come first."""
    face_matrix: Interpolation
    """(n_face, 468) interpolates anything from the landmarks to the face vertices."""


def unproject(points: FloatArray) -> Float32Array:
    """Where points (n, 3) must lie in space so that the camera sees them at their x, y."""
    out = np.asarray(points, np.float64).copy()
    out[:, :2] = SIDE_PX / 2 + (out[:, :2] - SIDE_PX / 2) * (CAMERA_DISTANCE_PX - out[:, 2:]) / CAMERA_DISTANCE_PX
    return out.astype(np.float32)


def build_skin(landmarks: Float32Array, fit: HeadFit) -> Skin:
    """Mesh and motion from landmarks (478, 2+) in rig px whose lips are already on the seam."""
    face = c.canonical_face()
    seen = unfolded(landmarks[: c.N_SURFACE, :2].astype(np.float64), fit.unit)
    flat = _widened_eyes(seen, fit.unit)
    contours: list[tuple[tuple[int, ...], bool]] = [
        (loop, False) for pair in zip(c.UPPER_LIDS, c.LOWER_LIDS, strict=True) for loop in pair
    ]
    contours += [(c.UPPER_INNER_LIP, False), (c.LOWER_INNER_LIP, False), (c.OUTER_LIPS, True), (c.OVAL, True)]
    fine = refine(c.N_SURFACE, face.triangles, contours)
    points: FloatArray = fine.matrix @ np.column_stack([flat, surface_depth(fit)])
    oval = fine.refine_loop(c.OVAL, closed=True)
    lids = [fine.refine_loop(loop, closed=False) for loop in c.UPPER_LIDS + c.LOWER_LIDS]
    lips = [fine.refine_loop(loop, closed=False) for loop in (c.UPPER_INNER_LIP, c.LOWER_INNER_LIP)]

    _join(points, *lips)
    around = _grid_around(points[list(oval), :2])
    outside = triangulate_around(points[list(oval), :2], around)
    numbers = np.concatenate([np.asarray(oval), len(points) + np.arange(len(around))])
    triangles = np.concatenate([fine.triangles, numbers[outside]]).astype(np.int32)
    points, roundness, away = _with_depth(points, around, oval, fit)

    on_contour = sorted({v for loop in (*lids, *lips) for v in loop})
    handles = np.unique(np.concatenate([np.arange(c.N_SURFACE), on_contour, away]))
    known = np.zeros((len(points), 52, 3))
    measured = _within_outline(_landmark_fields(flat, fit), flat, fit).transpose(1, 0, 2)
    known[: len(fine.matrix)] = (fine.matrix @ measured.reshape(c.N_SURFACE, -1)).reshape(-1, 52, 3)
    _close_lids_exactly(known, points, lids)
    spread = Spreader(points, triangles, handles).spread(known[handles].reshape(len(handles), -1))
    fields = np.ascontiguousarray(spread.reshape(len(points), 52, 3).transpose(1, 0, 2))
    _round_the_opening(fields[ARKIT_INDEX["jawOpen"]], points, lips[0], lips[1], fit.unit)
    head = _head_weights(points, landmarks)
    hole_loops = [(*lids[0], *lids[2]), (*lids[1], *lids[3]), (*lips[0], *lips[1])]
    return Skin(
        points=points,
        triangles=triangles,
        neighbours=mark_open(triangles, neighbours(triangles), hole_loops, OPEN_EDGE),
        head=head,
        body=_body_weights(points, head, fit.unit),
        round=roundness,
        fields=fields,
        closing=_closing(points, triangles, lips[0], lips[1], fit.unit),
        upper_lids=(lids[0], lids[1]),
        lower_lids=(lids[2], lids[3]),
        upper_lip=lips[0],
        lower_lip=lips[1],
        n_face=len(fine.matrix),
        face_matrix=fine.matrix,
    )


def _closing(
    points: FloatArray, triangles: c.Int32Array, upper: tuple[int, ...], lower: tuple[int, ...], unit: float
) -> FloatArray:
    """(n, 3) moves both lips onto one line between them, the lower one more; everything within reach gives way."""
    top, bottom = points[list(upper)], points[list(lower)]
    if not _is_open(bottom - top):
        return np.zeros_like(points)
    meeting = _meeting(points, upper, lower)
    meeting[:, 0] = meeting[:, 0].mean() + CORNERS_IN * (meeting[:, 0] - meeting[:, 0].mean())
    row = list(upper) + list(lower[1:-1])
    target = np.concatenate([meeting, meeting[1:-1]])
    away = np.flatnonzero(np.hypot(*(points[:, :2] - meeting[:, :2].mean(axis=0)).T) > GIVES_WAY * unit)
    handles = np.concatenate([row, np.setdiff1d(away, row)])
    values = np.zeros((len(handles), 3))
    values[: len(row)] = target - points[row]
    closing: FloatArray = Spreader(points, triangles, handles).spread(values)
    return closing


def _join(points: FloatArray, upper: tuple[int, ...], lower: tuple[int, ...]) -> None:
    """Lips that meet in the portrait meet in depth too, or the seam would gape when the head is lifted."""
    shut = np.abs(points[list(upper), :2] - points[list(lower), :2]).max(axis=1) < 1e-6
    pairs = np.column_stack([upper, lower])[shut]
    points[pairs, 2] = points[pairs, 2].mean(axis=1, keepdims=True)


def _meeting(points: FloatArray, upper: tuple[int, ...], lower: tuple[int, ...]) -> FloatArray:
    """(n, 3) the line on which the lips meet: a smooth one; of a closed mouth the seam, as it is."""
    top, gap = points[list(upper)], points[list(lower)] - points[list(upper)]
    meeting = top + UPPER_SHARE * gap
    if _is_open(gap):
        x = meeting[:, 0] - meeting[:, 0].mean()
        meeting[:, 1] = np.polyval(np.polyfit(x, meeting[:, 1], 2), x)
    return np.asarray(meeting)


def _is_open(gap: FloatArray) -> bool:
    return bool(np.abs(gap[:, :2]).max() >= 1e-6)


def _widened_eyes(flat: FloatArray, unit: float) -> FloatArray:
    out = flat.copy()
    for upper, lower in zip(c.UPPER_LIDS, c.LOWER_LIDS, strict=True):
        out[list(upper[1:-1]), 1] -= EYE_MARGIN * unit
        out[list(lower[1:-1]), 1] += EYE_MARGIN * unit * 0.7
    return out


def _grid_around(oval: FloatArray) -> FloatArray:
    """Points (m, 2) outside the oval, denser near it, that cover the square and its margin."""
    low, high = -MARGIN_PX + 1.0, SIDE_PX + MARGIN_PX - 1.0
    axis = np.linspace(low, high, round((high - low) / GRID_PX) + 1)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    clear = distance_to_polygon(grid, oval)
    kept: FloatArray = grid[~inside(grid, oval) & (clear > 0.6 * GRID_PX)]
    return kept


def _with_depth(
    points: FloatArray, around: FloatArray, oval: tuple[int, ...], fit: HeadFit
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """All points (n, 3), the outer ones falling back from the oval to the head's axis; how round (n,) it is there; and which
    lie beyond all expression."""
    rim = points[list(oval)]
    distance = distance_to_polygon(around, rim[:, :2])
    nearness = 1.0 / (((around[:, None] - rim[None, :, :2]) ** 2).sum(axis=2) + (0.1 * fit.unit) ** 2)
    axis = axis_depth(points, fit.unit)
    depth = np.maximum((nearness @ rim[:, 2]) / nearness.sum(axis=1) - FALL * distance, axis)
    roundness = smoothsteps(distance / (OUTLINE * fit.unit))
    everything = np.concatenate([points, np.column_stack([around, depth])])
    away = len(points) + np.flatnonzero(distance > REACH * fit.unit)
    return everything, np.concatenate([np.zeros(len(points)), roundness]), away


def _head_weights(points: FloatArray, landmarks: Float32Array) -> FloatArray:
    """1 down to the chin, then easing to 0 along the neck."""
    chin, top = landmarks[c.CHIN, 1], landmarks[c.FOREHEAD, 1]
    return np.asarray(1.0 - smoothsteps((points[:, 1] - chin) / (0.62 * (chin - top))))


def _body_weights(points: FloatArray, head: FloatArray, unit: float) -> FloatArray:
    """Whole where the neck ends, and less down to the hips, over which shoulders sway."""
    neck = points[head == 0.0, 1].min(initial=SIDE_PX)
    return np.asarray((1.0 - head) * np.clip(1.0 - (points[:, 1] - neck) / (HIPS * unit), 0.0, 1.0))


def _landmark_fields(flat: FloatArray, fit: HeadFit) -> FloatArray:
    """(52, 468, 3) in rig px: the measured fields, fitted to this face's mouth and eyes."""
    face = c.canonical_face()
    fields = fit.direction(_pursed(face)).astype(np.float64)
    for side, (upper, lower) in zip(("Right", "Left"), zip(c.UPPER_LIDS, c.LOWER_LIDS, strict=True), strict=True):
        blink = ARKIT_INDEX[f"eyeBlink{side}"]
        up, low = list(upper[1:-1]), list(lower[1:-1])
        opening = flat[low, 1].mean() - flat[up, 1].mean()
        measured = fields[blink][up, 1].mean() - fields[blink][low, 1].mean()
        ratio = float(np.clip(opening / max(measured, 1e-3), 0.3, 1.6))
        for shape in ("Blink", "Squint", "Wide", "LookDown", "LookUp"):
            fields[ARKIT_INDEX[f"eye{shape}{side}"]] *= ratio
    return fields


def _within_outline(fields: FloatArray, flat: FloatArray, fit: HeadFit) -> FloatArray:
    """The fields (52, 468, 3), which on the far side of a turned face do not push its outline outwards."""
    yaw = fit.angles_deg()[0]
    side = np.sign(yaw)
    level = np.abs(flat[:, None, 1] - flat[None, :, 1]) < OUTLINE_LEVEL * fit.unit
    inwards = np.where(level, side * flat[None, :, 0], -np.inf).max(axis=1) - side * flat[:, 0]
    held = smoothstep(abs(yaw), *OUTLINE_HELD_DEG) * (1.0 - smoothsteps(inwards / (OUTLINE_HELD * fit.unit)))
    kept = fields.copy()
    kept[..., 0] -= side * held * np.maximum(side * fields[..., 0], 0.0)
    return kept


def _pursed(face: c.CanonicalFace) -> Float32Array:
    """(52, 468, 3) the measured fields, with lips that rounding draws together beside their middle; canonical frame."""
    fields, points = face.fields[:, : c.N_SURFACE].copy(), face.points[: c.N_SURFACE]
    upper, lower = list(c.UPPER_INNER_LIP), list(c.LOWER_INNER_LIP)
    across = np.abs(points[:, 0]) / points[c.UPPER_INNER_LIP[-1], 0]
    beside = smoothsteps((across - 0.3) / 0.5) * (1 - smoothsteps((across - 0.78) / 0.2))  # not the corners
    above = points[:, 1] - np.interp(points[:, 0], points[upper, 0], (points[upper, 1] + points[lower, 1]) / 2)
    above[upper], above[lower] = 1e-3, -1e-3
    share = np.where(above > 0.0, -PURSED_ABOVE, 1.0 - PURSED_ABOVE)
    towards = share * np.exp(-((above / PURSED_WITHIN) ** 2)) * beside
    for name, together in PURSES.items():
        fields[ARKIT_INDEX[name], :, 1] += (together * towards).astype(np.float32)
    return fields


def _round_the_opening(
    field: FloatArray, points: FloatArray, upper: tuple[int, ...], lower: tuple[int, ...], unit: float
) -> None:
    """Give the lower lip of an open jaw an elliptic edge whatever the spacing of this mouth's landmarks."""
    row, seam = points[list(lower)], _meeting(points, upper, lower)
    middle, half = (seam[0, 0] + seam[-1, 0]) / 2, (seam[-1, 0] - seam[0, 0]) / 2
    across = (seam[:, 0] - middle) / half
    parting = field[list(lower), 1] - field[list(upper), 1]
    wanted = parting.max() * np.maximum(1.0 - across**2, 0.0) ** ROUNDNESS
    wanted -= FLATTENS * (seam[:, 1] - np.polyval(np.polyfit(across, seam[:, 1], 2), across))
    below = points[:, 1] - np.interp(points[:, 0], row[:, 0], row[:, 1])
    share = np.clip(1.0 - below / (0.45 * unit), 0.0, 1.0) * (below >= -1e-6)
    share[list(upper)] = 0.0
    field[:, 1] += np.interp(points[:, 0], row[:, 0], wanted - parting, left=0.0, right=0.0) * share**1.5


def _close_lids_exactly(known: FloatArray, points: FloatArray, lids: list[tuple[int, ...]]) -> None:
    """At a full blink both lid margins lie on one line, just above the lower lid."""
    for side, upper, lower in (("Right", lids[0], lids[2]), ("Left", lids[1], lids[3])):
        up, low = points[list(upper)], points[list(lower)]
        order_up, order_low = np.argsort(up[:, 0]), np.argsort(low[:, 0])
        for loop, own in ((upper, up), (lower, low)):
            top = np.interp(own[:, 0], up[order_up, 0], up[order_up, 1])
            bottom = np.interp(own[:, 0], low[order_low, 0], low[order_low, 1])
            blink = known[:, ARKIT_INDEX[f"eyeBlink{side}"]]
            blink[list(loop), 1] = bottom - LID_MEETING * (bottom - top) - own[:, 1]
            blink[list(loop), 0] = 0.0
