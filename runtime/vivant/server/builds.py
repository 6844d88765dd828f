"""Work for one thread, taken by turns, so that nobody's flood makes another one wait long."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from vivant.server.limits import MIB
from vivant.server.status import full

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")

LEAST_BYTES = MIB
"""What a job weighs at least, so that a limit of bytes is one of jobs, too."""
RETRY_AFTER_MS = 2000
OLDEST_EVERY = 4
"""Turns; the others are for lanes that were not served yet, if there are any."""


@dataclass(eq=False, slots=True)
class _Job(Generic[Key, Result]):
    key: Key
    lane: str
    n_bytes: int
    work: Callable[[], Result]
    done: asyncio.Future[Result]
    n_waiting: int = 0


@dataclass(eq=False, slots=True)
class _Lane(Generic[Key, Result]):
    """The jobs of one connection that wait, the first to come first."""

    turn: int
    """When it was served, or came."""
    served: bool = False
    jobs: deque[_Job[Key, Result]] = field(default_factory=deque)

    @property
    def n_bytes(self) -> int:
        return sum(job.n_bytes for job in self.jobs)


class Builds(Generic[Key, Result]):
    """A queue on the event loop before a thread that works on one job at a time.

    Jobs with the same key are one. Lanes are served in turn: mostly the one that came last, if it was not served yet, and now
    and then the one that waited longest, so that neither a crowd of lanes nor a stream of new ones keeps anybody out. When too
    much waits, the fullest lane loses its last job.
    """

    def __init__(self, lane_bytes: int, all_bytes: int, finished: Callable[[Key, str, Result], None] = lambda *_: None) -> None:
        """Of what waits: the most in a lane, and in all of them together. ``finished`` hears key, lane and result of a job that
        somebody waits for, before the same key can be asked for again."""
        self._lane_bytes, self._all_bytes, self._finished = lane_bytes, all_bytes, finished
        self._thread = ThreadPoolExecutor(1, "vivant-portraits")
        self._jobs: dict[Key, _Job[Key, Result]] = {}
        """By key: all that wait, and the one that runs."""
        self._lanes: dict[str, _Lane[Key, Result]] = {}
        self._turn = 0
        self._running: asyncio.Task[None] | None = None

    async def run(self, key: Key, lane: str, n_bytes: int, work: Callable[[], Result]) -> Result:
        """What ``work`` gives or raises; its thread knows nothing of the loop. Raises a StatusError when too much waits."""
        job = self._jobs.get(key) or self._enter(key, lane, n_bytes, work)
        job.n_waiting += 1
        try:
            return await asyncio.shield(job.done)
        finally:
            job.n_waiting -= 1
            if not job.n_waiting:
                self._leave(job)

    def require_room(self, lane: str, n_bytes: int) -> None:
        """Raises a StatusError when this lane has too much waiting to add as many bytes."""
        waiting = self._lanes[lane].n_bytes if lane in self._lanes else 0
        if waiting + max(n_bytes, LEAST_BYTES) > self._lane_bytes:
            raise full("too many of your portraits wait to be made ready; put them one after another", RETRY_AFTER_MS)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _enter(self, key: Key, lane: str, n_bytes: int, work: Callable[[], Result]) -> _Job[Key, Result]:
        self.require_room(lane, n_bytes)
        job = _Job(key, lane, max(n_bytes, LEAST_BYTES), work, asyncio.get_running_loop().create_future())
        job.done.add_done_callback(lambda done: done.cancelled() or done.exception())  # it may be that nobody waits any more
        self._jobs[key] = job
        self._lanes.setdefault(lane, _Lane(self._turn)).jobs.append(job)
        while sum(each.n_bytes for each in self._lanes.values()) > self._all_bytes:
            self._refuse(max(self._lanes.values(), key=lambda each: each.n_bytes).jobs[-1])
        if self._running is None:
            self._running = asyncio.create_task(self._work())
        return job

    def _refuse(self, job: _Job[Key, Result]) -> None:
        job.done.set_exception(full("too many portraits wait to be made ready; try again later", RETRY_AFTER_MS))
        self._leave(job)

    def _leave(self, job: _Job[Key, Result]) -> None:
        """Out of the queue; what runs already runs to its end."""
        lane = self._lanes.get(job.lane)
        if lane is None or job not in lane.jobs:
            return
        lane.jobs.remove(job)
        if not lane.jobs:
            del self._lanes[job.lane]
        del self._jobs[job.key]
        job.done.cancel()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._lanes:
            job = self._next()
            try:
                result = await loop.run_in_executor(self._thread, job.work)
                if job.n_waiting:
                    self._finished(job.key, job.lane, result)
                job.done.set_result(result)
            except Exception as error:
                job.done.set_exception(error)
            del self._jobs[job.key]
        self._running = None

    def _next(self) -> _Job[Key, Result]:
        self._turn += 1
        longest = min(self._lanes, key=lambda name: self._lanes[name].turn)
        new = [name for name, lane in self._lanes.items() if not lane.served]
        name = new[-1] if new and self._turn % OLDEST_EVERY else longest
        lane = self._lanes[name]
        lane.turn, lane.served = self._turn, True
        job = lane.jobs.popleft()
        if not lane.jobs:
            del self._lanes[name]
        return job
