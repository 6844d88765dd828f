"""Vivant: a portrait that speaks, live.

import vivant

face = vivant.open_portrait("me.png", consent="me")
with vivant.FaceStream(face, sample_rate_hz=16000) as stream:
    for item in stream.push(samples):
        if isinstance(item, vivant.Output):
            show(item.picture.pixels)
    rest = list(stream.finish())
"""

from vivant.clock import Clock, MonotonicClock, VirtualClock
from vivant.errors import ClosedError, InputError, OutputError, PortraitError, UnavailableError, VivantError
from vivant.face import Face, FaceRenderer, RigFace, open_portrait
from vivant.honest.consent import Consent
from vivant.motion.model import MotionState, SpeechMotion
from vivant.motion.voice import Voice
from vivant.rig.rig import Rig
from vivant.sealed import keep_to_this_machine
from vivant.session.presenter import Presenter
from vivant.session.session import Session, SessionConfig
from vivant.session.stream import FaceStream
from vivant.talker import Talker
from vivant.types import (
    ARKIT_NAMES,
    AudioChunk,
    Controls,
    Emotion,
    Interrupted,
    Item,
    MotionFrame,
    Output,
    PixelFormat,
    Pose,
    UtteranceEnd,
    UtteranceStart,
    VideoFrame,
    arkit_weights,
    gaze_at,
)

__version__ = "0.1.0"
keep_to_this_machine()

__all__ = [
    "ARKIT_NAMES",
    "AudioChunk",
    "Clock",
    "ClosedError",
    "Consent",
    "Controls",
    "Emotion",
    "Face",
    "FaceRenderer",
    "FaceStream",
    "InputError",
    "Interrupted",
    "Item",
    "MonotonicClock",
    "MotionFrame",
    "MotionState",
    "Output",
    "OutputError",
    "PixelFormat",
    "PortraitError",
    "Pose",
    "Presenter",
    "Rig",
    "RigFace",
    "Session",
    "SessionConfig",
    "SpeechMotion",
    "Talker",
    "UnavailableError",
    "UtteranceEnd",
    "UtteranceStart",
    "VideoFrame",
    "VirtualClock",
    "VivantError",
    "Voice",
    "arkit_weights",
    "gaze_at",
    "open_portrait",
]
