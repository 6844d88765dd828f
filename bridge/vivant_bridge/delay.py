"""The time between a sound and its presentation, the same for picture and voice."""

from __future__ import annotations

STEP_US = 20_000
MOST_US = 500_000
_SLOPE = 0.005
"""Grows so fast that neither picture nor voice jumps: half a percent slower."""


class Delay:
    """Grows when pictures come too late. Written by one thread, read by others."""

    def __init__(self, us: int) -> None:
        self._course = (us, us, 0)
        """From, to, since when."""

    def at(self, now_us: int) -> int:
        """The delay at a time."""
        start, end, since_us = self._course
        return min(end, start + round(_SLOPE * max(0, now_us - since_us)))

    def grow(self, now_us: int) -> bool:
        """One step more; False when it is growing already or is at its limit."""
        now = self.at(now_us)
        _, end, _ = self._course
        if now < end or end >= MOST_US:
            return False
        self._course = (now, min(MOST_US, end + STEP_US), now_us)
        return True

    def raise_to(self, us: int) -> None:
        """At least ``us`` at once, where a device needs it."""
        _, end, _ = self._course
        if us > end:
            self._course = (us, us, 0)
