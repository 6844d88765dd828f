"""A client that reads nothing loses its call; one that could not, for the server stood still or had no core, keeps it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from vivant.server.outflow import Outflow
from vivant.server.status import StatusError
from vivant.testing.virtual import LoopClock, VirtualLoop, run_virtual
from vivant.v1 import vivant_pb2 as pb

pytestmark = pytest.mark.unit

UNREAD_S = 10.0


class Deaf:
    """A gRPC context whose client takes nothing."""

    async def write(self, _: object) -> None:
        await asyncio.Event().wait()


class Buffered:
    """One whose writes end at once, for there is room in the buffers."""

    async def write(self, _: object) -> None:
        await asyncio.sleep(0)


async def writing() -> tuple[asyncio.Task[None], asyncio.Task[None]]:
    """An outflow that is watched, and a write that does not end."""
    outflow = Outflow(cast("Any", Deaf()), LoopClock(), UNREAD_S)
    return asyncio.create_task(outflow.watch(asyncio.Event())), asyncio.create_task(outflow.write(pb.AnimateResponse()))


def confirmed_outflow() -> tuple[Outflow, asyncio.Task[None]]:
    """One that is watched, whose client must say what has come."""
    outflow = Outflow(cast("Any", Buffered()), LoopClock(), UNREAD_S)
    outflow.expect_confirmations(expected=True)
    return outflow, asyncio.create_task(outflow.watch(asyncio.Event()))


def test_a_client_that_reads_nothing_loses_its_call() -> None:
    async def story() -> None:
        watching, write = await writing()
        await asyncio.sleep(UNREAD_S - 1)
        assert not watching.done()
        await asyncio.sleep(2)
        with pytest.raises(StatusError, match="read nothing for 10 seconds"):
            watching.result()
        write.cancel()

    run_virtual(story())


def test_a_server_that_stood_still_gives_its_clients_the_time_again() -> None:
    async def story() -> None:
        watching, write = await writing()
        await asyncio.sleep(UNREAD_S / 2)
        cast("VirtualLoop", asyncio.get_running_loop()).stand_still(3 * UNREAD_S)
        await asyncio.sleep(UNREAD_S - 2)
        assert not watching.done()
        await asyncio.sleep(4)
        assert isinstance(watching.exception(), StatusError)
        write.cancel()

    run_virtual(story())


def test_a_server_without_a_core_does_not_blame_its_clients() -> None:
    async def story() -> None:
        watching, write = await writing()
        for _ in range(50):
            await asyncio.sleep(0.2)
            cast("VirtualLoop", asyncio.get_running_loop()).stand_still(0.6)
        assert not watching.done()
        await asyncio.sleep(UNREAD_S + 1)
        assert isinstance(watching.exception(), StatusError)
        write.cancel()

    run_virtual(story())


def test_whoever_confirms_nothing_reads_nothing_though_writes_end() -> None:
    async def story() -> None:
        outflow, watching = confirmed_outflow()
        await outflow.write(pb.AnimateResponse())
        outflow.sent(1)
        while not watching.done():
            await outflow.write(pb.AnimateResponse())
            await asyncio.sleep(0.1)
            assert asyncio.get_running_loop().time() < 2 * UNREAD_S
        assert isinstance(watching.exception(), StatusError)

    run_virtual(story())


def test_a_client_that_confirms_keeps_its_call() -> None:
    async def story() -> None:
        outflow, watching = confirmed_outflow()
        for number in range(1, 61):
            await outflow.write(pb.AnimateResponse())
            outflow.sent(number)
            await asyncio.sleep(0.9)
            outflow.confirmed(number - 1)
        assert not watching.done()
        watching.cancel()

    run_virtual(story())
