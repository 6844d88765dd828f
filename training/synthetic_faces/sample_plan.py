"""Draws plans: who is seen, how, in which light, by which camera."""

from __future__ import annotations

import numpy as np

from training.synthetic_faces import camera_effects
from training.synthetic_faces.assets import HATS, Assets, Floats, Reals
from training.synthetic_faces.expressions import random_weights
from training.synthetic_faces.plan import Colour, Eyes, Face, Film, Hair, Light, Lights, Plan, Skin, View, Wear
from training.synthetic_faces.rig import gaze_weights

TONES = np.array([(0.80, 0.56, 0.46), (0.70, 0.45, 0.34), (0.58, 0.35, 0.24), (0.45, 0.26, 0.165), (0.33, 0.175, 0.10),
                  (0.22, 0.108, 0.060), (0.125, 0.060, 0.034), (0.062, 0.031, 0.020)], np.float32)  # fmt: skip
"""Skin reflectance from very light to very dark, linear RGB."""
HAIR_TINTS = np.array([(0.008, 0.007, 0.007), (0.02, 0.013, 0.009), (0.05, 0.028, 0.016), (0.09, 0.05, 0.028),
                       (0.16, 0.085, 0.04), (0.16, 0.05, 0.018), (0.30, 0.19, 0.095), (0.48, 0.34, 0.19),
                       (0.62, 0.5, 0.35), (0.28, 0.27, 0.26), (0.62, 0.62, 0.60)], np.float32)  # fmt: skip
HAIR_SHARES = np.array([0.2, 0.17, 0.14, 0.11, 0.08, 0.05, 0.07, 0.05, 0.03, 0.06, 0.04])
IRIS_TINTS = ((0.55, 0.5, 0.5), (1.1, 1.1, 1.1), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0.8, 1.0, 0.9))
FEMALE_HAIR = ("bob01", "bob02", "braid01", "long01", "ponytail01", "afro01", "short03")
SLEEVED = ("female_elegantsuit01", "male_casualsuit01", "male_casualsuit02", "male_casualsuit03", "male_casualsuit05",
           "male_elegantsuit01")  # fmt: skip
MAKE_UP = ((0.8, 0.3, 0.95), (0.6, 0.1, 0.5), (0.6, 0.1, 0.6), (0.7, 0.3, 1.0))
"""Share, least and most of lipstick, blush, eye shadow and liner."""
BOOSTED = 0.15
"""Share of very dark or old faces, glasses and so on put in beyond their share: the failure cases of a first try."""


def colour(values: Reals | tuple[float, ...]) -> Colour:
    """A plain tuple."""
    r, g, b = (float(v) for v in values)
    return r, g, b


def jitter(rng: np.random.Generator, values: Reals | Colour, spread: float) -> Colour:
    """Multiply each channel by a random factor, mostly alike."""
    factor = np.exp(rng.normal(0, spread) + rng.normal(0, 0.4 * spread, 3))
    return colour(np.asarray(values, np.float32) * factor)


def maybe(rng: np.random.Generator, chance: float, low: float, high: float) -> float:
    """Zero, or a value in a range."""
    value = float(rng.uniform(low, high))
    return value if rng.random() < chance else 0.0


def face(rng: np.random.Generator) -> Face:
    """Shape, expression and gaze."""
    identity = (rng.standard_normal(50) * rng.uniform(0.55, 1.05)).astype(np.float32)
    stretch = (1 + rng.normal(0, (0.035, 0.035, 0.03))).astype(np.float32)
    reach = 22.0 if rng.random() < 0.5 else 8.0
    both = np.clip(rng.normal(0, 1, 2) * (reach, 0.7 * reach), (-38, -28), (38, 24))
    squint = rng.normal(0, 1.2, 2) * (1, 0.2) + (rng.uniform(0, 2.5), 0)
    gaze = np.stack([both - squint / 2, both + squint / 2]).astype(np.float32)
    return Face(identity, gaze_weights(random_weights(rng), gaze), gaze, stretch, float(rng.uniform(0, 1)))


