"""Whose job is next: equals by turns, whoever matters more oftener, and a worker for the important."""

from __future__ import annotations

from collections import Counter

import pytest

from vivant.server.fair_queue import FairQueue, Lane

pytestmark = pytest.mark.unit


def served(queue: FairQueue[int], lanes: list[Lane[int]], costs_us: list[int], n: int = 300) -> Counter[int]:
    """Which lane was served how often by one worker, each having one job waiting whenever it is asked."""
    for k, lane in enumerate(lanes):
        queue.put(lane, k)
    counts: Counter[int] = Counter()
    for _ in range(n):
        taken = queue.take()
        assert taken is not None
        lane, k, is_important = taken
        queue.done(lane, costs_us[k], is_important)
        queue.put(lane, k)
        counts[k] += 1
    return counts


def test_equals_get_equal_time_whatever_a_job_costs() -> None:
    counts = served(FairQueue(1), [Lane(), Lane(), Lane()], [1000, 1000, 3000], n=700)
    assert counts[0] == pytest.approx(counts[1], abs=2) and counts[2] == pytest.approx(counts[0] / 3, abs=3)


def test_an_important_lane_goes_first_and_the_others_are_not_forgotten() -> None:
    important, *others = lanes = [Lane[int](90.0), Lane[int](), Lane[int](10.0)]
    queue: FairQueue[int] = FairQueue(1)
    for k, lane in reversed(list(enumerate(lanes))):
        queue.put(lane, k)
    taken = queue.take()
    assert taken is not None and taken[0] is important and taken[2]
    counts = served(FairQueue(1), lanes, [1000] * 3)
    assert counts[0] > counts[1] > counts[2] > 20
    assert others[0].weight > others[1].weight


def test_whoever_was_idle_has_saved_nothing_up() -> None:
    queue: FairQueue[int] = FairQueue(1)
    busy, late = Lane[int](), Lane[int]()
    served(queue, [busy], [1000], n=1000)
    queue.put(late, 1)
    order = []
    for _ in range(20):
        taken = queue.take()
        assert taken is not None
        lane, k, is_important = taken
        queue.done(lane, 1000, is_important)
        queue.put(lane, k)
        order.append(k)
    assert sum(order) == pytest.approx(10, abs=1)


def test_a_worker_is_kept_for_the_important() -> None:
    queue: FairQueue[int] = FairQueue(2)
    usual, important = [Lane[int]() for _ in range(4)], Lane[int](81.0)
    for k, lane in enumerate(usual):
        queue.put(lane, k)
    first, second = queue.take(), queue.take()
    assert first is not None and second is not None and queue.take() is None
    queue.put(important, 9)
    third = queue.take()
    assert third is not None and third[1] == 9
    assert queue.take() is None
    queue.done(first[0], 1000, first[2])
    assert queue.take() is not None


def test_importance_counts_as_it_is_when_a_job_begins_and_ends_as_it_began() -> None:
    queue: FairQueue[int] = FairQueue(1)
    lane, other = Lane[int](), Lane[int]()
    queue.put(lane, 1)
    queue.put(other, 2)
    taken = queue.take()
    assert taken is not None and queue.take() is None
    taken[0].priority = 100.0
    queue.done(taken[0], 1000, taken[2])
    assert queue.take() is not None and queue.clear() == []
