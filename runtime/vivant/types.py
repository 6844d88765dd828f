"""The values that travel through Vivant: audio in, motion between, frames out.

All are frozen; an array belongs to the receiver once handed over and is not written to afterwards.

The head frame, everywhere: x to the person's left (image right), y up, z out of the face. Angles are in degrees:
yaw > 0 turns the face to the person's left (image right), pitch > 0 lifts it, roll > 0 tilts the head towards the
person's left shoulder (clockwise in the image).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.arguments import flag, member, real_number, shown
from vivant.errors import InputError

Float32Array = NDArray[np.float32]
UInt8Array = NDArray[np.uint8]
FloatArray = NDArray[np.floating[Any]]
"""Any precision: intermediate results of building a rig."""
IntArray = NDArray[np.integer[Any]]

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000
"""Of sound that is heard: telephones to studios."""
MAX_GAZE_DEG = 30.0
"""Of `Controls.gaze`, on each axis and side."""
FARTHEST = 1e9
"""Of a point to look at, in any unit; chosen."""

ARKIT_NAMES: tuple[str, ...] = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft", "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight",
    "eyeWideRight",
    "jawForward", "jawRight", "jawLeft", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft", "mouthSmileLeft", "mouthSmileRight",
    "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight",
    "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""The 52 face weights in Apple Live Link order; left and right are the person's own."""

ARKIT_INDEX: Mapping[str, int] = {name: i for i, name in enumerate(ARKIT_NAMES)}

MAX_WEIGHT = 10.0
"""Chosen: 1 is the whole movement, and caricature needs some more."""
EYE_LOOK_FULL_DEG = 30.0
"""Eye rotation that one full ``eyeLook*`` weight stands for."""


def arkit_weights(**weights: float) -> Float32Array:
    """A (52,) vector from ARKit names, e.g. ``arkit_weights(jawOpen=0.4)``; the rest are zero."""
    vector = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, weight in weights.items():
        if name not in ARKIT_INDEX:
            raise InputError(f"unknown ARKit shape {shown(name)}; the 52 names are in vivant.ARKIT_NAMES")
        vector[ARKIT_INDEX[name]] = real_number(name, weight, -MAX_WEIGHT, MAX_WEIGHT)
    return vector


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A piece of speech."""

    samples: Float32Array
    """(n,) mono, in [-1, 1]. Left and right, (n, 2), come out of ``AudioFile.blocks`` and go into videos."""
    sample_rate_hz: int
    start_sample: int = 0
    """Index of the first sample since the stream began; a jump says that audio was lost."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the head is, relative to the portrait (all zero and scale 1 reproduce it)."""

    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    x: float = 0.0
    """Shift to the image right, in outer-eye distances."""
    y: float = 0.0
    """Shift upwards, in outer-eye distances."""
    scale: float = 1.0
    """Apparent size: above 1 the head is nearer."""

    def __post_init__(self) -> None:
        try:  # one sum rather than six tests: there is a pose in every frame
            is_finite = math.isfinite(self.yaw_deg + self.pitch_deg + self.roll_deg + self.x + self.y + self.scale)
        except TypeError:
            is_finite = False
        if not is_finite:
            raise InputError(
                f"a pose must be finite numbers, got {', '.join(shown(getattr(self, name)) for name in self.__slots__)}"
            )


@dataclass(frozen=True, slots=True)
class MotionFrame:
    """One instant of a face, free of any identity: the same frame drives our pixels or another avatar."""

    index: int
    pts_us: int
    """Presentation time in audio time, ``frame_pts_us(index, fps)``."""
    weights: Float32Array
    """(52,) ARKit weights in [0, 1], order of ``ARKIT_NAMES``. ``eyeLook*`` add to ``gaze``."""
    tongue: tuple[float, float] = (0.0, 0.0)
    """(out, up) in [0, 1]; out adds to ``tongueOut``, up lifts the tip to the upper incisors."""
    pose: Pose = field(default_factory=Pose)
    gaze: tuple[float, float] = (0.0, 0.0)
    """(yaw, pitch) of both eyes in degrees relative to the head; zero looks where the portrait looks."""
    body: Pose | None = None
    """Where the shoulders are, relative to the portrait. A stream lets them follow the head; None rests."""


