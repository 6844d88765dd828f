"""Keypoints of LivePortrait: how its numbers for pose and expression become 21 points in space.

After the published code (MIT); names of its files and their inputs are those of the ONNX export of FasterLivePortrait.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vivant.types import ARKIT_INDEX, ARKIT_NAMES, Float32Array

N_POINTS = 21
N_NUMBERS = 3 * N_POINTS
BIN_DEG, FIRST_DEG = 3.0, -97.5
"""An angle is the mean of 66 bins, each so wide, the first so far."""
_X, _Y, _Z = range(3)
SLIDERS: Mapping[str, Mapping[tuple[int, int], float]] = {
    "jawOpen": {(19, _Y): 0.1, (19, _Z): 0.01, (17, _Y): -0.01},
    "mouthSmileLeft": {
        (20, _Y): -0.0065,
        (14, _Y): -0.013,
        (17, _Y): 0.0042,
        (17, _Z): 0.002,
        (13, _Y): -0.0018,
        (16, _Y): -0.0018,
    },
    "mouthPucker": {(14, _Y): 0.015, (3, _Y): -0.0075, (7, _Y): -0.0075, (17, _Z): -0.0075},
    "mouthFunnel": {(14, _Y): 0.008, (3, _Y): -0.004, (7, _Y): -0.004, (17, _Z): -0.004},
    "mouthStretchLeft": {(20, _Z): -0.0075, (20, _Y): -0.0075, (14, _Y): -0.0075},
    "eyeBlinkLeft": {(15, _Y): 0.02, (16, _Y): -0.006},
    "eyeBlinkRight": {(11, _Y): 0.02, (13, _Y): -0.006},
    "browInnerUp": {(1, _Y): 0.015, (2, _Y): -0.015},
}
"""Where the fit begins: published slopes of its editors' sliders, (point, axis) to change at weight 1. Read, not measured."""


@dataclass(frozen=True)
class Posture:
    """What `motion_extractor` says of one picture."""

    angles_deg: Float32Array
    """(3,) pitch, yaw, roll."""
    shift: Float32Array
    """(3,)"""
    expression: Float32Array
    """(21, 3)"""
    scale: float
    points: Float32Array
    """(21, 3) of the person at rest, seen from the front."""

    @classmethod
    def of(cls, answers: Mapping[str, Float32Array]) -> Posture:
        angles = [_angle_deg(answers[name][0]) for name in ("pitch", "yaw", "roll")]
        return cls(
            np.array(angles, np.float32),
            answers["t"][0],
            answers["exp"].reshape(N_POINTS, 3),
            float(answers["scale"].ravel()[0]),
            answers["kp"].reshape(N_POINTS, 3),
        )

    def placed(
        self, more_deg: Float32Array, more: Float32Array, scale: float = 1.0, shift: tuple[float, float] = (0, 0)
    ) -> Float32Array:
        """(21, 3) points of this person turned further, with more expression, nearer and shifted."""
        turned = self.points @ rotation(*(self.angles_deg + more_deg)) + self.expression + more
        out: Float32Array = (self.scale * scale * turned).astype(np.float32)
        out[:, :2] += self.shift[:2] + np.array(shift, np.float32)
        return out


def _angle_deg(bins: Float32Array) -> float:
    likely = np.exp(bins - bins.max())
    return float((likely / likely.sum()) @ np.arange(len(bins))) * BIN_DEG + FIRST_DEG


def rotation(pitch_deg: float, yaw_deg: float, roll_deg: float) -> Float32Array:
    """(3, 3) for points as rows."""
    (sx, cx), (sy, cy), (sz, cz) = ((np.sin(a), np.cos(a)) for a in np.radians([pitch_deg, yaw_deg, roll_deg]))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    turned: Float32Array = (about_z @ about_y @ about_x).T.astype(np.float32)
    return turned


def slider_slopes() -> Float32Array:
    """(52, 21, 3) from `SLIDERS`."""
    slopes = np.zeros((len(ARKIT_NAMES), N_POINTS, 3), np.float32)
    for name, changes in SLIDERS.items():
        for (point, axis), change in changes.items():
            slopes[ARKIT_INDEX[name], point, axis] = change
    for name in ("mouthSmile", "mouthStretch"):
        slopes[ARKIT_INDEX[f"{name}Right"]] = slopes[ARKIT_INDEX[f"{name}Left"]]
    return slopes
