"""Load shedder: who is taken, and who gets less when the threads are too few for all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from vivant.clock import Clock
from vivant.server.face_cost import FaceCost
from vivant.server.fair_queue import IMPORTANT
from vivant.server.status import full
from vivant.server.workers import Load, WorkerPool
from vivant.session.presenter import LEAST_DETAIL, MOST_DETAIL

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
RETRY_AFTER_MS = 2000
"""The time of `CALM_ROUNDS`: sooner, nothing can have changed."""
ROOM_SHARE = 0.6
"""Of the cores' time, for faces at the least detail. Chosen: the rest is for clients on the same machine, and Python's own
lock lets two cores do less than twice of one."""
STEPPED_SHARE = 0.25
"""Of the faces that can get less, those that do in one round. Chosen: all of them within a few seconds."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a live face asks for."""

    fps: Fraction
    size_px: int
    """Of a side; 0 for motion alone."""


class Member(Protocol):
    """A call, as the load shedder sees it."""

    @property
    def paced(self) -> bool:
        """Only paced calls can be late, so only they lose quality."""
        ...

    @property
    def wanted(self) -> Wanted | None:
        """None where nothing is due."""
        ...

    @property
    def importance(self) -> tuple[float, float]:
        """Compared: the smallest loses quality first."""
        ...

    @property
    def detail(self) -> int: ...

    def set_detail(self, level: int, why: str) -> None:
        """0 is everything, `LEAST_DETAIL` the least."""
        ...


class LoadShedder:
    """Load shedder: admission by measured cost, and the level of detail. On the event loop.

    Under overload the least important faces get fewer and smaller frames, some of them a step per round; when there has been
    room for a while, the most important of those gets a step back.
    """

    def __init__(self, workers: WorkerPool, clock: Clock, most: int) -> None:
        self.members: list[Member] = []
        self.load = Load(0.0, 0.0)
        self.cost: FaceCost | None = None
        """None: not measured, so nobody is refused for it."""
        self._workers = workers
        self._clock = clock
        self._most = most
        self._calm = 0
        self._overloaded = False

    def admit(self, member: Member) -> None:
        """Raises StatusError with a retry hint when there is no room."""
        if len(self.members) >= self._most:
            raise full(f"the server serves {self._most} sessions already; try again later", RETRY_AFTER_MS)
        # Whoever matters less than the newcomer will get less; that is no reason to refuse it.
        rivals = [other for other in self.members if other.importance[0] >= member.importance[0]]
        asking = [other.wanted for other in rivals if other.wanted is not None]
        if asking and member.wanted is not None and self._least_share([*asking, member.wanted]) > self._room:
            raise full(f"this machine has no time for more than {len(asking)} such faces; try again later", RETRY_AFTER_MS)
        if self._overloaded and self._paced() and not self._able() and member.importance[0] <= IMPORTANT:
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
            # Evenly among equals, before any of them goes down twice.
            poorest = sorted(self._able(), key=lambda member: (member.importance, member.detail))
            for member in poorest[: math.ceil(STEPPED_SHARE * len(poorest))]:
                member.set_detail(member.detail + 1, "the server is overloaded")
            return
        self._calm = self._calm + 1 if load.busy_share < CALM_SHARE else 0
        reduced = [member for member in self._paced() if member.detail > MOST_DETAIL]
        if reduced and self._calm >= CALM_ROUNDS:
            self._calm = 0
            richest = max(reduced, key=lambda member: (member.importance, member.detail))
            richest.set_detail(richest.detail - 1, "the server has room again")

    def n_faces(self, wanted: Wanted, detail: int) -> int | None:
        """How many such faces there is time for, one at least; None when it was not measured."""
        if self.cost is None:
            return None
        return max(1, min(self._most, int(self._room / self.cost.share(wanted.fps, wanted.size_px, detail))))

    @property
    def _room(self) -> float:
        return ROOM_SHARE * self._workers.n_cores

    def _least_share(self, asked: list[Wanted]) -> float:
        """Of one core's time, what all of them take at the least detail; 0 if it was not measured."""
        cost = self.cost
        return 0.0 if cost is None else sum(cost.share(wanted.fps, wanted.size_px, LEAST_DETAIL) for wanted in asked)

    def _able(self) -> list[Member]:
        """Those that can get less; the important only where there are no others."""
        paced = self._paced()
        usual = [member for member in paced if member.importance[0] <= IMPORTANT] or paced
        return [member for member in usual if member.detail < LEAST_DETAIL]

    def _paced(self) -> list[Member]:
        return [member for member in self.members if member.paced]
