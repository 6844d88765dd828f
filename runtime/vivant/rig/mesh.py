"""Triangle-mesh tools: refinement along smooth contours, boundary loops, neighbours, and smooth spreading of handles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivant.numeric._numeric import Cholesky, triangulate
from vivant.numeric.sparse import Interpolation, SparseMatrix
from vivant.rig.canonical import Int32Array
from vivant.rig.scene_builder import HIDDEN_EDGE
from vivant.types import FloatArray, IntArray


@dataclass(frozen=True)
class Refinement:
    """One midpoint subdivision: new values are ``matrix @ old`` for anything that lives on vertices."""

    matrix: Interpolation
    triangles: Int32Array
    midpoints: dict[tuple[int, int], int]
    """(lower, higher) end of an old edge -> the new vertex on it."""

    def refine_loop(self, loop: tuple[int, ...], closed: bool) -> tuple[int, ...]:
        """The same contour with its new vertices in between."""
        ends = zip(loop, loop[1:] + loop[:1] if closed else loop[1:], strict=False)
        path = [v for a, b in ends for v in (a, self.midpoints[min(a, b), max(a, b)])]
        return tuple(path) if closed else (*path, loop[-1])


def refine(n_vertices: int, triangles: Int32Array, contours: list[tuple[tuple[int, ...], bool]]) -> Refinement:
    """Split each triangle in four. Contours (indices, closed) stay round: Dyn's four-point rule along them."""
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, index = np.unique(edges, axis=0, return_inverse=True)
    midpoints = {(int(a), int(b)): n_vertices + i for i, (a, b) in enumerate(unique)}
    rows = {n_vertices + i: {int(a): 0.5, int(b): 0.5} for i, (a, b) in enumerate(unique)}
    for loop, closed in contours:
        count = len(loop)
        for i in range(count if closed else count - 1):
            before, a, b, after = (loop[(i + k) % count] for k in (-1, 0, 1, 2))
            if not closed and (i == 0 or i == count - 2):
                continue
            rows[midpoints[min(a, b), max(a, b)]] = {a: 9 / 16, b: 9 / 16, before: -1 / 16, after: -1 / 16}
    matrix = _interpolation(n_vertices, rows)
    ab, bc, ca = (n_vertices + index.reshape(-1, 3)).T
    a, b, c_ = triangles.T
    corners = [(a, ab, ca), (ab, b, bc), (ca, bc, c_), (ab, bc, ca)]
    return Refinement(matrix, np.concatenate([np.stack(t, axis=1) for t in corners]).astype(np.int32), midpoints)


def _interpolation(n_kept: int, rows: dict[int, dict[int, float]]) -> Interpolation:
    """The first values are kept; each of the others is a sum of at most four."""
    columns, weights = np.zeros((n_kept + len(rows), 4), np.intp), np.zeros((n_kept + len(rows), 4))
    columns[:n_kept, 0], weights[:n_kept, 0] = np.arange(n_kept), 1.0
    for row, parts in rows.items():
        columns[row, : len(parts)], weights[row, : len(parts)] = list(parts), list(parts.values())
    return Interpolation(columns, weights)


def neighbours(triangles: Int32Array) -> Int32Array:
    """(n, 3): the triangle across edge corner i -> i + 1, or HIDDEN_EDGE where there is none."""
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    order = np.lexsort(edges.T)
    same = (edges[order[1:]] == edges[order[:-1]]).all(axis=1)
    first, second = order[:-1][same], order[1:][same]
    found = np.full(len(edges), HIDDEN_EDGE, np.int32)
    found[first], found[second] = second // 3, first // 3
    return found.reshape(-1, 3)


def mark_open(triangles: Int32Array, across: Int32Array, loops: list[tuple[int, ...]], mark: int) -> Int32Array:
    """Neighbour table with the border edges between vertices of the given closed loops marked."""
    on_loop = np.zeros(int(triangles.max()) + 1, bool)
    for loop in loops:
        on_loop[list(loop)] = True
    both = on_loop[triangles] & on_loop[np.roll(triangles, -1, axis=1)]
    return np.where((across == HIDDEN_EDGE) & both, mark, across).astype(np.int32)


