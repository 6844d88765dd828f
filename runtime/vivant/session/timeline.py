"""Audio timeline: where a stream's sound and frames are, in one place and in one unit; and the sound between them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from vivant.errors import InputError
from vivant.types import MAX_RATE_HZ, MIN_RATE_HZ, AudioChunk, Float32Array, frame_pts_us


class Timeline:
    """Times of sound and frames since the stream began, in µs of audio time. One thread at a time.

    Sound is counted from ``origin_us``, the time of the frame that was next when the last interruption or jump came: a motion
    model goes on there. It numbers its own frames without a gap; ``n_skipped`` is how many fewer they are.
    """

    def __init__(self, fps: Fraction, sample_rate_hz: int) -> None:
        """Raises InputError for a rate of sound that cannot be."""
        if not MIN_RATE_HZ <= sample_rate_hz <= MAX_RATE_HZ:
            raise InputError(f"sample_rate_hz must be from {MIN_RATE_HZ} to {MAX_RATE_HZ}, got {sample_rate_hz}")
        self._fps = fps
        self.rate_hz = sample_rate_hz
        self.next_index = 0
        self.n_skipped = 0
        self.origin_us = 0
        self.n_heard = 0
        """Samples since the origin."""

    @property
    def position_us(self) -> int:
        """Of the next sample."""
        return self.origin_us + self.n_heard * 1_000_000 // self.rate_hz

    @property
    def next_pts_us(self) -> int:
        """Of the next frame."""
        return self.pts_us(self.next_index)

    def pts_us(self, index: int) -> int:
        """Of a frame."""
        return frame_pts_us(index, self._fps)

    @property
    def origin_sample(self) -> int:
        """Index of the origin's sample since the stream began, silence included."""
        return self.origin_us * self.rate_hz // 1_000_000

    def sample_at(self, pts_us: int) -> int:
        """The first sample, counted from the origin, that is not earlier than a time."""
        return -(-(pts_us - self.origin_us) * self.rate_hz // 1_000_000)

    def shown(self, index: int) -> None:
        """A frame is certain; the one after it is next."""
        self.next_index = index + 1

    def index_from(self, pts_us: int) -> int:
        """The first frame that is not earlier than a time."""
        return -(-pts_us * self._fps.numerator // (1_000_000 * self._fps.denominator))

    def skip_to(self, index: int) -> None:
        """Frames are left out: that one is next."""
        self.n_skipped += index - self.next_index
        self.next_index = index

    def start_over(self) -> None:
        """The next sample sounds at the next frame's time."""
        self.origin_us, self.n_heard = self.next_pts_us, 0


class SoundTape:
    """Sound that was heard and not given out yet, of the timeline since its origin."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.start_over()

    def start_over(self) -> None:
        self._sound, self._first = np.zeros(0, np.float32), 0

    def add(self, samples: Float32Array) -> None:
        self._sound = np.concatenate([self._sound, samples])

    def take(self, until_us: int) -> AudioChunk:
        """From where the last one ended to a time, as far as it was heard."""
        timeline = self._timeline
        sound, self._sound = np.split(self._sound, [max(0, timeline.sample_at(until_us) - self._first)])
        chunk = AudioChunk(sound, timeline.rate_hz, timeline.origin_sample + self._first)
        self._first += len(sound)
        return chunk
