"""Audio timeline: where a stream's sound and frames are, in one place and in one unit."""

from __future__ import annotations

from fractions import Fraction

from vivant.types import frame_pts_us


class Timeline:
    """Times of sound and frames since the stream began, in µs of audio time. One thread at a time.

    Sound is counted from ``origin_us``, the time of the frame that was next when the last interruption came: a motion model
    goes on there.
    """

    def __init__(self, fps: Fraction, sample_rate_hz: int) -> None:
        self._fps = fps
        self._rate_hz = sample_rate_hz
        self._next_index = 0
        self.origin_us = 0
        self.n_heard = 0
        """Samples since the origin."""

    @property
    def position_us(self) -> int:
        """Of the next sample."""
        return self.origin_us + self.n_heard * 1_000_000 // self._rate_hz

    @property
    def next_pts_us(self) -> int:
        """Of the next frame."""
        return frame_pts_us(self._next_index, self._fps)

    @property
    def origin_sample(self) -> int:
        """Index of the origin's sample since the stream began, silence included."""
        return self.origin_us * self._rate_hz // 1_000_000

    def sample_at(self, pts_us: int) -> int:
        """The first sample, counted from the origin, that is not earlier than a time."""
        return -(-(pts_us - self.origin_us) * self._rate_hz // 1_000_000)

    def shown(self, index: int) -> None:
        """A frame is certain; the one after it is next."""
        self._next_index = index + 1

    def start_over(self) -> None:
        """The next sample sounds at the next frame's time."""
        self.origin_us, self.n_heard = self.next_pts_us, 0
