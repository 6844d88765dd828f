"""Where the eyes look: from where the irises lie between the corners of the lids, and by what the network says."""

from __future__ import annotations

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


def gaze_of(face: DetectedFace, placement: Placement) -> tuple[float, float]:
    """(yaw, pitch) of both eyes in degrees relative to the head: the mean of both eyes, and of both ways to tell."""
    measured = np.mean([_direction(face.landmarks, placement, eye) for eye in (0, 1)], axis=0)
    yaw, pitch = 0.5 / SHOWN * (measured + face.gaze_deg.mean(axis=0))
    return float(np.clip(yaw, -MAX_GAZE_DEG, MAX_GAZE_DEG)), float(np.clip(pitch, -MAX_GAZE_DEG, MAX_GAZE_DEG))


def _direction(landmarks: Float32Array, placement: Placement, eye: int) -> tuple[float, float]:
    """Degrees of one eye: the iris lies on the eyeball, whose centre is as far behind the lids' corners as on average."""
    face = c.canonical_face()
    corners, iris = list(CORNERS[eye]), c.IRISES[1 - eye][0]
    middle = landmarks[corners].mean(axis=0)
    seen = (landmarks[iris] - middle)[:2] * (1, -1) / placement.unit_px
    centre = face.eyes[eye, :3] - face.points[corners].mean(axis=0)
    radius = float(np.linalg.norm(face.points[iris] - face.eyes[eye, :3]))
    turn = placement.rotation[:2]
    across: Floats = (seen - turn @ centre) / radius
    way = np.array([0.0, 0.0, 1.0])
    for _ in range(ROUNDS):
        way[:2] = np.linalg.solve(turn[:, :2], across - turn[:, 2] * way[2])
        way[2] = np.sqrt(max(0.0, 1.0 - float(way[:2] @ way[:2])))
    yaw, pitch = np.arctan2(way[0], way[2]), np.arcsin(np.clip(way[1], -1.0, 1.0))
    return float(np.degrees(yaw)), float(np.degrees(pitch))
