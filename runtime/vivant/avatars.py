"""Face shapes as avatar tools expect them: gaze and tongue as ARKit weights, vowels, and rotations."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vivant.types import ARKIT_INDEX, EYE_LOOK_FULL_DEG, Float32Array, MotionFrame, Pose
from vivant.visemes import VISEMES

VOWELS = ("aa", "ih", "ou", "E", "oh")
"""The visemes that VRM calls A, I, U, E, O, in that order."""
SWEEPS = 20
"""Of `vowels`; chosen: a further one changes no weight by a thousandth."""
_MOUTH = [index for name, index in ARKIT_INDEX.items() if name.startswith(("jaw", "mouth"))]
_LOOKS = np.stack([next(look for look in VISEMES if look.name == name).frame().weights[_MOUTH] for name in VOWELS])
_LIKENESS = _LOOKS @ _LOOKS.T


def all_weights(motion: MotionFrame) -> Float32Array:
    """ARKit weights, (52,) in [0, 1], that hold the gaze and the tongue too, for tools without further inputs."""
    weights = motion.weights.copy()
    yaw, pitch = (angle / EYE_LOOK_FULL_DEG for angle in motion.gaze)
    added = {
        "eyeLookOutLeft": yaw, "eyeLookInRight": yaw, "eyeLookInLeft": -yaw, "eyeLookOutRight": -yaw,
        "eyeLookUpLeft": pitch, "eyeLookUpRight": pitch, "eyeLookDownLeft": -pitch, "eyeLookDownRight": -pitch,
        "tongueOut": motion.tongue[0],
    }  # fmt: skip
    for name, more in added.items():
        weights[ARKIT_INDEX[name]] += max(0.0, more)
    return np.clip(weights, 0.0, 1.0)


def eye_angles_deg(weights: Float32Array) -> tuple[tuple[float, float], tuple[float, float]]:
    """(yaw, pitch) of the left and of the right eye, from `all_weights`; signs as in `Pose`."""

    def between(more: str, less: str) -> float:
        return EYE_LOOK_FULL_DEG * float(weights[ARKIT_INDEX[more]] - weights[ARKIT_INDEX[less]])

    left = between("eyeLookOutLeft", "eyeLookInLeft"), between("eyeLookUpLeft", "eyeLookDownLeft")
    right = between("eyeLookInRight", "eyeLookOutRight"), between("eyeLookUpRight", "eyeLookDownRight")
    return left, right


def vowels(weights: Float32Array) -> list[float]:
    """Vowel weights in [0, 1], in the order of `VOWELS`: the mixture of these visemes that comes nearest to the mouth.

    Non-negative least squares by coordinate descent (Franc, Hlaváč, Navara 2005).
    """
    alike = _LOOKS @ weights[_MOUTH]
    mixture = np.zeros(len(VOWELS))
    for _ in range(SWEEPS):
        for i in range(len(VOWELS)):
            rest = alike[i] - _LIKENESS[i] @ mixture + _LIKENESS[i, i] * mixture[i]
            mixture[i] = max(0.0, rest / _LIKENESS[i, i])
    return [float(weight) for weight in np.clip(mixture, 0.0, 1.0)]


@dataclass(frozen=True, slots=True)
class Quaternion:
    """Unit quaternion in Unity's frame: left-handed, x to the avatar's right, y up, z forward."""

    x: float
    y: float
    z: float
    w: float

    @classmethod
    def of(cls, yaw_deg: float, pitch_deg: float, roll_deg: float = 0.0) -> Quaternion:
        """Of angles as `Pose` has them: turned by yaw, then pitch, then roll, each about the head's own axis."""
        # Unity turns clockwise as seen along an axis: a face turned to its left or lifted has a negative angle.
        (sy, cy), (sx, cx), (sz, cz) = (
            (math.sin(half), math.cos(half)) for half in (math.radians(deg) / 2 for deg in (-yaw_deg, -pitch_deg, roll_deg))
        )
        return cls(
            cy * sx * cz + sy * cx * sz,
            sy * cx * cz - cy * sx * sz,
            cy * cx * sz - sy * sx * cz,
            cy * cx * cz + sy * sx * sz,
        )

    @classmethod
    def of_pose(cls, pose: Pose) -> Quaternion:
        return cls.of(pose.yaw_deg, pose.pitch_deg, pose.roll_deg)
