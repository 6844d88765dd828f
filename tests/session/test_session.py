"""A whole session, in virtual time: as fast as possible, and live."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest

from tests.conftest import VOICE_RATE_HZ
from tests.session.live import at, jaw, live, offline, opened, push_all, same
from vivant.face import RigFace, default_motion
from vivant.session.session import Session
from vivant.session.stream import BLOCK_MS
from vivant.size import Size
from vivant.testing import Inline, LoopClock, PlainFace
from vivant.testing.faces import PlainRenderer
from vivant.types import Float32Array, Item, MotionFrame, UInt8Array, UtteranceEnd, UtteranceStart, VideoFrame

pytestmark = pytest.mark.session

FRAME_US = 33_334


# As fast as possible


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_an_unpaced_session_gives_what_a_stream_gives(voice: Float32Array, fps: int) -> None:
    async def speak(session: Session) -> None:
        await session.push(voice)
        await session.finish()

    heard, session = live(speak, lambda: opened(paced=False, fps=fps))
    expected = offline(PlainFace(), voice, fps)
    assert len(heard.items) == len(expected) and len(heard.frames) == session.stats.frames
    assert all(same(a, b) for a, b in zip(heard.items, expected, strict=True))
    assert heard.times_us[-1] == 0


def test_a_real_face_in_real_threads_gives_what_a_stream_gives(ada: RigFace, voice: Float32Array) -> None:
    async def story() -> list[Item]:
        async with opened(ada, paced=False, executor=None) as session:
            pushing = asyncio.create_task(push_all(session, voice))
            items = [item async for item in session]
            await pushing
        return items

    items, expected = asyncio.run(story()), offline(ada, voice)
    assert len(items) == len(expected)
    assert all(same(a, b) for a, b in zip(items, expected, strict=True))


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
    assert len({frame.motion.weights.tobytes() for frame in heard.frames}) > 5  # blinks, brows
    assert (session.stats.late, session.stats.dropped) == (0, 0)


@pytest.mark.parametrize("fps", [24, 25, 30, 48, 50, 60])
def test_a_frame_is_drawn_as_soon_as_it_is_certain_in_one_job(voice: Float32Array, fps: int) -> None:
    class Clocked(PlainFace):
        def open(self, size_px: int | tuple[int, int]) -> PlainRenderer:
            return Clock(self.tint, Size.of(size_px))

    class Clock(PlainRenderer):
        def render(self, motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
            early_us.append(motion.pts_us + 1000 * look_ahead_ms - LoopClock().now_us())
            return super().render(motion, out)

    class Counting(Inline):
        n_jobs = 0

        def submit(self, *work: Any, **named: Any) -> Future[Any]:  # noqa: ANN401
            self.n_jobs += 1
            return super().submit(*work, **named)

    async def actions(session: Session) -> None:
        pushing = asyncio.create_task(session.push(voice))
        await at(1234, session.interrupt)
        await pushing
        await at(3000, session.close)

    look_ahead_ms, early_us, executor = default_motion().look_ahead_ms, list[int](), Counting()
    live(actions, lambda: opened(Clocked(), fps=fps, executor=executor))
    assert all(-1 <= early <= 1000 * BLOCK_MS for early in early_us), early_us
    assert executor.n_jobs <= 1.1 * len(early_us)


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


def test_pictures_that_are_left_out_are_counted(voice: Float32Array) -> None:
    async def actions(session: Session) -> None:
        await push_all(session, voice[:VOICE_RATE_HZ])

    heard, session = live(actions, lambda: opened(paced=False, is_late=lambda pts_us: pts_us < 200_000))
    left_out = [frame for frame in heard.frames if frame.picture is None]
    assert len(left_out) == session.stats.late == 6
