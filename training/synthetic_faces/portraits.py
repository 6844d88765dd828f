"""Portraits for demos and documents: a few people made by hand from the parts of the renderer, under a light stage.

python -m training.synthetic_faces.portraits --assets HEADS --out DIR [NAME ...]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from training.synthetic_faces import sample_plan
from training.synthetic_faces.assets import Assets, Bytes, Floats
from training.synthetic_faces.lightstage import Lamp, Stage, expose
from training.synthetic_faces.names import ARKIT_INDEX, ARKIT_NAMES
from training.synthetic_faces.people import Studio
from training.synthetic_faces.plan import Colour, Eyes, Face, Film, Hair, Plan, Skin, View, Wear
from training.synthetic_faces.rig import gaze_weights

LAMPS = (
    Lamp(-36, 26, 16, (2.5, 2.38, 2.2), 12, glint=0.6),
    Lamp(50, 5, 30, (0.32, 0.34, 0.37), 6, shine=0.6, glint=0.18),
    Lamp(148, 28, 12, (1.5, 1.5, 1.55), 4),
    Lamp(0, 60, 110, (0.55, 0.57, 0.60), 16, shine=0.0),
    Lamp(0, -50, 40, (0.12, 0.115, 0.11), 2, shine=0.0),
)
"""Soft key, fill, rim, the room and its floor."""
DISTANCE_CM = 150.0
VERGENCE_DEG = 1.2
"""So far each eye turns in to look at the camera."""
FACE_LEVEL = (0.66, 0.43)
"""Brightness of the face (sRGB 0..1) of the lightest and of a dark skin (tone 5)."""
CLOSED_TEETH: Colour = (0.09, 0.035, 0.03)
"""Lips that only touch let nothing bright through."""
JPEG_QUALITY = 92


@dataclass(frozen=True)
class Person:
    """What sets one person apart; everything else is the same for all."""

    seed: int
    """Draws the face's shape."""
    skin: str
    tone: float
    """0 very light to 7 very dark, as in `sample_plan.TONES`."""
    hair: str
    """Mesh, or empty for hair grown off the scalp."""
    hair_tint: Colour
    brow: str
    clothes: str
    variety: float = 0.7
    """How far the face is from the average."""
    smile: float = 0.15
    moves: tuple[tuple[str, float], ...] = ()
    """More ARKit weights."""
    lids: float = 0.13
    yaw_deg: float = 0.0
    contrast: float = 0.8
    make_up: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """Lipstick, blush, eye shadow, liner."""
    stubble: float = 0.0
    beard_cm: float = 0.0
    eyes: str = "brown"
    iris_tint: Colour = (0.6, 0.52, 0.45)
    lashes: float = 1.0
    brow_tint: Colour = (0.02, 0.014, 0.01)
    fur: tuple[float, float, float] = (0.0, 0.0, 0.0)
    fringe: float = -99.0
    cloth: Colour | None = None
    """Plain cloth of this colour instead of its texture."""
    glasses: tuple[float, float, float, float, float] | None = None
    backdrop: Colour = (0.2, 0.22, 0.25)
    face: float = 0.55


PEOPLE = {
    "amara": Person(24, "young_lightskinned_female_diffuse3", 5.0, "long01", (0.02, 0.012, 0.009), "eyebrow005",
                    "female_casualsuit02", moves=(("browInnerUp", 0.25),), make_up=(0.35, 0.2, 0.3, 0.0),
                    cloth=(0.5, 0.3, 0.05), backdrop=(0.12, 0.2, 0.2)),
    "kofi": Person(26, "young_darkskinned_male_diffuse", 5.3, "", (0.008, 0.007, 0.007), "eyebrow003", "male_casualsuit02",
                   lashes=0.5, moves=(("browInnerUp", 0.25),), stubble=0.9, beard_cm=0.35, brow_tint=(0.009, 0.007, 0.006),
                   fur=(0.6, 1.0, 5.0), backdrop=(0.3, 0.24, 0.18)),
    "lena": Person(7, "middleage_lightskinned_female_diffuse2", 1.0, "long01", (0.26, 0.15, 0.075), "eyebrow011",
                   "female_casualsuit02", moves=(("browInnerUp", 0.2),), make_up=(0.3, 0.2, 0.2, 0.0), eyes="blue",
                   lashes=0.6, iris_tint=(0.8, 0.8, 0.8), cloth=(0.04, 0.09, 0.08), brow_tint=(0.07, 0.045, 0.03)),
    "sana": Person(14, "young_lightskinned_female_diffuse3", 2.6, "long01", (0.012, 0.009, 0.008), "eyebrow005",
                   "female_elegantsuit01", make_up=(0.3, 0.2, 0.3, 0.0), backdrop=(0.25, 0.2, 0.17)),
    "walter": Person(19, "old_darkskinned_male_diffuse", 1.5, "short04", (0.22, 0.22, 0.215), "eyebrow009",
                     "male_elegantsuit01", lashes=0.4, lids=0.05, contrast=0.9, brow_tint=(0.2, 0.2, 0.19),
                     glasses=(5.2, 3.8, 3.0, 0.12, 0.05)),
}  # fmt: skip


