"""Adaptive delay: the time between a sound and its presentation, the same for picture, motion and voice."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from vivant import Clock

log = logging.getLogger(__name__)
STEP_US = 20_000
"""Less than a frame; chosen."""
MOST_US = 500_000
"""Chosen so that a call can still be held."""
_SLOPE = 0.005
"""Changes so slowly that neither picture nor voice jumps: half a percent of the time."""


class AdaptiveDelay:
    """Adaptive delay: grows when pictures come too late, shrinks when none has for long. One thread writes, others read."""

    def __init__(self, us: int) -> None:
        self._least_us = us
        self._course = (us, us, 0)
        """From, to, since when."""

    def at(self, now_us: int) -> int:
        """The delay at a time."""
        start, end, since_us = self._course
        reach = round(_SLOPE * max(0, now_us - since_us))
        return start + max(-reach, min(reach, end - start))

    def grow(self, now_us: int) -> None:
        """One step more, if it is not growing already."""
        self._turn(now_us, min(MOST_US, self._course[1] + STEP_US))

    def shrink(self, now_us: int) -> None:
        """One step less, but not below where it began."""
        self._turn(now_us, max(self._least_us, self._course[1] - STEP_US))

    def raise_to(self, us: int) -> None:
        """At least ``us`` at once and from now on, where a device needs it."""
        self._least_us = max(self._least_us, us)
        if us > self._course[1]:
            log.info("a device raises the delay to %d ms", us // 1000)
            self._course = (us, us, 0)

    def _turn(self, now_us: int, end_us: int) -> None:
        now = self.at(now_us)
        if now == self._course[1] != end_us:
            self._course = (now, end_us, now_us)
            log.info("the delay goes from %d to %d ms", now // 1000, end_us // 1000)


@dataclass(frozen=True, slots=True)
class PresentationClock:
    """Presentation clock: when a time on the audio timeline is presented, as picture, motion and sound."""

    clock: Clock
    start_us: int
    """The timeline's zero on the clock."""
    delay: AdaptiveDelay

    def due_us(self, time_us: int) -> int:
        """When a time on the timeline is presented, on the clock, as the delay is now."""
        return self.start_us + time_us + self.delay.at(self.clock.now_us())

    def lag_us(self, time_us: int) -> int:
        """How long ago it should have been presented; negative before."""
        return self.clock.now_us() - self.due_us(time_us)
