"""Pace: when a session hears its sound and when its pictures are due. As fast as possible, or live against a clock.

What is late is skipped and not caught up: a job hears all that is due by now at once, the newest picture of it is drawn
(`FaceStream.take`), and after standing still a live session goes on now.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from fractions import Fraction
from typing import Protocol

from vivant.clock import Clock, MonotonicClock
from vivant.session.config import SessionConfig
from vivant.session.stream import BLOCK_MS, FaceStream
from vivant.types import Item

log = logging.getLogger(__name__)
EAGER_MS = 400
"""An utterance that begins with so much sound queued need not wait for the look-ahead."""
MARGIN_MS = 40
"""Time for inference and drawing between a frame becoming certain and its being due."""
BLOCK_US = 1000 * BLOCK_MS
STOOD_STILL_US = 500_000
"""Later than this, sound is left out unheard: lips that far behind belong to nothing, and hearing it would cost more time yet.
Chosen; a bridge's camera begins its schedule anew after as long."""
FALL_BACK = 5
"""In the silence after an eager utterance, time falls back by one part in so many."""


def live_delay_ms(look_ahead_ms: int) -> int:
    """How long after its sound a live frame comes, by the motion model's look-ahead."""
    return look_ahead_ms + BLOCK_MS + MARGIN_MS


class Pace(Protocol):
    """One session's; on its event loop."""

    delay_ms: int
    """A frame comes this long after the sound it belongs to was due; 0 where nothing is due."""

    @property
    def now_us(self) -> int:
        """The time of sound that arrives now, on the stream's timeline; 0 where that means nothing."""
        ...

    def jobs(self, stream: FaceStream) -> AsyncIterator[None]:
        """Until all has come out: whenever a `FaceStream.take` has something to do."""
        ...

    def take(self, stream: FaceStream) -> list[Item]:
        """One job, on its thread: the stream's next items as they are due by now."""
        ...

    def due_us(self, pts_us: int) -> int:
        """When a frame should be given out, on the clock; 0 where that means nothing."""
        ...

    async def until_due(self, pts_us: int) -> None:
        """Wait for a frame's time."""
        ...

    def is_late(self, pts_us: int) -> bool:
        """Whether a frame has missed its time by more than its length."""
        ...

    def is_stale(self, pts_us: int) -> bool:
        """Whether it is so late that it belongs to nothing any more."""
        ...


class Immediate:
    """As fast as possible; nothing is ever due or late. ``fed`` is set whenever something was queued."""

    delay_ms = 0
    now_us = 0

    def __init__(self, fed: asyncio.Event) -> None:
        self._fed = fed

    async def jobs(self, stream: FaceStream) -> AsyncIterator[None]:
        while stream.has_more or not stream.over:
            if stream.has_more:
                yield
            else:
                await self._fed.wait()
                self._fed.clear()

    def take(self, stream: FaceStream) -> list[Item]:
        return stream.take()

    def due_us(self, pts_us: int) -> int:
        return 0

    async def until_due(self, pts_us: int) -> None:
        return

    def is_late(self, pts_us: int) -> bool:
        return False

    def is_stale(self, pts_us: int) -> bool:
        return False


class Live:
    """At the speed of time. Sound is heard when the next frame becomes certain by it: waking a thread for less is dear.

    ``eager``: an utterance that begins with `EAGER_MS` of sound queued need not wait for the look-ahead. Time then runs ahead
    by so much at its start (idle frames are left out) and falls back, slightly slower, in the silence after it.
    """

    def __init__(self, clock: Clock, fps: Fraction, look_ahead_us: int, *, eager: bool = False) -> None:
        self.delay_ms = live_delay_ms(look_ahead_us // 1000)
        self._clock = clock
        self._frame_us = 1_000_000 * fps.denominator // fps.numerator
        self._look_ahead_us = look_ahead_us
        self._eager = eager
        self._start_us: int | None = None
        """The timeline's zero on the clock, once it runs."""
        self._lead_us = 0
        """How far time runs ahead for an eager utterance."""
        self._late_log = LateLog()

    @property
    def now_us(self) -> int:
        return 0 if self._start_us is None else self._clock.now_us() - self._start_us

    async def jobs(self, stream: FaceStream) -> AsyncIterator[None]:
        self._start_us = self._clock.now_us()
        while not stream.over:
            while (missing_us := stream.certain_at_us - self.now_us) > 0:
                step_us = min(missing_us, BLOCK_US) if self._eager else missing_us
                await self._clock.sleep_until(self._clock.now_us() + step_us)
                if self._eager:
                    self._run_ahead(stream, step_us)
            yield
        while stream.has_more:
            yield

    def take(self, stream: FaceStream) -> list[Item]:
        n_late, items = stream.n_late, stream.take(self._hear_to_us(stream))
        self._late_log.count(stream.n_late - n_late, stream.certain_at_us)
        return items

    def _hear_to_us(self, stream: FaceStream) -> int | None:
        if stream.over:
            return None
        if self.now_us - stream.certain_at_us > STOOD_STILL_US:
            stream.skip(self.now_us - 1000 * self.delay_ms)
        late_us = max(0, self.now_us - stream.certain_at_us)
        # Whole frames: hearing on to this very moment would take sound that is on its way for silence.
        return stream.certain_at_us + late_us // self._frame_us * self._frame_us

    def due_us(self, pts_us: int) -> int:
        return (self._start_us or 0) + pts_us + 1000 * self.delay_ms

    async def until_due(self, pts_us: int) -> None:
        await self._clock.sleep_until(self.due_us(pts_us))

    def is_late(self, pts_us: int) -> bool:
        return self._clock.now_us() > self.due_us(pts_us) + self._frame_us

    def is_stale(self, pts_us: int) -> bool:
        return self._clock.now_us() > self.due_us(pts_us) + STOOD_STILL_US

    def _run_ahead(self, stream: FaceStream, slept_us: int) -> None:
        step_us = 0
        if stream.begins_next and stream.queued_ms >= EAGER_MS:
            step_us = self._look_ahead_us - self._lead_us
        elif stream.is_silent:
            step_us = -min(self._lead_us, slept_us // FALL_BACK)
        self._lead_us += step_us
        self._start_us = (self._start_us or 0) - step_us


def pace_of(config: SessionConfig, stream: FaceStream, clock: Clock | None, fed: asyncio.Event) -> Pace:
    """As a session's config wants it; ``fed`` as for `Immediate`."""
    if not config.paced:
        return Immediate(fed)
    return Live(clock or MonotonicClock(), config.fps, stream.look_ahead_us, eager=config.eager)


class LateLog:
    """Rate-limited log: how many pictures came late, once for every second of the timeline in which some did."""

    def __init__(self) -> None:
        self._second = self._n = 0

    def count(self, n_late: int, pts_us: int) -> None:
        if pts_us // 1_000_000 > self._second:
            if self._n:
                log.info("%d pictures came late in second %d", self._n, self._second)
            self._second, self._n = pts_us // 1_000_000, 0
        self._n += n_late
