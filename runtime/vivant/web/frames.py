"""What a page gets: the contract's responses as JSON, and as binary frames with a head of 24 bytes (docs/web.md)."""

from __future__ import annotations

import struct
from dataclasses import astuple
from fractions import Fraction
from typing import Any

from vivant.samples import pcm_s16le
from vivant.types import Controls, Pose
from vivant.v1 import vivant_pb2 as pb
from vivant.web.messages import PageConfig
from vivant.wire.responses import FrameToSend, SoundToSend
from vivant.wire.values import consent_of

HEAD = struct.Struct("<BBHIQII")
"""Kind, speaking, side in px, epoch, pts_us, number, bytes of the first JPEG."""
PICTURE, SOUND, MOTION = 1, 2, 3
N_VALUES = 68
"""52 weights, 6 of the head's pose, 2 of the gaze, 2 of the tongue, 6 of the body's pose."""
VALUES = struct.Struct(f"<{N_VALUES}f")
AT_REST = astuple(Pose())
"""Of a body that a motion model leaves where the portrait has it."""
UINT32 = 2**32


def picture_frame(frame: FrameToSend, number: int, *, speaking: bool) -> bytes:
    """``number`` counts pictures from 1; the page confirms it."""
    head = frame.head
    packed = HEAD.pack(PICTURE, speaking, head.width_px, head.epoch, head.pts_us, number % UINT32, len(frame.data))
    return b"".join((packed, frame.data, frame.alpha))


def head_alone(frame: bytes) -> bytes:
    """Of a picture or sound that goes another way: nothing follows it."""
    return frame[: HEAD.size - 4] + bytes(4)


def sound_frame(sound: SoundToSend, *, speaking: bool) -> bytes:
    chunk = sound.chunk
    pts_us = chunk.start_sample * 1_000_000 // chunk.sample_rate_hz
    return HEAD.pack(SOUND, speaking, 0, sound.epoch, pts_us, chunk.sample_rate_hz, 0) + pcm_s16le(chunk.samples)


def motion_frame(motion: pb.Motion, *, speaking: bool) -> bytes:
    values = (
        *motion.weights,
        *_pose_values(motion.pose),
        *(motion.gaze_yaw_deg, motion.gaze_pitch_deg, motion.tongue_out, motion.tongue_up),
        *(_pose_values(motion.body) if motion.HasField("body") else AT_REST),
    )
    return HEAD.pack(MOTION, speaking, 0, motion.epoch, motion.pts_us, motion.index % UINT32, 0) + VALUES.pack(*values)


def _pose_values(pose: pb.Pose) -> tuple[float, ...]:
    return pose.yaw_deg, pose.pitch_deg, pose.roll_deg, pose.x, pose.y, pose.scale


def ready_message(started: pb.SessionStarted, page: PageConfig, *, client: str, version: str) -> dict[str, Any]:
    return {
        "type": "ready",
        "session": started.session_id,
        "client": client,
        "version": version,
        "delay_ms": started.delay_us // 1000,
        "config": _effective(started.config, page),
        "weight_names": list(started.weight_names),
        "notes": list(started.notes),
    }


def _effective(config: pb.SessionConfig, page: PageConfig) -> dict[str, Any]:
    fps, consent = Fraction(config.fps.numerator, config.fps.denominator), consent_of(config.consent)
    stage = page.stage
    return {
        "portrait": config.portrait.id,
        "pictures": page.pictures.value,
        "motion": config.outputs != pb.OUTPUTS_FRAMES,
        "sound": page.resolved.session.audio,
        "size_px": config.size_px,
        "fps": int(fps) if fps.denominator == 1 else str(fps),
        "jpeg_quality": config.jpeg_quality,
        "sample_rate_hz": config.sample_rate_hz,
        "seed": config.seed,
        "controls": controls_fields(page.controls),
        "mirror": stage.mirror,
        "background": stage.background,
        "label_corner": stage.label_corner,
        "priority": config.importance.priority,
        "consent": consent.value if consent is not None else None,
    }


def controls_fields(controls: Controls) -> dict[str, Any]:
    """As JSON has them."""
    return {
        "gaze": list(controls.gaze),
        "distance": controls.distance,
        "emotion": controls.emotion.value,
        "intensity": controls.intensity,
        "head_motion": controls.head_motion,
        "mouth": controls.mouth,
        "singing": controls.singing,
        "eye_contact": controls.eye_contact,
        "attention": controls.attention.value,
    }


def event_message(event: pb.Event) -> dict[str, Any]:
    message: dict[str, Any] = {
        "type": pb.EventType.Name(event.type).removeprefix("EVENT_TYPE_").lower(),
        "utterance_id": event.utterance_id,
        "position_us": event.position_us,
        "epoch": event.epoch,
    }
    if event.detail:
        message["message"] = event.detail
    if event.portrait_id:
        message["portrait"] = event.portrait_id
    return message


def statistics_message(statistics: pb.Statistics) -> dict[str, Any]:
    return {
        "type": "statistics",
        "fps": round(statistics.fps, 2),
        "lag_ms": statistics.lag_us / 1000,
        "sent": statistics.frames_sent,
        "dropped": statistics.frames_dropped,
        "queued_ms": statistics.audio_queued_us / 1000,
        "detail": statistics.detail_level,
        "filled_ms": statistics.filled_us / 1000,
    }
