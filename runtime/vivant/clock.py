"""The one place that reads the time, so that everything else runs in virtual time under test."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """A monotonic clock in microseconds."""

    def now_us(self) -> int:
        """Microseconds since an arbitrary origin."""
        ...

    async def sleep_until(self, deadline_us: int) -> None:
        """Return at or after ``deadline_us``; at once (after one turn of the loop) if it has passed."""
        ...


def processor_us() -> int:
    """Processor time of the calling thread, since an arbitrary origin: what others do on the machine hardly changes it."""
    return time.thread_time_ns() // 1000


class MonotonicClock:
    """Real time."""

    def now_us(self) -> int:
        return time.monotonic_ns() // 1000

    async def sleep_until(self, deadline_us: int) -> None:
        await asyncio.sleep(max(0, deadline_us - self.now_us()) / 1e6)


class VirtualClock:
    """Time that moves only when somebody sleeps: tests and offline runs are instant and exact."""

    def __init__(self) -> None:
        self._now_us = 0

    def now_us(self) -> int:
        return self._now_us

    async def sleep_until(self, deadline_us: int) -> None:
        self._now_us = max(self._now_us, deadline_us)
        await asyncio.sleep(0)
