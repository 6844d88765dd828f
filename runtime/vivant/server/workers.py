"""Worker pool: the threads that infer and draw for all calls; and load shedder: who gets less when they are too few."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from vivant.clock import Clock
from vivant.server.refusal import full

Result = TypeVar("Result")

ROUND_US = 500_000
"""Between two judgements: some fifteen frames of every face, so that one slow frame says nothing."""
CALM_ROUNDS = 4
"""With room, before a face gets a step back: chosen so that it does not go up and down within two seconds."""
BUSY_SHARE, CALM_SHARE = 0.9, 0.6
"""Of the threads' time: overloaded above the first, room below the second. Chosen far apart, so that a step back does not
overload at once."""
LONG_WAIT_US = 10_000
"""For a thread, on average; a quarter of the time that a live frame has (`vivant.session.pace.MARGIN_MS`)."""
LONG_LAG_US = 20_000
"""Of the event loop; half of it."""
MOST_DETAIL, LEAST_DETAIL = 0, 3
"""As `vivant.session.presenter.SHOWN_OF` has them."""
RETRY_AFTER_MS = 2000
"""The time of `CALM_ROUNDS`: sooner, nothing can have changed."""
BAKERY_NICE = 10
"""Chosen: half of what a process can yield."""


@dataclass(frozen=True, slots=True)
class Load:
    """Of the pool since it was last asked."""

    busy_share: float
    """Of all threads' time, 0 to 1."""
    mean_wait_us: float
    """Between handing work in and its start."""


class WorkerPool(ThreadPoolExecutor):
    """Worker pool: a bounded executor that knows how busy it is. The kernel releases the GIL, so threads run side by side."""

    def __init__(self, clock: Clock, n_workers: int | None = None) -> None:
        self.n_workers = n_workers or os.cpu_count() or 1
        super().__init__(self.n_workers, "vivant-worker")
        self._clock = clock
        self._lock = threading.Lock()
        self._since_us = clock.now_us()
        self._busy_us = self._wait_us = self._jobs = 0

    def submit(self, work: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:  # noqa: ANN401
        asked_us = self._clock.now_us()

        def measured() -> Result:
            began_us = self._clock.now_us()
            try:
                return work(*args, **kwargs)
            finally:
                with self._lock:
                    self._busy_us += self._clock.now_us() - began_us
                    self._wait_us += began_us - asked_us
                    self._jobs += 1

        return super().submit(measured)

    def load(self) -> Load:
        """Begins a new period."""
        now_us = self._clock.now_us()
        with self._lock:
            span_us = max(1, now_us - self._since_us) * self.n_workers
            load = Load(min(1.0, self._busy_us / span_us), self._wait_us / max(1, self._jobs))
            self._since_us, self._busy_us, self._wait_us, self._jobs = now_us, 0, 0, 0
        return load


def batch_pool(n_workers: int) -> ThreadPoolExecutor:
    """Threads for work that is due at no time, such as whole files: where the system can, they yield to all others."""
    return ThreadPoolExecutor(n_workers, "vivant-batch", initializer=_yield_to_others)


def _yield_to_others() -> None:
    if sys.platform == "linux":  # elsewhere a nice value is the whole process's
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BAKERY_NICE)


class Member(Protocol):
    """A call, as the load shedder sees it."""

    @property
    def paced(self) -> bool:
        """Only paced calls can be late, so only they lose quality."""
        ...

    @property
    def importance(self) -> tuple[float, float]:
        """Compared: the smallest loses quality first."""
        ...

    @property
    def detail(self) -> int: ...

    def set_detail(self, level: int, why: str) -> None:
        """0 is everything, 3 the least."""
        ...


class LoadShedder:
    """Load shedder: admission, and the level of detail. On the event loop.

    Under overload the least important face gets fewer and smaller frames, one step per round; when there has been room for a
    while, the most important of those gets a step back.
    """

    def __init__(self, workers: WorkerPool, clock: Clock, most: int) -> None:
        self.members: list[Member] = []
        self.load = Load(0.0, 0.0)
        self._workers = workers
        self._clock = clock
        self._most = most
        self._calm = 0
        self._overloaded = False

    def admit(self, member: Member) -> None:
        """Raises a StatusError with a retry hint when there is no room."""
        if len(self.members) >= self._most:
            raise full(f"the server serves {self._most} sessions already; try again later", RETRY_AFTER_MS)
        paced = self._paced()
        if self._overloaded and paced and all(other.detail == LEAST_DETAIL for other in paced):
            raise full("the server has no time left for one more face; try again later", RETRY_AFTER_MS)
        self.members.append(member)

    def replace(self, place: Member, member: Member) -> None:
        """``member`` takes the place of one that was admitted."""
        self.members[self.members.index(place)] = member

    def leave(self, member: Member) -> None:
        if member in self.members:
            self.members.remove(member)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            due_us = self._clock.now_us() + ROUND_US
            await self._clock.sleep_until(due_us)
            self.judge(self._workers.load(), loop_lag_us=self._clock.now_us() - due_us)

    def judge(self, load: Load, loop_lag_us: int) -> None:
        """One round."""
        self.load = load
        self._overloaded = load.busy_share > BUSY_SHARE or load.mean_wait_us > LONG_WAIT_US or loop_lag_us > LONG_LAG_US
        if self._overloaded:
            self._calm = 0
            able = [member for member in self._paced() if member.detail < LEAST_DETAIL]
            if able:
                # One step at a time and evenly among equals, before any of them goes down twice.
                poorest = min(able, key=lambda member: (member.importance, member.detail))
                poorest.set_detail(poorest.detail + 1, "the server is overloaded")
            return
        self._calm = self._calm + 1 if load.busy_share < CALM_SHARE else 0
        reduced = [member for member in self._paced() if member.detail > MOST_DETAIL]
        if reduced and self._calm >= CALM_ROUNDS:
            self._calm = 0
            richest = max(reduced, key=lambda member: (member.importance, member.detail))
            richest.set_detail(richest.detail - 1, "the server has room again")

    def _paced(self) -> list[Member]:
        return [member for member in self.members if member.paced]