def face(person: Person) -> Face:
    """Neutral, eyes on the camera."""
    identity = np.random.default_rng(person.seed).standard_normal(50) * person.variety
    weights = np.zeros(len(ARKIT_NAMES), np.float32)
    for side in ("Left", "Right"):
        weights[ARKIT_INDEX[f"mouthSmile{side}"]] = person.smile
        weights[ARKIT_INDEX[f"cheekSquint{side}"]] = 0.5 * person.smile
        weights[ARKIT_INDEX[f"eyeBlink{side}"]] = person.lids
    for name, value in person.moves:
        weights[ARKIT_INDEX[name]] = value
    gaze = np.array([[-VERGENCE_DEG, 0], [VERGENCE_DEG, 0]], np.float32) - np.array([person.yaw_deg, 0], np.float32)
    return Face(identity.astype(np.float32), gaze_weights(weights, gaze), gaze, np.ones(3, np.float32), 0.0)


def tone(level: float) -> Colour:
    """Reflectance at a level of `sample_plan.TONES`."""
    low = int(level)
    share = level - low
    return sample_plan.colour(sample_plan.TONES[low] ** (1 - share) * sample_plan.TONES[low + 1] ** share)


def plan_of(person: Person, assets: Assets) -> Plan:
    """The plan of a portrait; its lights are the stage's."""
    p = person
    skin = Skin(p.skin, tone(p.tone), (p.contrast, 0.15, 0.0, 0.28), (1.4, 20.0, 1.0, 0.5), (0.85, 0.52, 0.52),
                (0.35, 0.06, 0.07), (0.9, 0.4, 0.4), (0.1, 0.06, 0.05), p.make_up, (p.stubble, 0.9 * p.stubble, 0.0, 0.15),
                (p.beard_cm, 0.9, 1), CLOSED_TEETH, beard_scale=7.0, glare=1.2)  # fmt: skip
    hair = Hair(p.hair, p.fur, p.hair_tint, (0.35, 60.0), np.full(3, 1.01, np.float32), False, (p.fringe, 0.8), 0.3, p.brow,
                p.brow_tint, 1.3, 0)  # fmt: skip
    pattern = (0.0 if p.cloth is None else 5.0, 1.0, 0.0, 1.0)
    grey = (0.5, 0.5, 0.5)
    wear = Wear(p.clothes, p.cloth or grey, pattern, "", grey, p.glasses, (0.01, 0.01, 0.01), "", (0.0, 0.0, 0.0))
    return Plan(face(p), skin, Eyes(p.eyes, p.iris_tint, (0.92, 1.0, 0.1), "eyelashes01", p.lashes), hair, wear,
                sample_plan.lights(np.random.default_rng(0)), View((p.yaw_deg, 0.0, 0.0), (0.3 * p.yaw_deg, 0.0, 0.0),
                DISTANCE_CM, p.face, (0.5, 0.49)), Film(0, "plain", (), 0.5))  # fmt: skip


def wall(size: int, tint: Colour) -> Floats:
    """A wall lit from one side, (size, size, 3) linear."""
    y, x = np.mgrid[-1 : 1 : 1j * size, -1 : 1 : 1j * size]
    fall = 1.25 - 0.75 * np.clip(np.hypot(0.9 * x + 0.1, 0.8 * y + 0.1) / 1.3, 0, 1) ** 1.5
    dither = np.random.default_rng(1).normal(1, 0.012, (size, size))
    return ((fall * dither)[..., None] * np.asarray(tint)).astype(np.float32)


def portrait(stage: Stage, person: Person, quick: int = 1) -> Bytes:
    """(size, size, 3) sRGB; `quick` divides the number of lamps."""
    lamps = tuple(replace(lamp, samples=max(1, lamp.samples // quick)) for lamp in LAMPS)
    light, skin = stage.photograph(plan_of(person, stage.studio.assets), lamps)
    level = float(np.interp(person.tone, (0, 5), FACE_LEVEL))
    image = expose(light, skin, wall(stage.size, person.backdrop), level)
    return (image * 255 + 0.5).astype(np.uint8)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(PEOPLE)}; default: all")
    parser.add_argument("--assets", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--quick", type=int, default=1, help="so many times fewer lamps, for a first look")
    args = parser.parse_args(argv)
    unknown = set(args.names) - set(PEOPLE)
    if unknown:
        parser.error(f"unknown portraits: {', '.join(sorted(unknown))}")
    args.out.mkdir(parents=True, exist_ok=True)
    stage = Stage(Studio(Assets(args.assets), args.size))
    for name in args.names or PEOPLE:
        image = portrait(stage, PEOPLE[name], args.quick)
        Image.fromarray(image).save(args.out / f"{name}.jpg", quality=JPEG_QUALITY, optimize=True)
        print(name, flush=True)


if __name__ == "__main__":
    main()
