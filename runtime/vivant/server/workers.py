"""Worker pool: the threads that infer and draw for all calls, whoever had least first."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

from vivant.clock import Clock
from vivant.cores import n_cores
from vivant.server.fair_queue import USUAL_PRIORITY, FairQueue, Lane

Result = TypeVar("Result")

BATCH_NICE = 10
"""Chosen: half of what a process can yield."""
THREADS_PER_CORE = 2
"""Where others are busy, too, the system shares the cores out by threads: chosen by `python -m benchmarks load`, where eight
faces beside four busy loops got a third more pictures than with one, and as many where nobody else was busy."""


@dataclass(frozen=True, slots=True)
class Load:
    """Of the pool since it was last asked."""

    busy_share: float
    """Of all threads' time, 0 to 1."""
    mean_wait_us: float
    """Between handing work in and its start."""


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[], Any]
    future: Future[Any]
    asked_us: int

    def run(self) -> Callable[[], None]:
        """Returns how to tell whoever waits."""
        if not self.future.set_running_or_notify_cancel():
            return lambda: None
        try:
            return partial(self.future.set_result, self.work())
        except BaseException as error:
            return partial(self.future.set_exception, error)


_Lane: TypeAlias = Lane[_Job]


class WorkerPool(Executor):
    """Worker pool: a bounded executor that is fair and knows how busy it is. The kernel releases the GIL, so threads run side
    by side: two a core, and one more that only the important may keep busy (`FairQueue`)."""

    def __init__(self, clock: Clock, n_workers: int | None = None, *, cores: int | None = None) -> None:
        self.n_cores = n_workers or cores or n_cores()
        self.n_workers = n_workers or THREADS_PER_CORE * self.n_cores
        self._clock = clock
        self._queue: FairQueue[_Job] = FairQueue(self.n_workers)
        self._own = self.lane()
        self._lock = threading.Lock()
        self._wakes: SimpleQueue[None] = SimpleQueue()
        """One for every job that was handed in. Not a condition: whom that wakes waits for its lock at once."""
        self._closed = False
        self._since_us = clock.now_us()
        self._busy_us = self._wait_us = self._jobs = 0
        self._threads = [
            threading.Thread(target=self._work, name=f"vivant-worker-{k}", daemon=True) for k in range(self.n_workers + 1)
        ]
        for thread in self._threads:
            thread.start()

    def lane(self, priority: float = USUAL_PRIORITY) -> SessionExecutor:
        """One session's own; its work is weighed against that of other lanes."""
        return SessionExecutor(self, priority)

    def submit(self, work: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:  # noqa: ANN401
        return self._own.submit(work, *args, **kwargs)

    def submit_to(self, lane: _Lane, work: Callable[[], Result]) -> Future[Result]:
        future: Future[Result] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("this pool was shut down")
            self._queue.put(lane, _Job(work, future, self._clock.now_us()))
        self._wakes.put(None)
        return future

    def load(self) -> Load:
        """Begins a new period."""
        now_us = self._clock.now_us()
        with self._lock:
            span_us, jobs = max(1, now_us - self._since_us) * self.n_workers, max(1, self._jobs)
            load = Load(min(1.0, self._busy_us / span_us), self._wait_us / jobs)
            self._since_us, self._busy_us, self._wait_us, self._jobs = now_us, 0, 0, 0
        return load

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._lock:
            self._closed = True
            for job in self._queue.clear() if cancel_futures else ():
                job.future.cancel()
        for _ in self._threads:
            self._wakes.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                taken, closed = self._queue.take(), self._closed
            if taken is None:
                if closed:
                    return
                self._wakes.get()
                continue
            lane, job, is_important = taken
            began_us = self._clock.now_us()
            tell = job.run()
            spent_us = self._clock.now_us() - began_us
            with self._lock:
                self._queue.done(lane, spent_us, is_important)
                self._busy_us += spent_us
                self._wait_us += began_us - job.asked_us
                self._jobs += 1
            tell()
            del taken, lane, job, tell  # a thread that rests keeps nobody's pictures


class SessionExecutor(Executor):
    """A session's side of a `WorkerPool`."""

    def __init__(self, pool: WorkerPool, priority: float) -> None:
        self._pool, self._lane = pool, _Lane(priority)

    @property
    def priority(self) -> float:
        """0 to 100; may change while work waits."""
        return self._lane.priority

    @priority.setter
    def priority(self, priority: float) -> None:
        self._lane.priority = priority

    def submit(self, work: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:  # noqa: ANN401
        return self._pool.submit_to(self._lane, partial(work, *args, **kwargs))


def batch_pool(n_workers: int) -> ThreadPoolExecutor:
    """Threads for work that is due at no time, such as whole files: where the system can, they yield to all others."""
    return ThreadPoolExecutor(n_workers, "vivant-batch", initializer=_yield_to_others)


def _yield_to_others() -> None:
    if sys.platform == "linux":  # elsewhere a nice value is the whole process's
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BATCH_NICE)
