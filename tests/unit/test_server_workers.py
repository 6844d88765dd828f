"""Who gets less when threads are too few: from which load on, how soon it is given back, and what yields to everything else."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from fractions import Fraction
from types import SimpleNamespace

import pytest

from tests.session.server_kit import open_tint
from vivant.clock import MonotonicClock, VirtualClock
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.server.clients import Clients
from vivant.server.face_cost import FaceCost, measure
from vivant.server.limits import Limits
from vivant.server.load_shedder import SETTLING_ROUNDS, LoadShedder, Pictures, Wanted
from vivant.server.server import Server
from vivant.server.service import FaceService
from vivant.server.status import StatusError
from vivant.server.workers import Load, WorkerPool, batch_pool
from vivant.session.presenter import LEAST_DETAIL, SHOWN_OF, Presenter
from vivant.testing import PlainFace
from vivant.types import MotionFrame, arkit_weights

pytestmark = pytest.mark.unit

CALM = Load(0.2, 0)


class Member:
    paced = True
    wanted: Wanted | None = None
    importance: tuple[float, float] = (0.0, 0.0)
    pictures = Pictures(0, 0)

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


def wanting(priority: float = 50.0, fps: int = 25, size_px: int = 512) -> Member:
    member = Member()
    member.wanted, member.importance = Wanted(Fraction(fps), size_px), (priority, 0.0)
    return member


def measured(heard_us: float = 600, drawn_us: float = 800) -> LoadShedder:
    """One core: a face takes 15 ms of a second for its sound, and at the least detail 12.5 for its pictures."""
    load_shedder = load_shedder_of(most=100)
    load_shedder.cost = FaceCost(heard_us, drawn_us, finish_us=1200)
    return load_shedder


def n_admitted(load_shedder: LoadShedder, *members: Member) -> int:
    for n, member in enumerate(members):
        try:
            load_shedder.admit(member)
        except StatusError as refusal:
            assert refusal.retry_after_ms
            assert "no time for more than" in str(refusal)
            return n
    return len(members)


def test_faces_are_admitted_as_long_as_their_time_adds_up() -> None:
    assert measured().cost.share(Fraction(25), 512, 0) == pytest.approx(1.35 * 25 * (600 + 800 + 1.3 * 600) / 1e6)  # type: ignore[union-attr]
    assert n_admitted(measured(), *(wanting() for _ in range(20))) == 16
    assert n_admitted(measured(), *(wanting(size_px=1024) for _ in range(20))) == 12
    assert n_admitted(measured(), *(wanting(size_px=0) for _ in range(20))) == 17
    assert n_admitted(measured(2_000_000), *(wanting() for _ in range(3))) == 1  # somebody always
    assert n_admitted(load_shedder_of(most=100), *(wanting() for _ in range(20))) == 20  # not measured


def test_nobody_is_refused_for_faces_that_matter_less() -> None:
    load_shedder = measured()
    assert n_admitted(load_shedder, *(wanting(10) for _ in range(20))) == 16
    assert n_admitted(load_shedder, *(wanting(50) for _ in range(20))) == 16
    assert n_admitted(load_shedder, wanting(90), wanting(90)) == 2
    assert n_admitted(load_shedder, wanting(10)) == 0


def test_a_place_is_taken_from_the_moment_of_asking_and_given_back() -> None:
    load_shedder, first = measured(40_000), wanting()
    assert n_admitted(load_shedder, first, wanting()) == 1
    load_shedder.leave(first)
    assert n_admitted(load_shedder, wanting()) == 1


def overloaded(shown: int, late: int, n_faces: int = 8) -> LoadShedder:
    """At the least detail, where in each round so many pictures were shown and left out."""
    members = [wanting() for _ in range(n_faces)]
    load_shedder = load_shedder_of(*members, most=100)
    for n in range(2 * LEAST_DETAIL * n_faces):
        for member in members:
            member.pictures = Pictures(n * shown, n * late)
        load_shedder.judge(Load(1.0, 0), 0)
    assert all(member.detail == LEAST_DETAIL for member in members)
    return load_shedder


@pytest.mark.parametrize(
    ("shown", "late", "n_faces", "is_taken"), [(10, 0, 8, True), (17, 3, 8, False), (10, 0, 3, False), (0, 0, 8, True)]
)
def test_one_more_is_taken_where_all_would_keep_their_pictures(shown: int, late: int, n_faces: int, is_taken: bool) -> None:
    load_shedder = overloaded(shown, late, n_faces)
    load_shedder.require_pictures(wanting(60))  # nobody matters as much
    if is_taken:
        load_shedder.require_pictures(wanting())
    else:
        with pytest.raises(StatusError, match=f"no time for more than {n_faces} such faces") as refused:
            load_shedder.require_pictures(wanting())
        assert refused.value.retry_after_ms
    load_shedder.judge(CALM, 0)
    load_shedder.require_pictures(wanting())


def test_pictures_beyond_those_of_the_least_detail_are_room_for_others() -> None:
    load_shedder = overloaded(shown=12, late=8)
    with pytest.raises(StatusError):
        load_shedder.require_pictures(wanting())
    for member in load_shedder.members:
        member.set_detail(LEAST_DETAIL - 1, "twice as many are due")
    load_shedder.require_pictures(wanting())


def test_under_overload_faces_are_taken_one_at_a_time() -> None:
    taken: list[int] = []

    async def main() -> None:
        load_shedder, n_rounds = overloaded(10, 0), 0

        async def come(priority: float) -> None:
            await load_shedder.take_turn(wanting(priority))
            taken.append(n_rounds)

        async with asyncio.TaskGroup() as tasks:
            for priority in (50, 50, 90):
                tasks.create_task(come(priority))
            while len(taken) < 3:
                n_rounds += 1
                await asyncio.sleep(0)
                load_shedder.judge(Load(1.0, 0), 0)
                await asyncio.sleep(0)

    asyncio.run(main())
    assert taken == [1, SETTLING_ROUNDS, 2 * SETTLING_ROUNDS]  # the important one at once


def test_who_waited_for_a_turn_while_the_server_began_to_stop_is_refused_with_a_hint() -> None:
    async def main() -> None:
        load_shedder = overloaded(10, 0)
        service = FaceService(SimpleNamespace(load_shedder=load_shedder), Limits(), Clients(token=False))  # type: ignore[arg-type]
        n_before = len(load_shedder.members)

        async def come() -> None:
            async with service._admitted(Wanted(Fraction(25), 512), (50.0, 0.0)):
                raise AssertionError("taken")

        coming = asyncio.create_task(come())
        await asyncio.sleep(0)
        assert len(load_shedder.members) == n_before + 1
        service.draining = True
        for _ in range(SETTLING_ROUNDS):
            load_shedder.judge(CALM, 0)
            await asyncio.sleep(0)
        with pytest.raises(StatusError, match="about to stop") as refused:
            await coming
        assert refused.value.retry_after_ms and len(load_shedder.members) == n_before

    asyncio.run(main())


def test_the_promise_is_what_was_measured() -> None:
    load_shedder = measured()
    assert [load_shedder.n_faces(Wanted(Fraction(25), 512), detail) for detail in (0, 2)] == [8, 16]
    finished = Wanted(Fraction(25), 512, finished=True)
    assert [load_shedder.n_faces(finished, detail) for detail in (0, 2)] == [5, 16]
    assert load_shedder_of().n_faces(Wanted(Fraction(25), 512), 0) is None


def test_what_a_face_costs_is_measured_with_the_model_that_serves() -> None:
    cost = measure(ArticulatoryMotion())
    assert 100 < cost.heard_us < 1e6 and cost.drawn_us > 0 and cost.finish_us > 0


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


def test_a_pool_runs_lanes_and_stops() -> None:
    with WorkerPool(MonotonicClock(), 2) as workers:
        lanes = [workers.lane(priority) for priority in (10, 50, 100)]
        jobs = [lane.submit(pow, k, 2) for k in range(50) for lane in lanes]
        assert sorted(job.result(10) for job in jobs) == sorted(k * k for k in range(50) for _ in lanes)
        lanes[0].priority = 90
        with pytest.raises(ZeroDivisionError):
            lanes[0].submit(divmod, 1, 0).result(10)
    with pytest.raises(RuntimeError, match="shut down"):
        workers.submit(pow, 1, 1)


def test_what_waits_at_the_end_is_cancelled() -> None:
    begun, go_on = threading.Event(), threading.Event()
    workers = WorkerPool(MonotonicClock(), 1)

    def hold() -> bool:
        begun.set()
        return go_on.wait(10)

    running = workers.submit(hold)
    assert begun.wait(10)
    waiting = workers.submit(pow, 1, 1)
    workers.shutdown(wait=False, cancel_futures=True)
    go_on.set()
    assert running.result(10) and waiting.cancelled()


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
    assert seen == [(8, {(256, 256)}), (8, {(128, 128)}), (4, {(128, 128)})]


def test_a_picture_that_is_small_already_is_not_made_smaller() -> None:
    presenter = Presenter(PlainFace(), size_px=100)
    presenter.detail = 2
    picture = presenter.present(MotionFrame(0, 0, arkit_weights()))
    assert picture is not None and picture.size_px == (100, 100)
