"""Driven motion: a driver moves the face, the voice its lips or whatever the driver does not see, and neither ever jumps.

head, gaze, brows, lids, smile ◄── driver, while it sees a face; held for a moment, then the voice's own, idle life included
lips                           ◄── voice, camera, or the better of both
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vivant.drive.driver import (
    GAZE,
    N_VALUES,
    N_WEIGHTS,
    SCALE,
    SHIFT,
    TONGUE,
    TURN,
    Drive,
    Driver,
    Seen,
    motion_of_vector,
    vector_of,
)
from vivant.easing import smoothstep
from vivant.motion.expression import EMOTIONS
from vivant.motion.head import carried
from vivant.motion.model import Acting, MotionState, SpeechMotion, TextAware
from vivant.motion.noise import CriticallyDampedSpring, Vector
from vivant.speech.features import TICK_US
from vivant.types import ARKIT_INDEX, ARKIT_NAMES, Act, AudioChunk, Controls, MotionFrame

if TYPE_CHECKING:
    from vivant.face import Face

HOLD_US = 300_000
"""A face that is lost stays as it was for so long: most losses are over by then. Chosen by eye."""
FACE_EASE_US, LIPS_EASE_US = 800_000, 250_000
"""From one source to another; lips sooner, for sound does not wait. Chosen by eye."""
STEER_S = 0.35
"""In which emotion and the other controls follow, as in the voice's own expression."""
TURN_LIMIT_DEG = np.array((22.0, 15.0, 12.0))
"""How far a portrait turns (README, Limits): yaw, pitch, roll."""
STRAIGHT = 0.7
"""Share of a limit up to which a head turns as far as the driver's; beyond, it approaches the limit softly. Chosen."""
SEAL_ROLL = 0.15
"""``mouthRollUpper`` of lips that a voice has shut (m, b, p), which nothing else rolls; `speech.articulation` gives .18."""


class Lips(Enum):
    """What moves the lips of a driven face."""

    VOICE = "voice"
    CAMERA = "camera"
    BOTH = "both"
    """The camera's while it sees the mouth, but shut where the sound says so."""


def _indices(*prefixes: str) -> list[int]:
    return [i for i, name in enumerate(ARKIT_NAMES) if name.startswith(prefixes)]


SMILE = _indices("mouthSmile", "mouthFrown", "mouthDimple")
"""Moved by the mood as much as by speech: the driver's, or the voice's where that is more."""
LIPS = sorted({*_indices("jaw", "mouth"), ARKIT_INDEX["tongueOut"], *range(TONGUE.start, TONGUE.stop)} - {*SMILE})
FACE = sorted({*range(N_VALUES)} - {*LIPS})
SHUT = _indices("mouthPress", "mouthRoll")
PARTED = _indices("mouthLowerDown", "mouthUpperUp", "mouthFunnel", "mouthShrugLower")
JAW, CLOSE, ROLL = ARKIT_INDEX["jawOpen"], ARKIT_INDEX["mouthClose"], ARKIT_INDEX["mouthRollUpper"]


class DrivenMotion:
    """A ``SpeechMotion`` around another one: as live as that, and as certain."""

    def __init__(self, voice: SpeechMotion, driver: Driver, lips: Lips = Lips.BOTH) -> None:
        self.name = f"{voice.name}, driven by {driver.kind}"
        self.look_ahead_ms = voice.look_ahead_ms
        self._voice, self._driver, self._lips = voice, driver, lips

    def open(self, fps: Fraction, seed: int, face: Face | None = None) -> DrivenState:
        drive = self._driver.open(1000 * self.look_ahead_ms)
        return DrivenState(self._voice.open(fps, seed, face), drive, self._lips)


def driving(driver: Driver | None, lips: Lips) -> Callable[[SpeechMotion], SpeechMotion]:
    """What puts a driver around a voice's motion; nothing, where there is none."""
    return lambda voice: voice if driver is None else DrivenMotion(voice, driver, lips)


class DrivenState:
    """A ``MotionState``: the voice's frames, each with what the driver saw at its time."""

    def __init__(self, voice: MotionState, drive: Drive, lips: Lips) -> None:
        self._voice, self._drive, self._lips = voice, drive, lips
        self._steering = Steering()
        self._sight = Sight()
        self._face, self._mouth = Transition(FACE_EASE_US), Transition(LIPS_EASE_US)

    def push(self, chunk: AudioChunk, controls: Controls) -> list[MotionFrame]:
        return [self._driven(frame, controls) for frame in self._voice.push(chunk, controls)]

    def flush(self, controls: Controls) -> list[MotionFrame]:
        return [self._driven(frame, controls) for frame in self._voice.flush(controls)]

    def reset(self) -> None:
        """What the driver sees goes on."""
        self._voice.reset()

    def say_text(self, text: str, language: str) -> None:
        """For the voice, if it makes use of texts."""
        if isinstance(self._voice, TextAware):
            self._voice.say_text(text, language)

    def end_text(self) -> None:
        """Likewise."""
        if isinstance(self._voice, TextAware):
            self._voice.end_text()

    def act(self, act: Act) -> None:
        """For the voice's own motion, if it knows acts; the driver's covers what it names."""
        if isinstance(self._voice, Acting):
            self._voice.act(act)

    def _driven(self, frame: MotionFrame, controls: Controls) -> MotionFrame:
        pts_us = frame.pts_us
        self._steering.to(pts_us, controls)
        self._sight.look(self._drive.at(pts_us), pts_us)
        spoken = vector_of(frame).astype(np.float64)
        seen = self._sight.completed(spoken)
        wanted = spoken.copy()
        if seen is not None:
            seen = self._steering.steered(seen)
            wanted[FACE] = seen[FACE]
            if self._lips is Lips.VOICE:
                wanted[SMILE] = np.maximum(seen[SMILE], spoken[SMILE])
        if lips := self._lips_source():
            assert seen is not None
            wanted[LIPS] = sealed(seen, spoken)[LIPS] if self._lips is Lips.BOTH else seen[LIPS]
        wanted[FACE] = self._face.follow(wanted[FACE], self._sight.source, pts_us)
        wanted[LIPS] = self._mouth.follow(wanted[LIPS], lips, pts_us)
        wanted[CLOSE] = min(wanted[CLOSE], wanted[JAW])  # lips can undo no more than the jaw has done
        return motion_of_vector(wanted, frame.index, pts_us)

    def _lips_source(self) -> int:
        """0 is the voice; otherwise which sight the lips are from. A voice need not wait for a face that is lost."""
        if self._lips is Lips.VOICE or (self._lips is Lips.BOTH and not self._sight.shows_mouth):
            return 0
        return self._sight.source


