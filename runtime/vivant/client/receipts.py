"""Receipts: tells a server which pictures have come, so that a slow network brings the newest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from vivant.clock import Clock

SOON_US = 100_000
"""Receipts come at most so late; chosen: each costs both sides a message."""


class Receipts:
    """Counts pictures that came in their messages. On the event loop."""

    def __init__(self, send: Callable[[int], Awaitable[None]], clock: Clock) -> None:
        """``send`` tells how many have come."""
        self._send, self._clock = send, clock
        self._n_come = self._n_told = 0
        self._last = -1
        self._telling: asyncio.Task[None] | None = None

    def came(self, index: int) -> None:
        """A picture with its place in the call. Where some before it were left out, the server waits for this receipt."""
        self._n_come += 1
        due_us = self._clock.now_us() + (SOON_US if index == self._last + 1 else 0)
        self._last = index
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell(due_us))

    def close(self) -> None:
        if self._telling is not None:
            self._telling.cancel()

    async def _tell(self, due_us: int) -> None:
        await self._clock.sleep_until(due_us)
        while self._n_told < self._n_come:
            self._n_told = self._n_come
            await self._send(self._n_told)
