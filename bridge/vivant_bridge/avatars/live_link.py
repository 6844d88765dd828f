"""Live Link Face packets (UDP), as Epic's phone app sends them: Unreal Engine, and what else reads that app.

After the layout of Unreal's AppleARKitFaceSupport, which PyLiveLinkFace reads and writes: version, device, subject, frame time,
then 61 curves, all big-endian.
"""

from __future__ import annotations

import struct
import uuid

from vivant.avatars import all_weights, live_link_turns
from vivant.types import ARKIT_INDEX, ARKIT_NAMES, MotionFrame
from vivant_bridge.avatars.udp import UdpReceiver, place_of

PORT = 11111
VERSION = 6
SUBJECT = "Vivant"
TICKS_PER_S = 1000
"""Frame times count milliseconds, whatever the frame rate is."""
_SWAPPED = {"jawRight": "jawLeft", "jawLeft": "jawRight", "mouthRight": "mouthLeft", "mouthLeft": "mouthRight"}
"""Unreal's enumeration has left before right where the app's recordings have it the other way round."""
CURVES = (
    *(_SWAPPED.get(name, name) for name in ARKIT_NAMES),
    "headYaw", "headPitch", "headRoll",
    "leftEyeYaw", "leftEyePitch", "leftEyeRoll", "rightEyeYaw", "rightEyePitch", "rightEyeRoll",
)  # fmt: skip
ORDER = [ARKIT_INDEX[name] for name in CURVES[: len(ARKIT_NAMES)]]
"""Place of each curve among the weights."""
LENGTH, FRAME_TIME = struct.Struct("!i"), struct.Struct("!ifii")
"""Of a name before it; frame, part of a frame, and the rate as a fraction."""


def live_link_face(argument: str) -> UdpReceiver:
    """Receiver for ``live-link-face:HOST:PORT``. Raises InputError."""
    return UdpReceiver("Live Link", place_of(argument, PORT), LiveLinkEncoder())


class LiveLinkEncoder:
    """Frames to packets of one subject."""

    def __init__(self, subject: str = SUBJECT) -> None:
        device, name = str(uuid.uuid4()).encode(), subject.encode()
        self._head = bytes([VERSION]) + LENGTH.pack(len(device)) + device + LENGTH.pack(len(name)) + name

    def __call__(self, motion: MotionFrame) -> bytes:
        weights = all_weights(motion)
        time = FRAME_TIME.pack(motion.pts_us * TICKS_PER_S // 1_000_000, 0.0, TICKS_PER_S, 1)
        curves = *weights[ORDER], *live_link_turns(motion, weights)
        return self._head + time + struct.pack(f"!B{len(curves)}f", len(curves), *curves)
