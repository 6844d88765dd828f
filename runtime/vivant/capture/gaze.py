"""Where the eyes look: from where the irises lie between the corners of the lids, and by what the network says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from vivant.capture.solver import Floats, Placement
from vivant.portrait import DetectedFace
from vivant.rig import canonical as c
from vivant.types import MAX_GAZE_DEG, Float32Array

ROUNDS = 3
"""Of solving for the part of the direction that points to the viewer; the third changes a hundredth of a degree."""
SHOWN = 0.85
"""Share of a turn of the eyes that is seen, by both ways; `benchmarks.capture`."""
CORNERS = ((c.LEFT_INNER_EYE, c.LEFT_OUTER_EYE), (c.RIGHT_INNER_EYE, c.RIGHT_OUTER_EYE))
"""The person's left eye first."""


@dataclass(frozen=True)
class _Eye:
    """One eye of the average head, canonical frame."""

    corners: list[int]
    iris: int
    centre: Floats
    """(3,) of the eyeball, from the middle of the corners."""
    radius: float
    """From there to the iris."""


def gaze_of(face: DetectedFace, placement: Placement) -> tuple[float, float]:
    """(yaw, pitch) of both eyes in degrees relative to the head: the mean of both eyes, and of both ways to tell."""
    level: Floats = np.linalg.inv(placement.rotation[:2, :2]).astype(np.float64)
    towards = placement.rotation[:2, 2]
    measured = np.mean([_direction(face.landmarks, placement, eye, level, towards) for eye in _eyes()], axis=0)
    yaw, pitch = (0.5 / SHOWN * (measured + face.gaze_deg.mean(axis=0))).tolist()
    return min(max(yaw, -MAX_GAZE_DEG), MAX_GAZE_DEG), min(max(pitch, -MAX_GAZE_DEG), MAX_GAZE_DEG)


def _direction(landmarks: Float32Array, placement: Placement, eye: _Eye, level: Floats, towards: Floats) -> tuple[float, float]:
    """Degrees of one eye: the iris lies on the eyeball, whose centre is as far behind the lids' corners as on average."""
    middle = landmarks[eye.corners, :2].mean(axis=0)
    seen = (landmarks[eye.iris, :2] - middle) * (1, -1) / placement.unit_px
    across: Floats = (seen - placement.rotation[:2] @ eye.centre) / eye.radius
    ahead = 1.0
    for _ in range(ROUNDS):
        x, y = (level @ (across - towards * ahead)).tolist()
        ahead = math.sqrt(max(0.0, 1.0 - x * x - y * y))
    return math.degrees(math.atan2(x, ahead)), math.degrees(math.asin(min(max(y, -1.0), 1.0)))


@cache
def _eyes() -> tuple[_Eye, _Eye]:
    """The person's left one first."""
    face = c.canonical_face()
    eyes = []
    for number, pair in enumerate(CORNERS):
        iris, middle = c.IRISES[1 - number][0], face.points[list(pair)].mean(axis=0)
        centre = face.eyes[number, :3]
        radius = float(np.linalg.norm(face.points[iris] - centre))
        eyes.append(_Eye(list(pair), iris, (centre - middle).astype(np.float64), radius))
    return eyes[0], eyes[1]