def tone_of(rng: np.random.Generator, level: float) -> Floats:
    """Reflectance at a level from 0 (light) to 7 (dark)."""
    low = min(int(level), len(TONES) - 2)
    share = level - low
    mixed = TONES[low] ** (1 - share) * TONES[low + 1] ** share
    warm = rng.normal(0, 0.06)
    out: Floats = mixed * np.exp(np.array([0.0, warm, 1.6 * warm]) + rng.normal(0, 0.05)).astype(np.float32)
    return out


def skin(rng: np.random.Generator, assets: Assets, female: bool, level: float, age: float) -> Skin:
    """Skin of a person; level is the tone, age 0..1."""
    wanted = ("old", "middleage") if age > 0.55 else ("young", "middleage")
    fits = [s for s in assets.skins if s.startswith(wanted) and (("female" in s) == female or level > 4)]
    near = [s for s in fits if ("dark" in s) == (level > 3.6)]
    if female and level > 3.6:  # no dark female skin exists: a light one recoloured
        near = [s for s in assets.skins if "female" in s]
    name = str(rng.choice((near or fits or assets.skins) if rng.random() < 0.8 else assets.skins))
    tone = tone_of(rng, level)
    contrast = rng.uniform(0.55, 1.0) * (0.75 if "dark" in name else 1.0) * (1.15 if age > 0.6 else 1.0)
    freckles = maybe(rng, 0.15 if level < 3 else 0.03, 0.3, 1.0)
    texture = (float(contrast), float(rng.uniform(0.05, 0.5)), freckles, float(rng.uniform(0.1, 0.5) * (1 + age)))
    oily = float(rng.uniform(0.15, 1.0) ** 1.5)
    sheen = (oily, float(rng.uniform(8, 30)), float(rng.uniform(0.2, 1.6)), float(rng.uniform(0.6, 1.2)))
    made_up = female and rng.random() < 0.55
    paint = [maybe(rng, c * made_up, lo, hi) for c, lo, hi in MAKE_UP]
    lip_tint = colour(rng.uniform((0.15, 0.005, 0.01), (0.6, 0.12, 0.14)) * (0.6 if level > 4 else 1.0))
    stubble = maybe(rng, 0.0 if female else 0.5, 0.1, 0.85)
    bearded = 0.0 if female else maybe(rng, 0.28, 0.15, 2.2) ** 1.2
    jaw = max(stubble, 0.8 * (bearded > 0)) * float(rng.random() < 0.7)
    grow = (float(jaw), maybe(rng, 0.0 if female else 0.3, 0.3, 0.9), 0.0, 0.15)
    beard = (float(bearded), float(rng.uniform(0.6, 1.1)), int(rng.choice((1, 1, 2))))
    return Skin(name, colour(tone), texture, sheen, colour(rng.uniform((0.72, 0.42, 0.42), (0.95, 0.68, 0.68))), lip_tint,
                colour(rng.uniform((0.8, 0.3, 0.3), (1.0, 0.5, 0.5))), colour(rng.uniform(0.01, 0.25, 3)),
                (paint[0], paint[1], paint[2], paint[3]), grow, beard,
                colour(np.array([0.75, 0.68, 0.55]) * rng.uniform((0.6, 0.6, 0.5), (1.1, 1.1, 1.15))))  # fmt: skip


