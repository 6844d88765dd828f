"""The ICT FaceKit head: shapes, a z-buffer rasteriser and a simple textured render."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

SKIN_PARTS = ("face", "head_neck")
FLAT_COLOURS = {
    "mouth_socket": (0.30, 0.10, 0.10),
    "eye_socket_left": (0.35, 0.14, 0.12),
    "eye_socket_right": (0.35, 0.14, 0.12),
    "gums_tongue": (0.62, 0.30, 0.30),
    "teeth": (0.88, 0.86, 0.80),
}


@dataclass(frozen=True)
class Raster:
    """Front-most triangle (-1: none), its barycentric weights and depth per pixel."""

    triangle: Ints
    bary: Floats
    depth: Floats


@dataclass(frozen=True)
class Camera:
    """Pinhole camera on the z axis, looking along -z at `centre_y`."""

    size: int
    distance: float = 85.0
    centre_y: float = 0.5
    half_height: float = 15.0

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Pixel positions and depth (larger is nearer) of points in cm."""
        away = self.distance - points[:, 2]
        scale = 0.5 * self.size / self.half_height * self.distance / away
        x = 0.5 * self.size + points[:, 0] * scale
        y = 0.5 * self.size - (points[:, 1] - self.centre_y) * scale
        return np.stack([x, y], 1), -away


@dataclass(frozen=True)
class Card:
    """A brow or lash mesh bound to the head, with its texture."""

    vertices: Floats
    triangles: Ints
    uvs: Floats
    triangle_uvs: Ints
    bind_vertices: Ints
    bind_bary: Floats
    texture: Floats


@dataclass(frozen=True)
class Look:
    """Textures of one rendered person."""

    face: Floats
    head: Floats
    eye: Floats
    cards: tuple[Card, ...]


class Head:
    """Arrays of the ICT head and its linear shapes."""

    def __init__(self, assets: Path) -> None:
        data = np.load(assets / "ict_facekit.npz", allow_pickle=False)
        self.assets = assets
        self.vertices: Floats = data["vertices"]
        self.triangles: Ints = data["triangles"].astype(np.int64)
        self.uvs: Floats = data["uvs"]
        self.triangle_uvs: Ints = data["triangle_uvs"].astype(np.int64)
        self.part_names = [str(n) for n in data["part_names"]]
        self.part_vertices: Ints = data["part_vertices"].astype(np.int64)
        self.part_polygons: Ints = data["part_polygons"].astype(np.int64)
        self.triangle_polygon: Ints = data["triangle_polygon"].astype(np.int64)
        self.identity_modes = data["identity_modes"][:40]
        self.mirror: Ints = data["mirror_vertices"].astype(np.int64)
        self.eye_spheres: Floats = data["eye_spheres"]
        self.tooth_names = [str(n) for n in data["tooth_names"]]
        self.tooth_vertices: Ints = data["tooth_vertices"].astype(np.int64)
        self.tooth_polygons: Ints = data["tooth_polygons"].astype(np.int64)
        names = [str(n) for n in data["expression_names"]]
        deltas = data["expression_deltas"]
        self.expressions = {n: deltas[i].astype(np.float32) for i, n in enumerate(names)}

    def part_triangles(self, *names: str) -> Ints:
        """Indices of the triangles of the named parts."""
        keep = np.zeros(len(self.triangles), bool)
        for name in names:
            first, last = self.part_polygons[self.part_names.index(name)]
            keep |= (self.triangle_polygon >= first) & (self.triangle_polygon < last)
        return np.flatnonzero(keep)

    def part_range(self, name: str) -> slice:
        """Vertex range of a part."""
        first, last = self.part_vertices[self.part_names.index(name)]
        return slice(int(first), int(last))

    def delta(self, weights: dict[str, float], identity: Floats | None = None) -> Floats:
        """Displacement of all vertices for expression weights and identity scores."""
        out = np.zeros_like(self.vertices)
        for name, weight in weights.items():
            out += np.float32(weight) * self.expressions[name]
        if identity is not None:
            modes = self.identity_modes[: len(identity)]
            for score, mode in zip(identity, modes, strict=True):
                out += np.float32(score) * mode.astype(np.float32)
        return out

    def look(self, skin: str, eye: str, brow: str, lash: str) -> Look:
        """Load the textures of one person."""
        skins, textures = self.assets / "ict_skins", self.assets / "makehuman" / "textures"
        return Look(
            _image(skins / f"{skin}_face.jpg"),
            _image(skins / f"{skin}_head.jpg"),
            _image(textures / "eyes_front" / f"{eye}.png"),
            (self._card("eyebrow", brow), self._card("eyelash", lash)),
        )

    def _card(self, kind: str, name: str) -> Card:
        folder = self.assets / "makehuman"
        fit = np.load(self.assets / "ict_fit" / f"{kind}_{name}.npz", allow_pickle=False)
        proxy = np.load(folder / "proxies" / f"{kind}_{name}.npz", allow_pickle=False)
        return Card(
            fit["vertices"],
            proxy["triangles"].astype(np.int64),
            proxy["uvs"],
            proxy["triangle_uvs"].astype(np.int64),
            fit["bind_vertices"].astype(np.int64),
            fit["bind_bary"],
            _image(folder / "textures" / f"{name}.png"),
        )


