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
from vivant.server.load_shedder import LoadShedder, Pictures, Wanted
from vivant.server.status import StatusError
from vivant.server.workers import Load
from vivant.session.session import Session, SessionConfig
from vivant.testing import LoopClock, PlainFace, VirtualLoop, run_virtual
from vivant.types import Item, Output

FPS = 25
SIZE_PX = 64
LIVE = SessionConfig(fps=Fraction(FPS), size_px=SIZE_PX, sample_rate_hz=16_000, seed=1)


class SlowPool:
    """The server's fair queue before workers that need ``heard_us`` a frame and ``drawn_us`` a picture."""

    def __init__(self, n_workers: int, heard_us: int, drawn_us: int) -> None:
        self._queue: FairQueue[Any] = FairQueue(n_workers)
        self._n_free = n_workers + 1
        self._costs_us = heard_us, drawn_us
        self.n_heard = 0
        self.n_cores = n_workers
        self._since_us = self._busy_us = self._wait_us = self._jobs = 0

    def load(self) -> Load:
        """As `WorkerPool.load`."""
        now_us = LoopClock().now_us()
        span_us, jobs = max(1, now_us - self._since_us) * self.n_cores, max(1, self._jobs)
        load = Load(min(1.0, self._busy_us / span_us), self._wait_us / jobs)
        self._since_us, self._busy_us, self._wait_us, self._jobs = now_us, 0, 0, 0
        return load

    def lane(self, priority: float) -> SlowLane:
        return SlowLane(self, priority)

    def put(self, lane: Lane[Any], job: tuple[Callable[[], list[Item]], Future[list[Item]]]) -> None:
        self._queue.put(lane, (*job, LoopClock().now_us()))
        self._begin()

    def _begin(self) -> None:
        while self._n_free and (taken := self._queue.take()) is not None:
            lane, (work, future, asked_us), is_important = taken
            self._wait_us += LoopClock().now_us() - asked_us
            self._jobs += 1
            self._n_free -= 1
            made = work()
            outputs = [item for item in made if isinstance(item, Output)]
            self.n_heard += len(outputs)
            heard_us, drawn_us = self._costs_us
            us = heard_us * len(outputs) + drawn_us * sum(output.picture is not None for output in outputs)
            asyncio.get_running_loop().call_later(us / 1e6, self._end, lane, us, is_important, future, made)

    def _end(self, lane: Lane[Any], us: int, is_important: bool, future: Future[list[Item]], made: list[Item]) -> None:
        self._queue.done(lane, us, is_important)
        self._busy_us += us
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
    items: list[tuple[int, Item]] = field(default_factory=list, repr=False)

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


@dataclass(eq=False, repr=False)
class Visitor:
    """A face of its own that asks a load shedder for its place."""

    wanted = Wanted(Fraction(FPS), 512)
    importance = 50.0, 0.0
    face: Watched | None = None
    refusal: StatusError | None = None

    @property
    def paced(self) -> bool:
        return self.face is not None

    @property
    def detail(self) -> int:
        return 0 if self.face is None else self.face.session.stream.presenter.detail

    @property
    def pictures(self) -> Pictures:
        assert self.face is not None
        return Pictures(len(self.face.shown()), self.face.session.stats.late)

    def set_detail(self, level: int, why: str) -> None:
        assert self.face is not None
        self.face.session.stream.presenter.detail = level

    async def come(self, shedder: LoadShedder, pool: SlowPool) -> None:
        """Ask until there is a place, as late as one is told to; then speak and watch until cancelled."""
        while not await self._is_taken(shedder):
            assert self.refusal is not None and self.refusal.retry_after_ms
            await until(LoopClock().now_us() / 1e6 + self.refusal.retry_after_ms / 1000)
        lane = pool.lane(self.importance[0])
        async with Session(PlainFace(), LIVE, motion=StillVoice(), clock=LoopClock(), executor=lane) as session:
            self.face = Watched(session, lane)
            await self.face.listen()

    async def _is_taken(self, shedder: LoadShedder) -> bool:
        try:
            shedder.admit(self)
            await shedder.take_turn(self)
        except StatusError as refusal:
            shedder.leave(self)
            self.refusal = refusal
            return False
        return True


def run_crowd(pool: SlowPool, n: int, seconds: float) -> list[Visitor]:
    """So many ask for a face, ten a second."""

    async def main() -> list[Visitor]:
        shedder, visitors = LoadShedder(pool, LoopClock(), 100), [Visitor() for _ in range(n)]
        tasks = [asyncio.create_task(shedder.run())]
        for visitor in visitors:
            tasks.append(asyncio.create_task(visitor.come(shedder, pool)))
            await LoopClock().sleep_until(LoopClock().now_us() + 100_000)
        await until(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return visitors

    return run_virtual(main())


Story = Callable[[list[Watched]], Coroutine[Any, Any, None]]


def run_faces(pool: SlowPool, priorities: list[float], story: Story, motion: Any = None) -> list[Watched]:  # noqa: ANN401
    """Faces of those priorities live until the story ends."""

    async def main() -> list[Watched]:
        faces = []
        async with asyncio.TaskGroup() as tasks:
            for priority in priorities:
                lane = pool.lane(priority)
                session = Session(PlainFace(), LIVE, motion=motion or StillVoice(), clock=LoopClock(), executor=lane)
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
