"""The 15 visemes of the common phone-class set (Oculus, MPEG-4 family) as ARKit weights: still pictures to judge a rig by.

Speech itself is not made of these stills; see `vivant.speech`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vivant.types import Float32Array, MotionFrame, Pose, arkit_weights


@dataclass(frozen=True)
class Look:
    """A named still: weights, and what is not a weight."""

    name: str
    weights: Mapping[str, float] = field(default_factory=dict)
    tongue: tuple[float, float] = (0.0, 0.0)
    pose: Pose = field(default_factory=Pose)
    gaze: tuple[float, float] = (0.0, 0.0)

    def frame(self) -> MotionFrame:
        """As a motion frame."""
        weights: Float32Array = arkit_weights(**self.weights)
        return MotionFrame(0, 0, weights, self.tongue, self.pose, self.gaze)


def _both(name: str, weight: float) -> dict[str, float]:
    return {f"{name}Left": weight, f"{name}Right": weight}


VISEMES: tuple[Look, ...] = (
    Look("sil"),
    Look("PP", _both("mouthPress", 0.5) | {"mouthRollLower": 0.2, "mouthRollUpper": 0.2}),
    Look("FF", _both("mouthUpperUp", 0.25) | {"jawOpen": 0.06, "mouthRollLower": 0.5}),
    Look("TH", _both("mouthLowerDown", 0.15) | {"jawOpen": 0.14}, tongue=(0.25, 0.5)),
    Look("DD", _both("mouthLowerDown", 0.25) | _both("mouthUpperUp", 0.1) | {"jawOpen": 0.12}, tongue=(0.0, 0.6)),
    Look("kk", _both("mouthLowerDown", 0.1) | {"jawOpen": 0.18}),
    Look("CH", {"jawOpen": 0.08, "mouthFunnel": 0.5, "mouthPucker": 0.1}),
    Look("SS", _both("mouthStretch", 0.25) | _both("mouthLowerDown", 0.3) | _both("mouthUpperUp", 0.15) | {"jawOpen": 0.04}),
    Look("nn", _both("mouthLowerDown", 0.15) | {"jawOpen": 0.1}, tongue=(0.0, 0.6)),
    Look("RR", {"jawOpen": 0.12, "mouthFunnel": 0.3, "mouthPucker": 0.15}),
    Look("aa", _both("mouthLowerDown", 0.1) | {"jawOpen": 0.5}),
    Look("E", _both("mouthStretch", 0.2) | _both("mouthSmile", 0.1) | {"jawOpen": 0.3}),
    Look("ih", _both("mouthSmile", 0.15) | {"jawOpen": 0.2}),
    Look("oh", {"jawOpen": 0.35, "mouthFunnel": 0.5}),
    Look("ou", {"jawOpen": 0.12, "mouthPucker": 0.6, "mouthFunnel": 0.25}),
)

EXPRESSIONS: tuple[Look, ...] = (
    Look("smile", _both("mouthSmile", 0.7) | _both("cheekSquint", 0.4)),
    Look(
        "smile, open", _both("mouthSmile", 0.8) | _both("mouthUpperUp", 0.2) | _both("mouthLowerDown", 0.2) | {"jawOpen": 0.08}
    ),
    Look("brows up", _both("browOuterUp", 0.8) | {"browInnerUp": 0.8}),
    Look("brows down", _both("browDown", 0.9)),
    Look("frown", _both("mouthFrown", 0.7)),
    Look("half blink", _both("eyeBlink", 0.5)),
    Look("blink", _both("eyeBlink", 1.0)),
    Look("eyes wide", _both("eyeWide", 0.8)),
    Look("gaze left", gaze=(20.0, 0.0)),
    Look("gaze right", gaze=(-20.0, 0.0)),
    Look("gaze up", gaze=(0.0, 15.0)),
    Look("gaze down", gaze=(0.0, -18.0)),
    Look("tongue out", {"jawOpen": 0.4, "tongueOut": 1.0}),
)

POSES: tuple[Look, ...] = (
    Look("yaw -15", pose=Pose(yaw_deg=-15.0)),
    Look("yaw +15", pose=Pose(yaw_deg=15.0)),
    Look("pitch -10", pose=Pose(pitch_deg=-10.0)),
    Look("pitch +10", pose=Pose(pitch_deg=10.0)),
    Look("roll -10", pose=Pose(roll_deg=-10.0)),
    Look("roll +10", pose=Pose(roll_deg=10.0)),
    Look("near", pose=Pose(scale=1.1)),
    Look("yaw +15, aa", _both("mouthLowerDown", 0.1) | {"jawOpen": 0.5}, pose=Pose(yaw_deg=15.0, pitch_deg=5.0)),
)
