"""Work is taken by turns: nobody's flood makes another one wait long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from vivant.server.builds import LEAST_BYTES, Builds
from vivant.server.status import StatusError

pytestmark = pytest.mark.unit

N_LANES = 40


class Bench:
    """Builds that begin when the first one is let go, and the order in which they were worked on."""

    def __init__(self, lane_bytes: int = 8 * LEAST_BYTES, all_bytes: int = 1000 * LEAST_BYTES) -> None:
        self.builds: Builds[str, str] = Builds(lane_bytes, all_bytes)
        self.begun: list[str] = []
        self.order: list[str] = []
        self._go = threading.Event()

    def put(self, lane: str, name: str, n_bytes: int = 1) -> asyncio.Task[str]:
        def work() -> str:
            self.begun.append(name)
            self._go.wait(10)
            self.order.append(name)
            return name

        return asyncio.create_task(self.builds.run(name, lane, n_bytes, work))

    async def all(self, tasks: list[asyncio.Task[str]]) -> list[str | BaseException]:
        await asyncio.sleep(0)
        self._go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)


def run(story: Callable[[Bench], Awaitable[None]], **room: int) -> None:
    async def main() -> None:
        bench = Bench(**room)
        try:
            await story(bench)
        finally:
            bench.builds.close()

    asyncio.run(main())


def test_one_connections_flood_is_passed_by() -> None:
    async def story(bench: Bench) -> None:
        flood = [bench.put("flood", f"f{k}") for k in range(8)]
        await asyncio.sleep(0)
        await bench.all([*flood, bench.put("third", "mine")])
        assert bench.order.index("mine") <= 2
        assert len(bench.order) == 9

    run(story)


def test_a_crowd_of_connections_is_passed_by_and_the_first_of_it_is_not_forgotten() -> None:
    async def story(bench: Bench) -> None:
        crowd = [bench.put(f"lane {k}", f"c{k}") for k in range(N_LANES)]
        await asyncio.sleep(0)
        await bench.all([*crowd, bench.put("third", "mine")])
        assert bench.order.index("mine") <= 2
        assert {f"c{k}" for k in range(8)} <= set(bench.order[: N_LANES - 1])  # every fourth turn is that of who waits longest

    run(story)


def test_a_connection_that_has_much_waiting_is_refused_and_when_all_have_the_fullest_loses() -> None:
    async def story(bench: Bench) -> None:
        small = bench.put("small", "s")
        many = [bench.put("many", f"m{k}") for k in range(4)]
        large = bench.put("large", "l", 5 * LEAST_BYTES)
        results = await bench.all([small, *many, large])
        assert results[0] == "s" and sum(isinstance(result, StatusError) for result in results) == 2
        assert isinstance(results[4], StatusError), "the fifth MiB of its lane"
        assert isinstance(results[5], StatusError), "more than any lane may have"

    run(story, lane_bytes=3 * LEAST_BYTES, all_bytes=100 * LEAST_BYTES)

    async def crowded(bench: Bench) -> None:
        heavy = [bench.put("heavy", f"h{k}", 3 * LEAST_BYTES) for k in range(2)]
        light = [bench.put(f"light {k}", f"l{k}") for k in range(4)]
        results = await bench.all([*heavy, *light])
        assert isinstance(results[1], StatusError) and results[2:] == ["l0", "l1", "l2", "l3"]

    run(crowded, lane_bytes=8 * LEAST_BYTES, all_bytes=5 * LEAST_BYTES)


def test_the_same_work_is_done_once_for_all_and_goes_on_while_anybody_waits() -> None:
    async def story(bench: Bench) -> None:
        first = bench.put("busy", "first")
        while "first" not in bench.begun:
            await asyncio.sleep(0)
        waiting = [bench.put(f"lane {k}", "same") for k in range(10)]
        unwanted = bench.put("gone", "unwanted")
        await asyncio.sleep(0)
        waiting[0].cancel()
        unwanted.cancel()
        results = await bench.all([first, *waiting[1:]])
        assert results == ["first", *["same"] * 9]
        assert bench.order == ["first", "same"]

    run(story)


def test_whoever_asks_right_after_the_end_finds_the_result() -> None:
    async def main() -> None:
        found: dict[str, str] = {}
        builds: Builds[str, str] = Builds(LEAST_BYTES, LEAST_BYTES, lambda key, lane, result: found.update({key: result}))
        n_runs = 0

        def work() -> str:
            nonlocal n_runs
            n_runs += 1
            return "made"

        async def get() -> str:
            return found["k"] if "k" in found else await builds.run("k", "lane", 1, work)

        getting = [asyncio.create_task(get())]
        while not all(task.done() for task in getting):
            getting.append(asyncio.create_task(get()))
            await asyncio.sleep(0)
        assert {task.result() for task in getting} == {"made"} and n_runs == 1
        builds.close()

    asyncio.run(main())


def test_an_error_reaches_everybody_and_the_next_one_tries_again() -> None:
    async def main() -> None:
        builds: Builds[str, str] = Builds(LEAST_BYTES, LEAST_BYTES)

        def fail() -> str:
            raise ValueError("no")

        for _ in range(2):
            results = await asyncio.gather(*(builds.run("k", "lane", 1, fail) for _ in range(2)), return_exceptions=True)
            assert [str(result) for result in results] == ["no", "no"]
        assert await builds.run("k", "lane", 1, lambda: "yes") == "yes"
        builds.close()

    asyncio.run(main())