class PixelFormat(Enum):
    """What the last axis of ``VideoFrame.pixels`` holds, sRGB, 8 bit."""

    RGB = "rgb"
    RGBA = "rgba"
    """Straight alpha (not premultiplied)."""
    I420 = "i420"
    """BT.709 limited range, planes Y, U, V one below the other: (height * 3 / 2, width)."""
    JPEG = "jpeg"
    """A file, (n,) bytes."""


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One picture."""

    index: int
    pts_us: int
    pixels: UInt8Array
    """(height, width, 3 or 4), row 0 on top; other shapes as ``format`` says."""
    format: PixelFormat
    jpeg_size_px: tuple[int, int] | None = None
    """(width, height) of a JPEG, whose bytes do not show it."""
    jpeg_alpha: UInt8Array | None = None
    """(n,) bytes of a second, grey JPEG: the alpha of the first one, where that was asked for."""

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        if self.jpeg_size_px is not None:
            return self.jpeg_size_px
        height, width = self.pixels.shape[:2]
        return width, height * 2 // 3 if self.format is PixelFormat.I420 else height


@dataclass(frozen=True, slots=True)
class UtteranceStart:
    """Marker: the next audio belongs to a new utterance."""

    utterance: int
    position_us: int = field(default=0, compare=False)
    """Of its first sample."""
    utterance_id: str = field(default="", compare=False)
    """The caller's own name for it."""
    epoch: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class UtteranceEnd:
    """Marker: nothing more is to come of this utterance."""

    utterance: int
    position_us: int
    utterance_id: str = field(default="", compare=False)
    epoch: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Marker: the utterance was cut short; ``position_us`` is the last frame time that was given out."""

    utterance: int
    position_us: int
    utterance_id: str = field(default="", compare=False)
    epoch: int = field(default=0, compare=False)
    """The new one: whatever is of an older epoch belongs to the past."""


Marker = UtteranceStart | UtteranceEnd | Interrupted


@dataclass(frozen=True, slots=True)
class Output:
    """One instant of one face, whoever draws it: the same from a `FaceStream`, a `Session` and a server."""

    motion: MotionFrame
    picture: VideoFrame | None
    """Labelled and marked; None where no picture was asked for, or where it would have come too late."""
    portrait: str
    """Name of the portrait that is shown."""
    utterance: int | None
    """Number of the utterance that is spoken, from 1; None in the silence between."""
    epoch: int
    """How many interruptions came before."""
    audio: AudioChunk | None = None
    """The sound of this instant, delayed like the picture, where a stream was opened with ``audio``."""
    utterance_id: str = ""
    """The caller's own name of the utterance."""

    @property
    def pts_us(self) -> int:
        return self.motion.pts_us


Item = Output | Marker


class Emotion(Enum):
    """The colours a voice can be given on top of its own."""

    NEUTRAL = "neutral"
    HAPPY = "happy"
    SAD = "sad"
    ANGRY = "angry"
    SURPRISED = "surprised"
    AFRAID = "afraid"
    DISGUSTED = "disgusted"
    CONTEMPT = "contempt"


class Attention(Enum):
    """What a face is about: it decides where it looks and how it holds its head (`vivant.motion.attention`)."""

    AUTO = "auto"
    """Speaking while there is a voice, else at rest before its partner."""
    SPEAKING = "speaking"
    """As people look who speak, also in the pauses of a voice."""
    LISTENING = "listening"
    """To the partner, whom it looks at, with nods."""
    THINKING = "thinking"
    """Looks away and up."""
    WORKING = "working"
    """Looks down at something, with glances back: an agent that uses a tool."""


class Act(Enum):
    """What a face does once, on top of speech (`vivant.motion.acts`)."""

    NOD = "nod"
    SHAKE = "shake"
    TILT = "tilt"
    THINK = "think"
    LAUGH = "laugh"


