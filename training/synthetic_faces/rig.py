"""The deforming head: identity, expression, eyes and tongue to vertex positions and normals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from training.synthetic_faces.assets import Assets, Card, Floats, Reals
from training.synthetic_faces.names import ARKIT_INDEX, ARKIT_NAMES, EYE_LOOK_FULL_DEG, IRISES, LOWER_LIDS, UPPER_LIDS
from training.synthetic_faces.plan import Mouth

SUMS = {"browInnerUp": ("browInnerUp_L", "browInnerUp_R"), "cheekPuff": ("cheekPuff_L", "cheekPuff_R")}
BLINKS = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]
EYE_PARTS = ("eyeball_left", "eyeball_right")
SHUT_BACK_CM = 0.2
"""So far does an eyeball give way to shut lids, which do not quite meet on every identity."""


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
        self.tongue = np.flatnonzero(assets.tongue)
        self.tongue_out, self.tongue_rest = tongue_shapes(head.vertices[self.tongue])
        pairs = [[lids[1][2:-2], lids[0][2:-2]] for lids in ((LOWER_LIDS[1], UPPER_LIDS[1]), (LOWER_LIDS[0], UPPER_LIDS[0]))]
        points = np.array(pairs)
        self.lid_ties = assets.tie_vertices[points], assets.tie_weights[points]
        moves = np.stack([head.expressions[n][..., 1] for n in ("eyeBlink_L", "eyeBlink_R")])
        heights = np.stack([(m[r] * w).sum(-1) for m, r, w in zip(moves, *self.lid_ties, strict=True)])
        self.lid_closing = heights[:, 0] - heights[:, 1]
        tris = head.part_triangles("face", "head_neck", "mouth_socket", "gums_tongue", "teeth", "sclera_left", "sclera_right",
                                   "eye_socket_left", "eye_socket_right", "lacrimal_left", "lacrimal_right")  # fmt: skip
        self.triangles = head.triangles[tris]
        corner = self.triangles.T.ravel()
        column = np.tile(np.arange(len(tris)), 3)
        self.gather = csr_matrix((np.ones(len(corner), np.float32), (corner, column)), (len(head.vertices), len(tris)))

    def shape(
        self, identity: Floats, weights: Floats, gaze: Floats, stretch: Floats, tongue_back: float, mouth: Mouth
    ) -> Shape:
        """The head for identity scores, weights (52,), gaze (2, 2) degrees, scale per axis (3,), the tongue's place, teeth."""
        still = (identity @ self.assets.modes[: len(identity)]).reshape(-1, 3)
        blend = self._blinking(weights, still) @ self.blend
        used = np.flatnonzero(blend)
        moved = (blend[used] @ self.assets.expressions[used]).reshape(-1, 3)
        moved[self.tongue] += self.tongue_move(float(weights[ARKIT_INDEX["tongueOut"]]), tongue_back)
        if mouth.ends is not None:
            for bite, end in zip(self.assets.bites, mouth.ends, strict=True):
                moved[bite.vertices, 1] -= end - bite.end(self.neutral + still)
        vertices = self.neutral + still + moved
        eyes = self.turn_eyes(vertices, still, gaze, weights[BLINKS])
        scaled = (vertices * stretch).astype(np.float32)
        fixed = ((self.neutral + still) * stretch - self.neutral).astype(np.float32)
        return Shape(scaled, self.normals(scaled), (scaled - self.neutral).astype(np.float32), fixed,
                     (eyes * stretch).astype(np.float32))  # fmt: skip

    def _blinking(self, weights: Floats, still: Floats) -> Floats:
        out = weights.copy()
        out[BLINKS] *= self.shut_gain(still)
        return out

    def shut_gain(self, still: Floats) -> Floats:
        """(2,) factor of the blink shapes (left, right) with which this identity's lids just meet."""
        rows, weights = self.lid_ties
        height = ((self.neutral[rows] + still[rows])[..., 1] * weights).sum(-1)
        gap = height[:, 0] - height[:, 1]
        closing = -self.lid_closing
        gain = np.maximum(gap, 0.05).mean(-1) / closing.mean(-1)
        out: Floats = np.clip(gain, 0.85, 1.5).astype(np.float32)
        return out

    def tongue_move(self, amount: float, back: float) -> Floats:
        """Displacement of the tongue's vertices: it rises over the teeth first, then comes out."""
        rise = float(np.interp(amount, [0, 0.35, 1], [0, 0.65, 1]))
        out = self.tongue_out * np.array([amount, rise, amount], np.float32)
        return out + self.tongue_rest * np.float32(back * (1 - min(1.0, 3 * amount)))

    def turn_eyes(self, vertices: Reals, still: Reals, gaze: Floats, shut: Floats) -> Floats:
        """Turn the eyeballs about their centres in place, a little back behind shut lids; returns the centres (2, 3)."""
        centres = np.zeros((2, 3), np.float32)
        for eye, rows in enumerate(self.balls):
            centres[eye] = self.assets.head.eye_spheres[eye, :3] + still[rows].mean(0)
            still_centre = centres[eye].copy()
            centres[eye, 2] -= SHUT_BACK_CM * np.clip(2 * shut[eye] - 1, 0, 1)
            ball = self.neutral[rows] + still[rows] - still_centre
            vertices[rows] = ball @ turn(float(gaze[eye, 0]), float(gaze[eye, 1])).T + centres[eye]
        return centres

    def normals(self, vertices: Floats) -> Floats:
        """Area-weighted vertex normals (n, 3)."""
        a, b, c = (vertices[self.triangles[:, k]] for k in range(3))
        out = self.gather @ np.cross(b - a, c - a)
        length = np.sqrt(np.einsum("ij,ij->i", out, out))[:, None]
        unit: Floats = (out / np.maximum(length, 1e-9)).astype(np.float32)
        return unit

    def points(self, shape: Shape, iris: float) -> tuple[Floats, Floats]:
        """The 478 points (478, 3) in cm and their normals, head frame; `iris` scales the irises' rings."""
        rows, weights = self.assets.tie_vertices, self.assets.tie_weights[..., None]
        normal = (shape.normals[rows] * weights).sum(1)
        points = (shape.vertices[rows] * weights).sum(1)
        for first in IRISES:
            points[first + 1 : first + 5] = points[first] + iris * (points[first + 1 : first + 5] - points[first])
        return points, normal / np.linalg.norm(normal, axis=1, keepdims=True)


def tongue_shapes(rest: Floats) -> tuple[Floats, Floats]:
    """Displacements (n, 3) cm of tongue points, made by hand: tongueOut 1 (over the teeth, then down); drawn back and down."""
    x, y, z = rest.T
    share = np.clip((z - 4.0) / 6.0, 0, 1)
    middle = np.interp(z, [4, 8, 9.5, 10], [-3.8, -3.85, -4.0, -4.05])
    forward = 3.6 * share**1.5
    path = np.interp(z + forward, [5, 7.5, 9.8, 11.2, 12.2, 13.6], [0, 0.45, 0.8, 0.55, 0.0, -1.1])
    thin = -0.45 * share**2 * (y - middle)
    spread = 0.55 * np.clip(share - 0.7, 0, 1) * x
    out = np.stack([spread - 0.1 * share * x, path + thin, forward], 1).astype(np.float32)
    back = np.stack([0.1 * x * share, -0.7 * share - 0.15 * (y - middle), -1.1 * share], 1).astype(np.float32)
    return out, back
