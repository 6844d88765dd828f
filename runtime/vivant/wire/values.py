"""Codec of values: controls, motion, pictures, markers, portraits, consent."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from vivant.arguments import language_tag, shown
from vivant.arguments import text as as_text
from vivant.bundled import is_bundled, portrait_bytes
from vivant.errors import InputError
from vivant.media.sources import PictureSource, path_or_bytes
from vivant.provenance.consent import Consent, parse_consent
from vivant.samples import mono_samples, pcm_s16le
from vivant.types import (
    NATURAL_EYE_CONTACT,
    Act,
    Attention,
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

if TYPE_CHECKING:
    from google.protobuf.internal.enum_type_wrapper import _EnumTypeWrapper as EnumTypeWrapper

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


TEXT_MESSAGE_BYTES = 1 << 16
"""Most text in one message."""
MAX_ID_CHARS = 256
"""Of a portrait's id; longer than any is."""


def portrait_ref(portrait: PictureSource) -> pb.PortraitRef:
    """A text is an id, or a bundled name; everything else a picture, as `open_portrait` takes it, files as `Path`.

    A text that names a file is not read, so that what a game's data call a portrait never leaves this machine.
    """
    if isinstance(portrait, str):
        if len(portrait) > MAX_ID_CHARS:
            raise InputError(f"a portrait's id must be a short text, got {shown(portrait)}; give a picture's file as a Path")
        return pb.PortraitRef(id=portrait)
    return pb.PortraitRef(image=image_bytes(portrait))


def image_bytes(picture: PictureSource) -> bytes:
    """Of an image file, or the bundled one of that name. Raises InputError for what is no picture, or cannot be read."""
    source = path_or_bytes(picture)
    if isinstance(source, Path) and is_bundled(source):
        return portrait_bytes(source.name)
    try:
        return source.read_bytes() if isinstance(source, Path) else source
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise InputError(f"cannot read {source!s}: {getattr(error, 'strerror', None) or error}") from error


def text_messages(text: str, language: str) -> Iterator[pb.Text]:
    """A known text in pieces that fit a message. Raises InputError for what is no text."""
    own, tag = (writable(given) for given in (as_text("text", text), language_tag(language)))
    most = TEXT_MESSAGE_BYTES // 4  # of the longest characters
    return (pb.Text(text=own[first : first + most], language=tag) for first in range(0, len(own), most))


def writable(text: str) -> str:
    """Without the halves of characters that Python allows and UTF-8 does not."""
    return text.encode(errors="replace").decode()


def consent_message(consent: Consent | str | None) -> pb.Consent:
    """None declares nothing. Raises InputError for what is no answer."""
    return pb.Consent(basis=pb.CONSENT_BASIS_UNSPECIFIED if consent is None else f"CONSENT_BASIS_{parse_consent(consent).name}")


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
        eye_contact=controls.eye_contact,
        attention=f"ATTENTION_{controls.attention.name}",
    )


def act_message(act: Act) -> pb.AnimateRequest:
    return pb.AnimateRequest(act=f"ACT_{act.name}")


def act_of(number: int) -> Act:
    """Raises InputError for one that is unknown."""
    if not (name := _named(pb.Act, number)):
        raise InputError("act is missing")
    return Act[name]


def _named(kind: EnumTypeWrapper[int], number: int) -> str:
    """The name of an enumeration's value without its prefix, empty for the unspecified one. Raises InputError for others."""
    noun = kind.DESCRIPTOR.name
    if number not in kind.values():
        raise InputError(f"{noun.lower()} {number} is unknown")
    return kind.Name(number).removeprefix(f"{noun.upper()}_") if number else ""


def controls_of(message: pb.Controls) -> Controls:
    """Raises InputError for what is out of range."""
    emotion, attention = _named(pb.Emotion, message.emotion), _named(pb.Attention, message.attention)
    return Controls(
        gaze=(message.gaze_yaw_deg, message.gaze_pitch_deg),
        distance=message.distance if message.HasField("distance") else 1.0,
        emotion=Emotion[emotion or "NEUTRAL"],
        intensity=message.intensity if message.HasField("intensity") else 1.0,
        head_motion=message.head_motion if message.HasField("head_motion") else 1.0,
        mouth=message.mouth if message.HasField("mouth") else 1.0,
        singing=message.singing,
        eye_contact=message.eye_contact if message.HasField("eye_contact") else NATURAL_EYE_CONTACT,
        attention=Attention[attention or "AUTO"],
    )


def motion_message(motion: MotionFrame, utterance_id: str, epoch: int) -> pb.Motion:
    return pb.Motion(
        index=motion.index,
        pts_us=motion.pts_us,
        utterance_id=utterance_id,
        epoch=epoch,
        weights=motion.weights.tolist(),
        pose=_pose_message(motion.pose),
        gaze_yaw_deg=motion.gaze[0],
        gaze_pitch_deg=motion.gaze[1],
        tongue_out=motion.tongue[0],
        tongue_up=motion.tongue[1],
        body=None if motion.body is None else _pose_message(motion.body),
    )


def motion_of(message: pb.Motion) -> MotionFrame:
    return MotionFrame(
        message.index,
        message.pts_us,
        np.array(message.weights, np.float32),
        (message.tongue_out, message.tongue_up),
        _pose_of(message.pose),
        (message.gaze_yaw_deg, message.gaze_pitch_deg),
        _pose_of(message.body) if message.HasField("body") else None,
    )


def _pose_message(pose: Pose) -> pb.Pose:
    return pb.Pose(yaw_deg=pose.yaw_deg, pitch_deg=pose.pitch_deg, roll_deg=pose.roll_deg, x=pose.x, y=pose.y, scale=pose.scale)


def _pose_of(message: pb.Pose) -> Pose:
    return Pose(message.yaw_deg, message.pitch_deg, message.roll_deg, message.x, message.y, message.scale)


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


def picture_of(message: pb.Frame, data: bytes | memoryview) -> VideoFrame:
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
        return mono_samples(np.frombuffer(data, "<i2"))
    samples = np.frombuffer(data, "<f4")
    return mono_samples(samples)


def samples_bytes(samples: ArrayLike, audio_format: pb.AudioFormat) -> bytes:
    """Mono audio (n,), as `mono_samples` takes it, in the wire's format; what was int16 comes out of PCM_S16LE as it was."""
    own = mono_samples(samples)
    if audio_format == pb.AUDIO_FORMAT_F32LE:
        return own.astype("<f4").tobytes()
    return pcm_s16le(own)
