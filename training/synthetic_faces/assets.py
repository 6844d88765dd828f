"""Head assets as arrays ready for the graphics card: the ICT head, cards (hair, brows, lashes, clothes) and textures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from training.fields.head import Head, vertex_normals

Floats = NDArray[np.float32]
Reals = NDArray[np.floating[Any]]
"""Any precision."""
Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

N_MODES = 50
FACE, BACK, MOUTH, SOCKET, GUMS, TEETH, EYE, TONGUE, WET = range(9)
"""Materials of the head mesh."""
MATERIAL_OF_PART = {
    "face": FACE, "head_neck": BACK, "mouth_socket": MOUTH, "eye_socket_left": SOCKET, "eye_socket_right": SOCKET,
    "gums_tongue": GUMS, "teeth": TEETH, "sclera_left": EYE, "sclera_right": EYE, "lacrimal_left": WET,
    "lacrimal_right": WET,
}  # fmt: skip
HAIR = ("short01", "short02", "short03", "short04", "bob01", "bob02", "braid01", "long01", "ponytail01", "afro01")
HELD_OUT = ("bob02", "short03", "afro01", "male_casualsuit03", "female_elegantsuit01", "eyebrow004", "eyebrow009",
            "middleage_lightskinned_female", "middleage_darkskinned_male", "young_lightskinned_male_diffuse2",
            "green")  # fmt: skip
"""Assets (by the start of their name) that only test pictures show."""
PARTS = ("all", "train", "test")
HATS = ("fedora", "fedora_cocked")
EYES = ("brown", "brownlight", "blue", "bluegreen", "green", "grey", "ice", "lightblue")
EYE_SCALE = 0.31
"""Texture units per cm on the eyeball (see the README of the assets)."""


@dataclass(frozen=True)
class Card:
    """A mesh bound to the head: positions of its corners follow head vertices."""

    name: str
    vertices: Floats
    """(n, 3) cm on the neutral head, one per unique (vertex, uv)."""
    uvs: Floats
    triangles: Ints
    bind_vertices: Ints
    bind_bary: Floats
    source: Ints
    """(n,) mesh vertex of each corner."""
    texture: str
    """Texture name, or empty."""


@dataclass(frozen=True)
class Mesh:
    """The head mesh split at texture seams."""

    source: Ints
    """(n,) head vertex of each corner."""
    uvs: Floats
    material: Floats
    triangles: Ints


@dataclass(frozen=True)
class Bite:
    """A row of teeth with its gums."""

    vertices: Ints
    """Of the head."""
    tip: int
    """The vertex at which a middle incisor ends."""
    lip: Ints
    weights: Floats
    """Three vertices, and their shares, that make the lip's edge before it."""

    def end(self, vertices: Reals) -> float:
        """How far below the lip's edge it ends, cm."""
        return float(vertices[self.lip, 1] @ self.weights - vertices[self.tip, 1])


def merge(positions: Ints, uvs: Ints) -> tuple[Ints, Ints, Ints]:
    """Unique (position, uv) pairs and triangles over them."""
    key = positions.ravel() * (int(uvs.max()) + 1) + uvs.ravel()
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return positions.ravel()[first], uvs.ravel()[first], inverse.reshape(-1, 3)


