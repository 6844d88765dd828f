"""The deforming head: identity, expression, eyes and tongue to vertex positions and normals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from training.people.names import ARKIT_INDEX, ARKIT_NAMES, EYE_LOOK_FULL_DEG

from training.people.assets import Assets, Card, Floats, tongue_share

SUMS = {"browInnerUp": ("browInnerUp_L", "browInnerUp_R"), "cheekPuff": ("cheekPuff_L", "cheekPuff_R")}
EYE_PARTS = ("eyeball_left", "eyeball_right")


def ict_names(name: str) -> tuple[str, ...]:
    """ICT shapes that make one ARKit shape (none for tongueOut)."""
    if name in SUMS:
        return SUMS[name]
    for word, suffix in (("Left", "_L"), ("Right", "_R")):
        if name.endswith(word) and name not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
            return (name.removesuffix(word) + suffix,)
    return () if name == "tongueOut" else (name,)


def turn(yaw_deg: float, pitch_deg: float, roll_deg: float = 0.0) -> Floats:
    """Rotation (3, 3) in the convention of `vivant.types`: y up, yaw to the person's left, pitch up, roll to the left ear."""
    y, p, r = np.radians([yaw_deg, -pitch_deg, -roll_deg])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    out: Floats = (about_y @ about_x @ about_z).astype(np.float32)
    return out


def gaze_weights(weights: Floats, gaze: Floats) -> Floats:
    """`weights` (52,) with the eyeLook shapes that belong to `gaze` (2, 2): left, right eye; yaw, pitch in degrees."""
    out = weights.copy()
    for eye, side in enumerate(("Left", "Right")):
        yaw, pitch = gaze[eye] / EYE_LOOK_FULL_DEG
        outward = yaw if side == "Left" else -yaw
        pairs = (("Out", outward), ("In", -outward), ("Up", pitch), ("Down", -pitch))
        for way, value in pairs:
            out[ARKIT_INDEX[f"eyeLook{way}{side}"]] = np.clip(value, 0, 1)
    return out


@dataclass(frozen=True)
class Shape:
    """One deformed head, in cm, in the head frame."""

    vertices: Floats
    normals: Floats
    delta: Floats
    """Displacement of all vertices by identity and expression, for brows and lashes."""
    still: Floats
    """Displacement by identity alone, for hair."""
    eyes: Floats
    """(2, 3) eyeball centres, left and right."""

    def follow(self, card: Card, expression: bool) -> Floats:
        """Positions of a card's corners (n, 3)."""
        delta = self.delta if expression else self.still
        moved: Floats = card.vertices + np.einsum("nkd,nk->nd", delta[card.bind_vertices], card.bind_bary)
        return moved


class Rig:
    """Linear shapes and the parts that turn."""

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        head = assets.head
        self.neutral: Floats = head.vertices
        self.blend = np.zeros((len(ARKIT_NAMES), len(assets.expressions)), np.float32)
        for i, name in enumerate(ARKIT_NAMES):
            for shape in ict_names(name):
                self.blend[i, assets.expression_row[shape]] = 1
        self.balls = [head.part_range(n) for n in EYE_PARTS]
        self.around = [head.part_range(n) for n in ("lacrimal_left", "lacrimal_right")]
        tongue = head.part_range("gums_tongue")
        share = tongue_share(head.vertices[tongue])
        self.tongue = np.flatnonzero(share > 0.5) + tongue.start
        self.tongue_out = tongue_out(head.vertices[self.tongue])
        tris = head.part_triangles("face", "head_neck", "mouth_socket", "gums_tongue", "teeth", "sclera_left", "sclera_right",
                                   "eye_socket_left", "eye_socket_right", "lacrimal_left", "lacrimal_right")  # fmt: skip
        self.triangles = head.triangles[tris]
        corner = self.triangles.T.ravel()
        column = np.tile(np.arange(len(tris)), 3)
        self.gather = csr_matrix((np.ones(len(corner), np.float32), (corner, column)), (len(head.vertices), len(tris)))

    def shape(self, identity: Floats, weights: Floats, gaze: Floats, stretch: Floats, extra: dict[str, float]) -> Shape:
        """The head for identity scores, ARKit weights (52,), gaze (2, 2) degrees and a scale per axis (3,)."""
        still = (identity @ self.assets.modes[: len(identity)]).reshape(-1, 3)
        blend = weights @ self.blend
        for name, value in extra.items():
            blend[self.assets.expression_row[name]] += value
        used = np.flatnonzero(blend)
        moved = (blend[used] @ self.assets.expressions[used]).reshape(-1, 3)
        out = self.weights_tongue(float(weights[ARKIT_INDEX["tongueOut"]]))
        moved[self.tongue] += out
        vertices = self.neutral + still + moved
        eyes = self.turn_eyes(vertices, still, gaze)
        scaled = (vertices * stretch).astype(np.float32)
        fixed = ((self.neutral + still) * stretch - self.neutral).astype(np.float32)
        return Shape(scaled, self.normals(scaled), (scaled - self.neutral).astype(np.float32), fixed,
                     (eyes * stretch).astype(np.float32))  # fmt: skip

    def weights_tongue(self, amount: float) -> Floats:
        """Displacement of the tongue's vertices: it rises over the teeth first, then comes out."""
        rise = np.interp(amount, [0, 0.35, 1], [0, 0.65, 1])
        out: Floats = self.tongue_out * np.array([amount, rise, amount], np.float32)
        return out

    def turn_eyes(self, vertices: Floats, still: Floats, gaze: Floats) -> Floats:
        """Turn the eyeballs about their centres in place; returns the centres (2, 3)."""
        centres = np.zeros((2, 3), np.float32)
        for eye, rows in enumerate(self.balls):
            centres[eye] = self.assets.head.eye_spheres[eye, :3] + still[rows].mean(0)
            ball = self.neutral[rows] + still[rows] - centres[eye]
            vertices[rows] = ball @ turn(float(gaze[eye, 0]), float(gaze[eye, 1])).T + centres[eye]
        return centres

    def normals(self, vertices: Floats) -> Floats:
        """Area-weighted vertex normals (n, 3)."""
        a, b, c = (vertices[self.triangles[:, k]] for k in range(3))
        out = self.gather @ np.cross(b - a, c - a)
        length = np.sqrt(np.einsum("ij,ij->i", out, out))[:, None]
        unit: Floats = (out / np.maximum(length, 1e-9)).astype(np.float32)
        return unit

    def points(self, shape: Shape) -> tuple[Floats, Floats]:
        """The 478 points (478, 3) in cm and their normals, head frame."""
        rows, weights = self.assets.tie_vertices, self.assets.tie_weights[..., None]
        normal = (shape.normals[rows] * weights).sum(1)
        return (shape.vertices[rows] * weights).sum(1), normal / np.linalg.norm(normal, axis=1, keepdims=True)


def tongue_out(rest: Floats) -> Floats:
    """Displacement (n, 3) cm of tongue points at tongueOut 1: forward, over the lower teeth, then down; made by hand."""
    x, y, z = rest.T
    share = np.clip((z - 4.0) / 6.0, 0, 1)
    forward = 3.5 * share**1.5
    lift = np.interp(z + forward, [5, 7.5, 9.8, 11.2, 12.2, 13.6], [0, 0.5, 0.95, 0.75, 0.25, -0.75])
    middle = np.interp(z, [4, 8, 9.5, 10], [-3.7, -3.75, -4.0, -4.2])
    thin = -0.35 * share**2 * (y - middle)
    out: Floats = np.stack([-0.12 * share * x, lift + thin, forward], 1).astype(np.float32)
    return out
