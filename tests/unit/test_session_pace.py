"""When live frames are due, and from when on one is late."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import pytest

from vivant.clock import VirtualClock
from vivant.face import default_motion
from vivant.session.pace import Live
from vivant.session.stream import FaceStream
from vivant.testing import PlainFace

pytestmark = pytest.mark.unit

FRAME_US = 1_000_000 // 30


async def begun(clock: VirtualClock, **how: bool) -> tuple[Live, FaceStream]:
    """A pace whose first step has been taken, at 7 s on the clock."""
    await clock.sleep_until(7_000_000)
    stream = FaceStream(PlainFace(), sample_rate_hz=16_000, pictures=False)
    live = Live(clock, Fraction(30), stream.look_ahead_us, **how)
    await anext(live.jobs(stream))
    live.take(stream)
    return live, stream


def test_there_is_time_to_draw_a_frame_between_its_being_certain_and_its_being_due() -> None:
    async def story() -> None:
        clock = VirtualClock()
        live, _ = await begun(clock)
        certain_us = clock.now_us()
        assert live.due_us(0) - certain_us >= 1.5 * FRAME_US
        assert live.due_us(0) == 7_000_000 + 1000 * live.delay_ms
        assert live.delay_ms <= default_motion().look_ahead_ms + 100
        await live.until_due(FRAME_US)
        assert clock.now_us() == live.due_us(FRAME_US)

    asyncio.run(story())


def test_a_frame_is_late_once_the_next_one_is_due_and_not_before() -> None:
    async def story() -> None:
        clock = VirtualClock()
        live, _ = await begun(clock)
        for late_us, late in ((0, False), (FRAME_US - 1_000, False), (FRAME_US + 1_000, True)):
            await clock.sleep_until(live.due_us(0) + late_us)
            assert live.is_late(0) is late

    asyncio.run(story())
