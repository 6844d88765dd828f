"""Attachment of points to the face surface, and smooth normals there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from training.fields import topology
from training.fields.head import Floats, Head, Ints, rasterise, vertex_normals

EYE_RINGS = (3, 2)
"""Edge rings out from the eye opening's border where the upper and lower lids meet in a blink."""


@dataclass
class Attachment:
    """Vertex triples and weights of points on the face mesh."""

    vertices: Ints
    weights: Floats

    def interpolate(self, values: Floats) -> Floats:
        """Values of vertices at the points."""
        return (values[self.vertices] * self.weights[..., None]).sum(1).astype(np.float32)


def _face_graph(head: Head) -> tuple[Ints, csr_matrix]:
    """Face triangles and their vertex adjacency."""
    tris = head.triangles[head.part_triangles("face")]
    rows = np.concatenate([tris[:, k] for k in (0, 1, 2)])
    cols = np.concatenate([tris[:, k] for k in (1, 2, 0)])
    size = len(head.vertices)
    graph = csr_matrix((np.ones(len(rows), np.int8), (rows, cols)), (size, size))
    return tris, graph


def _borders(head: Head) -> list[Ints]:
    """Border loops of the face part, in order."""
    _, graph = _face_graph(head)
    lone = (graph - graph.multiply(graph.T)).tocoo()
    after = dict(zip(lone.row[lone.data > 0].tolist(), lone.col[lone.data > 0].tolist(), strict=True))
    out = []
    while after:
        start, here = next(iter(after.items()))
        del after[start]
        loop = [start]
        while here != start:
            loop.append(here)
            here = after.pop(here)
        out.append(np.array(loop))
    return out


def mouth_border(head: Head) -> Ints:
    """Border loop of the face part inside the mouth."""
    loops = [v for v in _borders(head) if abs(head.vertices[v, 0].mean()) < 0.5]
    return max(loops, key=lambda v: float(head.vertices[v, 2].mean()))


def eye_border(head: Head, side: int) -> Ints:
    """Border loop of the face part at the right (0) or left (1) eye."""
    sign = (-1, 1)[side]
    return next(v for v in _borders(head) if sign * head.vertices[v, 0].mean() > 2)


def lip_sides(head: Head) -> Ints:
    """+1 for face vertices nearer (along the mesh) to the upper lip's border, -1 for the lower."""
    _, graph = _face_graph(head)
    loop = mouth_border(head)
    at = head.vertices[loop]
    first, last = int(at[:, 0].argmin()), int(at[:, 0].argmax())
    ring = np.roll(np.arange(len(loop)), -first)
    split = int(np.flatnonzero(ring == last)[0])
    chains = [loop[ring[1:split]], loop[ring[split + 1 :]]]
    chains.sort(key=lambda c: float(head.vertices[c, 1].mean()))
    lower, upper = (dijkstra(_metric(head, graph), directed=False, indices=c, min_only=True) for c in chains)
    return np.where(upper < lower, 1, -1)


def _metric(head: Head, graph: csr_matrix) -> csr_matrix:
    pairs = graph.tocoo()
    length = np.linalg.norm(head.vertices[pairs.row] - head.vertices[pairs.col], axis=1)
    return csr_matrix((length, (pairs.row, pairs.col)), graph.shape)


def lid_margin(head: Head, side: int, upper: bool) -> Ints:
    """Vertices of a lid margin from the inner to the outer corner."""
    _, graph = _face_graph(head)
    border = eye_border(head, side)
    rings = dijkstra(graph, directed=False, indices=border, unweighted=True, min_only=True)
    chosen = np.flatnonzero(rings == EYE_RINGS[0 if upper else 1])
    across = np.abs(head.vertices[chosen, 0])
    tips = head.vertices[chosen[[across.argmin(), across.argmax()]]]
    share = (np.abs(head.vertices[chosen, 0]) - abs(tips[0, 0])) / abs(tips[1, 0] - tips[0, 0])
    chord = tips[0, 1] + share * (tips[1, 1] - tips[0, 1])
    above = head.vertices[chosen, 1] > chord
    kept = chosen[(above == upper) | (share < 1e-4) | (share > 1 - 1e-4)]
    return kept[np.argsort(np.abs(head.vertices[kept, 0]))]


