"""Clients that stop reading, freeze, die or hang up: others are served on, and what was theirs is free within two seconds."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from multiprocessing.shared_memory import SharedMemory

import grpc
import pytest

from tests.session.server_kit import gone, raw_stub, run_served, settings, tone, until
from vivant.client import Client
from vivant.server.call import Call
from vivant.server.server import Server
from vivant.v1 import vivant_pb2 as pb

pytestmark = pytest.mark.session

FREED_S = 2.0
_CLIENT = """
import asyncio, sys
from vivant.client import connect
from vivant.v1 import vivant_pb2 as pb
async def main():
    size_px, transport = int(sys.argv[2]), "FRAME_TRANSPORT_" + sys.argv[3]
    config = pb.SessionConfig(size_px=size_px, frame_transport=transport)
    async with connect(sys.argv[1]) as client, client.animate("ada", config) as face:
        print(face.started.ring.name, flush=True)
        async for item in face:
            pass
asyncio.run(main())
"""


async def stranger(server: Server, size_px: int, transport: str) -> asyncio.subprocess.Process:
    """A process of its own that watches a face and says first the name of its ring."""
    words = (sys.executable, "-c", _CLIENT, f"127.0.0.1:{server.port}", str(size_px), transport)
    return await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)


async def speaks(client: Client) -> None:
    """Somebody else's face still does."""
    async with client.animate("ada", settings()) as face:
        await face.push(tone(0.5))
        await face.end()
        frames, _ = await until(face, "UTTERANCE_FINISHED")
        assert len(frames) >= 10


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "freezes"])
def test_a_client_that_dies_or_freezes(sign: signal.Signals) -> None:
    async def story(server: Server, client: Client) -> None:
        process = await stranger(server, 64, "SHARED_MEMORY")
        assert process.stdout is not None
        try:
            ring = (await process.stdout.readline()).decode().strip()
            assert len(server.house.governor.members) == 1
            process.send_signal(sign)
            began_us = server.house.clock.now_us()
            await gone(server)
            assert server.house.clock.now_us() - began_us <= FREED_S * 1e6
            with pytest.raises(FileNotFoundError):
                SharedMemory(ring)
            await speaks(client)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    run_served(story, wait_s=20)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "freezes"])
def test_a_client_lost_with_a_frame_on_its_way_is_no_fault_of_the_server(
    sign: signal.Signals, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(server: Server, client: Client) -> None:
        process = await stranger(server, 512, "INLINE")
        assert process.stdout is not None
        await process.stdout.readline()
        (call,) = server.house.governor.members
        process.send_signal(signal.SIGSTOP)
        while not call.figures["frames_dropped"]:  # type: ignore[attr-defined] # then a write has been waiting
            await asyncio.sleep(0.01)
        process.send_signal(sign)
        await gone(server)
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await speaks(client)

    run_served(story, wait_s=20)
    assert not [record for record in caplog.records if record.name.startswith("vivant") and record.levelname == "ERROR"]


def test_a_reader_that_sleeps_costs_the_others_nothing_and_memory_stays() -> None:
    async def story(server: Server, client: Client) -> None:
        channel, animate = raw_stub(server)
        sleepy = animate()
        await sleepy.write(
            pb.AnimateRequest(config=settings(portrait=pb.PortraitRef(id="ada"), size_px=512)).SerializeToString()
        )
        while not any(isinstance(member, Call) for member in server.house.governor.members):  # a place, first
            await asyncio.sleep(0.01)
        (call,) = server.house.governor.members
        await speaks(client)
        await asyncio.sleep(1)  # 26 MB/s that nobody takes
        assert call.figures["frames_dropped"] > 0  # type: ignore[attr-defined]
        sleepy.cancel()
        await asyncio.wait_for(gone(server), FREED_S)
        await channel.close()

    run_served(story, wait_s=20)


def test_half_closed_calls_end_by_themselves() -> None:
    async def story(server: Server, client: Client) -> None:
        channel, animate = raw_stub(server)
        silent, never_read = animate(), animate()
        for call in (silent, never_read):
            await call.write(pb.AnimateRequest(config=settings(portrait=pb.PortraitRef(id="ada"))).SerializeToString())
            await call.done_writing()
        while await silent.read() is not grpc.aio.EOF:
            pass
        assert await silent.code() == grpc.StatusCode.OK
        await asyncio.wait_for(gone(server), FREED_S)
        await speaks(client)
        await channel.close()

    run_served(story, wait_s=20)