NATURAL_EYE_CONTACT = 0.59375
"""0.59 of the time that people in video calls speak, median of 19 (Dembinsky et al. 2024); as a number that travels exactly."""
CAMERA_EYE_CONTACT = 0.8125
"""For who speaks to a camera: videos and webcams. Chosen by eye, between people's 0.59 and a stare."""


@dataclass(frozen=True, slots=True)
class Controls:
    """What a caller may steer while the face lives; every field may change from frame to frame."""

    gaze: tuple[float, float] = (0.0, 0.0)
    """(yaw, pitch) in degrees towards which the person looks, seen from the camera axis; zero is the camera."""
    distance: float = 1.0
    """Distance of the head from the camera relative to the portrait, 0.8 (near) to 1.25 (far)."""
    emotion: Emotion = Emotion.NEUTRAL
    """Given as a member or its name, "happy"."""
    intensity: float = 1.0
    """Strength of the emotion and of all expression, 0 to 2."""
    head_motion: float = 1.0
    """Amount of head motion, 0 (still) to 2."""
    mouth: float = 1.0
    """Amount of mouth motion, 0 (shut) to 2; closures stay closures."""
    singing: bool = False
    """Held vowels stay open as they began: neither vibrato nor a fading breath moves the jaw."""
    eye_contact: float = NATURAL_EYE_CONTACT
    """Share of the time spent looking where ``gaze`` says while speaking, 0 to 1; the rest goes in looks away. While listening
    people look away far less, and that changes along with it."""
    attention: Attention = Attention.AUTO
    """Given as a member or its name, "listening"."""

    def __post_init__(self) -> None:
        settled: dict[str, object] = {
            "gaze": _gaze(self.gaze),
            "distance": real_number("distance", self.distance, 0.8, 1.25),
            "emotion": member("emotion", Emotion, self.emotion),
            "intensity": real_number("intensity", self.intensity, 0, 2),
            "head_motion": real_number("head_motion", self.head_motion, 0, 2),
            "mouth": real_number("mouth", self.mouth, 0, 2),
            "singing": flag("singing", self.singing),
            "eye_contact": real_number("eye_contact", self.eye_contact, 0, 1),
            "attention": member("attention", Attention, self.attention),
        }
        for name, value in settled.items():
            object.__setattr__(self, name, value)


def _gaze(gaze: object) -> tuple[float, float]:
    angles = gaze.tolist() if isinstance(gaze, np.ndarray) else gaze
    if not isinstance(angles, tuple | list) or len(angles) != 2:
        raise InputError(f"gaze must be (yaw, pitch) in degrees, got {shown(gaze)}")
    yaw, pitch = (
        real_number(f"gaze {axis}", angle, -MAX_GAZE_DEG, MAX_GAZE_DEG, " degrees")
        for axis, angle in zip(("yaw", "pitch"), angles, strict=True)
    )
    return yaw, pitch


def gaze_at(x: float, y: float, z: float) -> tuple[float, float]:
    """``Controls.gaze`` towards a point: x to the person's left, y up, z towards the camera, from between the eyes, any unit.

    Clipped to what ``Controls`` takes. The camera is at (0, 0, z). Raises InputError for a point behind the face.
    """
    x, y, z = (
        real_number(f"{axis} of the point to look at", value, -FARTHEST, FARTHEST)
        for axis, value in zip("xyz", (x, y, z), strict=True)
    )
    if z <= 0:
        raise InputError(f"the point to look at must lie before the face (z > 0), got z = {z}")
    yaw, pitch = math.degrees(math.atan2(x, z)), math.degrees(math.atan2(y, math.hypot(x, z)))
    return min(max(yaw, -MAX_GAZE_DEG), MAX_GAZE_DEG), min(max(pitch, -MAX_GAZE_DEG), MAX_GAZE_DEG)


def frame_pts_us(index: int, fps: Fraction) -> int:
    """Time of frame ``index`` in microseconds, always computed from the index so that nothing accumulates."""
    return index * 1_000_000 * fps.denominator // fps.numerator