def nearest(head: Head, points: Floats, allowed: Ints) -> Attachment:
    """Closest points on the face triangles `allowed` (vertex triples)."""
    corners = head.vertices[allowed]
    tree = cKDTree(corners.mean(1))
    near = np.asarray(tree.query(points, k=min(40, len(allowed)))[1])
    weights = _closest(points[:, None], corners[near])
    at = (corners[near] * weights[..., None]).sum(2)
    best: Ints = np.linalg.norm(at - points[:, None], axis=2).argmin(1)
    rows: Ints = np.arange(len(points))
    return Attachment(allowed[near[rows, best]], weights[rows, best].astype(np.float32))


def _closest(points: Floats, corners: Floats) -> Floats:
    """Weights of the closest point in each triangle (..., 3, 3)."""
    a, b, c = corners[..., 0, :], corners[..., 1, :], corners[..., 2, :]
    normal = np.cross(b - a, c - a)
    area = np.maximum((normal**2).sum(-1), 1e-12)
    u = (np.cross(c - b, points - b) * normal).sum(-1) / area
    v = (np.cross(a - c, points - c) * normal).sum(-1) / area
    plane = np.stack([u, v, 1 - u - v], -1)
    options = [np.where((plane >= 0).all(-1, keepdims=True), plane, np.nan)]
    for i, j in ((0, 1), (1, 2), (2, 0)):
        start, along = corners[..., i, :], corners[..., j, :] - corners[..., i, :]
        t = ((points - start) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-12)
        t = np.clip(t, 0, 1)
        edge = np.zeros_like(plane)
        edge[..., i], edge[..., j] = 1 - t, t
        options.append(edge)
    weights = np.stack(options, -2)
    at = np.einsum("...kj,...jd->...kd", weights, corners)
    gap = np.linalg.norm(at - points[..., None, :], axis=-1)
    best = np.nanargmin(np.where(np.isnan(gap), np.inf, gap), -1)
    return np.take_along_axis(weights, best[..., None, None], -2)[..., 0, :]


def attach(head: Head, points: Floats, pairs: Ints) -> Attachment:
    """Attach the points; lips to their own lip, eye contours to the lid margins; symmetric."""
    tris, _ = _face_graph(head)
    at = nearest(head, points, tris)
    _snap_lips(head, points, at)
    for eye in (0, 1):
        _snap_lids(head, points, at, eye)
    _unfold(head, at, tris)
    _mirror(head, at, pairs)
    return at


def _mirror(head: Head, at: Attachment, pairs: Ints) -> None:
    """Make the left points the exact mirror of the right ones; centre the middle ones."""
    x = at.interpolate(head.vertices)[:, 0]
    left = np.flatnonzero(x > x[pairs])
    tris, _ = _face_graph(head)
    face = np.unique(tris)
    partner = head.mirror.copy()
    astray = face[~np.isin(partner[face], face)]
    reflected = head.vertices[astray] * np.array([-1, 1, 1], np.float32)
    partner[astray] = face[cKDTree(head.vertices[face]).query(reflected)[1]]
    at.vertices[left] = partner[at.vertices[pairs[left]]]
    at.weights[left] = at.weights[pairs[left]]
    middle = np.flatnonzero(pairs == np.arange(len(pairs)))
    places = at.interpolate(head.vertices)[middle]
    some = nearest(head, places * np.array([0, 1, 1], np.float32), tris[np.abs(head.vertices[tris, 0]).max(1) < 1])
    at.vertices[middle], at.weights[middle] = some.vertices, some.weights


def _snap_lips(head: Head, points: Floats, at: Attachment, scale: float = 200.0) -> None:
    """Put the inner lip contours onto the edges of the lips seen from the front at rest."""
    tris, _ = _face_graph(head)
    side = np.sign(lip_sides(head)[tris].sum(1))
    mouth = points[topology.lip_points()]
    low, high = mouth[:, :2].min(0) - 0.5, mouth[:, :2].max(0) + 0.5
    screen = np.stack([(head.vertices[:, 0] - low[0]) * scale, (high[1] - head.vertices[:, 1]) * scale], 1)
    size = (int((high[1] - low[1]) * scale), int((high[0] - low[0]) * scale))
    raster = rasterise(screen, head.vertices[:, 2], tris, size)
    seen = np.where(raster.triangle >= 0, side[raster.triangle], 0)
    for row in np.flatnonzero(topology.lip_side()):
        sign = int(topology.lip_side()[row])
        column = int((points[row, 0] - low[0]) * scale)
        here = int((high[1] - points[row, 1]) * scale)
        rows = np.flatnonzero(seen[:, column] == sign)
        pixel = int(rows[np.abs(rows - here).argmin()])
        while seen[pixel + sign, column] == sign and abs(pixel - here) < 0.5 * scale:
            pixel += sign
        at.vertices[row] = tris[raster.triangle[pixel, column]]
        at.weights[row] = raster.bary[pixel, column]


