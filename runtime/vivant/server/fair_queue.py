"""Fair queue: which session's job a worker does next, by start-time fair queueing (Goyal, Vin, Cheng 1997). No threads."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Job = TypeVar("Job")

USUAL_PRIORITY = 50
IMPORTANT = 80
"""A priority above this is served first, and a worker is kept for it."""
IMPORTANT_WEIGHT = 16.0
"""Chosen: before all others unless the important ones alone want more than there is, and even then the others do not stand
still."""
PRIORITY_OF_WEIGHT = 25.0
"""Chosen: from 1 at priority 0 to some 4 at `IMPORTANT`, for a face that matters less is served less, not never."""


@dataclass(slots=True, eq=False)
class Lane(Generic[Job]):
    """One session's jobs, in their order."""

    priority: float = USUAL_PRIORITY
    """0 to 100; may change at any time."""
    start: float = 0.0
    """Virtual time from which its next job counts: what was spent on it so far, by weight."""
    jobs: deque[Job] = field(default_factory=deque)

    @property
    def is_important(self) -> bool:
        return self.priority > IMPORTANT

    @property
    def weight(self) -> float:
        return IMPORTANT_WEIGHT if self.is_important else 1.0 + self.priority / PRIORITY_OF_WEIGHT


class FairQueue(Generic[Job]):
    """Fair queue: among equals whoever had least is next, and whoever was idle has saved nothing up.

    At most ``n_usual`` jobs of lanes that are not important run at a time, so that one worker more is free for those that are.
    """

    def __init__(self, n_usual: int) -> None:
        self._n_usual = n_usual
        self._n_running = 0
        """Of the usual ones."""
        self._waiting: list[Lane[Job]] = []
        self._now = 0.0
        """Virtual time: the start of the job that began last."""

    def put(self, lane: Lane[Job], job: Job) -> None:
        lane.jobs.append(job)
        if lane not in self._waiting:
            lane.start = max(lane.start, self._now)
            self._waiting.append(lane)

    def take(self) -> tuple[Lane[Job], Job, bool] | None:
        """What a free worker does next, and whether it counts as important; None when there is nothing that may be done."""
        able = [lane for lane in self._waiting if lane.is_important or self._n_running < self._n_usual]
        if not able:
            return None
        lane = min(able, key=lambda lane: (lane.start, -lane.weight))
        self._now = max(self._now, lane.start)
        job, is_important = lane.jobs.popleft(), lane.is_important
        if not lane.jobs:
            self._waiting.remove(lane)
        self._n_running += not is_important
        return lane, job, is_important

    def done(self, lane: Lane[Job], spent_us: float, is_important: bool) -> None:
        """A job that was taken is over, and cost so much."""
        lane.start += spent_us / lane.weight
        self._n_running -= not is_important

    def clear(self) -> list[Job]:
        """Forget what waits, and say what it was."""
        jobs = [job for lane in self._waiting for job in lane.jobs]
        for lane in self._waiting:
            lane.jobs.clear()
        self._waiting.clear()
        return jobs
