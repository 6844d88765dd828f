"""The seam between a voice and a face: audio in, motion out, whatever computes it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from vivant.arguments import shown
from vivant.errors import InputError
from vivant.types import Act, AudioChunk, Controls, MotionFrame

if TYPE_CHECKING:
    from vivant.face import Face

MIN_FPS, MAX_FPS = 12, 60
"""Chosen: from drawn film on twos to games."""


def require_fps(fps: Fraction) -> None:
    """Raises InputError for a rate at which no face is moved."""
    if not MIN_FPS <= fps <= MAX_FPS:
        raise InputError(f"fps must be from {MIN_FPS} to {MAX_FPS}, got {float(fps):g}")


def require_motion(motion: object) -> None:
    """Raises InputError for what is no motion model, such as the name of one."""
    if isinstance(motion, type) or not hasattr(motion, "look_ahead_ms"):
        raise InputError(f"motion must be a motion model such as vivant.ArticulatoryMotion(), got {shown(motion)}")


class MotionState(Protocol):
    """One session's stream. Not thread-safe; every call returns the frames that have become certain."""

    def push(self, chunk: AudioChunk, controls: Controls) -> list[MotionFrame]:
        """Take more audio. Frame k is given out once audio up to its time plus the model's look-ahead is known.

        Streaming equals offline: however the same audio is cut into chunks, the same frames come out.
        """
        ...

    def flush(self, controls: Controls) -> list[MotionFrame]:
        """The frames that were held back for look-ahead, as if silence followed; more audio may be pushed afterwards."""
        ...

    def reset(self) -> None:
        """Forget the audio heard so far (interruption); frame numbers and idle life go on, and the mouth eases shut."""
        ...


@runtime_checkable
class Acting(Protocol):
    """What a `MotionState` may have beside its own: acts. One that has none leaves them out."""

    def act(self, act: Act) -> None:
        """Begin it with the next sound that is pushed."""
        ...


class SpeechMotion(Protocol):
    """A motion model: shared, read-only, safe to open from any thread."""

    name: str
    """With its version; written into the manifests of what it made."""
    look_ahead_ms: int

    def open(self, fps: Fraction, seed: int, face: Face | None = None) -> MotionState:
        """Begin a stream at ``fps`` (12 to 60) whose chance is decided by ``seed``, for ``face`` if its kind matters."""
        ...
