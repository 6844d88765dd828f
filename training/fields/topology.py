"""Index sets, mirror pairs and triangles of the 478-point face mesh."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from training.fields.head import Floats, Ints

OVAL: tuple[int, ...] = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
LIP_PAIRS: tuple[tuple[int, int], ...] = (
    (13, 14), (82, 87), (81, 178), (80, 88), (191, 95), (312, 317), (311, 402), (310, 318),
    (415, 324),
)  # fmt: skip
LIPS_UPPER: tuple[int, ...] = (
    13, 82, 81, 80, 191, 312, 311, 310, 415, 0, 37, 39, 40, 185, 267, 269, 270, 409,
    11, 72, 73, 74, 184, 302, 303, 304, 408, 12, 38, 41, 42, 183, 268, 271, 272, 407,
)  # fmt: skip
LIPS_LOWER: tuple[int, ...] = (
    14, 87, 178, 88, 95, 317, 402, 318, 324, 17, 84, 181, 91, 146, 314, 405, 321, 375,
    16, 85, 180, 90, 77, 315, 404, 320, 307, 15, 86, 179, 89, 96, 316, 403, 319, 325,
)  # fmt: skip
LIP_CORNERS: tuple[int, ...] = (61, 291, 78, 308, 76, 306, 62, 292)
LIDS_UPPER: tuple[tuple[int, ...], ...] = (
    (246, 161, 160, 159, 158, 157, 173), (466, 388, 387, 386, 385, 384, 398),
)  # fmt: skip
LIDS_LOWER: tuple[tuple[int, ...], ...] = (
    (7, 163, 144, 145, 153, 154, 155), (249, 390, 373, 374, 380, 381, 382),
)  # fmt: skip
EYE_CORNERS: tuple[tuple[int, int], ...] = ((33, 133), (263, 362))
MIRROR_SEEDS: tuple[tuple[int, int], ...] = (
    (1, 1), (4, 4), (10, 10), (152, 152), (0, 0), (17, 17), (33, 263), (133, 362), (61, 291),
    (13, 13), (14, 14), (159, 386), (145, 374), (234, 454), (127, 356), (172, 397), (70, 300),
)  # fmt: skip
LID_PAIRS: tuple[tuple[tuple[int, int], ...], ...] = tuple(
    tuple(zip(up, down, strict=True)) for up, down in zip(LIDS_UPPER, LIDS_LOWER, strict=True)
)


def edges() -> set[tuple[int, int]]:
    """Undirected edges of the face-mesh tessellation."""
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    return {(min(a, b), max(a, b)) for a, b in FACEMESH_TESSELATION}


def lip_points() -> Ints:
    """All lip points."""
    return np.array(LIPS_UPPER + LIPS_LOWER + LIP_CORNERS)


def lip_side() -> Ints:
    """+1 for inner contour points of the upper lip, -1 for the lower, 0 elsewhere."""
    side = np.zeros(478, np.int64)
    for upper, lower in LIP_PAIRS:
        side[upper], side[lower] = 1, -1
    return side


def mirror_pairs(points: Floats) -> Ints:
    """Left-right partner of each point, from positions and edge distances to known pairs.

    The tessellation itself is uneven in three diagonals (six edges); no more may disagree.
    """
    linked = np.zeros((468, 468))
    for a, b in edges():
        linked[a, b] = linked[b, a] = 1
    seeds = np.array(MIRROR_SEEDS)
    steps = dijkstra(csr_matrix(linked), indices=seeds.ravel(), unweighted=True)
    mine, theirs = steps.T, steps.reshape(len(seeds), 2, 468)[:, ::-1].reshape(-1, 468).T
    gap = points[:468, None] - points[None, :468] * (-1, 1, 1)
    cost = 0.5 * (gap**2).sum(2) + np.abs(mine[:, None] - theirs[None]).sum(2)
    partner = linear_sum_assignment(cost + cost.T)[1]
    broken = sum(not linked[partner[a], partner[b]] for a, b in edges())
    if broken > 6 or (partner[partner] != np.arange(468)).any():
        raise ValueError(f"mirror pairing breaks {broken} edges of the tessellation")
    iris = np.array([473, 476, 475, 474, 477, 468, 471, 470, 469, 472])
    return np.concatenate([partner, iris])


def _faces() -> list[tuple[int, int, int]]:
    """The 3-cliques of the tessellation that are faces."""
    near: dict[int, set[int]] = defaultdict(set)
    for a, b in edges():
        near[a].add(b)
        near[b].add(a)
    found = [(a, b, c) for a, b in sorted(edges()) for c in sorted(near[a] & near[b]) if c > b]
    return _without_separating(found)


def triangles(points: Floats) -> NDArray[np.int16]:
    """The faces of the tessellation, counter-clockwise seen from the front."""
    return _orient(np.array(_faces()), points)


def _without_separating(tris: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Drop cliques that are no faces: every edge of theirs is already shared by two others."""
    count: dict[tuple[int, int], int] = defaultdict(int)
    for a, b, c in tris:
        for edge in ((a, b), (b, c), (a, c)):
            count[edge] += 1
    return [t for t in tris if min(count[t[0], t[1]], count[t[1], t[2]], count[t[0], t[2]]) < 3]


def _orient(tris: Ints, points: Floats) -> NDArray[np.int16]:
    """Make windings agree across edges, the majority facing +z."""
    owners: dict[tuple[int, int], list[int]] = defaultdict(list)
    for i, tri in enumerate(tris):
        for k in range(3):
            a, b = int(tri[k]), int(tri[(k + 1) % 3])
            owners[(min(a, b), max(a, b))].append(i)
    crowded = {e: o for e, o in owners.items() if len(o) > 2}
    if crowded:
        raise ValueError(f"not a manifold: {crowded}")
    out, done, stack = tris.copy(), {0}, [0]
    while stack:
        i = stack.pop()
        for k in range(3):
            a, b = int(out[i, k]), int(out[i, (k + 1) % 3])
            for j in owners[(min(a, b), max(a, b))]:
                if j in done:
                    continue
                tri = out[j].tolist()
                if any((tri[m], tri[(m + 1) % 3]) == (a, b) for m in range(3)):
                    out[j] = out[j][::-1]
                done.add(j)
                stack.append(j)
    p, q, r = (points[out[:, k], :2] for k in range(3))
    area: NDArray[np.float32] = (q[:, 0] - p[:, 0]) * (r[:, 1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (r[:, 0] - p[:, 0])
    if area.sum() < 0:
        out = out[:, ::-1]
    return out.astype(np.int16)


def loops(tris: NDArray[np.int16]) -> list[list[int]]:
    """Boundary loops."""
    directed = {(int(t[k]), int(t[(k + 1) % 3])) for t in tris for k in range(3)}
    after = {a: b for a, b in directed if (b, a) not in directed}
    out = []
    while after:
        start, here = next(iter(after.items()))
        loop = [start]
        del after[start]
        while here != start:
            loop.append(here)
            here = after.pop(here)
        out.append(loop)
    return out