class Sight:
    """What a driver shows: held for a moment after a loss, and numbered, so that each change of source is eased."""

    def __init__(self) -> None:
        self.source = 0
        """Number of the unbroken sight that the face is from; 0 is the voice."""
        self.shows_mouth = False
        """Whether the mouth is seen right now."""
        self._seen: Seen | None = None
        self._seen_us = 0
        self._n_sights = 0

    def look(self, seen: Seen | None, pts_us: int) -> None:
        """Take what was seen at that time."""
        has_face = seen is not None and seen.motion is not None
        if seen is not None and has_face:
            is_new = self._seen is None or self._is_broken or not _same(seen.known, self._seen.known)
            self._n_sights += is_new
            self.source, self._seen, self._seen_us = self._n_sights, seen, pts_us
        elif pts_us - self._seen_us >= HOLD_US:
            self.source, self._seen = 0, None
        self._is_broken = not has_face
        self.shows_mouth = seen is not None and has_face and not seen.mouth_hidden

    _is_broken = False

    def completed(self, spoken: Vector) -> Vector | None:
        """(62,) what is seen, with the voice's motion where a driver knows nothing; None without a face."""
        if self._seen is None or self._seen.motion is None:
            return None
        vector, known = vector_of(self._seen.motion).astype(np.float64), self._seen.known
        vector[TURN] = within(vector[TURN])
        if known is None:
            return vector
        if known[TURN].all() and not known[SHIFT].any():  # a head that turns moves
            vector[SHIFT], known = carried(*vector[TURN]), known.copy()
            known[SHIFT] = True
        completed: Vector = np.where(known, vector, spoken)
        return completed


class Steering:
    """What `Controls` ask of a driven face, eased."""

    def __init__(self) -> None:
        self._spring: CriticallyDampedSpring[Vector] = CriticallyDampedSpring(STEER_S)
        self._ticks: int | None = None
        self._steer = np.zeros(N_WEIGHTS + 5)

    def to(self, pts_us: int, controls: Controls) -> None:
        """Up to that time."""
        emotion = controls.intensity * EMOTIONS[controls.emotion]
        target = np.array([*emotion, *controls.gaze, 1 / controls.distance, controls.head_motion, controls.mouth])
        ticks = pts_us // TICK_US
        for _ in range(1 if self._ticks is None else ticks - self._ticks):
            self._steer = self._spring.step(target)
        self._ticks = ticks

    def steered(self, seen: Vector) -> Vector:
        """The mood on top of the driver's own, the gaze beside it, head and mouth as large as asked for."""
        gaze_yaw, gaze_pitch, scale, head, mouth = self._steer[N_WEIGHTS:]
        vector = seen.copy()
        vector[LIPS] *= mouth
        vector[:N_WEIGHTS] += self._steer[:N_WEIGHTS]
        vector[TURN] *= head
        vector[SHIFT] *= head
        vector[SCALE] *= scale
        vector[GAZE] += gaze_yaw, gaze_pitch
        return vector


class Transition:
    """Inertial easing: where the source changes, what is shown goes on from where it was, and the difference fades away."""

    def __init__(self, duration_us: int) -> None:
        self._duration_us = duration_us
        self._source: Hashable = None
        self._shown: Vector | None = None
        self._offset: Vector | float = 0.0
        self._since_us = 0

    def follow(self, target: Vector, source: Hashable, pts_us: int) -> Vector:
        """What is shown of a target, (n,), that comes from that source."""
        if self._shown is not None and source != self._source:
            self._offset, self._since_us = self._shown - target, self._last_us
        self._source, self._last_us = source, pts_us
        fading = 1 - smoothstep((pts_us - self._since_us) / self._duration_us)
        self._shown = target + fading * self._offset
        return self._shown

    _last_us = 0


def sealed(seen: Vector, spoken: Vector) -> Vector:
    """A seen mouth whose lips meet where the sound says that they do: a camera of 30 Hz often misses it."""
    seal = smoothstep(float(spoken[ROLL]), 0.0, SEAL_ROLL)
    if not seal:
        return seen
    mouth = seen.copy()
    mouth[PARTED] *= 1 - seal
    mouth[SHUT] = np.maximum(mouth[SHUT], spoken[SHUT])
    mouth[CLOSE] = max(mouth[CLOSE], seal * mouth[JAW])
    return mouth


def within(turned_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """(yaw, pitch, roll) as far as a portrait turns."""
    share = np.abs(turned_deg) / TURN_LIMIT_DEG
    beyond = np.maximum(share - STRAIGHT, 0.0) / (1 - STRAIGHT)
    softened = np.minimum(share, STRAIGHT) + (1 - STRAIGHT) * np.tanh(beyond)
    limited: NDArray[np.float64] = np.sign(turned_deg) * softened * TURN_LIMIT_DEG
    return limited


def _same(one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))