def read_image(path: Path, width: int) -> Bytes:
    """(h, w, 3 or 4) sRGB, top row first, no wider than `width`."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise FileNotFoundError(path)
    if image.shape[1] > width:
        image = cv2.resize(image, (width, image.shape[0] * width // image.shape[1]), interpolation=cv2.INTER_AREA)
    code = cv2.COLOR_BGRA2RGBA if image.shape[2] == 4 else cv2.COLOR_BGR2RGB
    out: Bytes = np.ascontiguousarray(cv2.cvtColor(image, code))
    return out


class Assets:
    """Everything that is loaded once."""

    def __init__(self, folder: Path, part: str = "all") -> None:
        if part not in PARTS:
            raise ValueError(f"part must be one of {PARTS}, got {part!r}")
        self.folder, self.part = folder, part
        self.head = Head(folder)
        with np.load(folder / "ict_facekit.npz", allow_pickle=False) as data:
            modes = data["identity_modes"][:N_MODES].astype(np.float32)
        self.modes: Floats = modes.reshape(len(modes), -1)
        names = sorted(self.head.expressions)
        self.expression_row = {n: i for i, n in enumerate(names)}
        self.expressions: Floats = np.stack([self.head.expressions[n].ravel() for n in names])
        fit = folder / "ict_fit"
        self.skins = self._kept(p.name.removesuffix("_face.jpg") for p in (folder / "ict_skins").glob("*_face.jpg"))
        self.clothes = self._kept(p.stem.removeprefix("clothes_") for p in fit.glob("clothes_*suit*.npz"))
        self.brows = self._kept(p.stem.removeprefix("eyebrow_") for p in fit.glob("eyebrow_*.npz"))
        self.lashes = sorted(p.stem.removeprefix("eyelash_") for p in fit.glob("eyelash_*.npz"))
        self.hair = self._kept(HAIR)
        self.eyes = self._kept(EYES)
        tie = np.load(Path(__file__).parent / "data" / "landmarks.npz", allow_pickle=False)
        self.tie_vertices: Ints = tie["vertices"].astype(np.int64)
        self.tie_weights: Floats = tie["weights"]

    def _kept(self, names: Iterable[str]) -> list[str]:
        every = sorted(names)
        test = self.part == "test"
        return every if self.part == "all" else [n for n in every if n.startswith(HELD_OUT) == test]

    @cached_property
    def tongue(self) -> NDArray[np.bool_]:
        """(vertices,) which head vertices are tongue."""
        head = self.head
        rows = head.part_range("gums_tongue")
        normals = vertex_normals(head.vertices, head.triangles[head.part_triangles("gums_tongue")])
        out = np.zeros(len(head.vertices), np.bool_)
        out[rows] = tongue_vertices(head.vertices[rows], normals[rows].astype(np.float32))
        tris = head.triangles[head.part_triangles("gums_tongue")]
        tris = tris[out[tris].all(1)]
        links = coo_matrix((np.ones(2 * len(tris)), (tris[:, :2].ravel(), tris[:, 1:].ravel())), (len(out), len(out)))
        _, label = connected_components(links, directed=False)
        return out & (label == np.bincount(label).argmax())

    @cached_property
    def bites(self) -> tuple[Bite, Bite]:
        """Upper and lower."""
        head, gums = self.head, np.zeros(len(self.head.vertices), np.bool_)
        gums[head.part_range("gums_tongue")] = True
        gums &= ~self.tongue
        high = head.vertices[:, 1] > BITE_Y
        return self._bite("upper", gums & high, 13), self._bite("lower", gums & ~high, 14)

    def _bite(self, row: str, own: NDArray[np.bool_], lip: int) -> Bite:
        head = self.head
        for name, (first, last) in zip(head.tooth_names, head.tooth_vertices, strict=True):
            own[first:last] |= row in name
        incisor = np.arange(*head.tooth_vertices[head.tooth_names.index(f"central_incisor_{row}_left")])
        heights = head.vertices[incisor, 1]
        tip = int(incisor[heights.argmin() if row == "upper" else heights.argmax()])
        return Bite(np.flatnonzero(own), tip, self.tie_vertices[lip], self.tie_weights[lip])

    @cached_property
    def mesh(self) -> Mesh:
        """The drawn parts of the head."""
        head = self.head
        tris = head.part_triangles(*MATERIAL_OF_PART)
        material = np.zeros(len(head.triangles), np.int64)
        for name, value in MATERIAL_OF_PART.items():
            material[head.part_triangles(name)] = value
        material = material[tris]
        uv_id = head.triangle_uvs[tris] * 16 + material[:, None]
        source, key, triangles = merge(head.triangles[tris], uv_id)
        uvs, kind = head.uvs[key // 16].copy(), key % 16
        uvs[kind == BACK, 0] -= 1
        for name in ("sclera_left", "sclera_right"):
            ball = head.vertices[head.part_range(name)]
            front = ball[ball[:, 2].argmax()]
            mine = (kind == EYE) & (np.sign(head.vertices[source, 0]) == np.sign(front[0]))
            uvs[mine] = 0.5 + EYE_SCALE * (head.vertices[source[mine]] - front)[:, :2]
            behind = mine & (head.vertices[source, 2] < front[2] - 2.0)
            uvs[behind] = 0.02
        tongue = (kind == GUMS) & self.tongue[source]
        material_of = np.where(tongue, TONGUE, kind).astype(np.float32)
        return Mesh(source, uvs.astype(np.float32), material_of, triangles)

    def card(self, kind: str, name: str) -> Card:
        """A fitted mesh; `name` without its kind."""
        fit = np.load(self.folder / "ict_fit" / f"{kind}_{name}.npz", allow_pickle=False)
        proxy = np.load(self.folder / "makehuman" / "proxies" / f"{kind}_{name}.npz", allow_pickle=False)
        tri = proxy["triangles"].astype(np.int64)
        source, uv, triangles = merge(tri, proxy["triangle_uvs"].astype(np.int64))
        return Card(
            name,
            fit["vertices"][source].astype(np.float32),
            proxy["uvs"][uv].astype(np.float32),
            triangles,
            fit["bind_vertices"].astype(np.int64)[source],
            fit["bind_bary"][source].astype(np.float32),
            source,
            str(proxy["texture_diffuse"]),
        )

    def texture(self, name: str, width: int = 512) -> Bytes:
        """A MakeHuman texture (h, w, 3 or 4)."""
        return read_image(self.folder / "makehuman" / "textures" / name, width)

    def skin(self, name: str, tile: str, width: int) -> Bytes:
        """A baked skin; tile is face or head."""
        return read_image(self.folder / "ict_skins" / f"{name}_{tile}.jpg", width)


BITE_Y = -3.3
"""Height of the neutral head, cm, above which gums are the upper ones."""
TONGUE_Z = (3.0, 5.0, 7.0, 8.0, 8.7, 9.3, 9.7, 9.95)
TONGUE_TOP = (-4.3, -3.15, -2.98, -3.1, -3.25, -3.55, -3.85, -4.0)
TONGUE_LOW = (-5.3, -4.75, -4.68, -4.58, -4.5, -4.45, -4.2, -4.1)
TONGUE_HALF = (1.9, 1.97, 1.93, 1.7, 1.45, 0.97, 0.35, 0.1)
"""Sections of the neutral tongue along z: upper and lower edge, half width, cm."""


def tongue_vertices(points: Floats, normals: Floats) -> NDArray[np.bool_]:
    """Which neutral points (n, 3) of the gum and tongue part are tongue: inside its sections and facing outwards."""
    x, y, z = points.T
    top, low, half = (np.interp(z, TONGUE_Z, row) for row in (TONGUE_TOP, TONGUE_LOW, TONGUE_HALF))
    across, up = x / half, (y - 0.5 * (top + low)) / (0.5 * (top - low))
    outward = normals[:, 0] * across + normals[:, 1] * up + np.where(z > 9, 0.6, 0) * normals[:, 2]
    out: NDArray[np.bool_] = (across**2 + up**2 < 1.45) & (outward > 0) & (z > 3.0) & (z < 10.1) & (y < -2.8)
    return out