def hair(rng: np.random.Generator, assets: Assets, female: bool, level: float, age: float) -> Hair:
    """Hair and brows."""
    row = int(rng.choice(len(HAIR_TINTS), p=HAIR_SHARES))
    if level > 4 and rng.random() < 0.85:
        row = int(rng.integers(0, 3))
    if age > 0.75 and rng.random() < 0.6:
        row = int(rng.integers(9, 11))
    tint = np.asarray(jitter(rng, HAIR_TINTS[row], 0.2))
    if rng.random() < 0.04:
        tint = rng.uniform(0.02, 0.5, 3)
    bald = (not female) and rng.random() < (0.12 + 0.15 * (age > 0.6))
    furry = bald or rng.random() < (0.12 if female else 0.33)
    fits = [h for h in assets.hair if h in FEMALE_HAIR] if female and rng.random() < 0.85 else assets.hair
    length = float(np.exp(rng.uniform(np.log(0.15), np.log(3.2 if level > 4 or female else 1.6)))) * (not bald)
    fur = (length, float(rng.uniform(0.75, 1.3)), float(rng.choice((2.0, 3.0, 4.0)))) if furry else (0.0, 0.0, 0.0)
    brow_dark = np.minimum(tint, rng.uniform(0.03, 0.15)) if row != 10 else tint
    shine = (float(rng.uniform(0.05, 0.5)), float(rng.uniform(30, 120)))
    return Hair(
        "" if furry else str(rng.choice(fits)), fur, colour(tint), shine,
        (1 + np.abs(rng.normal(0.01, 0.025, 3))).astype(np.float32), bool(rng.random() < 0.5),
        (float(rng.uniform(4.8, 8.5)) if rng.random() < 0.82 else -99.0, float(rng.uniform(0.3, 2.5))),
        float(rng.uniform(0.2, 1.6)),
        str(rng.choice(assets.brows)), jitter(rng, colour(brow_dark), 0.15),
        0.0 if rng.random() < 0.03 else float(rng.uniform(0.55, 1.6)), int(rng.integers(3, 25)) if rng.random() < 0.15 else 0,
    )  # fmt: skip


def eyes(rng: np.random.Generator, assets: Assets, female: bool, level: float) -> Eyes:
    """Irises and lashes."""
    dark = [e for e in assets.eyes if e.startswith("brown")] if level > 3 or rng.random() < 0.4 else []
    name = str(rng.choice(dark or assets.eyes))
    tint = IRIS_TINTS[int(rng.integers(0, 3) if dark else rng.integers(2, 5))]
    lash = str(rng.choice(assets.lashes))
    weight = float(rng.uniform(0.3, 1.0)) if female else float(rng.uniform(0.1, 0.5))
    return Eyes(name, jitter(rng, tint, 0.15), (float(rng.uniform(0.84, 1.0)), float(rng.uniform(0.75, 1.35)),
                float(rng.uniform(0, 1) ** 2)), lash, weight)  # fmt: skip


def wear(rng: np.random.Generator, assets: Assets, female: bool, size: float) -> Wear:
    """Clothes, hat, glasses, and what is held before the face; small figures get sleeves."""
    fits = [c for c in assets.clothes if c.startswith("female" if female else "male")]
    sleeved = [c for c in assets.clothes if c in SLEEVED]
    fits = sleeved if size < 0.3 else fits if fits and rng.random() < 0.8 else assets.clothes
    kind = float(rng.integers(0, 6))
    shade = 1.0 if kind == 5 else float(rng.uniform(0.2, 3.0))
    pattern = (kind, float(np.exp(rng.uniform(-1.5, 1.5))), float(rng.uniform(-0.6, 0.8)), shade)
    framed = rng.random() < 0.28
    sun = rng.random() < 0.12
    glasses = (float(rng.uniform(4.4, 6.0)), float(rng.uniform(2.9, 4.8)), float(rng.uniform(2, 6)),
               float(rng.uniform(0.09, 0.4)), float(rng.uniform(0.6, 0.97) if sun else rng.uniform(0.02, 0.16)))  # fmt: skip
    frame = rng.uniform(0.005, 0.6, 3) if rng.random() < 0.4 else np.full(3, rng.uniform(0.004, 0.03))
    thing = str(rng.choice(("hand", "microphone", "card"))) if rng.random() < 0.14 else ""
    at = (float(rng.normal(0, 5.0)), float(rng.normal(-7, 4.0)), float(rng.uniform(-180, 180)))
    return Wear(str(rng.choice(fits)), jitter(rng, rng.uniform(0.05, 1.0, 3), 0.2), pattern,
                str(rng.choice(HATS)) if rng.random() < 0.05 else "", colour(rng.uniform(0.01, 0.5, 3)),
                glasses if framed else None, colour(frame), thing, at)  # fmt: skip


