"""The queue between two stages."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from vivant.errors import ClosedError
from vivant.session.channel import Channel, Full
from vivant.testing import LoopClock, run_virtual

pytestmark = pytest.mark.session


async def taken(channel: Channel[int]) -> list[int]:
    return [item async for item in channel]


async def blocked(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """The task, which must still be waiting after everything else has had its turn."""
    task = asyncio.create_task(work)
    await LoopClock().sleep_until(LoopClock().now_us() + 1000)
    assert not task.done()
    return task


def test_items_come_in_order_and_then_the_end() -> None:
    async def story() -> None:
        channel: Channel[int] = Channel(1000, Full.BLOCK)
        for item in range(5):
            await channel.put(item, 10)
        assert channel.stats.depth_ms == channel.stats.peak_ms == 50
        channel.close()
        assert not channel.finished
        assert await taken(channel) == [0, 1, 2, 3, 4]
        assert channel.finished and channel.stats.depth_ms == 0

    run_virtual(story())


def test_capacity_is_time_and_a_full_channel_blocks() -> None:
    async def story() -> None:
        channel: Channel[int] = Channel(100, Full.BLOCK)
        await channel.put(1, 90)
        await channel.put(2, 90)  # it held less than its capacity
        waiting = await blocked(channel.put(3, 10))
        assert channel.take_now() == 1
        await waiting
        assert channel.stats.depth_ms == 100
        assert channel.stats.dropped == 0

    run_virtual(story())


def test_the_latest_stay_and_the_dropped_are_counted() -> None:
    async def story() -> None:
        channel: Channel[int] = Channel(100, Full.LATEST)
        for item in range(10):
            await channel.put(item, 40)
        channel.close()
        assert channel.stats.dropped == 7
        assert await taken(channel) == [7, 8, 9]

    run_virtual(story())


def test_markers_never_wait_and_never_fall_out() -> None:
    async def story() -> None:
        latest: Channel[int] = Channel(50, Full.LATEST)
        full: Channel[int] = Channel(50, Full.BLOCK)
        for item in (-1, 1, 2, -2, 3, 4):
            await latest.put(item, 50 if item > 0 else 0)
        latest.close()
        assert await taken(latest) == [-1, -2, 4]
        assert latest.stats.dropped == 3
        await full.put(1, 50)
        await full.put(-1, 0)
        full.close()
        assert await taken(full) == [1, -1]

    run_virtual(story())


def test_clearing_wakes_the_sender_and_drops_nothing() -> None:
    async def story() -> None:
        channel: Channel[int] = Channel(10, Full.BLOCK)
        await channel.put(1, 10)
        waiting = await blocked(channel.put(2, 10))
        channel.clear()
        await waiting
        assert channel.take_now() == 2 and channel.take_now() is None
        assert channel.stats.dropped == 0

    run_virtual(story())


@pytest.mark.parametrize("full", list(Full))
def test_a_closed_channel_takes_nothing(full: Full) -> None:
    async def story() -> None:
        channel: Channel[int] = Channel(10, full)
        channel.close()
        for length_ms in (0, 10):
            with pytest.raises(ClosedError):
                await channel.put(1, length_ms)

    run_virtual(story())


def test_closing_wakes_both_ends() -> None:
    async def story() -> None:
        full: Channel[int] = Channel(10, Full.BLOCK)
        empty: Channel[int] = Channel(10, Full.BLOCK)
        await full.put(1, 10)
        sender = await blocked(full.put(2, 10))
        receiver = asyncio.create_task(taken(empty))
        await asyncio.sleep(0)
        full.close()
        empty.close()
        with pytest.raises(ClosedError):
            await sender
        assert await receiver == []

    run_virtual(story())