def _snap_lids(head: Head, points: Floats, at: Attachment, eye: int) -> None:
    """Put the contour points of one eye onto its lid margins."""
    outer, inner = topology.EYE_CORNERS[eye]
    for upper, rows in ((True, topology.LIDS_UPPER[eye]), (False, topology.LIDS_LOWER[eye])):
        chain = lid_margin(head, eye, upper)
        line = head.vertices[chain, :2]
        along = line[1:] - line[:-1]
        length = np.concatenate([[0], np.cumsum(np.linalg.norm(along, axis=1))])
        for row in rows:
            t = ((points[row, :2] - line[:-1]) * along).sum(1) / (along**2).sum(1)
            t = np.clip(t, 0, 1)
            gap = np.linalg.norm(line[:-1] + t[:, None] * along - points[row, :2], axis=1)
            k = int(gap.argmin())
            place = length[k] + t[k] * (length[k + 1] - length[k])
            place = np.clip(place, 0.045 * length[-1], 0.955 * length[-1])
            k = int(np.searchsorted(length, place)) - 1
            share = (place - length[k]) / (length[k + 1] - length[k])
            at.vertices[row] = chain[k], chain[k + 1], chain[k]
            at.weights[row] = 1 - share, share, 0
        if upper:
            for row, tip in ((inner, chain[0]), (outer, chain[-1])):
                at.vertices[row], at.weights[row] = tip, (1, 0, 0)


def _unfold(head: Head, at: Attachment, tris: Ints) -> None:
    """Relax free points of triangles that face away in the frontal view."""
    fixed = {*topology.OVAL, *topology.lip_points(), *sum(topology.LIDS_UPPER, ())}
    fixed |= {*sum(topology.LIDS_LOWER, ()), *sum(topology.EYE_CORNERS, ())}
    for _ in range(12):
        points = at.interpolate(head.vertices)
        mesh = topology.triangles(points).astype(np.int64)
        p, q, r = (points[mesh[:, k], :2] for k in range(3))
        area = (q - p)[:, 0] * (r - p)[:, 1] - (q - p)[:, 1] * (r - p)[:, 0]
        rows = sorted(set(mesh[area < 0.004].ravel().tolist()) - fixed)
        if not rows:
            return
        near = [np.unique(mesh[(mesh == row).any(1)]) for row in rows]
        moved = np.array([0.7 * points[r] + 0.3 * points[n].mean(0) for r, n in zip(rows, near, strict=True)])
        some = nearest(head, moved, tris)
        at.vertices[rows], at.weights[rows] = some.vertices, some.weights


class SmoothNormals:
    """Vertex normals averaged over a neighbourhood of each attached point."""

    def __init__(self, head: Head, at: Attachment, radius: float = 0.3) -> None:
        self.tris, _ = _face_graph(head)
        face = np.unique(self.tris)
        sides, wanted = lip_sides(head), topology.lip_side()
        neutral = vertex_normals(head.vertices, self.tris)
        places, facing = at.interpolate(head.vertices), at.interpolate(neutral)
        tree = cKDTree(head.vertices[face])
        rows, cols, values = [], [], []
        for i, place in enumerate(places):
            near = face[tree.query_ball_point(place, 2 * radius)]
            near = near[(neutral[near] @ facing[i]) > 0]
            if i < 468 and wanted[i]:
                near = near[sides[near] == wanted[i]]
            near = near if len(near) else at.vertices[i]
            gap = np.linalg.norm(head.vertices[near] - place, axis=1) / radius
            weight = np.exp(-(gap**2)) + 1e-6
            rows += [i] * len(near)
            cols += near.tolist()
            values += (weight / weight.sum()).tolist()
        self.average = csr_matrix((values, (rows, cols)), (len(places), len(head.vertices)))

    def __call__(self, vertices: Floats) -> Floats:
        """Normals at the points for a deformed head."""
        mean = self.average @ vertex_normals(vertices, self.tris)
        return (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float32)
