"""Who gets less when threads are too few: from which load on, how soon it is given back, and what yields to everything else."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from tests.session.server_kit import open_tint
from vivant.clock import VirtualClock
from vivant.server.load_shedder import LoadShedder, Wanted
from vivant.server.refusal import StatusError
from vivant.server.server import Server
from vivant.server.workers import Load, WorkerPool, batch_pool
from vivant.session.presenter import SHOWN_OF, Presenter
from vivant.testing import PlainFace
from vivant.types import MotionFrame, arkit_weights

pytestmark = pytest.mark.unit

CALM = Load(0.2, 0)


class Member:
    paced = True
    wanted: Wanted | None = None
    importance = (0.0, 0.0)

    def __init__(self) -> None:
        self.detail = 0

    def set_detail(self, level: int, why: str) -> None:
        self.detail = level


def load_shedder_of(*members: Member, most: int = 8) -> LoadShedder:
    clock = VirtualClock()
    with WorkerPool(clock, 1) as workers:
        load_shedder = LoadShedder(workers, clock, most)
    for member in members:
        load_shedder.admit(member)
    return load_shedder


@pytest.mark.parametrize(
    ("load", "loop_lag_us", "loses"),
    [
        (Load(0.85, 0), 0, False),
        (Load(0.95, 0), 0, True),
        (Load(0.2, 8_000), 0, False),
        (Load(0.2, 15_000), 0, True),
        (CALM, 15_000, False),
        (CALM, 30_000, True),
    ],
)
def test_busy_threads_waiting_work_and_a_late_loop_each_cost_a_step(load: Load, loop_lag_us: int, loses: bool) -> None:
    member = Member()
    load_shedder_of(member).judge(load, loop_lag_us)
    assert member.detail == int(loses)


def test_a_step_is_given_back_after_two_calm_seconds_in_a_row() -> None:
    member = Member()
    load_shedder = load_shedder_of(member)
    load_shedder.judge(Load(1.0, 0), 0)
    for load in (CALM, CALM, CALM, Load(0.8, 0), CALM, CALM, CALM):  # neither overloaded nor calm: it begins anew
        load_shedder.judge(load, 0)
        assert member.detail == 1
    load_shedder.judge(CALM, 0)
    assert member.detail == 0


def test_a_server_that_is_full_takes_nobody() -> None:
    load_shedder = load_shedder_of(Member(), Member(), most=2)
    with pytest.raises(StatusError, match="serves 2 sessions already"):
        load_shedder.admit(Member())


def test_a_crew_knows_how_busy_it_was_and_forgets_it() -> None:
    class Clock(VirtualClock):
        def spend(self, us: int) -> None:
            self._now_us += us

    clock = Clock()
    with WorkerPool(clock, 1) as workers:
        workers.submit(clock.spend, 300_000).result()
        clock.spend(100_000)
        load = workers.load()
        assert load.busy_share == pytest.approx(0.75) and load.mean_wait_us == 0
        clock.spend(100_000)
        assert workers.load() == Load(0.0, 0.0)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a nice value is the whole process's")
def test_work_that_is_due_at_no_time_yields() -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    with batch_pool(1) as executor:
        assert executor.submit(os.getpriority, os.PRIO_PROCESS, 0).result() >= min(19, own + 5)
    assert os.getpriority(os.PRIO_PROCESS, 0) == own


def test_the_load_is_a_metric() -> None:
    async def busy() -> float | None:
        server = Server(opener=open_tint)
        server.shared.load_shedder.judge(Load(0.75, 0), 0)
        return server.metrics.registry.get_sample_value("vivant_busy_share")

    assert asyncio.run(busy()) == 0.75


def test_less_detail_is_fewer_and_smaller_pictures() -> None:
    presenter = Presenter(PlainFace(), size_px=256)
    seen = []
    for detail in range(len(SHOWN_OF)):
        presenter.detail = detail
        pictures = [presenter.present(MotionFrame(index, 0, arkit_weights())) for index in range(8)]
        shown = [picture for picture in pictures if picture is not None]
        seen.append((len(shown), {picture.size_px for picture in shown}))
    assert seen == [(8, {(256, 256)}), (4, {(256, 256)}), (4, {(128, 128)})]


def test_a_picture_that_is_small_already_is_not_made_smaller() -> None:
    presenter = Presenter(PlainFace(), size_px=100)
    presenter.detail = 2
    picture = presenter.present(MotionFrame(0, 0, arkit_weights()))
    assert picture is not None and picture.size_px == (100, 100)
