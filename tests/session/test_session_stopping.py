"""A session that is interrupted, ended or closed, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import numpy as np
import pytest

from tests.conftest import VOICE_RATE_HZ
from tests.session.live import Heard, at, jaw, live, offline, opened, push_all
from vivant.errors import ClosedError
from vivant.session.session import Session
from vivant.testing import LoopClock, PlainFace, run_virtual
from vivant.types import Float32Array, Interrupted, Item, Output, UtteranceEnd, UtteranceStart

pytestmark = pytest.mark.session


# Interruptions


def interrupted(voice: Float32Array, times_ms: list[int], then: Float32Array | None = None) -> tuple[Heard, Session]:
    async def actions(session: Session) -> None:
        pushing = asyncio.create_task(session.push(voice))
        for time_ms in times_ms:
            await at(time_ms, session.interrupt)
            assert session.stream.queued_ms == 0
        await pushing  # gives up; the rest of its audio must not be heard
        if then is not None:
            await session.push(then)
            await session.end()
        await at(3500, session.close)

    return live(actions)


def test_an_interruption_shuts_the_mouth_within_200_ms(voice: Float32Array) -> None:
    loud_ms = loudest_ms(voice)
    heard, session = interrupted(voice, [loud_ms + session_delay_ms()])
    (marker,) = (item for item in heard.items if isinstance(item, Interrupted))
    place = heard.items.index(marker)
    before = [item for item in heard.items[:place] if isinstance(item, Output)]
    assert marker == Interrupted(1, before[-1].pts_us)
    assert jaw(before[-1]) > 0.08  # open: speech moves the jaw by some 0.3 at most
    cut_us = heard.times_us[place]
    assert cut_us == 1000 * (loud_ms + session_delay_ms())
    shut = [
        jaw(item)
        for item, t in zip(heard.items, heard.times_us, strict=True)
        if isinstance(item, Output) and t >= cut_us + 200_000
    ]
    assert len(shut) > 20 and max(shut) < 0.02
    assert session.stats.late == 0


def session_delay_ms() -> int:
    return opened().delay_ms


def loudest_ms(samples: Float32Array) -> int:
    """When the next frame is due after the widest open mouth in the second second."""
    frames = [item for item in offline(PlainFace(), samples) if isinstance(item, Output)]
    pairs = [(one, after) for one, after in pairwise(frames) if 1_000_000 <= one.pts_us < 2_000_000]
    return max(pairs, key=lambda pair: jaw(pair[0]))[1].pts_us // 1000


def test_time_goes_on_through_any_number_of_interruptions(voice: Float32Array) -> None:
    heard, session = interrupted(voice, [600, 900, 1000, 1001, 1500, 2000])
    assert len([item for item in heard.items if isinstance(item, Interrupted)]) == 6
    pts_us = [frame.pts_us for frame in heard.frames]
    assert pts_us == sorted(set(pts_us))
    late_us = [t - item.pts_us for item, t in zip(heard.items, heard.times_us, strict=True) if isinstance(item, Output)]
    assert max(late_us) - min(late_us) <= 1
    assert session.stats.late == 0
    assert max(np.diff([t for item, t in zip(heard.items, heard.times_us, strict=True) if isinstance(item, Output)])) <= 150_000


def test_the_next_utterance_is_clean(voice: Float32Array) -> None:
    other = voice[2 * VOICE_RATE_HZ :]
    heard, _ = interrupted(voice, [1000, 1400], then=other)
    *_, cut, start, end = heard.markers
    assert isinstance(cut, Interrupted) and start == UtteranceStart(2) and isinstance(end, UtteranceEnd)
    alone, _ = live(lambda session: push_all(session, other))
    begin_us = end.position_us - 1_000_000
    spoken = [frame for frame in heard.after(start) if begin_us + 150_000 < frame.pts_us < end.position_us]  # once eased in
    expected = np.interp(
        [f.pts_us - begin_us for f in spoken], [f.pts_us for f in alone.frames], [jaw(f) for f in alone.frames]
    )
    assert len(spoken) > 24
    assert np.corrcoef([jaw(frame) for frame in spoken], expected)[0, 1] > 0.95


def test_an_interruption_while_nothing_is_taken_leaves_no_stale_frame(voice: Float32Array) -> None:
    """The emitter holds a frame that nobody has taken; it belongs to the past."""
    heard = Heard()

    async def story() -> None:
        async with opened(paced=False) as session:
            pushing = asyncio.create_task(session.push(voice))
            await LoopClock().sleep_until(1_000_000)
            await session.interrupt()
            await pushing
            await session.push(voice[: VOICE_RATE_HZ // 2])
            await session.finish()
            await heard.listen(session)

    run_virtual(story())
    assert heard.items[0] == Interrupted(1, 0)
    assert heard.items[1] == UtteranceStart(2)
    assert len(heard.frames) == pytest.approx(15, abs=1)


def test_the_listener_itself_may_interrupt(voice: Float32Array) -> None:
    async def story() -> list[Item]:
        items: list[Item] = []
        async with opened(paced=False) as session:
            pushing = asyncio.create_task(session.push(voice))
            async for item in session:
                items.append(item)
                if len(items) == 10:
                    await session.interrupt()
                    await pushing
                    await session.finish()
        return items

    items = run_virtual(story())
    assert isinstance(items[9], Output)
    assert items[10:] == [Interrupted(1, items[9].pts_us)]


# Three ways to stop


def test_end_interrupt_and_close_differ(voice: Float32Array) -> None:
    async def spoken_until(stop: Callable[[Session], Awaitable[None]], session: Session) -> None:
        await session.push(voice[:VOICE_RATE_HZ])
        await at(300, lambda: stop(session))
        await at(2000, session.close)

    ended, _ = live(lambda session: spoken_until(Session.end, session))
    cut, _ = live(lambda session: spoken_until(Session.interrupt, session))
    closed, _ = live(lambda session: spoken_until(Session.close, session))
    assert [type(marker) for marker in ended.markers] == [UtteranceStart, UtteranceEnd]
    assert [type(marker) for marker in cut.markers] == [UtteranceStart, Interrupted]
    assert [type(marker) for marker in closed.markers] == [UtteranceStart]
    assert ended.times_us[-1] > 1_900_000 and cut.times_us[-1] > 1_900_000
    assert closed.times_us[-1] <= 300_000
    jaws = [[jaw(frame) for frame in heard.frames if 400_000 < frame.pts_us < 1_000_000] for heard in (ended, cut)]
    assert max(jaws[0]) > 0.1 > max(jaws[1])


def test_after_close_nothing_goes(voice: Float32Array) -> None:
    async def story() -> None:
        async with opened() as session:
            await session.push(voice[:1000])
            await session.close()
            await session.close()
            with pytest.raises(ClosedError):
                await session.push(voice)
            with pytest.raises(ClosedError):
                await session.end()
            with pytest.raises(ClosedError):
                await session.interrupt()
            assert [item async for item in session] == []
        with pytest.raises(ClosedError, match="runs once"):
            await session.__aenter__()

    run_virtual(story())


def test_close_wakes_whoever_waits(voice: Float32Array) -> None:
    async def story() -> None:
        async with opened(paced=False) as session:
            pushing = asyncio.create_task(session.push(np.tile(voice, 3)))  # blocked: nobody takes frames
            await LoopClock().sleep_until(1000)
            assert not pushing.done()
            await session.close()
            with pytest.raises(ClosedError):
                await pushing
        async with opened() as other:
            listening = asyncio.create_task(Heard().listen(other))
            await LoopClock().sleep_until(2000)
            await other.close()
            await listening

    run_virtual(story())


def test_whoever_waits_for_a_frame_may_be_cancelled_and_twice_interrupted_at_once() -> None:
    async def story() -> None:
        async with opened() as session:
            listening = asyncio.create_task(Heard().listen(session))
            await LoopClock().sleep_until(1_001_000)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            heard = Heard()
            listening = asyncio.create_task(heard.listen(session))
            await LoopClock().sleep_until(2_001_000)
            for _ in range(3):
                await session.interrupt()
            await LoopClock().sleep_until(2_002_000)
            assert isinstance(heard.items[-1], Interrupted) and heard.items[-1].epoch == 3
            await session.close()
            await listening
            assert len(asyncio.all_tasks()) == 1

    run_virtual(story())


def test_leaving_the_block_closes(voice: Float32Array) -> None:
    async def story() -> None:
        async with opened() as session:
            await session.push(voice[:1000])
        with pytest.raises(ClosedError):
            await session.push(voice)
        async with opened():
            pass
        with pytest.raises(ZeroDivisionError):
            async with opened():
                raise ZeroDivisionError
        assert len(asyncio.all_tasks()) == 1

    run_virtual(story())
