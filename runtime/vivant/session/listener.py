"""A session's speech model with its bookkeeping: audio and markers in, motion and markers out, each at its own time."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from fractions import Fraction

import numpy as np

from vivant.motion.model import MotionState
from vivant.types import AudioChunk, Controls, MotionFrame, UtteranceEnd, UtteranceStart, frame_pts_us

Marker = UtteranceStart | UtteranceEnd


class Listener:
    """One thread at a time. A marker comes out right before the first frame that is not earlier than it."""

    def __init__(self, state: MotionState, fps: Fraction, *, live: bool) -> None:
        self._state = state
        self._fps = fps
        self._live = live
        self._epoch = 0
        self._next_us = 0
        """Time of the next frame."""
        self._origin_us = 0
        """Time of the first sample since the last interruption."""
        self._heard = 0
        """Samples since then."""
        self._position_us = 0
        """Time of the next sample."""
        self._marks: deque[tuple[int, Marker]] = deque()

    def take(self, epoch: int, items: list[AudioChunk | Marker], controls: Controls) -> list[MotionFrame | Marker]:
        """The next pieces of a stream; a new epoch forgets the last one. Live, ``start_sample`` counts from the beginning."""
        self._follow(epoch)
        return [out for item in items for out in self._take(item, controls)]

    def _take(self, item: AudioChunk | Marker, controls: Controls) -> list[MotionFrame | Marker]:
        frames: list[MotionFrame] = []
        if isinstance(item, AudioChunk):
            frames = self._hear(item, controls)
        else:
            self._marks.append((self._position_us, replace(item, position_us=self._position_us)))
            if isinstance(item, UtteranceEnd) and not self._live:
                frames = self._state.flush(controls)
        return self._in_order(frames)

    def finish(self, epoch: int, controls: Controls) -> list[MotionFrame | Marker]:
        """What is left when the stream ends."""
        self._follow(epoch)
        return self._in_order(self._state.flush(controls)) + [marker for _, marker in self._marks]

    def _follow(self, epoch: int) -> None:
        if epoch == self._epoch:
            return
        self._state.reset()
        self._epoch, self._heard = epoch, 0
        self._origin_us = self._position_us = self._next_us
        self._marks.clear()

    def _hear(self, chunk: AudioChunk, controls: Controls) -> list[MotionFrame]:
        rate_hz, samples = chunk.sample_rate_hz, chunk.samples
        if self._live and self._heard == 0:
            # The model goes on at its next frame, one look-ahead before now; silence fills the time until now.
            missed = max(0, chunk.start_sample - self._origin_us * rate_hz // 1_000_000)
            samples = np.concatenate([np.zeros(missed, np.float32), samples])
        frames = self._state.push(AudioChunk(samples, rate_hz, self._heard), controls)
        self._heard += len(samples)
        self._position_us = self._origin_us + self._heard * 1_000_000 // rate_hz
        return frames

    def _in_order(self, frames: list[MotionFrame]) -> list[MotionFrame | Marker]:
        items: list[MotionFrame | Marker] = []
        for frame in frames:
            items += [*self._marks_until(frame.pts_us), frame]
            self._next_us = frame_pts_us(frame.index + 1, self._fps)
        return items + self._marks_until(self._next_us)

    def _marks_until(self, position_us: int) -> list[Marker]:
        due = []
        while self._marks and self._marks[0][0] <= position_us:
            due.append(self._marks.popleft()[1])
        return due
