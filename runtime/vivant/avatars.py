"""Face shapes as avatar tools expect them: gaze and tongue as ARKit weights, vowels, and rotations."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vivant.types import ARKIT_INDEX, EYE_LOOK_FULL_DEG, Float32Array, MotionFrame, Pose

OPEN_JAW, ROUND_LIPS, PARTED_LIPS = 0.3, 0.7, 0.2
"""Weights of a mouth as open, as round, as parted as speech makes it: 95th percentiles of the bundled voice, rounded."""


def all_weights(motion: MotionFrame) -> Float32Array:
    """ARKit weights, (52,) in [0, 1], that hold the gaze and the tongue too, for tools without further inputs.

    What is no number rests: no tool can do anything with it.
    """
    weights = np.nan_to_num(motion.weights, nan=0.0, posinf=1.0, neginf=0.0)
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


def live_link_turns(motion: MotionFrame, weights: Float32Array) -> list[float]:
    """Nine curves, in radians, that Live Link Face adds to the 52: yaw, pitch, roll of the head, the left and the right eye."""
    pose, (left, right) = motion.pose, eye_angles_deg(weights)
    return [math.radians(angle) for angle in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg, *left, 0.0, *right, 0.0)]


def vowels(weights: Float32Array) -> tuple[float, float, float, float, float]:
    """Vowel weights in [0, 1] for avatars with five mouths: a, i, u, e, o, which VRM calls A I U E O.

    After the vowel chart: spread lips go from i over e to a as they open, round ones from u to o. Closed lips are none.
    """

    def share(full: float, *names: str) -> float:
        return min(1.0, sum(float(weights[ARKIT_INDEX[name]]) for name in names) / full)

    opening = share(OPEN_JAW, "jawOpen")
    rounding = share(ROUND_LIPS, "mouthPucker", "mouthFunnel")
    parting = share(PARTED_LIPS, "jawOpen", "mouthLowerDownLeft", "mouthUpperUpLeft")
    spreading = 1.0 - rounding
    a, i = max(0.0, 2 * opening - 1), max(0.0, 1 - 2 * opening) * parting
    e = 1 - abs(2 * opening - 1)
    return spreading * a, spreading * i, rounding * (1 - opening), spreading * e, rounding * opening


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
