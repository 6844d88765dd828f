"""How faces lie in the pictures: anywhere, framed as portraits, or moving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from training.synthetic_faces.names import ARKIT_INDEX
from training.synthetic_faces.people import Studio
from training.synthetic_faces.plan import Plan
from training.synthetic_faces.rig import gaze_weights

FACE_SHARE = (0.34, 0.74)
"""Least and largest height of the face (brow to chin) as a share of a portrait."""
FPS = 25.0


def anywhere(studio: Studio, seed: int, index: int, _: int) -> Plan:
    """As drawn."""
    return studio.plan(seed, index)


def portrait(studio: Studio, seed: int, index: int, _: int) -> Plan:
    """The plan with the face large and near the middle; all else as drawn."""
    plan, rng = studio.plan(seed, index), np.random.default_rng([seed, index, 2])
    centre = 0.5 + rng.uniform(-0.06, 0.06, 2)
    share = float(rng.uniform(*FACE_SHARE))
    return replace(plan, view=replace(plan.view, face=share, centre=(float(centre[0]), float(centre[1]))))


def sequence(studio: Studio, seed: int, index: int, length: int) -> Plan:
    """Frame `index % length` of a person who blinks, speaks and turns a little; nothing is held before the face."""
    first = index // length * length
    plan, time = portrait(studio, seed, first, length), (index - first) / FPS
    rng = np.random.default_rng([seed, first, 3])
    weights = plan.face.weights * np.float32(0.4)
    lids, jaw = lids_at(time, length / FPS, rng), jaw_at(time, rng)
    for name, value in (("eyeBlinkLeft", lids), ("eyeBlinkRight", lids), ("jawOpen", jaw)):
        weights[ARKIT_INDEX[name]] = value
    yaw, pitch, roll = np.clip(plan.view.pose, -20, 20) + 3 * np.sin(2 * np.pi * rng.uniform(0.2, 0.6, 3) * time)
    face = replace(plan.face, weights=gaze_weights(weights, plan.face.gaze))
    view = replace(plan.view, pose=(float(yaw), float(pitch), float(roll)))
    film, wear = replace(plan.film, seed=plan.film.seed + index), replace(plan.wear, object="")
    return replace(plan, face=face, view=view, film=film, wear=wear)


def lids_at(time: float, seconds: float, rng: np.random.Generator) -> float:
    """How far the lids are closed: a slow drift, and blinks of a third of a second."""
    drift = 0.12 + 0.12 * np.sin(2 * np.pi * (rng.uniform(0.2, 0.5) * time + rng.random()))
    middles = np.sort(rng.uniform(0.1, seconds - 0.1, max(1, round(1.5 * seconds))))
    shut = np.clip(1.3 - np.abs(time - middles) / 0.13, 0, 1).max()
    return float(max(drift, shut))


def jaw_at(time: float, rng: np.random.Generator) -> float:
    """How far the jaw is open: syllables under a slow swell."""
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * (0.7 * time + rng.random()))
    syllables = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(2.5, 4.0) * time + rng.random()))
    return float(0.65 * swell * syllables)


Framing = Callable[[Studio, int, int, int], Plan]
FRAMINGS: dict[str, Framing] = {"any": anywhere, "portrait": portrait, "sequence": sequence}
"""(studio, seed, index of the picture, pictures in a shard) to the plan."""
