"""Clients that stop reading, freeze, die or hang up: others are served on, and what was theirs is free soon.

How soon is what gRPC is told; measured in real time it would say how busy the machine is.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from multiprocessing.shared_memory import SharedMemory

import grpc
import pytest

from tests.session.server_kit import gone, kind_of, raw_stub, run_served, settings, tone, until
from vivant.client import Client
from vivant.server.call import Call
from vivant.server.limits import Limits
from vivant.server.listener import _options
from vivant.server.server import Server, ServerConfig
from vivant.session.pace import STOOD_STILL_US
from vivant.types import Marker
from vivant.v1 import vivant_pb2 as pb

pytestmark = [pytest.mark.session, pytest.mark.realtime]

WAIT_S = 90.0
"""For a machine with much else to do."""
SOON = ServerConfig(limits=Limits(silence_s=1.0))
"""A frozen client is noticed within two seconds."""
_CLIENT = """
import asyncio, sys
from vivant.client import connect
from vivant.types import Marker
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
    """Somebody else's face still does: live, however few pictures a busy machine has time for, and every frame of a file."""
    async with client.animate("ada", settings()) as face:
        await face.push(tone(0.5))
        await face.end()
        _, said = await until(face, "UTTERANCE_FINISHED")
        assert [kind_of(each) for each in said if isinstance(each, Marker)] == ["UTTERANCE_STARTED", "UTTERANCE_FINISHED"]
    async with client.animate("ada", settings(delivery=pb.DELIVERY_IMMEDIATE)) as face:
        await face.push(tone(0.5))
        await face.end()
        frames, _ = await until(face, "UTTERANCE_FINISHED")
        assert len(frames) >= 10
        assert [frame.motion.index for frame in frames] == list(range(len(frames)))


def test_a_client_that_is_gone_without_a_word_is_noticed() -> None:
    told = dict(_options(Limits(silence_s=2.5)))
    assert (told["grpc.keepalive_time_ms"], told["grpc.keepalive_timeout_ms"]) == (1000, 2500)
    assert told["grpc.http2.max_pings_without_data"] == 0  # as often as it takes


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "freezes"])
def test_a_client_that_dies_or_freezes(sign: signal.Signals) -> None:
    async def story(server: Server, client: Client) -> None:
        process = await stranger(server, 64, "SHARED_MEMORY")
        assert process.stdout is not None
        try:
            ring = (await process.stdout.readline()).decode().strip()
            assert len(server.shared.load_shedder.members) == 1
            process.send_signal(sign)
            await gone(server)
            with pytest.raises(FileNotFoundError):
                SharedMemory(ring)
            await speaks(client)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    run_served(story, SOON, wait_s=WAIT_S)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "freezes"])
def test_a_client_lost_with_a_frame_on_its_way_is_no_fault_of_the_server(
    sign: signal.Signals, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(server: Server, client: Client) -> None:
        process = await stranger(server, 512, "INLINE")
        assert process.stdout is not None
        await process.stdout.readline()
        (call,) = server.shared.load_shedder.members
        process.send_signal(signal.SIGSTOP)
        while server.shared.load_shedder.members and not call.figures["frames_dropped"]:  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)  # until a write has been waiting, or that took so long that the call is over
        process.send_signal(sign)
        await gone(server)
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await speaks(client)

    run_served(story, SOON, wait_s=WAIT_S)
    assert not [record for record in caplog.records if record.name.startswith("vivant") and record.levelname == "ERROR"]


def test_a_reader_that_sleeps_costs_the_others_nothing_and_memory_stays() -> None:
    async def story(server: Server, client: Client) -> None:
        channel, animate = raw_stub(server)
        sleepy = animate()
        await sleepy.write(
            pb.AnimateRequest(config=settings(portrait=pb.PortraitRef(id="ada"), size_px=512)).SerializeToString()
        )
        while not any(isinstance(member, Call) for member in server.shared.load_shedder.members):  # a place, first
            await asyncio.sleep(0.01)
        (call,) = server.shared.load_shedder.members
        await speaks(client)
        while call.figures["frames_dropped"] < 30:  # type: ignore[attr-defined] # 30 MB that nobody takes
            await asyncio.sleep(0.01)
        waiting = call._session.playout._items  # type: ignore[attr-defined]
        assert waiting.stats.peak_ms <= STOOD_STILL_US / 1000 + 50
        sleepy.cancel()
        await gone(server)
        await channel.close()

    run_served(story, wait_s=WAIT_S)


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
        await gone(server)
        await speaks(client)
        await channel.close()

    run_served(story, wait_s=WAIT_S)
