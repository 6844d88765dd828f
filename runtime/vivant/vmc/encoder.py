"""VMC protocol (Virtual Motion Capture; OSC), written: VSeeFace, VNyan, Warudo, Unity (EVMC4U), Unreal (VMC4UE), Blender.

We are an Assistant of its specification (protocol.vmc.info): head, eyes, blinks and mouth; the rest of the body is
left to the tool.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vivant.avatars import Quaternion, all_weights, eye_angles_deg, vowels
from vivant.errors import UnavailableError
from vivant.extras import install
from vivant.types import ARKIT_INDEX, ARKIT_NAMES, Float32Array, MotionFrame

try:
    from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
    from pythonosc.osc_message_builder import OscMessageBuilder
except ImportError as error:
    raise UnavailableError(f"VMC needs the extra 'vtubing': {install('vtubing')}") from error

VRM0 = (*"AIUEO", "Blink_L", "Blink_R")
VRM1 = ("aa", "ih", "ou", "ee", "oh", "blinkLeft", "blinkRight")
PERFECT_SYNC = tuple(name[0].upper() + name[1:] for name in ARKIT_NAMES)
"""As Unity's ARKitBlendShapeLocation spells them."""
NAMES: Mapping[str, tuple[str, ...]] = {"vrm0": VRM0, "vrm1": VRM1, "perfect-sync": PERFECT_SYNC}


class VmcEncoder:
    """Frames to bundles of OSC messages, with the expression names of one generation of avatars."""

    def __init__(self, names: str = "vrm0") -> None:
        self._names, self._has_all = NAMES[names], names == "perfect-sync"

    def __call__(self, motion: MotionFrame) -> bytes:
        bundle = OscBundleBuilder(IMMEDIATELY)
        for address, values in self._messages(motion):
            message = OscMessageBuilder(address)
            for value in values:
                message.add_arg(value)
            bundle.add_content(message.build())
        return bundle.build().dgram

    def _messages(self, motion: MotionFrame) -> Iterator[tuple[str, tuple[str | int | float, ...]]]:
        weights = all_weights(motion)
        left_eye, right_eye = eye_angles_deg(weights)
        yield "/VMC/Ext/OK", (1, 3, 0, 1)  # loaded, calibrated, normal mode, tracking well
        yield "/VMC/Ext/T", (motion.pts_us / 1e6,)
        yield "/VMC/Ext/Root/Pos", ("root", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
        yield "/VMC/Ext/Bone/Pos", _bone("Head", Quaternion.of_pose(motion.pose))
        yield "/VMC/Ext/Bone/Pos", _bone("LeftEye", Quaternion.of(*left_eye))
        yield "/VMC/Ext/Bone/Pos", _bone("RightEye", Quaternion.of(*right_eye))
        for name, value in zip(self._names, self._values(weights), strict=True):
            yield "/VMC/Ext/Blend/Val", (name, value)
        yield "/VMC/Ext/Blend/Apply", ()

    def _values(self, weights: Float32Array) -> list[float]:
        if self._has_all:
            return [float(weight) for weight in weights]
        blinks = [float(weights[ARKIT_INDEX[name]]) for name in ("eyeBlinkLeft", "eyeBlinkRight")]
        return [*vowels(weights), *blinks]


def _bone(name: str, turned: Quaternion) -> tuple[str, float, float, float, float, float, float, float]:
    """Rotation alone: where an avatar's bones lie is its own."""
    return name, 0.0, 0.0, 0.0, turned.x, turned.y, turned.z, turned.w
