"""Vivant: a portrait that speaks, live.

import vivant

face = vivant.open_portrait("me.png", consent="me")
with vivant.FaceStream(face, sample_rate_hz=16000) as stream:
    for item in stream.push(samples):
        if isinstance(item, vivant.Output):
            show(item.picture.pixels)
    rest = list(stream.end())
"""

from __future__ import annotations

import logging
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from vivant.sealed import keep_to_this_machine

if TYPE_CHECKING:
    from vivant.bundled import portraits as portraits
    from vivant.clock import Clock as Clock
    from vivant.clock import MonotonicClock as MonotonicClock
    from vivant.clock import VirtualClock as VirtualClock
    from vivant.errors import ClosedError as ClosedError
    from vivant.errors import InputError as InputError
    from vivant.errors import OutputError as OutputError
    from vivant.errors import PortraitError as PortraitError
    from vivant.errors import UnavailableError as UnavailableError
    from vivant.errors import VivantError as VivantError
    from vivant.face import Face as Face
    from vivant.face import FaceRenderer as FaceRenderer
    from vivant.face import RigFace as RigFace
    from vivant.face import open_portrait as open_portrait
    from vivant.motion.articulatory import ArticulatoryMotion as ArticulatoryMotion
    from vivant.motion.model import MotionState as MotionState
    from vivant.motion.model import SpeechMotion as SpeechMotion
    from vivant.provenance.consent import Consent as Consent
    from vivant.rig.rig import Rig as Rig
    from vivant.session.presenter import Presenter as Presenter
    from vivant.session.session import Session as Session
    from vivant.session.session import SessionConfig as SessionConfig
    from vivant.session.stream import FaceStream as FaceStream
    from vivant.speech.text_mood import emotion_of as emotion_of
    from vivant.talker import Talker as Talker
    from vivant.types import ARKIT_NAMES as ARKIT_NAMES
    from vivant.types import Act as Act
    from vivant.types import Attention as Attention
    from vivant.types import AudioChunk as AudioChunk
    from vivant.types import Controls as Controls
    from vivant.types import Emotion as Emotion
    from vivant.types import Interrupted as Interrupted
    from vivant.types import Item as Item
    from vivant.types import MotionFrame as MotionFrame
    from vivant.types import Output as Output
    from vivant.types import PixelFormat as PixelFormat
    from vivant.types import Pose as Pose
    from vivant.types import UtteranceEnd as UtteranceEnd
    from vivant.types import UtteranceStart as UtteranceStart
    from vivant.types import VideoFrame as VideoFrame
    from vivant.types import arkit_weights as arkit_weights
    from vivant.types import gaze_at as gaze_at

_HOMES = {
    "vivant.bundled": "portraits",
    "vivant.clock": "Clock MonotonicClock VirtualClock",
    "vivant.errors": "ClosedError InputError OutputError PortraitError UnavailableError VivantError",
    "vivant.face": "Face FaceRenderer RigFace open_portrait",
    "vivant.provenance.consent": "Consent",
    "vivant.motion.model": "MotionState SpeechMotion",
    "vivant.motion.articulatory": "ArticulatoryMotion",
    "vivant.rig.rig": "Rig",
    "vivant.session.presenter": "Presenter",
    "vivant.session.session": "Session SessionConfig",
    "vivant.session.stream": "FaceStream",
    "vivant.speech.text_mood": "emotion_of",
    "vivant.talker": "Talker",
    "vivant.types": "ARKIT_NAMES Act Attention AudioChunk Controls Emotion Interrupted Item MotionFrame Output "
    "PixelFormat Pose UtteranceEnd UtteranceStart VideoFrame arkit_weights gaze_at",
}
"""Public names by the module that defines them, which is imported when one of them is first asked for: neither the help of a
command nor the client of a server needs the builder of rigs or what reads sounds and pictures."""
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__version__ = "0.1.0"
__all__ = list(_HOME)

keep_to_this_machine()
logging.getLogger(__name__).addHandler(logging.NullHandler())


_OLD_NAMES = {"Voice": "ArticulatoryMotion"}
"""Of 0.1; to go in 0.3."""


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name in _OLD_NAMES:
        warnings.warn(f"vivant.{name} is now vivant.{_OLD_NAMES[name]} (docs/upgrading.md)", DeprecationWarning, stacklevel=2)
        name = _OLD_NAMES[name]
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = getattr(import_module(_HOME[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
