"""A whole session, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.conftest import VOICE_RATE_HZ
from tests.virtual import Inline, LoopClock, run_virtual
from vivant.clock import VirtualClock
from vivant.errors import ClosedError, InputError
from vivant.face import RigFace
from vivant.motion.first_voice import FirstVoice, FirstVoiceState
from vivant.session.session import Output, Session, SessionConfig
from vivant.talker import Talker
from vivant.types import (
    ARKIT_INDEX,
    AudioChunk,
    Controls,
    Float32Array,
    Interrupted,
    MotionFrame,
    PixelFormat,
    UInt8Array,
    UtteranceEnd,
    UtteranceStart,
    VideoFrame,
)

pytestmark = pytest.mark.session

FRAME_US = 33_334
JAW = ARKIT_INDEX["jawOpen"]
Actions = Callable[[Session], Coroutine[Any, Any, None]]


class PlainFace:
    """A face whose pictures are its weights: quick, and one can see in them what was said."""

    notes: tuple[str, ...] = ()

    def __init__(self, fails_at: int | None = None) -> None:
        self._fails_at = fails_at

    def open(self, size_px: int) -> PlainFace:
        return self

    def render(self, motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
        if motion.index == self._fails_at:
            raise InputError("this face cannot be drawn")
        pixels = np.round(255 * motion.weights).astype(np.uint8).reshape(1, 13, 4)
        return VideoFrame(motion.index, motion.pts_us, pixels, PixelFormat.RGBA)


def jaw(frame: VideoFrame) -> float:
    return float(frame.pixels.reshape(-1)[JAW]) / 255


class Heard:
    """What came out of a session, and when."""

    def __init__(self) -> None:
        self.items: list[Output] = []
        self.times_us: list[int] = []

    async def listen(self, session: AsyncIterator[Output] | Session, wait_us: int = 0) -> None:
        clock = LoopClock()
        async for item in session:
            self.items.append(item)
            self.times_us.append(clock.now_us())
            if wait_us:
                await clock.sleep_until(clock.now_us() + wait_us)

    @property
    def frames(self) -> list[VideoFrame]:
        return [item for item in self.items if isinstance(item, VideoFrame)]

    @property
    def markers(self) -> list[Output]:
        return [item for item in self.items if not isinstance(item, VideoFrame)]

    def after(self, marker: Output) -> list[VideoFrame]:
        return [item for item in self.items[self.items.index(marker) :] if isinstance(item, VideoFrame)]


def opened(face: Any = None, *, paced: bool = True, fps: int = 30, **more: Any) -> Session:  # noqa: ANN401
    config = SessionConfig(fps=Fraction(fps), sample_rate_hz=VOICE_RATE_HZ, seed=5, size_px=64, paced=paced)
    return Session(face or PlainFace(), config, clock=LoopClock(), executor=Inline(), **more)


def live(actions: Actions, session_of: Callable[[], Session] = opened, wait_us: int = 0) -> tuple[Heard, Session]:
    """Run ``actions`` beside a listener until the session ends."""
    heard = Heard()

    async def story() -> Session:
        async with session_of() as session:
            listening = asyncio.create_task(heard.listen(session, wait_us))
            await actions(session)
            await listening
        return session

    return heard, run_virtual(story())


async def at(time_ms: int, action: Callable[[], Awaitable[None]]) -> None:
    await LoopClock().sleep_until(1000 * time_ms)
    await action()


def same(a: VideoFrame, b: VideoFrame) -> bool:
    return (a.index, a.pts_us, a.format) == (b.index, b.pts_us, b.format) and a.pixels.tobytes() == b.pixels.tobytes()


# As fast as possible


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_an_unpaced_session_gives_what_a_talker_gives(voice: Float32Array, fps: int) -> None:
    async def speak(session: Session) -> None:
        await session.push(voice)
        await session.finish()

    heard, session = live(speak, lambda: opened(paced=False, fps=fps))
    with Talker(PlainFace(), fps=fps, size_px=64, seed=5) as talker:
        expected = [*talker.push(voice, VOICE_RATE_HZ), *talker.end()]
    assert len(heard.frames) == len(expected) == session.stats.frames
    assert all(same(a, b) for a, b in zip(heard.frames, expected, strict=True))
    assert heard.times_us[-1] == 0


def test_a_real_face_in_real_threads_gives_what_a_talker_gives(ada: RigFace, voice: Float32Array) -> None:
    async def story() -> list[VideoFrame]:
        async with Session(ada, SessionConfig(sample_rate_hz=VOICE_RATE_HZ, size_px=96, paced=False)) as session:
            pushing = asyncio.create_task(push_all(session, voice))
            frames = [item async for item in session if isinstance(item, VideoFrame)]
            await pushing
        return frames

    frames = asyncio.run(story())
    with Talker(ada, fps=30, size_px=96) as talker:
        expected = [*talker.push(voice, VOICE_RATE_HZ), *talker.end()]
    assert len(frames) == len(expected)
    assert all(same(a, b) for a, b in zip(frames, expected, strict=True))


async def push_all(session: Session, *utterances: Float32Array) -> None:
    for samples in utterances:
        await session.push(samples)
        await session.end()
    await session.finish()


@pytest.mark.parametrize("paced", [False, True])
def test_utterances_are_marked_in_order_where_they_are(voice: Float32Array, paced: bool) -> None:
    first, second = voice[:VOICE_RATE_HZ], voice[VOICE_RATE_HZ : VOICE_RATE_HZ * 3 // 2]
    heard, _ = live(lambda session: push_all(session, first, second), lambda: opened(paced=paced))
    start_1, end_1, start_2, end_2 = heard.markers
    assert (start_1, start_2) == (UtteranceStart(1), UtteranceStart(2))
    assert isinstance(end_1, UtteranceEnd) and isinstance(end_2, UtteranceEnd)
    assert (end_1.utterance, end_2.utterance) == (1, 2)
    assert end_2.position_us - end_1.position_us == 500_000
    if not paced:
        assert end_1.position_us == 1_000_000
    for end in (end_1, end_2):
        before = [frame.pts_us for frame in heard.frames if frame not in heard.after(end)]
        assert before[-1] < end.position_us <= before[-1] + FRAME_US
        assert all(frame.pts_us >= end.position_us for frame in heard.after(end))


# Live


def test_an_idle_face_lives_and_frames_are_on_time() -> None:
    heard, session = live(lambda session: at(2000, session.close))
    pts_us = [frame.pts_us for frame in heard.frames]
    assert pts_us == [k * 1_000_000 // 30 for k in range(len(pts_us))]
    late_us = [now - pts for now, pts in zip(heard.times_us, pts_us, strict=True)]
    assert {round(late / 1000) for late in late_us} == {session.delay_ms}
    assert 1.7 * 30 < len(pts_us) < 2 * 30
    assert max(map(jaw, heard.frames)) < 0.05
    assert len({frame.pixels.tobytes() for frame in heard.frames}) > 5  # blinks, brows
    assert (session.stats.late, session.stats.video.dropped) == (0, 0)


def test_speech_comes_one_delay_after_it_was_pushed(voice: Float32Array) -> None:
    async def actions(session: Session) -> None:
        await at(1000, lambda: session.push(voice[: VOICE_RATE_HZ // 2]))
        await session.end()
        await at(3000, session.close)

    heard, session = live(actions)
    start, end = heard.markers
    assert start == UtteranceStart(1)
    assert isinstance(end, UtteranceEnd)
    assert abs(end.position_us - 1_500_000) <= 20_000
    time_us = heard.times_us[heard.items.index(start)]
    assert abs(time_us - 1_000_000 - 1000 * session.delay_ms) <= 20_000 + FRAME_US
    spoken = [frame for frame in heard.after(start) if frame not in heard.after(end)]
    assert max(map(jaw, spoken)) > 0.1
    assert max(jaw(frame) for frame in heard.frames if frame not in spoken and frame.pts_us > 1_700_000) < 0.05


def test_finish_speaks_what_is_queued_to_its_very_end(voice: Float32Array) -> None:
    heard, _ = live(lambda session: push_all(session, voice[:VOICE_RATE_HZ]))
    end = heard.markers[-1]
    assert isinstance(end, UtteranceEnd) and end.position_us == 1_000_000
    assert heard.frames[-1].pts_us >= 1_000_000 - FRAME_US
    assert heard.times_us[-1] < 1_000_000 + 200_000


def test_push_waits_while_two_seconds_are_queued(voice: Float32Array) -> None:
    pushed_us = []

    async def actions(session: Session) -> None:
        await session.push(voice)
        pushed_us.append(LoopClock().now_us())
        await session.close()

    live(actions)
    assert 900_000 <= pushed_us[0] <= 1_050_000


# Interruptions


def interrupted(voice: Float32Array, times_ms: list[int], then: Float32Array | None = None) -> tuple[Heard, Session]:
    async def actions(session: Session) -> None:
        pushing = asyncio.create_task(session.push(voice))
        for time_ms in times_ms:
            await at(time_ms, session.interrupt)
            assert (session.stats.audio.depth_ms, session.stats.video.depth_ms) == (0, 0)
        await pushing  # gives up; the rest of its audio must not be heard
        if then is not None:
            await session.push(then)
            await session.end()
        await at(3500, session.close)

    return live(actions)


def test_an_interruption_shuts_the_mouth_within_200_ms(voice: Float32Array) -> None:
    loud_ms = 1000 + loudest_ms(voice[VOICE_RATE_HZ : 2 * VOICE_RATE_HZ])
    heard, session = interrupted(voice, [loud_ms + session_delay_ms()])
    (marker,) = (item for item in heard.items if isinstance(item, Interrupted))
    place = heard.items.index(marker)
    before = [item for item in heard.items[:place] if isinstance(item, VideoFrame)]
    assert marker == Interrupted(1, before[-1].pts_us)
    assert jaw(before[-1]) > 0.1
    cut_us = heard.times_us[place]
    assert cut_us == 1000 * (loud_ms + session_delay_ms())
    shut = [
        jaw(item)
        for item, t in zip(heard.items, heard.times_us, strict=True)
        if isinstance(item, VideoFrame) and t >= cut_us + 200_000
    ]
    assert len(shut) > 20 and max(shut) < 0.02
    assert session.stats.late == 0


def session_delay_ms() -> int:
    return opened().delay_ms


def loudest_ms(samples: Float32Array) -> int:
    """Where the mouth is widest open."""
    with Talker(PlainFace(), size_px=64, seed=5) as talker:
        frames = [*talker.push(samples, VOICE_RATE_HZ), *talker.end()]
    return max(frames, key=jaw).pts_us // 1000


def test_time_goes_on_through_any_number_of_interruptions(voice: Float32Array) -> None:
    heard, session = interrupted(voice, [600, 900, 1000, 1001, 1500, 2000])
    assert len([item for item in heard.items if isinstance(item, Interrupted)]) == 6
    pts_us = [frame.pts_us for frame in heard.frames]
    assert pts_us == sorted(set(pts_us))
    late_us = [t - item.pts_us for item, t in zip(heard.items, heard.times_us, strict=True) if isinstance(item, VideoFrame)]
    assert max(late_us) - min(late_us) <= 1
    assert session.stats.late == 0
    assert (
        max(np.diff([t for item, t in zip(heard.items, heard.times_us, strict=True) if isinstance(item, VideoFrame)]))
        <= 150_000
    )


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
    async def story() -> list[Output]:
        items: list[Output] = []
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
    assert isinstance(items[9], VideoFrame)
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


# Trouble


def test_a_slow_listener_loses_frames_but_not_markers(voice: Float32Array) -> None:
    async def actions(session: Session) -> None:
        await session.push(voice[:VOICE_RATE_HZ])
        await session.end()
        await at(4000, session.close)

    heard, session = live(actions, wait_us=200_000)
    assert 12 <= len(heard.frames) <= 22
    assert session.stats.video.dropped + session.stats.late > 80
    assert [type(marker) for marker in heard.markers] == [UtteranceStart, UtteranceEnd]
    assert heard.times_us[-1] - heard.frames[-1].pts_us < 1_000_000  # it sees the present, not a growing past
    pts_us = [frame.pts_us for frame in heard.frames]
    assert pts_us == sorted(set(pts_us))


@pytest.mark.parametrize("paced", [False, True])
def test_a_face_that_fails_surfaces_as_itself(voice: Float32Array, paced: bool) -> None:
    async def actions(session: Session) -> None:
        with suppress(ClosedError):
            await session.push(voice)
            await session.finish()

    with pytest.raises(InputError, match="cannot be drawn"):
        live(actions, lambda: opened(PlainFace(fails_at=5), paced=paced))


def test_whoever_only_pushes_hears_of_a_failure_too(voice: Float32Array) -> None:
    async def story() -> None:
        async with opened(PlainFace(fails_at=1)) as session:
            listening = asyncio.create_task(Heard().listen(session))
            try:
                await session.push(np.tile(voice, 2))
            finally:
                with suppress(InputError):
                    await listening

    with pytest.raises(InputError, match="cannot be drawn"):
        run_virtual(story())


def test_a_model_that_fails_surfaces_as_itself(voice: Float32Array) -> None:
    class Deaf(FirstVoice):
        def open(self, fps: Fraction, seed: int) -> FirstVoiceState:
            state = super().open(fps, seed)

            def push(chunk: AudioChunk, controls: Controls) -> list[MotionFrame]:
                raise InputError("cannot hear")

            state.push = push  # type: ignore[method-assign]
            return state

    with pytest.raises(InputError, match="cannot hear"):
        live(lambda session: at(1000, session.close), lambda: opened(motion=Deaf()))


def test_unusable_input_is_refused_before_it_is_queued(voice: Float32Array) -> None:
    with pytest.raises(InputError, match="sample_rate_hz"):
        SessionConfig(sample_rate_hz=10)
    with pytest.raises(InputError, match="fps"):
        Session(PlainFace(), SessionConfig(fps=Fraction(10)))

    async def actions(session: Session) -> None:
        with pytest.raises(InputError, match=r"shape \(n,\)"):
            await session.push(np.zeros((10, 2), np.float32))
        await session.finish()

    heard, _ = live(actions, lambda: opened(paced=False))
    assert heard.markers == []


def test_controls_may_change_at_any_time(voice: Float32Array) -> None:
    async def actions(session: Session) -> None:
        await LoopClock().sleep_until(500_000)
        session.controls = Controls(intensity=2.0)
        await at(1000, session.close)

    assert len(live(actions)[0].frames) > 20


def test_the_jumping_clock_serves_too(voice: Float32Array) -> None:
    """`VirtualClock` jumps at every sleep; a live session then runs as fast as it can and loses nothing."""

    async def story() -> list[Output]:
        config = SessionConfig(sample_rate_hz=VOICE_RATE_HZ)
        async with Session(PlainFace(), config, clock=VirtualClock(), executor=Inline()) as session:
            pushing = asyncio.create_task(push_all(session, voice))
            items = [item async for item in session]
            await pushing
        return items

    frames = [item for item in asyncio.run(story()) if isinstance(item, VideoFrame)]
    assert [frame.index for frame in frames] == list(range(90))
