"""Live drives: what a tracker sees now, on its clock, at the times of a session's sound."""

from __future__ import annotations

import threading
from collections import deque

from vivant.clock import Clock
from vivant.drive.driver import GAP_US, Seen, between

KEPT = 256
"""Sights: two seconds of a tracker at 120 Hz; chosen."""
DRIFT = 0.001
"""Two clocks part by less than this."""
BROKEN_US = 250_000
"""What comes so much later than it did has stood still and begins anew; chosen."""


class ClockOffset:
    """Times of another clock on ours: what came soonest tells how far they are apart, for lateness only adds."""

    def __init__(self) -> None:
        self._offset_us: float | None = None
        self._at_us = 0

    def ours(self, their_us: int, now_us: int) -> int:
        """``their_us`` on our clock, of which something is heard at ``now_us``."""
        offset_us = now_us - their_us
        if self._offset_us is None or not 0 <= offset_us - self._offset_us < BROKEN_US:
            self._offset_us = offset_us
        else:
            self._offset_us = min(offset_us, self._offset_us + DRIFT * (now_us - self._at_us))
        self._at_us = now_us
        return their_us + round(self._offset_us)


class LiveTrack:
    """The latest sights of a tracker, on our clock. Written by one thread, followed by others."""

    def __init__(self) -> None:
        self._sights: deque[Seen] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def add(self, seen: Seen) -> None:
        """The newest; one that is older than the last is left out."""
        with self._lock:
            if not self._sights or seen.time_us > self._sights[-1].time_us:
                self._sights.append(seen)

    def at(self, time_us: int) -> Seen | None:
        """What was seen at that time; None where that is too long ago."""
        with self._lock:
            after = None
            for seen in reversed(self._sights):
                if seen.time_us <= time_us:
                    if time_us - seen.time_us > GAP_US:
                        return None
                    return seen if after is None else between(seen, after, time_us)
                after = seen
        return None


class LiveDrive:
    """`Drive` along a track. What was seen when a sound was heard is shown with that sound: both were late alike."""

    def __init__(self, track: LiveTrack, clock: Clock, look_ahead_us: int) -> None:
        self._track, self._clock, self._look_ahead_us = track, clock, look_ahead_us
        self._offset = ClockOffset()

    def at(self, pts_us: int) -> Seen | None:
        return self._track.at(self._offset.ours(pts_us, self._clock.now_us()) - self._look_ahead_us)
