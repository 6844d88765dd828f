"""What travels between a client and a server, as the library's own values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import simplejpeg

from vivant.errors import InputError, UnavailableError, VivantError
from vivant.honest.consent import Consent
from vivant.types import Controls, MotionFrame, Pose, UInt8Array
from vivant.v1 import vivant_pb2 as pb

CLIENT_KEY = "vivant-client"
"""Metadata: in the answer to ``GetCapabilities`` a name that the server made for its client, in later calls the same name."""


@dataclass(frozen=True, slots=True)
class RemoteFrame:
    """A picture from a server."""

    index: int
    pts_us: int
    utterance_id: str
    epoch: int
    size_px: int
    format: pb.PixelFormat
    data: bytes
    """In ``format``, as the contract lays it out."""

    @property
    def pixels(self) -> UInt8Array:
        """(h, w, 4) RGBA, also of a JPEG, or (h, w, 3) RGB. Raises InputError for I420, which has planes."""
        side = self.size_px
        if self.format == pb.PIXEL_FORMAT_JPEG:
            return np.asarray(simplejpeg.decode_jpeg(self.data, "RGBA"))
        if self.format == pb.PIXEL_FORMAT_I420:
            raise InputError("an I420 frame has planes, not pixels; use its data")
        return np.frombuffer(self.data, np.uint8).reshape(side, side, -1)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; ``kind`` is the contract's name without its prefix, e.g. ``UTTERANCE_STARTED``."""

    kind: str
    position_us: int
    utterance_id: str
    epoch: int
    detail: str
    portrait_id: str


Item = RemoteFrame | MotionFrame | Event | pb.Statistics


def portrait_ref(portrait: str | bytes | Path) -> pb.PortraitRef:
    """An id, an image's bytes, or its file."""
    if isinstance(portrait, str):
        return pb.PortraitRef(id=portrait)
    try:
        return pb.PortraitRef(image=portrait.read_bytes() if isinstance(portrait, Path) else portrait)
    except OSError as error:
        raise InputError(f"cannot read {portrait!s}: {error.strerror}") from error


def consent_message(consent: Consent | None) -> pb.Consent:
    """For the wire; None declares nothing."""
    return pb.Consent(basis=f"CONSENT_BASIS_{consent.name}" if consent else pb.CONSENT_BASIS_UNSPECIFIED)


def error_of(error: grpc.aio.AioRpcError) -> VivantError:
    """The server's sentence as the kind of error that a local call would have raised."""
    return refusal(error.code(), error.details())


def refusal(code: grpc.StatusCode, details: str | None) -> VivantError:
    sentence = details or str(code)
    if code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION):
        return InputError(sentence)
    return UnavailableError(f"the server answered {code.name}: {sentence}")


def controls_message(controls: Controls) -> pb.Controls:
    """For the wire."""
    return pb.Controls(
        gaze_yaw_deg=controls.gaze[0],
        gaze_pitch_deg=controls.gaze[1],
        distance=controls.distance,
        emotion=f"EMOTION_{controls.emotion.name}",
        intensity=controls.intensity,
        head_motion=controls.head_motion,
        mouth=controls.mouth,
        singing=controls.singing,
    )


def motion_of(motion: pb.Motion) -> MotionFrame:
    pose = motion.pose
    return MotionFrame(
        motion.index,
        motion.pts_us,
        np.array(motion.weights, np.float32),
        pose=Pose(pose.yaw_deg, pose.pitch_deg, pose.roll_deg, pose.x, pose.y, pose.scale),
        gaze=(motion.gaze_yaw_deg, motion.gaze_pitch_deg),
    )


def frame_of(frame: pb.Frame, data: bytes) -> RemoteFrame:
    return RemoteFrame(frame.index, frame.pts_us, frame.utterance_id, frame.epoch, frame.width_px, frame.pixel_format, data)


def event_of(event: pb.Event) -> Event:
    kind = pb.EventType.Name(event.type).removeprefix("EVENT_TYPE_")
    return Event(kind, event.position_us, event.utterance_id, event.epoch, event.detail, event.portrait_id)
