"""Pushing before anything is read: it goes on, or ends with the server's reason, and what was read meanwhile is not lost."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import grpc
import numpy as np
import pytest

from tests.session.server_kit import RATE_HZ, picture, run_served, settings, tone, until
from vivant.client import Client
from vivant.client import reader as reader_module
from vivant.client.backlog import Backlog
from vivant.client.reader import MOST_EARLY, Reader, bare_write
from vivant.errors import UnavailableError
from vivant.server.call import Call
from vivant.server.limits import Limits
from vivant.server.server import Server, ServerConfig
from vivant.testing import LoopClock, run_virtual
from vivant.types import Output
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.responses import ReceivedFrame

pytestmark = [pytest.mark.session, pytest.mark.realtime]

QUEUE_MS = 20_000


async def something_was_sent(server: Server) -> None:
    """Wait until a picture lies before whatever the server says next."""
    while not any(isinstance(call, Call) and call.figures["frames_sent"] for call in server.shared.load_shedder.members):
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("length_s", [0.1, 5.0, 40.0])
def test_more_than_a_live_server_queues_is_refused_where_it_is_pushed(length_s: float) -> None:
    """Nobody reads, and pictures of 1 MiB would lie in front of the server's own refusal. The call goes on."""

    async def story(server: Server, client: Client) -> None:
        async with client.animate(picture(10), settings(size_px=512)) as face:
            await face.push(tone(0.5))
            await something_was_sent(server)
            with pytest.raises(UnavailableError, match="of audio would be queued; send it later"):
                for _ in range(QUEUE_MS // 50):
                    await face.push(tone(length_s))
            await face.interrupt()
            await face.push(tone(0.5))
            await face.end()
            await until(face, "UTTERANCE_FINISHED")

    run_served(story, ServerConfig(limits=Limits(audio_queue_ms=QUEUE_MS)), 30)


def test_what_was_spoken_makes_room() -> None:
    async def story() -> None:
        backlog = Backlog(settings(delivery="DELIVERY_PACED", audio_queue_ms=4_000), LoopClock())
        assert backlog.most_ms == 3_500 and backlog.excess_us(4 * RATE_HZ) == 500_000
        backlog.add(3 * RATE_HZ)
        assert backlog.excess_us(RATE_HZ) == 500_000
        await LoopClock().sleep_until(1_000_000)
        assert backlog.excess_us(RATE_HZ) == -500_000
        backlog.waits(3_500_000)  # the server has fallen behind
        assert backlog.excess_us(1) > 0
        backlog.forget()
        assert backlog.excess_us(3 * RATE_HZ) < 0

    run_virtual(story())


def test_what_was_pushed_before_reading_comes_out_whole() -> None:
    async def story(server: Server, client: Client) -> None:
        config = settings(size_px=512, delivery="DELIVERY_IMMEDIATE")
        async with client.animate(picture(10), config) as face:
            for _ in range(8):
                await face.push(np.asarray(tone(0.25)))
            await face.finish()
            indices = [item.motion.index async for item in face if isinstance(item, Output)]
            assert indices == list(range(50))

    run_served(story, wait_s=30)


def test_a_refusal_behind_unread_pictures_ends_the_pushing() -> None:
    async def story(server: Server, client: Client) -> None:
        async with client.animate(picture(10), settings(size_px=512, delivery="DELIVERY_IMMEDIATE")) as face:
            await face.push(tone(2))
            await something_was_sent(server)
            with pytest.raises(UnavailableError, match="ms of audio would be queued"):
                for _ in range(200):
                    await face.push(tone(1))

    run_served(story, ServerConfig(limits=Limits(audio_queue_ms=2 * QUEUE_MS)), 30)


def test_grpc_has_what_lies_under_a_write() -> None:
    """The one private part of gRPC that we use. Without it `write` goes the public way, and a server's reason may be lost."""

    async def story(server: Server, client: Client) -> None:
        call = client._stub.Animate()
        assert bare_write(call) is not None
        call.cancel()

    run_served(story)


@pytest.mark.parametrize("hidden", [False, True])
def test_a_request_goes_through_either_way(hidden: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if hidden:
        monkeypatch.setattr(reader_module, "bare_write", lambda call: None)

    async def story(server: Server, client: Client) -> None:
        async with client.animate(picture(10), settings()) as face:
            await face.push(tone(0.1))
            await face.end()
            await until(face, "UTTERANCE_FINISHED")

    run_served(story)


class HeldUp:
    """A call whose writes come through after so many responses were read."""

    def __init__(self, *responses: object, needs: int) -> None:
        self._responses, self._needs = deque(responses), needs
        self._through = asyncio.Event()

    async def read(self) -> Any:  # noqa: ANN401
        response = self._responses.popleft()
        self._needs -= 1
        if self._needs <= 0:
            self._through.set()
        return response

    async def write(self) -> None:
        await self._through.wait()


def test_reading_ahead_keeps_the_order_and_stops_with_the_write() -> None:
    async def story() -> None:
        call = HeldUp("a", "b", "c", grpc.aio.EOF, needs=2)
        reader = Reader(call, is_live=True)
        await reader.during(call.write())
        assert len(call._responses) in (1, 2)
        assert [await reader.next() for _ in range(4)] == ["a", "b", "c", grpc.aio.EOF]

    run_virtual(story())


def test_it_reads_nothing_while_somebody_else_does() -> None:
    async def story() -> None:
        call = HeldUp("a", "b", "c", needs=3)
        reader = Reader(call, is_live=True)
        taken: list[str] = []

        async def take() -> None:
            while len(taken) < 3:
                taken.append(await reader.next())

        await asyncio.gather(reader.during(call.write()), take())
        assert taken == ["a", "b", "c"] and not reader._early

    run_virtual(story())


@pytest.mark.parametrize("is_live", [True, False])
def test_what_is_read_ahead_is_bounded(is_live: bool) -> None:
    """The newest pictures of a live call, and every marker; of another nothing may be lost, so that the write is given up."""

    async def story() -> None:
        frames = [ReceivedFrame(pb.Frame(index=index), b"") for index in range(3 * MOST_EARLY)]
        call = HeldUp("marker", *frames, grpc.aio.EOF, needs=2 * MOST_EARLY if is_live else 4 * MOST_EARLY)
        reader = Reader(call, is_live=is_live)
        if is_live:
            await reader.during(call.write())
        else:
            with pytest.raises(UnavailableError, match="iterate the session while you push"):
                await reader.during(call.write())
        assert len(reader._early) <= MOST_EARLY and await reader.next() == "marker"
        first = await reader.next()
        assert (first.head.index > 0) == is_live

    run_virtual(story())
