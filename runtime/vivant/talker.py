"""The simplest way to let a face speak: push audio, get frames. No threads, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.errors import ClosedError
from vivant.face import Face, as_fps, default_motion
from vivant.motion.model import SpeechMotion
from vivant.types import AudioChunk, Controls, Float32Array, MotionFrame, VideoFrame


class Talker:
    """One stream of speech on one face. Not thread-safe; a context manager.

    ``size_px`` is the side of square frames, or (width, height). ``controls`` may be replaced at any time and takes effect,
    eased, from the next frame on.
    """

    def __init__(
        self,
        face: Face,
        *,
        fps: int | float | str | Fraction = 30,
        size_px: int | tuple[int, int] = 512,
        seed: int = 0,
        controls: Controls | None = None,
        motion: SpeechMotion | None = None,
    ) -> None:
        self.fps = as_fps(fps)
        self.controls = controls or Controls()
        self._renderer = face.open(size_px)
        self._state = (motion or default_motion()).open(self.fps, seed)
        self._pushed = 0
        self._closed = False

    def push(self, samples: NDArray[np.floating[Any]], sample_rate_hz: int) -> Iterator[VideoFrame]:
        """Take mono audio (n,) in [-1, 1] at a rate that stays the same; iterate the frames that have become certain."""
        return (self._renderer.render(frame) for frame in self.push_for_motion(samples, sample_rate_hz))

    def push_for_motion(self, samples: NDArray[np.floating[Any]], sample_rate_hz: int) -> list[MotionFrame]:
        """The same without pixels: 52 ARKit weights, pose and gaze for an avatar of your own."""
        self._require_open()
        own: Float32Array = np.asarray(samples, np.float32)
        chunk = AudioChunk(own, sample_rate_hz, self._pushed)
        frames = self._state.push(chunk, self.controls)
        self._pushed += len(own)
        return frames

    def end(self) -> Iterator[VideoFrame]:
        """The frames that were held back for look-ahead. More audio may follow."""
        self._require_open()
        return (self._renderer.render(frame) for frame in self._state.flush(self.controls))

    def interrupt(self) -> None:
        """Forget what was heard; the mouth eases shut in the next frames. Frame times go on."""
        self._require_open()
        self._state.reset()

    def close(self) -> None:
        """Nothing may be called afterwards; closing twice is fine."""
        self._closed = True

    def _require_open(self) -> None:
        if self._closed:
            raise ClosedError("this talker was closed; make a new one")

    def __enter__(self) -> Talker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
