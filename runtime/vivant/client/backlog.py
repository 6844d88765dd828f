"""Backlog: the sound that a server has and has not spoken, as its client counts it."""

from __future__ import annotations

from vivant.clock import Clock
from vivant.v1 import vivant_pb2 as pb

SPARE = 8
"""One part in so many of the server's queue is left free: it hears later than this side counts, and a busy one speaks later."""
MESSAGES_PER_S = 400
"""Of sound, at most; servers take 1000 of all kinds."""


class Backlog:
    """Of one call. A live server speaks as time passes; another as far as its pictures have come."""

    def __init__(self, config: pb.SessionConfig, clock: Clock) -> None:
        """``config`` is the one in effect."""
        self.most_ms = config.audio_queue_ms - config.audio_queue_ms // SPARE
        """That may wait at the server."""
        self._rate_hz, self._is_live, self._clock = config.sample_rate_hz, config.delivery == pb.DELIVERY_PACED, clock
        self._end_us = self._spoken_us = 0
        """When, or where, all that was sent will have been spoken; and where a server is that is not live."""
        self._second_us = self._n_messages = 0

    def excess_us(self, n_samples: int) -> int:
        """How much of so many more would not find room; 0 or less when all of them do."""
        now_us = self._now_us()
        return max(self._end_us, now_us) + self._length_us(n_samples) - now_us - 1000 * self.most_ms

    def add(self, n_samples: int) -> None:
        """So many are sent."""
        self._end_us = max(self._end_us, self._now_us()) + self._length_us(n_samples)

    def came(self, pts_us: int) -> None:
        """An output of that time."""
        self._spoken_us = pts_us

    def waits(self, queued_us: int) -> None:
        """The server says how much it has; a busy one may have more than time alone would leave."""
        if self._is_live:
            self._end_us = max(self._end_us, self._now_us() + queued_us)

    def forget(self) -> None:
        """An interruption: nothing waits any more."""
        self._end_us = 0

    async def next_message(self) -> None:
        """Waits where so many messages were sent within a second that the server might take no more."""
        now_us = self._clock.now_us()
        if now_us - self._second_us > 1_000_000:
            self._second_us, self._n_messages = now_us, 0
        if self._n_messages >= MESSAGES_PER_S:
            await self._clock.sleep_until(self._second_us + 1_000_000)
            self._second_us, self._n_messages = self._clock.now_us(), 0
        self._n_messages += 1

    def _now_us(self) -> int:
        return self._clock.now_us() if self._is_live else self._spoken_us

    def _length_us(self, n_samples: int) -> int:
        return n_samples * 1_000_000 // self._rate_hz