def triangulate_around(inner: FloatArray, outer: FloatArray) -> Int32Array:
    """Triangles between the closed polygon ``inner`` (n, 2) and the points ``outer`` (m, 2) around it.

    Indices: 0..n-1 the polygon, n.. the outer points. Counter-clockwise in a frame with y up (y given down).
    """
    points = np.concatenate([inner, outer])
    found = np.empty((2 * len(points), 3), np.int32)
    found = found[: triangulate(np.ascontiguousarray(points, np.float64), found)]
    centres = points[found].mean(axis=1)
    kept = found[~inside(centres, inner)]
    a, b, c = points[kept[:, 0]], points[kept[:, 1]], points[kept[:, 2]]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    kept, area = kept[np.abs(area) > 1e-3], area[np.abs(area) > 1e-3]
    return np.asarray(np.where((area > 0)[:, None], kept[:, ::-1], kept), np.int32)


def strip_triangles(first_row: int, second_row: int, count: int) -> Int32Array:
    """Triangles between two rows of ``count`` vertices, the first row above the second in the image."""
    k = np.arange(count - 1)
    above, below = first_row + k, second_row + k
    return np.concatenate([np.column_stack([above, below, below + 1]), np.column_stack([above, below + 1, above + 1])]).astype(
        np.int32
    )


def inside(points: FloatArray, polygon: FloatArray) -> NDArray[np.bool_]:
    """Which points (n, 2) lie in the closed polygon (m, 2); even-odd rule."""
    x, y = points[:, :1], points[:, 1:]
    ax, ay = polygon.T
    bx, by = np.roll(polygon, -1, axis=0).T
    crosses = (ay > y) != (by > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = ax + (y - ay) * (bx - ax) / (by - ay)
    hits = crosses & (x < at)
    return np.asarray(hits.sum(axis=1) % 2 == 1)


def distance_to_polygon(points: FloatArray, polygon: FloatArray) -> FloatArray:
    """Distance (n,) from points (n, 2) to the closed polygon's border."""
    best = np.full(len(points), np.inf)
    for a, b in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        along = np.clip((points - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-9), 0.0, 1.0)
        best = np.minimum(best, np.hypot(*(points - a - along[:, None] * (b - a)).T))
    return best


class Spreader:
    """Extends values given at handle vertices to a whole mesh, as smoothly as a thin plate (bi-Laplacian, cotangent weights).

    Cuts in the mesh separate: the upper lip does not feel the lower one. Factorised once, used for many right-hand sides.
    Method: Botsch and Sorkine, On Linear Variational Surface Deformation Methods, 2008.
    """

    def __init__(self, points: FloatArray, triangles: Int32Array, handles: IntArray) -> None:
        count = len(points)
        laplacian, area = _cotangent_laplacian(points, triangles)
        self._energy = laplacian.squared(1.0 / area)
        self._handles = handles
        self._free = np.setdiff1d(np.arange(count), handles)
        ridge = 1e-9 * float(np.abs(self._energy.diagonal()).mean())
        free = self._energy.among(self._free).plus_diagonal(np.full(len(self._free), ridge))
        self._factor = Cholesky(free.starts, free.columns, free.values)
        self._count = count

    def spread(self, values: FloatArray) -> FloatArray:
        """Handle values (h, k) -> values at every vertex (n, k)."""
        out = np.zeros((self._count, values.shape[1]))
        out[self._handles] = values
        sides = -(self._energy @ out)[self._free]
        self._factor.solve(sides)
        out[self._free] = sides
        return out


def _cotangent_laplacian(points: FloatArray, triangles: Int32Array) -> tuple[SparseMatrix, NDArray[np.float64]]:
    """The matrix (n, n), and the area (n,) of each vertex."""
    count, degree, area = len(points), np.zeros(len(points)), np.zeros(len(points))
    every: IntArray = np.arange(count)
    rows, columns, values = [every], [every], [degree]
    for i in range(3):
        a, b, c = (triangles[:, (i + k) % 3] for k in range(3))
        u, v = points[b] - points[a], points[c] - points[a]
        double_area = np.maximum(np.linalg.norm(np.cross(u, v), axis=1), 1e-6)
        cotangent = np.clip((u * v).sum(axis=1) / double_area, 0.05, 20.0)
        rows, columns, values = [*rows, b, c], [*columns, c, b], [*values, -cotangent / 2, -cotangent / 2]
        np.add.at(degree, np.concatenate([b, c]), np.tile(cotangent / 2, 2))
        np.add.at(area, a, double_area / 6)
    laplacian = SparseMatrix.of(np.concatenate(rows), np.concatenate(columns), np.concatenate(values), count)
    return laplacian, np.maximum(area, 1e-3)
