"""Values at scattered points, carried on to the places between them."""

from __future__ import annotations

import numpy as np

from vivant.numeric._numeric import triangulate
from vivant.types import FloatArray

FEW = 4096
"""Places that look for their nearest point at a time."""


def interpolated(points: FloatArray, values: FloatArray, at: FloatArray) -> FloatArray:
    """Values (n, k) of points (n, 2) at places (..., 2): linear in the triangles between them, elsewhere the nearest one's."""
    knots, values = np.ascontiguousarray(points, np.float64), np.asarray(values, np.float64)
    places = at.reshape(-1, 2)
    out = _nearest(knots, values, places)
    triangles = np.empty((2 * len(knots), 3), np.int32)
    for corners in triangles[: triangulate(knots, triangles)]:
        _fill(out, places, knots[corners], values[corners])
    return out.reshape(*at.shape[:-1], values.shape[1])


def _nearest(points: FloatArray, values: FloatArray, places: FloatArray) -> FloatArray:
    out = np.empty((len(places), values.shape[1]))
    for start in range(0, len(places), FEW):
        gaps = ((places[start : start + FEW, None] - points) ** 2).sum(axis=2)
        out[start : start + FEW] = values[gaps.argmin(axis=1)]
    return out


def _fill(out: FloatArray, places: FloatArray, corners: FloatArray, values: FloatArray) -> None:
    """The places inside of one triangle, by their barycentric coordinates."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero(((places >= low) & (places <= high)).all(axis=1))
    sides = np.column_stack([corners[1] - corners[0], corners[2] - corners[0]])
    if not near.size or abs(np.linalg.det(sides)) < 1e-12:
        return
    share = np.linalg.solve(sides, (places[near] - corners[0]).T).T
    within = (share >= -1e-9).all(axis=1) & (share.sum(axis=1) <= 1 + 1e-9)
    weights = np.column_stack([1 - share[within].sum(axis=1), share[within]])
    out[near[within]] = weights @ values