def _image(path: Path) -> Floats:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    code = cv2.COLOR_BGRA2RGBA if image.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(image, code).astype(np.float32) / 255.0


def _sample(texture: Floats, uv: Floats) -> Floats:
    height, width = texture.shape[:2]
    x = np.clip(uv[:, 0] * width - 0.5, 0, width - 1).astype(np.float32)
    y = np.clip((1 - uv[:, 1]) * height - 0.5, 0, height - 1).astype(np.float32)
    out = np.empty((len(uv), texture.shape[2]), np.float32)
    for start in range(0, len(uv), 30000):
        rows = slice(start, start + 30000)
        sampled = cv2.remap(texture, x[rows, None], y[rows, None], cv2.INTER_LINEAR)
        out[rows] = sampled.reshape(-1, texture.shape[2])
    return out


def rasterise(screen: Floats, depth: Floats, triangles: Ints, shape: tuple[int, ...], cull: bool = True) -> Raster:
    """Z-buffer: `screen` in pixels (y down, pixel centres at .5), larger depth wins."""
    height, width = shape[:2]
    a, b, c = (screen[triangles[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    low = np.floor(np.minimum(np.minimum(a, b), c) - 0.5).astype(np.int64)
    high = np.ceil(np.maximum(np.maximum(a, b), c) - 0.5).astype(np.int64)
    low, high = np.maximum(low, 0), np.minimum(high, [width - 1, height - 1])
    span = high - low + 1
    keep = np.flatnonzero((area < 0 if cull else area != 0) & (span > 0).all(1))
    count = span[keep].prod(1)
    owner = np.repeat(keep, count)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    px = low[owner, 0] + step % span[owner, 0]
    py = low[owner, 1] + step // span[owner, 0]
    bary = _bary2((np.stack([px, py], 1) + 0.5).astype(np.float32), a[owner], b[owner], c[owner], area[owner])
    inside = (bary >= -1e-6).all(1)
    owner, bary, pixel = owner[inside], bary[inside], (py * width + px)[inside]
    z = (depth[triangles[owner]] * bary).sum(1)
    order = np.argsort(z, kind="stable")
    out = Raster(
        np.full(height * width, -1, np.int64),
        np.zeros((height * width, 3), np.float32),
        np.full(height * width, -np.inf, np.float32),
    )
    out.triangle[pixel[order]] = owner[order]
    out.bary[pixel[order]] = bary[order]
    out.depth[pixel[order]] = z[order]
    grid = (height, width)
    return Raster(out.triangle.reshape(grid), out.bary.reshape(*grid, 3), out.depth.reshape(grid))


def _bary2(p: Floats, a: Floats, b: Floats, c: Floats, area: Floats) -> Floats:
    """Barycentric weights of points in 2D triangles with signed double area `area`."""
    u = ((b[:, 0] - p[:, 0]) * (c[:, 1] - p[:, 1]) - (b[:, 1] - p[:, 1]) * (c[:, 0] - p[:, 0])) / area
    v = ((c[:, 0] - p[:, 0]) * (a[:, 1] - p[:, 1]) - (c[:, 1] - p[:, 1]) * (a[:, 0] - p[:, 0])) / area
    return np.stack([u, v, 1 - u - v], 1)


def bary_in(raster: Raster, screen: Floats, triangles: Ints, points: Floats) -> tuple[Ints, Floats]:
    """Triangle nearest to each 2D point in a raster, and clipped weights in it."""
    valid = (raster.triangle >= 0).astype(np.uint8)
    _, label = cv2.distanceTransformWithLabels(1 - valid, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    owner = np.zeros(int(label.max()) + 1, np.int64)
    owner[label[valid > 0]] = raster.triangle[valid > 0]
    height, width = valid.shape
    x = np.clip(points[:, 0].astype(int), 0, width - 1)
    y = np.clip(points[:, 1].astype(int), 0, height - 1)
    hit = owner[label[y, x]]
    a, b, c = (screen[triangles[hit, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    weights = np.clip(_bary2(points, a, b, c, area), 0, None)
    return hit, (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def vertex_normals(vertices: Floats, triangles: Ints) -> Floats:
    """Area-weighted vertex normals."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    out = np.zeros_like(vertices)
    for k in range(3):
        for axis in range(3):
            out[:, axis] += np.bincount(triangles[:, k], face[:, axis], len(vertices))
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


def render(head: Head, look: Look, delta: Floats, rotation: Floats, camera: Camera) -> NDArray[np.uint8]:
    """RGB image of the head displaced by `delta` and turned by `rotation`."""
    posed = ((head.vertices + delta) @ rotation.T).astype(np.float32)
    names = [*SKIN_PARTS, *FLAT_COLOURS, "sclera_left", "sclera_right"]
    tris = head.part_triangles(*names)
    screen, depth = camera.project(posed)
    size = (camera.size, camera.size)
    raster = rasterise(screen, depth, head.triangles[tris], size)
    hit = raster.triangle >= 0
    tri, bary = tris[raster.triangle[hit]], raster.bary[hit][..., None]
    normals = (vertex_normals(posed, head.triangles)[head.triangles[tri]] * bary).sum(1)
    light = np.array([0.25, 0.45, 0.86], np.float32)
    shade = 0.55 + 0.5 * np.clip(normals @ light, 0, None)
    image = np.full((*size, 3), 0.72, np.float32)
    image[hit] = _albedo(head, look, tri, bary) * shade[:, None]
    for card in look.cards:
        _draw_card(image, raster.depth, card, delta, rotation, camera)
    return (np.clip(image, 0, 1) * 255).astype(np.uint8)


def _albedo(head: Head, look: Look, tri: Ints, bary: Floats) -> Floats:
    uv = (head.uvs[head.triangle_uvs[tri]] * bary).sum(1)
    tile = (uv[:, 0] > 1)[:, None]
    back = np.stack([uv[:, 0] - 1, uv[:, 1]], 1)
    colour = np.where(tile, _sample(look.head, back), _sample(look.face, uv))
    polygon = head.triangle_polygon[tri]
    for name, flat in FLAT_COLOURS.items():
        first, last = head.part_polygons[head.part_names.index(name)]
        colour[(polygon >= first) & (polygon < last)] = flat
    for side in ("left", "right"):
        first, last = head.part_polygons[head.part_names.index(f"sclera_{side}")]
        mine = (polygon >= first) & (polygon < last)
        eye = head.vertices[head.part_range(f"sclera_{side}")]
        front = eye[eye[:, 2].argmax()]
        at = (head.vertices[head.triangles[tri[mine]]] * bary[mine]).sum(1)
        colour[mine] = _sample(look.eye, 0.5 + 0.31 * (at - front)[:, :2])[:, :3]
    return colour


def _draw_card(image: Floats, depth: Floats, card: Card, delta: Floats, rotation: Floats, camera: Camera) -> None:
    moved = card.vertices + (delta[card.bind_vertices] * card.bind_bary[..., None]).sum(1)
    screen, z = camera.project((moved @ rotation.T).astype(np.float32))
    raster = rasterise(screen, z, card.triangles, depth.shape, cull=False)
    hit = (raster.triangle >= 0) & (raster.depth > depth - 0.4)
    uvs = card.uvs[card.triangle_uvs[raster.triangle[hit]]]
    texel = _sample(card.texture, (uvs * raster.bary[hit][..., None]).sum(1))
    alpha = texel[:, 3:4] if texel.shape[1] == 4 else np.ones((len(texel), 1), np.float32)
    image[hit] = image[hit] * (1 - alpha) + texel[:, :3] * alpha
