"""iFacialMocap text packets (UDP), as its phone app sends them: VMagicMirror, VBridger and other tools that read that app.

After ifacialmocap.com/for-developer: ``name-0..100|...|=head#rx,ry,rz,x,y,z|rightEye#rx,ry,rz|leftEye#rx,ry,rz|``, degrees.
"""

from __future__ import annotations

from vivant.avatars import all_weights, eye_angles_deg
from vivant.types import ARKIT_NAMES, MotionFrame
from vivant_bridge.avatars.udp import UdpReceiver, place_of

PORT = 49983
EYE_DISTANCE_M = 0.09
"""Between the outer corners of the eyes, for shifts of the head; a grown-up's, rounded."""


def ifacialmocap(argument: str) -> UdpReceiver:
    """Receiver for ``ifacialmocap:HOST:PORT``. Raises InputError."""
    return UdpReceiver("iFacialMocap's receiver", place_of(argument, PORT), encode)


def encode(motion: MotionFrame) -> bytes:
    """A packet. x turns down, y to the person's right, z towards the left shoulder, as in Unity."""
    weights, pose = all_weights(motion), motion.pose
    (left_yaw, left_pitch), (right_yaw, right_pitch) = eye_angles_deg(weights)
    shapes = "".join(
        f"{short_name(name)}-{round(100 * float(weight))}|" for name, weight in zip(ARKIT_NAMES, weights, strict=True)
    )
    head = (-pose.pitch_deg, -pose.yaw_deg, pose.roll_deg, -pose.x * EYE_DISTANCE_M, pose.y * EYE_DISTANCE_M, 0.0)
    right_eye, left_eye = (-right_pitch, -right_yaw, 0.0), (-left_pitch, -left_yaw, 0.0)
    return f"{shapes}=head#{_list(head)}|rightEye#{_list(right_eye)}|leftEye#{_list(left_eye)}|".encode()


def short_name(name: str) -> str:
    """``eyeBlinkLeft`` is ``eyeBlink_L``; ``mouthLeft`` and ``jawLeft`` are movements, not sides."""
    if name in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
        return name
    for side in ("Left", "Right"):
        name = f"{name.removesuffix(side)}_{side[0]}" if name.endswith(side) else name
    return name


def _list(values: tuple[float, ...]) -> str:
    return ",".join(f"{value:.5f}" for value in values)
