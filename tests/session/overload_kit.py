"""Many live sessions on workers that take time, all of it virtual."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests.session.virtual_call import StillVoice
from vivant.server.fair_queue import FairQueue, Lane
from vivant.session.session import Session, SessionConfig
from vivant.testing import LoopClock, PlainFace, VirtualLoop, run_virtual
from vivant.types import Item, Output

FPS = 25
SIZE_PX = 64


class SlowPool:
    """The server's fair queue before workers that need ``heard_us`` a frame and ``drawn_us`` a picture."""

    def __init__(self, n_workers: int, heard_us: int, drawn_us: int) -> None:
        self._queue: FairQueue[Any] = FairQueue(n_workers)
        self._n_free = n_workers + 1
        self._costs_us = heard_us, drawn_us
        self.n_heard = 0

    def lane(self, priority: float) -> SlowLane:
        return SlowLane(self, priority)

    def put(self, lane: Lane[Any], job: tuple[Callable[[], list[Item]], Future[list[Item]]]) -> None:
        self._queue.put(lane, job)
        self._begin()

    def _begin(self) -> None:
        while self._n_free and (taken := self._queue.take()) is not None:
            lane, (work, future), is_important = taken
            self._n_free -= 1
            made = work()
            outputs = [item for item in made if isinstance(item, Output)]
            self.n_heard += len(outputs)
            heard_us, drawn_us = self._costs_us
            us = heard_us * len(outputs) + drawn_us * sum(output.picture is not None for output in outputs)
            asyncio.get_running_loop().call_later(us / 1e6, self._end, lane, us, is_important, future, made)

    def _end(self, lane: Lane[Any], us: int, is_important: bool, future: Future[list[Item]], made: list[Item]) -> None:
        self._queue.done(lane, us, is_important)
        self._n_free += 1
        if not future.cancelled():
            future.set_result(made)
        self._begin()


class SlowLane(Executor):
    def __init__(self, pool: SlowPool, priority: float) -> None:
        self._pool, self.lane = pool, Lane[Any](priority)

    def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401
        future: Future[Any] = Future()
        self._pool.put(self.lane, (lambda: work(*args, **kwargs), future))
        return future


@dataclass
class Watched:
    """One face, and when what came out of it."""

    session: Session
    lane: SlowLane
    items: list[tuple[int, Item]] = field(default_factory=list)

    async def listen(self) -> None:
        async for item in self.session:
            self.items.append((LoopClock().now_us(), item))

    def shown(self, from_s: float = 0.0, to_s: float = 1e9) -> list[tuple[int, Output]]:
        """Pictures, with when they came."""
        outputs = ((t, item) for t, item in self.items if isinstance(item, Output) and item.picture is not None)
        return [(t, output) for t, output in outputs if from_s * 1e6 <= t < to_s * 1e6]

    def fps(self, from_s: float, to_s: float) -> float:
        return len(self.shown(from_s, to_s)) / (to_s - from_s)

    def longest_gap_s(self, from_s: float, to_s: float) -> float:
        times = [from_s * 1e6, *(t for t, _ in self.shown(from_s, to_s)), to_s * 1e6]
        return max(later - earlier for earlier, later in pairwise(times)) / 1e6

    def delays_s(self, from_s: float, to_s: float) -> list[float]:
        """Of pictures, after their sound."""
        return [(t - output.pts_us) / 1e6 for t, output in self.shown(from_s, to_s)]


Story = Callable[[list[Watched]], Coroutine[Any, Any, None]]


def run_faces(pool: SlowPool, priorities: list[float], story: Story, motion: Any = None) -> list[Watched]:  # noqa: ANN401
    """Faces of those priorities live until the story ends."""
    config = SessionConfig(fps=Fraction(FPS), size_px=SIZE_PX, sample_rate_hz=16_000, seed=1)

    async def main() -> list[Watched]:
        faces = []
        async with asyncio.TaskGroup() as tasks:
            for priority in priorities:
                lane = pool.lane(priority)
                session = Session(PlainFace(), config, motion=motion or StillVoice(), clock=LoopClock(), executor=lane)
                faces.append(Watched(await session.__aenter__(), lane))
                tasks.create_task(faces[-1].listen())
            await story(faces)
            for face in faces:
                await face.session.close()
        return faces

    return run_virtual(main())


async def until(second: float) -> None:
    await LoopClock().sleep_until(round(second * 1e6))


def stand_still(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.stand_still(seconds)
