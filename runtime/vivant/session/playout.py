"""Playout buffer: what a session has made waits here until it is due and taken. On its event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from fractions import Fraction

from vivant.session.channel import Channel, Full
from vivant.session.config import SessionStats
from vivant.session.pace import STOOD_STILL_US, Pace
from vivant.types import Interrupted, Item, Output

log = logging.getLogger(__name__)
NONE = -1
"""No item's epoch."""


class PlayoutBuffer:
    """One task puts, another takes. Where too much waits, the oldest of a live session falls out; else whoever puts waits."""

    def __init__(self, pace: Pace, fps: Fraction) -> None:
        self._pace, self.stats = pace, SessionStats()
        self._frame_ms = 1000.0 * fps.denominator / fps.numerator
        self._items: Channel[Item] = Channel(STOOD_STILL_US / 1000, Full.LATEST if pace.delay_ms else Full.BLOCK)
        self._sleep: asyncio.Timeout | None = None
        self._epoch = 0
        self.last_pts_us = 0
        """Of the last output that was taken."""
        self.wanted = asyncio.Event()
        """Cleared, nothing need be made: nobody takes it."""
        self.wanted.set()
        self.reader_has_room: Callable[[], bool] = lambda: True
        """Whether whoever takes pictures can pass one on."""
        self._was_overdue = False
        """A late picture waited still when the last items were put: nobody takes them."""
        self.n_late = 0
        """Pictures that were left out here."""
        self.failure: Exception | None = None
        """Raised at the end of what is taken."""

    @property
    def closed(self) -> bool:
        """Nothing more will come; some may still be there."""
        return self._items.closed

    @property
    def has_room(self) -> bool:
        """Whether a picture made now would soon be taken; asked before each."""
        return self.reader_has_room() and not self._was_overdue

    async def put(self, *items: Item) -> None:
        """Raises ClosedError after `close`."""
        self._was_overdue = any(map(self._is_overdue, self._items.waiting))
        dropped = self._items.stats.dropped
        for item in items:
            await self._items.put(item, self._frame_ms if isinstance(item, Output) else 0)
        self.stats.dropped += self._items.stats.dropped - dropped

    async def interrupt(self, marker: Interrupted) -> None:
        """Forget all that waits, and all of other epochs that is still to come; the marker comes next."""
        log.info("interrupted at %d ms; epoch %d begins", self.last_pts_us // 1000, marker.epoch)
        self._epoch = marker.epoch
        self._items.clear()
        self._stop_sleeping()
        await self.put(replace(marker, position_us=self.last_pts_us))

    def close(self) -> None:
        """Whoever takes gets what is left and then the end."""
        self._items.close()

    def abandon(self) -> None:
        """Close, and lose what is left."""
        self._items.close()
        self._items.clear()
        self._epoch = NONE
        self._stop_sleeping()

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for item in self._items:
            ready = await self._when_due(item) if isinstance(item, Output) else item
            if ready is None or item.epoch != self._epoch:
                continue  # the process stood still, or an interruption came meanwhile
            if isinstance(ready, Output):
                self.last_pts_us = ready.pts_us
                self.stats.frames += 1
            yield ready
        if self.failure is not None:
            raise self.failure

    async def _when_due(self, output: Output) -> Output | None:
        """Wait for its time, or an interruption. When a newer picture is there by then, it comes without its own, late one.

        None where that time is long past, for the process stood still: it and what waits behind it are forgotten.
        """
        was_stale = self._pace.is_stale(output.pts_us)
        try:
            async with asyncio.timeout(None) as self._sleep:
                await self._pace.until_due(output.pts_us)
        except TimeoutError:
            pass  # woken by `_stop_sleeping`
        finally:
            self._sleep = None
        if self._pace.is_stale(output.pts_us) and not was_stale:
            self._items.clear(keeps=lambda item: not isinstance(item, Output))
            return None
        newer = (item for item in self._items.waiting if isinstance(item, Output) and item.picture is not None)
        if not self._is_overdue(output) or not any(newer):
            return output
        self.n_late += 1
        return replace(output, picture=None)

    def _is_overdue(self, item: Item) -> bool:
        return isinstance(item, Output) and item.picture is not None and self._pace.is_late(item.pts_us)

    def _stop_sleeping(self) -> None:
        if self._sleep is not None:
            self._sleep.reschedule(asyncio.get_running_loop().time())
            self._sleep = None
