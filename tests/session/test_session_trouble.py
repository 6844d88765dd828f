"""A session in trouble, and what it takes in its stride, in virtual time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest

from tests.conftest import VOICE_RATE_HZ
from tests.session.live import Heard, at, live, opened, push_all
from vivant.clock import VirtualClock
from vivant.errors import ClosedError, InputError
from vivant.motion.articulatory import ArticulatoryMotion, VoiceState
from vivant.session.session import Session, SessionConfig
from vivant.testing import Inline, LoopClock, PlainFace, run_virtual
from vivant.types import AudioChunk, Controls, Float32Array, Item, MotionFrame, Output, UtteranceEnd, UtteranceStart

pytestmark = pytest.mark.session


def test_a_slow_listener_loses_frames_but_not_markers(voice: Float32Array) -> None:
    async def actions(session: Session) -> None:
        await session.push(voice[:VOICE_RATE_HZ])
        await session.end()
        await at(4000, session.close)

    heard, session = live(actions, wait_us=200_000)
    assert 12 <= len(heard.frames) <= 22
    assert session.stats.dropped + session.stats.late > 80
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
    class Deaf(ArticulatoryMotion):
        def open(self, fps: Fraction, seed: int, face: object = None) -> VoiceState:
            state = super().open(fps, seed)

            def push(chunk: AudioChunk, controls: Controls) -> list[MotionFrame]:
                raise InputError("cannot hear")

            state.push = push  # type: ignore[method-assign]
            return state

    with pytest.raises(InputError, match="cannot hear"):
        live(lambda session: at(1000, session.close), lambda: opened(motion=Deaf()))


def test_unusable_input_is_refused_before_it_is_queued(voice: Float32Array) -> None:
    with pytest.raises(InputError, match="sample_rate_hz"):
        Session(PlainFace(), SessionConfig(sample_rate_hz=10))
    with pytest.raises(InputError, match="fps"):
        Session(PlainFace(), SessionConfig(fps=Fraction(10)))

    async def actions(session: Session) -> None:
        with pytest.raises(InputError, match=r"one channel \(n,\) .*shape \(10, 2\)"):
            await session.push(np.zeros((10, 2), np.float32))
        await session.finish()

    heard, _ = live(actions, lambda: opened(paced=False))
    assert heard.markers == []


def test_controls_may_change_at_any_time(voice: Float32Array) -> None:
    async def actions(session: Session) -> None:
        await LoopClock().sleep_until(500_000)
        await session.set_controls(Controls(intensity=2.0))
        await at(1000, session.close)

    assert len(live(actions)[0].frames) > 20


def test_the_jumping_clock_serves_too(voice: Float32Array) -> None:
    """`VirtualClock` jumps at every sleep; a live session then runs as fast as it can and loses nothing."""

    async def story() -> list[Item]:
        config = SessionConfig(sample_rate_hz=VOICE_RATE_HZ)
        async with Session(PlainFace(), config, clock=VirtualClock(), executor=Inline()) as session:
            pushing = asyncio.create_task(push_all(session, voice))
            items = [item async for item in session]
            await pushing
        return items

    frames = [item for item in asyncio.run(story()) if isinstance(item, Output)]
    assert [frame.motion.index for frame in frames] == list(range(len(frames)))
    assert 90 <= len(frames) <= 95  # it begins when it was pushed, within the first delay
