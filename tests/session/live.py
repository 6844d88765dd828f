"""What the tests of a session share: a quick face, a listener, and a way to run both in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from fractions import Fraction
from typing import Any

import numpy as np

from tests.conftest import VOICE_RATE_HZ
from tests.virtual import Inline, LoopClock, run_virtual
from vivant.errors import InputError
from vivant.session.session import Output, Session, SessionConfig
from vivant.types import ARKIT_INDEX, Float32Array, MotionFrame, PixelFormat, UInt8Array, VideoFrame

JAW = ARKIT_INDEX["jawOpen"]
Actions = Callable[[Session], Coroutine[Any, Any, None]]


class PlainFace:
    """A face whose pictures are its weights: quick, and one can see in them what was said."""

    notes: tuple[str, ...] = ()

    def __init__(self, fails_at: int | None = None) -> None:
        self._fails_at = fails_at

    def open(self, size_px: int | tuple[int, int]) -> PlainFace:
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
    return Session(face or PlainFace(), config, **{"clock": LoopClock(), "executor": Inline(), **more})


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


async def push_all(session: Session, *utterances: Float32Array) -> None:
    for samples in utterances:
        await session.push(samples)
        await session.end()
    await session.finish()
