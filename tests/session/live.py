"""What the tests of a session share: a quick face, a listener, and a way to run both in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from fractions import Fraction
from typing import Any

from tests.conftest import VOICE_RATE_HZ
from vivant.session.presenter import Presenter
from vivant.session.session import Session, SessionConfig
from vivant.session.stream import FaceStream
from vivant.testing import Inline, LoopClock, PlainFace, run_virtual
from vivant.types import ARKIT_INDEX, Float32Array, Item, Output

JAW = ARKIT_INDEX["jawOpen"]
SIZE_PX = 64
MARK = 7
Actions = Callable[[Session], Coroutine[Any, Any, None]]


def jaw(output: Output) -> float:
    return float(output.motion.weights[JAW])


class Heard:
    """What came out of a session, and when."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.times_us: list[int] = []

    async def listen(self, session: AsyncIterator[Item] | Session, wait_us: int = 0) -> None:
        clock = LoopClock()
        async for item in session:
            self.items.append(item)
            self.times_us.append(clock.now_us())
            if wait_us:
                await clock.sleep_until(clock.now_us() + wait_us)

    @property
    def frames(self) -> list[Output]:
        return [item for item in self.items if isinstance(item, Output)]

    @property
    def markers(self) -> list[Item]:
        return [item for item in self.items if not isinstance(item, Output)]

    def after(self, marker: Item) -> list[Output]:
        return [item for item in self.items[self.items.index(marker) :] if isinstance(item, Output)]


def opened(face: Any = None, *, paced: bool = True, fps: int = 30, **more: Any) -> Session:  # noqa: ANN401
    config = SessionConfig(fps=Fraction(fps), sample_rate_hz=VOICE_RATE_HZ, seed=5, size_px=SIZE_PX, paced=paced)
    face = face or PlainFace()
    given = {"clock": LoopClock(), "executor": Inline(), "presenter": Presenter(face, size_px=SIZE_PX, session_id=MARK)}
    return Session(face, config, **{**given, **more})


def offline(face: Any, samples: Float32Array, fps: int = 30, size_px: int = SIZE_PX) -> list[Item]:  # noqa: ANN401
    """What a `FaceStream` gives for the same, in one go."""
    presenter = Presenter(face, size_px=size_px, session_id=MARK)
    with FaceStream(face, fps=fps, sample_rate_hz=VOICE_RATE_HZ, seed=5, presenter=presenter) as stream:
        return [*stream.push(samples), *stream.finish()]


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


def same(a: Item, b: Item) -> bool:
    """To the bit."""
    if not isinstance(a, Output) or not isinstance(b, Output):
        return a == b
    motions = [(m.index, m.pts_us, m.weights.tobytes(), m.tongue, m.pose, m.gaze, m.body) for m in (a.motion, b.motion)]
    pictures = [p and (p.index, p.pts_us, p.format, p.pixels.tobytes()) for p in (a.picture, b.picture)]
    rest = [(o.portrait, o.utterance, o.epoch) for o in (a, b)]
    return motions[0] == motions[1] and pictures[0] == pictures[1] and rest[0] == rest[1]


async def push_all(session: Session, *utterances: Float32Array) -> None:
    for samples in utterances:
        await session.push(samples)
        await session.end()
    await session.finish()
