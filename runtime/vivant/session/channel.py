"""A bounded queue between two stages. Capacity is time, not items; what happens when it is full is decided once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from vivant.errors import ClosedError

T = TypeVar("T")


class Full(Enum):
    """What a full channel does with one item more."""

    BLOCK = "the sender waits"
    LATEST = "the oldest item falls out and is counted"


@dataclass
class ChannelStats:
    """For observers; depth in ms of media time."""

    depth_ms: float = 0.0
    peak_ms: float = 0.0
    dropped: int = 0


class Channel(Generic[T]):
    """One sender, one receiver, one event loop.

    Every item has a length in ms; a channel takes an item whenever it holds less than its capacity. Markers have no length:
    they never wait and never fall out.
    """

    def __init__(self, capacity_ms: float, full: Full) -> None:
        self.stats = ChannelStats()
        self._capacity_ms = capacity_ms
        self._full = full
        self._items: deque[tuple[T, float]] = deque()
        self._waiting: list[asyncio.Future[None]] = []
        self._closed = False

    async def put(self, item: T, length_ms: float) -> None:
        """Add an item; waits or drops as the channel's policy says. Raises ClosedError after `close`."""
        if length_ms > 0 and self._full is Full.BLOCK:
            await self._until(lambda: self._closed or self.stats.depth_ms < self._capacity_ms)
        if self._closed:
            raise ClosedError("this session was closed; open a new one")
        while length_ms > 0 and self._full is Full.LATEST and self.stats.depth_ms >= self._capacity_ms:
            self._drop_oldest()
        self._items.append((item, length_ms))
        self.stats.depth_ms += length_ms
        self.stats.peak_ms = max(self.stats.peak_ms, self.stats.depth_ms)
        self._wake()

    def take_now(self) -> T | None:
        """The next item if there is one. For a receiver that has its own pace."""
        return self._taken() if self._items else None

    @property
    def waiting(self) -> Iterator[T]:
        """What waits, the oldest first."""
        return (item for item, _ in self._items)

    def clear(self, keeps: Callable[[T], bool] = lambda _: False) -> None:
        """Throw away whatever waits (an interruption), or all but some; it does not count as dropped."""
        self._items = deque((item, length_ms) for item, length_ms in self._items if keeps(item))
        self.stats.depth_ms = sum((length_ms for _, length_ms in self._items), 0.0)
        self._wake()

    def close(self) -> None:
        """No more items; the receiver gets what is left and then stops."""
        self._closed = True
        self._wake()

    @property
    def closed(self) -> bool:
        """No more items will come; some may still be there."""
        return self._closed

    @property
    def finished(self) -> bool:
        """Closed and empty."""
        return self._closed and not self._items

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            await self._until(lambda: self._items or self._closed)
            if not self._items:
                return
            yield self._taken()

    async def _until(self, ready: Callable[[], object]) -> None:
        """Like a Condition's ``wait_for``; everything happens on one loop, so there is nothing to lock."""
        while not ready():
            change = asyncio.get_running_loop().create_future()
            self._waiting.append(change)
            await change

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for change in waiting:
            if not change.done():  # whoever waited may have been cancelled
                change.set_result(None)

    def _taken(self) -> T:
        item = self._pop()
        self._wake()
        return item

    def _pop(self, place: int = 0) -> T:
        item, length_ms = self._items[place]
        del self._items[place]
        self.stats.depth_ms = max(0.0, self.stats.depth_ms - length_ms)
        return item

    def _drop_oldest(self) -> None:
        self._pop(next(place for place, (_, length_ms) in enumerate(self._items) if length_ms > 0))
        self.stats.dropped += 1
