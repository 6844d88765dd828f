"""Load shedder: who is taken, and who gets less when the threads are too few for all."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Protocol

from vivant.clock import Clock
from vivant.server.face_cost import FaceCost
from vivant.server.fair_queue import IMPORTANT
from vivant.server.status import full
from vivant.server.workers import Load
from vivant.session.presenter import LEAST_DETAIL, MOST_DETAIL, SHOWN_OF

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
LEAST_SHARE = 0.8
"""Of the pictures that the least detail promises, that all who were taken keep: 10 a second of 25. Chosen: below, lips are no
longer followed."""
SETTLING_ROUNDS = 2
"""From taking one face to the next under overload: by then the first shows in what all get. Chosen."""
MOST_ROUNDS = 8
"""Whatever the others do by then; chosen."""
MOST_WAITING = 4
"""For their turn: whoever waits longer had better try again. Chosen."""
STEPPED_SHARE = 0.25
"""Of the faces that can get less, or more again, those that do at a time. Chosen: all of them within a few seconds."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a live face asks for."""

    fps: Fraction
    size_px: int
    """Of a side; 0 for motion alone."""
    finished: bool = False
    """A finish is painted, too."""


class Pictures(NamedTuple):
    """Of one call."""

    shown: int
    late: int
    """Left out, for their time had passed, or not made yet although it has."""


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

    @property
    def pictures(self) -> Pictures:
        """Since it began."""
        ...

    def set_detail(self, level: int, why: str) -> None:
        """0 is everything, `LEAST_DETAIL` the least."""
        ...


class Workers(Protocol):
    """As many cores as a `WorkerPool` has, and how busy they were."""

    n_cores: int

    def load(self) -> Load:
        """Since it was last asked."""
        ...


class LoadShedder:
    """Load shedder: admission by measured cost, and the level of detail. On the event loop.

    Under overload the least important faces get fewer and smaller frames, some of them a step per round; when there has been
    room for a while, the most important of those get a step back.
    """

    def __init__(self, workers: Workers, clock: Clock, most: int) -> None:
        self.members: list[Member] = []
        self.load = Load(0.0, 0.0)
        self.cost: FaceCost | None = None
        """None: not measured, so nobody is refused for it."""
        self._workers = workers
        self._clock = clock
        self._most = most
        self._calm = 0
        self._overloaded = False
        self._pictures: deque[dict[Member, Pictures]] = deque(maxlen=SETTLING_ROUNDS + 1)
        """Of every paced call at the end of each of the last rounds."""
        self._turn, self._n_waiting = asyncio.Lock(), 0
        self._judged = asyncio.Event()

    def admit(self, member: Member) -> None:
        """Raises StatusError with a retry hint when there is no room."""
        if len(self.members) >= self._most:
            raise full(f"the server serves {self._most} sessions already; try again later", RETRY_AFTER_MS)
        # Whoever matters less than the newcomer will get less; that is no reason to refuse it.
        rivals = [other for other in self.members if other.importance[0] >= member.importance[0]]
        asking = [other.wanted for other in rivals if other.wanted is not None]
        if asking and member.wanted is not None and self._least_share([*asking, member.wanted]) > self._room:
            raise full(f"this machine has no time for more than {len(asking)} such faces; try again later", RETRY_AFTER_MS)
        self.members.append(member)

    async def take_turn(self, member: Member) -> None:
        """Under overload: wait until the faces that were taken before show what is left for each. Raises a Refusal with a retry
        hint when one more would leave them too few pictures."""
        if not self._overloaded or member.wanted is None or member.importance[0] > IMPORTANT:
            return
        if self._n_waiting >= MOST_WAITING:
            raise full("others wait to be taken already; try again later", RETRY_AFTER_MS)
        self._n_waiting += 1
        try:
            async with self._turn:
                await self._settled()
                self.require_pictures(member)
        finally:
            self._n_waiting -= 1

    async def _settled(self) -> None:
        """Until the last one taken shows in what all get, and nobody can get less any more."""
        for n_rounds in range(1, MOST_ROUNDS + 1):
            await self._judged.wait()
            if n_rounds >= SETTLING_ROUNDS and not (self._overloaded and self._able()):
                return

    def require_pictures(self, member: Member) -> None:
        """As the rounds so far say; what matters less than the newcomer does not count. Raises a Refusal."""
        rivals = [other for other in self._paced() if other.importance[0] >= member.importance[0]]
        shares = [share for other in rivals if (share := self._shown_share(other)) is not None]
        if self._overloaded and shares and min(shares) * len(rivals) / (len(rivals) + 1) < LEAST_SHARE:
            sentence = f"other programs leave this machine no time for more than {len(rivals)} such faces; try again later"
            raise full(sentence, RETRY_AFTER_MS)

    def replace(self, place: Member, member: Member) -> None:
        """``member`` takes the place of one that was admitted."""
        self.members[self.members.index(place)] = member

    def leave(self, member: Member) -> None:
        if member in self.members:
            self.members.remove(member)
        for round_ in self._pictures:
            round_.pop(member, None)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            due_us = self._clock.now_us() + ROUND_US
            await self._clock.sleep_until(due_us)
            self.judge(self._workers.load(), loop_lag_us=self._clock.now_us() - due_us)

    def judge(self, load: Load, loop_lag_us: int) -> None:
        """One round."""
        self.load = load
        self._pictures.append({member: member.pictures for member in self._paced()})
        self._judged.set()
        self._judged.clear()
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
            richest = sorted(reduced, key=lambda member: (member.importance, member.detail), reverse=True)
            for member in richest[: math.ceil(STEPPED_SHARE * len(richest))]:
                member.set_detail(member.detail - 1, "the server has room again")

    def n_faces(self, wanted: Wanted, detail: int) -> int | None:
        """How many such faces there is time for, one at least; None when it was not measured."""
        if self.cost is None:
            return None
        return max(
            1, min(self._most, int(self._room / self.cost.share(wanted.fps, wanted.size_px, detail, finished=wanted.finished)))
        )

    @property
    def _room(self) -> float:
        return ROOM_SHARE * self._workers.n_cores

    def _least_share(self, asked: list[Wanted]) -> float:
        """Of one core's time, what all of them take at the least detail; 0 if it was not measured."""
        cost = self.cost
        return 0.0 if cost is None else sum(cost.share(wanted.fps, wanted.size_px, LEAST_DETAIL) for wanted in asked)

    def _shown_share(self, member: Member) -> float | None:
        """Of the pictures that the least detail promises, over the last rounds: more than 1 where it has more than that. None
        where none were due."""
        before, now = self._pictures[0].get(member), member.pictures
        if before is None or (n_due := sum(now) - sum(before)) <= 0:
            return None
        return (now.shown - before.shown) / (n_due * SHOWN_OF[member.detail] / SHOWN_OF[LEAST_DETAIL])

    def _able(self) -> list[Member]:
        """Those that can get less; the important only where there are no others."""
        paced = self._paced()
        usual = [member for member in paced if member.importance[0] <= IMPORTANT] or paced
        return [member for member in usual if member.detail < LEAST_DETAIL]

    def _paced(self) -> list[Member]:
        return [member for member in self.members if member.paced]
