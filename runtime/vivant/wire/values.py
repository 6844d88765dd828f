"""Codec of values: controls, motion, pictures, markers, portraits, consent."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.errors import InputError
from vivant.provenance.consent import Consent
from vivant.samples import mono_samples
from vivant.types import (
    Controls,
    Emotion,
    Float32Array,
    Interrupted,
    Marker,
    MotionFrame,
    PixelFormat,
    Pose,
    UInt8Array,
    UtteranceEnd,
    UtteranceStart,
    VideoFrame,
)
from vivant.v1 import vivant_pb2 as pb

PIXEL_FORMATS = {
    PixelFormat.RGBA: pb.PIXEL_FORMAT_RGBA,
    PixelFormat.RGB: pb.PIXEL_FORMAT_RGB,
    PixelFormat.I420: pb.PIXEL_FORMAT_I420,
    PixelFormat.JPEG: pb.PIXEL_FORMAT_JPEG,
}
FORMATS_BY_NUMBER = {number: format for format, number in PIXEL_FORMATS.items()}
MARKER_EVENTS: dict[type[Marker], pb.EventType] = {
    UtteranceStart: pb.EVENT_TYPE_UTTERANCE_STARTED,
    UtteranceEnd: pb.EVENT_TYPE_UTTERANCE_FINISHED,
    Interrupted: pb.EVENT_TYPE_INTERRUPTED,
}


def portrait_ref(portrait: str | bytes | Path) -> pb.PortraitRef:
    """An id, an image's bytes, or its file."""
    if isinstance(portrait, str):
        return pb.PortraitRef(id=portrait)
    try:
        return pb.PortraitRef(image=portrait.read_bytes() if isinstance(portrait, Path) else portrait)
    except OSError as error:
        raise InputError(f"cannot read {portrait!s}: {error.strerror}") from error


def consent_message(consent: Consent | None) -> pb.Consent:
    """None declares nothing."""
    return pb.Consent(basis=f"CONSENT_BASIS_{consent.name}" if consent else pb.CONSENT_BASIS_UNSPECIFIED)


def consent_of(message: pb.Consent) -> Consent | None:
    """None when nothing was declared."""
    name = pb.ConsentBasis.Name(message.basis).removeprefix("CONSENT_BASIS_")
    return Consent[name] if name in Consent.__members__ else None


def rational_message(fps: Fraction) -> pb.Rational:
    return pb.Rational(numerator=fps.numerator, denominator=fps.denominator)


def controls_message(controls: Controls) -> pb.Controls:
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


def controls_of(message: pb.Controls) -> Controls:
    """Raises InputError for what is out of range."""
    if message.emotion not in pb.Emotion.values():
        raise InputError(f"emotion {message.emotion} is unknown")
    name = pb.Emotion.Name(message.emotion).removeprefix("EMOTION_")
    amounts = (message.distance, message.intensity, message.head_motion, message.mouth)
    if not all(np.isfinite(value) for value in (message.gaze_yaw_deg, message.gaze_pitch_deg, *amounts)):
        raise InputError("controls must be finite numbers")
    return Controls(
        gaze=(message.gaze_yaw_deg, message.gaze_pitch_deg),
        distance=message.distance if message.HasField("distance") else 1.0,
        emotion=Emotion.NEUTRAL if name == "UNSPECIFIED" else Emotion[name],
        intensity=message.intensity if message.HasField("intensity") else 1.0,
        head_motion=message.head_motion if message.HasField("head_motion") else 1.0,
        mouth=message.mouth if message.HasField("mouth") else 1.0,
        singing=message.singing,
    )


def motion_message(motion: MotionFrame, utterance_id: str, epoch: int) -> pb.Motion:
    pose = motion.pose
    return pb.Motion(
        index=motion.index,
        pts_us=motion.pts_us,
        utterance_id=utterance_id,
        epoch=epoch,
        weights=motion.weights.tolist(),
        pose=pb.Pose(
            yaw_deg=pose.yaw_deg, pitch_deg=pose.pitch_deg, roll_deg=pose.roll_deg, x=pose.x, y=pose.y, scale=pose.scale
        ),
        gaze_yaw_deg=motion.gaze[0],
        gaze_pitch_deg=motion.gaze[1],
        tongue_out=motion.tongue[0],
        tongue_up=motion.tongue[1],
    )


def motion_of(message: pb.Motion) -> MotionFrame:
    pose = message.pose
    return MotionFrame(
        message.index,
        message.pts_us,
        np.array(message.weights, np.float32),
        (message.tongue_out, message.tongue_up),
        Pose(pose.yaw_deg, pose.pitch_deg, pose.roll_deg, pose.x, pose.y, pose.scale),
        (message.gaze_yaw_deg, message.gaze_pitch_deg),
    )


def picture_head(picture: VideoFrame, utterance_id: str, epoch: int) -> pb.Frame:
    """A frame without its data."""
    return pb.Frame(
        index=picture.index,
        pts_us=picture.pts_us,
        utterance_id=utterance_id,
        epoch=epoch,
        width_px=picture.size_px[0],
        height_px=picture.size_px[1],
        pixel_format=PIXEL_FORMATS[picture.format],
    )


def picture_of(message: pb.Frame, data: bytes) -> VideoFrame:
    """The picture in its format; raises InputError for one of a newer contract."""
    if message.pixel_format not in FORMATS_BY_NUMBER:
        raise InputError(f"pixel format {message.pixel_format} is of a newer contract than this client's")
    format = FORMATS_BY_NUMBER[message.pixel_format]
    width, height = message.width_px, message.height_px
    pixels: UInt8Array = np.frombuffer(data, np.uint8)
    if format is PixelFormat.JPEG:
        return VideoFrame(message.index, message.pts_us, pixels, format, (width, height))
    shape = (height * 3 // 2, width) if format is PixelFormat.I420 else (height, width, -1)
    return VideoFrame(message.index, message.pts_us, pixels.reshape(shape), format)


def marker_event(marker: Marker) -> pb.Event:
    return pb.Event(
        type=MARKER_EVENTS[type(marker)],
        position_us=marker.position_us,
        utterance_id=marker.utterance_id,
        epoch=marker.epoch,
    )


def samples_of(data: bytes, audio_format: pb.AudioFormat) -> Float32Array:
    """(n,) in [-1, 1]. Raises InputError for half a sample or what is not finite."""
    width = 4 if audio_format == pb.AUDIO_FORMAT_F32LE else 2
    if len(data) % width:
        raise InputError(f"audio must be whole samples of {width} bytes, got {len(data)} bytes")
    if width == 2:
        return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)
    samples = np.frombuffer(data, "<f4").astype(np.float32)
    if not np.isfinite(samples).all():
        raise InputError("audio holds a value that is not finite")
    return np.clip(samples, -1.0, 1.0)


def samples_bytes(samples: NDArray[Any], audio_format: pb.AudioFormat) -> bytes:
    """Mono audio (n,), as `mono_samples` takes it, in the wire's format; int16 stays as it is where that is the format."""
    if audio_format == pb.AUDIO_FORMAT_F32LE:
        return mono_samples(samples).astype("<f4").tobytes()
    if isinstance(samples, np.ndarray) and samples.dtype == np.int16 and samples.ndim == 1:
        return samples.astype("<i2").tobytes()
    return np.round(np.clip(np.nan_to_num(mono_samples(samples)), -1, 1) * 32767).astype("<i2").tobytes()