def direction(azimuth_deg: float, height_deg: float) -> Floats:
    """Unit vector in the view frame."""
    a, h = np.radians([azimuth_deg, height_deg])
    out: Floats = np.array([np.sin(a) * np.cos(h), np.sin(h), np.cos(a) * np.cos(h)], np.float32)
    return out


def lights(rng: np.random.Generator) -> Lights:
    """Key, fill, rim and ambient."""
    warm = rng.normal(0, 0.12)
    exposure = float(np.exp(rng.normal(0.22, 0.2)))
    key_share = float(rng.beta(2.2, 1.6))
    side = float(rng.choice((-1, 1)))
    strange = 0.35 if rng.random() < 0.08 else 0.05

    def lamp(level: float) -> Colour:
        return colour(level * exposure * np.exp(np.array([warm, 0, -warm]) + rng.normal(0, strange, 3)))

    key = Light(direction(side * abs(rng.normal(28, 30)), rng.normal(30, 18)), lamp(1.25 * key_share))
    less = 0.45 * rng.uniform(0, 1) * (1.3 - key_share)
    fill = Light(direction(-side * rng.uniform(20, 90), rng.uniform(-20, 30)), lamp(less))
    behind = float(rng.choice((-1, 1)) * rng.uniform(110, 165))
    rim = Light(direction(behind, rng.uniform(0, 45)), lamp(maybe(rng, 0.5, 0.2, 1.6)))
    sky = lamp(0.55 * (1.25 - key_share) * rng.uniform(0.7, 1.3))
    return Lights(key, fill, rim, sky, colour(np.asarray(sky) * rng.uniform(0.2, 0.9)), float(np.exp(rng.uniform(-6.2, -3.6))))


def view(rng: np.random.Generator) -> View:
    """Pose and camera."""
    wide = rng.random() < 0.25
    yaw = float(np.clip(rng.normal(0, 32 if wide else 14), -75, 75))
    pitch = float(np.clip(rng.normal(-1, 14 if wide else 8), -40, 40))
    roll = float(np.clip(rng.normal(0, 14 if wide else 6), -45, 45))
    share = float(rng.uniform(0.1, 0.9))
    body = (yaw * share + float(rng.normal(0, 6)), pitch * 0.25, roll * 0.2 + float(rng.normal(0, 3)))
    kind = rng.random()
    size = float(np.exp(rng.uniform(np.log(0.05), np.log(0.3)))) if kind < 0.12 else float(rng.uniform(0.3, 0.78))
    size = float(rng.uniform(0.78, 0.95)) if kind > 0.93 else size
    slack = 0.5 * max(0.0, 0.95 - size)
    x, y = np.clip(rng.normal((0, -0.05), (0.35, 0.3)), -1, 1)
    centre = (0.5 + float(x) * slack, 0.5 + float(y) * slack)
    return View((yaw, pitch, roll), body, float(np.exp(rng.uniform(np.log(38), np.log(260)))), size, centre)


def plan(rng: np.random.Generator, assets: Assets) -> Plan:
    """One picture."""
    female = bool(rng.random() < 0.5)
    level = float(rng.uniform(0, 7)) if rng.random() > BOOSTED else float(rng.uniform(4.5, 7))
    age = float(rng.random())
    seen = view(rng)
    return Plan(face(rng), skin(rng, assets, female, level, age), eyes(rng, assets, female, level),
                hair(rng, assets, female, level, age), wear(rng, assets, female, seen.face), lights(rng), seen,
                Film(int(rng.integers(1 << 31)), str(rng.choice(camera_effects.BACKDROPS)), camera_effects.choose(rng),
                     float(rng.uniform(0.25, 0.62))))  # fmt: skip
