"""Procedural things as tubes and patches: glasses, a hand, a microphone, a phone, loose strands of hair."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from training.synthetic_faces.assets import Floats, Ints, Reals
from training.synthetic_faces.names import LABEL
from training.synthetic_faces.plan import Colour, Plan

SIDES = 7


@dataclass(frozen=True)
class Prop:
    """A mesh in the head frame, cm, with its look."""

    points: Floats
    normals: Floats
    triangles: Ints
    tint: Colour
    label: int
    gloss: tuple[float, float]
    """Strength and power of the highlight."""
    alpha: float = 1.0
    hair: bool = False


def tube(curve: Floats, radius: Floats, closed: bool = False) -> tuple[Floats, Floats, Ints]:
    """Points, normals and triangles of a tube around (n, 3) with radii (n,)."""
    n = len(curve)
    ahead, behind = (np.roll(curve, -1, 0), np.roll(curve, 1, 0)) if closed else (
        np.vstack([curve[1:], curve[-1:]]), np.vstack([curve[:1], curve[:-1]]))  # fmt: skip
    along = ahead - behind
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    guide = np.where(np.abs(along[:, 2:]) < 0.8, np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0]))
    u = np.cross(along, guide)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(along, u)
    angle = np.linspace(0, 2 * np.pi, SIDES, endpoint=False)
    normal = np.cos(angle)[None, :, None] * u[:, None] + np.sin(angle)[None, :, None] * v[:, None]
    points = curve[:, None] + radius[:, None, None] * normal
    rows = np.arange(n if closed else n - 1)
    a = rows[:, None] * SIDES + np.arange(SIDES)
    b = rows[:, None] * SIDES + (np.arange(SIDES) + 1) % SIDES
    c, d = (a + SIDES) % (n * SIDES), (b + SIDES) % (n * SIDES)
    triangles = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])
    return points.reshape(-1, 3).astype(np.float32), normal.reshape(-1, 3).astype(np.float32), triangles


def join(parts: list[tuple[Floats, Floats, Ints]]) -> tuple[Floats, Floats, Ints]:
    """One mesh of several."""
    starts = np.cumsum([0] + [len(p) for p, _, _ in parts[:-1]])
    triangles = np.concatenate([t + s for (_, _, t), s in zip(parts, starts, strict=True)])
    return np.concatenate([p for p, _, _ in parts]), np.concatenate([n for _, n, _ in parts]), triangles


def capsule(start: Reals, end: Reals, wide: float, thin: float) -> tuple[Floats, Floats, Ints]:
    """A round-ended stick from start (radius `wide`) to end (radius `thin`)."""
    t = np.array([-0.001, 0.0, 0.04, 0.12, 0.3, 0.5, 0.7, 0.88, 0.96, 1.0, 1.001])
    taper = np.interp(t, [0, 1], [wide, thin])
    cap = np.sqrt(np.clip(1 - np.clip((np.abs(t - 0.5) - 0.36) / 0.141, 0, 1) ** 2, 0, 1))
    return tube((start + t[:, None] * (end - start)).astype(np.float32), (taper * cap + 1e-3).astype(np.float32))


def glasses(plan: Plan, points: Floats, eyes: Floats) -> list[Prop]:
    """Frame and lenses on the nose; points (478, 3) and eye centres (2, 3) in the head frame."""
    if plan.wear.glasses is None:
        return []
    width, height, power, thick, dark = plan.wear.glasses
    front = float(points[[6, 168, 197], 2].max()) + 0.35 + thick
    t = np.linspace(0, 2 * np.pi, 44, endpoint=False)
    rings, fans = [], []
    for eye in (0, 1):
        side = (1.0, -1.0)[eye]
        middle = np.array([side * (0.75 + 0.5 * width + 0.12), eyes[eye, 1] - 0.12 * height, front])
        c, s = np.cos(t), np.sin(t)
        x = 0.5 * width * np.sign(c) * np.abs(c) ** (2 / power)
        y = 0.5 * height * np.sign(s) * np.abs(s) ** (2 / power)
        bow = -0.045 * (middle[0] + x) ** 2 * 0.6
        ring = np.stack([middle[0] + x, middle[1] + y, front + bow], 1).astype(np.float32)
        rings.append(tube(ring, np.full(len(t), thick, np.float32), True))
        fan = np.stack([np.zeros(len(t) - 2), np.arange(1, len(t) - 1), np.arange(2, len(t))], 1).astype(np.int64)
        lens_normal = np.stack([0.25 * x / width, 0.1 * y / height, np.ones_like(x)], 1)
        fans.append((ring, (lens_normal / np.linalg.norm(lens_normal, axis=1, keepdims=True)).astype(np.float32), fan))
        ear = points[(454, 234)[eye]] * (1.03, 1, 1) + (side * 0.45, 0.9, -3.2)
        hinge = np.array([middle[0] + side * 0.5 * width, middle[1] + 0.22 * height, ring[:, 2].min()])
        share = np.linspace(0, 1, 8)[:, None]
        rings.append(tube((hinge + share * (ear - hinge)).astype(np.float32), np.full(8, 0.8 * thick, np.float32)))
    bar = np.linspace(-0.9, 0.9, 9)
    bridge = np.stack([bar, eyes[:, 1].mean() + 0.1 * height - 0.3 * bar**2, np.full(9, front + 0.05)], 1).astype(np.float32)
    rings.append(tube(bridge, np.full(9, thick, np.float32)))
    frame = Prop(*join(rings), plan.wear.glasses_tint, LABEL["glasses"], (0.4, 40.0))
    lens = Prop(*join(fans), (0.01, 0.012, 0.015), LABEL["glasses"], (0.5, 90.0), dark)
    return [frame, lens]


def hand(plan: Plan) -> list[Prop]:
    """Four fingers, a thumb and a palm, flat before the face (view frame)."""
    rng = np.random.default_rng(plan.film.seed + 7)
    parts = []
    spread, curl = float(rng.uniform(0.0, 0.18)), float(rng.uniform(-0.1, 0.5))
    for k, length in enumerate((6.4, 7.4, 7.0, 5.6)):
        a = (k - 1.5) * spread
        root = np.array([(k - 1.5) * 2.0, 4.0 - 0.25 * (k - 1.5) ** 2, 0.0])
        knee = root + 0.5 * length * np.array([np.sin(a), np.cos(a), 0.1 * curl])
        tip = knee + 0.5 * length * np.array([np.sin(a), np.cos(a) * (1 - curl), -curl])
        over = knee + 0.3 * (knee - root) / length
        parts += [capsule(root - (0, 1.2, 0), over, 0.95, 0.85), capsule(knee, tip, 0.87, 0.68)]
    thumb = np.array([3.2, -1.5, 0.2])
    parts += [capsule(thumb, thumb + (2.6, 3.6, 0.3), 1.25, 0.95)]
    parts += [capsule(thumb + (2.4, 3.2, 0.3), thumb + (3.4, 6.0, 0.4), 0.95, 0.75)]
    palm = (-2.6, -1.6, -0.5, 0.5, 1.6, 2.6)
    parts += [capsule(np.array([x, -5.0, 0.0]), np.array([1.1 * x, 4.2, 0.0]), 1.6, 1.3) for x in palm]
    parts += [capsule(np.array([0.0, -4.5, 0.0]), np.array([0.0, -26.0, -1.0]), 2.6, 3.6)]
    tone = plan.skin.tone
    return [Prop(*join(parts), (tone[0], 0.92 * tone[1], 0.9 * tone[2]), LABEL["object"], (0.02, 14.0))]


def microphone(plan: Plan) -> list[Prop]:
    """A ball on a handle."""
    rng = np.random.default_rng(plan.film.seed + 8)
    dark = float(rng.uniform(0.01, 0.2))
    stick = capsule(np.array([0.0, -2.0, 0.0]), np.array([0.0, -24.0, 1.0]), 1.3, 1.0)
    turn = np.linspace(0, np.pi, 13)
    curve = np.stack([0 * turn, -2.5 * np.cos(turn), 0 * turn], 1).astype(np.float32)
    ball = tube(curve, (2.4 * np.sin(turn) + 1e-3).astype(np.float32))
    return [Prop(*join([stick, ball]), (dark, dark, dark), LABEL["object"], (0.25, 25.0))]


def card(plan: Plan) -> list[Prop]:
    """A phone, cup or sheet: a plain block."""
    rng = np.random.default_rng(plan.film.seed + 9)
    half = rng.uniform((2.5, 3.0), (7.0, 9.0))
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
    points = np.concatenate([corners, np.zeros((4, 1))], 1).astype(np.float32)
    normals = np.tile(np.array([0, 0, 1], np.float32), (4, 1))
    tint = tuple(float(c) for c in rng.uniform(0.01, 0.8, 3))
    return [Prop(points, normals, np.array([[0, 1, 2], [0, 2, 3]]), (tint[0], tint[1], tint[2]), LABEL["object"], (0.2, 30.0))]


def strands(plan: Plan) -> list[Prop]:
    """Thin locks that fall over the face."""
    if not plan.hair.strands or not (plan.hair.card or plan.hair.fur[0] > 1):
        return []
    rng = np.random.default_rng(plan.film.seed + 10)
    parts = []
    for _ in range(plan.hair.strands):
        across = float(rng.uniform(-6.5, 6.5))
        top = np.array([across, 10.5, 9.5 - 0.10 * across**2])
        length, drift = float(rng.uniform(4, 16)), float(rng.normal(0, 0.25))
        t = np.linspace(0, 1, 12)
        x = top[0] + drift * length * t + 0.5 * np.sin(t * rng.uniform(2, 6) + rng.uniform(0, 6)) * t
        y = top[1] - length * t
        front = np.interp(y, [-8, -3, 0, 3.5, 6, 11], [11.5, 12.2, 12.4, 11.5, 11.6, 10.2])
        curve = np.stack([x, y, front - 0.075 * x**2 + 0.4], 1).astype(np.float32)
        parts.append(tube(curve, np.interp(t, [0, 0.5, 1], [0.045, 0.04, 0.01]).astype(np.float32)))
    return [Prop(*join(parts), plan.hair.tint, LABEL["hair"], (0.1, 30.0), hair=True)]


HELD = {"hand": hand, "microphone": microphone, "card": card}


def held(plan: Plan, rotation: Floats, origin: Floats) -> list[Prop]:
    """What is held before the face, put where the plan says in the view frame."""
    if not plan.wear.object:
        return []
    x, y, angle = plan.wear.object_at
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    spin = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], np.float32)
    at = np.array([x, y, 9.0], np.float32)
    out = []
    for prop in HELD[plan.wear.object](plan):
        points = (prop.points @ spin.T + at) @ rotation + origin
        normals = prop.normals @ spin.T @ rotation
        out.append(replace(prop, points=points.astype(np.float32), normals=normals.astype(np.float32)))
    return out
