"""Folds: what a turned face hides in its portrait is laid flat beside what it shows, so that the sheet turns without tears."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from vivant.rig import canonical as c
from vivant.rig.canonical import Int32Array
from vivant.rig.mesh import inside
from vivant.types import FloatArray

ROUNDS = 40
"""Of relaxing; chosen."""
LEVEL, MARGIN = 0.14, 0.006
"""Within how many outer-eye distances, up and down, the outline is looked for; how far outside of all else it is put."""
LEAST_AREA = 0.1
"""Of its size on the average head seen from the front, which a triangle of the sheet must keep."""


def unfolded(flat: FloatArray, unit: float) -> FloatArray:
    """The 468 landmarks (468, 2) in rig px, of which none lies behind others: hidden ones go to the outline or beside it.

    Without a fold nothing changes.
    """
    held, triangles = _held(), c.canonical_face().triangles
    triangles = triangles[~np.isin(triangles, held).all(axis=1)]
    least = LEAST_AREA * _areas(c.canonical_face().points[:, :2] * (unit, -unit), triangles)
    hidden = np.unique(triangles[_areas(flat, triangles) >= 0.0])
    if not len(hidden):
        return flat
    out = _with_outline(flat, np.intersect1d(hidden, c.OVAL), unit)
    neighbours = _neighbours(triangles)
    free = np.setdiff1d(np.arange(c.N_SURFACE), [*held, *c.OVAL])
    for _ in range(ROUNDS):
        folded = _areas(out, triangles) > least
        moving = np.intersect1d(np.unique(triangles[folded]), free)
        out[moving] = (neighbours[moving] @ out) / neighbours[moving].sum(axis=1)[:, None]
    return out


@cache
def _held() -> NDArray[np.int64]:
    """Landmarks of lids and lips, which stay where they were seen: where lips meet, their triangles are as flat as folds."""
    points = c.canonical_face().points[: c.N_SURFACE, :2].astype(np.float64)
    rims = [i for loop in (*c.UPPER_LIDS, *c.LOWER_LIDS, c.OUTER_LIPS) for i in loop]
    return np.union1d(rims, np.flatnonzero(inside(points, points[list(c.OUTER_LIPS)])))


def _with_outline(flat: FloatArray, hidden: NDArray[np.int32], unit: float) -> FloatArray:
    """With the hidden points of the oval put where the face ends in the portrait, each on its own side of it."""
    out = flat.copy()
    for i in hidden:
        side = 1.0 if c.canonical_face().points[i, 0] > 0.0 else -1.0
        level = np.abs(flat[:, 1] - flat[i, 1]) < LEVEL * unit
        out[i, 0] = side * ((side * flat[level, 0]).max() + MARGIN * unit)
    return out


def _areas(points: FloatArray, triangles: Int32Array) -> NDArray[np.float64]:
    """Twice the area (n,) of each, y down: negative for what faces the viewer."""
    a, b, d = (points[triangles[:, i], :2] for i in range(3))
    return np.asarray((b - a)[:, 0] * (d - a)[:, 1] - (b - a)[:, 1] * (d - a)[:, 0], np.float64)


def _neighbours(triangles: Int32Array) -> NDArray[np.float64]:
    """(468, 468) 1 between ends of an edge."""
    near = np.zeros((c.N_SURFACE, c.N_SURFACE))
    for i in range(3):
        a, b = triangles[:, i], triangles[:, (i + 1) % 3]
        near[a, b] = near[b, a] = 1.0
    return near
