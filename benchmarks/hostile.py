"""Clients that a server must survive, each a process of its own that goes on until it is killed: KIND PORT SEED."""

from __future__ import annotations

import asyncio
import io
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial

import grpc
from PIL import Image

from benchmarks.report import PORTRAITS
from benchmarks.served import RATE_HZ, speech
from vivant.client import RemoteConfig, RemoteSession, connect
from vivant.errors import VivantError
from vivant.provenance.consent import Consent
from vivant.v1 import vivant_pb2 as pb

SERVICE = "/vivant.v1.FaceService/"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""RFC 9113, 3.4."""
LINE_S = 30.0
AGAIN_S = 1.0
Kind = Callable[[int, random.Random], Awaitable[None]]


async def caller(port: int, chance: random.Random) -> None:
    """Two faces that speak, one of them through shared memory: to be killed, or stopped, in the middle."""
    async with connect(f"127.0.0.1:{port}") as client:

        async def one(*, shared_memory: bool) -> None:
            config = RemoteConfig(sample_rate_hz=RATE_HZ, shared_memory=shared_memory, priority=40)
            async with client.animate("ada", config) as face:
                await face.push(speech(LINE_S))
                async for _ in face:
                    if chance.random() < 0.02:
                        await face.interrupt()
                        await face.push(speech(LINE_S))

        await asyncio.gather(again(partial(one, shared_memory=False)), again(partial(one, shared_memory=True)))


async def unread(port: int, chance: random.Random) -> None:
    """Calls whose answers nobody reads, of both kinds; after their end none is opened again."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        config = pb.SessionConfig(portrait=pb.PortraitRef(id="ada"), sample_rate_hz=RATE_HZ)
        pcm = (speech(LINE_S) * 32767).astype("<i2").tobytes()
        calls = []
        for _ in range(chance.randint(2, 4)):
            call = channel.stream_stream(SERVICE + "Animate")()
            calls.append(call)
            await call.write(pb.AnimateRequest(config=config).SerializeToString())
            await call.write(pb.AnimateRequest(audio=pb.Audio(samples=pcm)).SerializeToString())
        asked = pb.SynthesizeRequest(config=config, samples=pcm).SerializeToString()
        calls += [channel.unary_stream(SERVICE + "Synthesize")(asked) for _ in range(3)]
        await asyncio.Event().wait()


async def half_open(port: int, chance: random.Random) -> None:
    """Connections that say nothing, or stop after HTTP/2's first words, and calls without a config: up to 150."""
    writers, channel = [], grpc.aio.insecure_channel(f"127.0.0.1:{port}")
    calls = [channel.stream_stream(SERVICE + "Animate")() for _ in range(10)]
    for _ in range(140):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(PREFACE[: chance.randint(0, len(PREFACE))])
        writers.append(writer)
        await asyncio.sleep(0.05)
    await asyncio.Event().wait()
    assert calls


async def garbage(port: int, chance: random.Random) -> None:
    """Random bytes to the port and to every method."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        methods = [method.name for method in pb.DESCRIPTOR.services_by_name["FaceService"].methods]
        while True:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(PREFACE * chance.randint(0, 1) + chance.randbytes(chance.randint(1, 4000)))
            call = channel.stream_stream(SERVICE + chance.choice(methods))
            with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError, ConnectionError, TimeoutError):
                async with asyncio.timeout(1):
                    await call(_one(chance.randbytes(chance.randint(0, 300)))).read()
            writer.close()
            await asyncio.sleep(0.02)


async def _one(message: bytes) -> AsyncIterator[bytes]:
    yield message


async def portraits(port: int, chance: random.Random) -> None:
    """Pictures of its own, one new one after another and as many as a client may keep, and forty swaps a second in a call."""
    async with connect(f"127.0.0.1:{port}") as client:

        async def put() -> None:
            while True:
                with suppress(VivantError):  # no room, or no face in it
                    await client.put_portrait(turned_picture(chance), Consent.UNREAL)
                if chance.random() < 0.2:
                    for portrait_id in (await client.portraits())[-3:]:
                        with suppress(VivantError):
                            await client.delete_portrait(portrait_id)

        async def swap() -> None:
            config = RemoteConfig(sample_rate_hz=RATE_HZ, size_px=128, priority=10)
            async with client.animate("ada", config) as face:
                reading = asyncio.create_task(_read(face))
                while not reading.done():
                    await face.set_portrait(chance.choice(("ada", "bram", "noor", "nobody")))
                    await asyncio.sleep(0.025)

        await asyncio.gather(again(put), again(swap))


async def crowd(port: int, chance: random.Random) -> None:
    """Thirty visitors, more than are admitted: each speaks for a while, or is refused and comes again."""
    async with connect(f"127.0.0.1:{port}") as client:

        async def visit() -> None:
            config = RemoteConfig(sample_rate_hz=RATE_HZ, size_px=128, priority=10)
            async with client.animate("ada", config) as face, asyncio.timeout(chance.uniform(2, 20)):
                await face.push(speech(20))
                await _read(face)

        await asyncio.gather(*(again(visit) for _ in range(30)))


async def again(work: Callable[[], Awaitable[None]]) -> None:
    """For ever, also where it is refused."""
    while True:
        with suppress(VivantError, TimeoutError):
            await work()
        await asyncio.sleep(AGAIN_S)


async def _read(face: RemoteSession) -> None:
    async for _ in face:
        pass


def turned_picture(chance: random.Random) -> bytes:
    """One of the bundled people, turned by a little, so that no two are the same."""
    out = io.BytesIO()
    picture = Image.open(chance.choice(PORTRAITS)).convert("RGB").resize((480, 480))
    picture.rotate(chance.uniform(-8, 8)).save(out, "JPEG", quality=90)
    return out.getvalue()


KINDS: dict[str, Kind] = {
    "caller": caller,
    "unread": unread,
    "half open": half_open,
    "garbage": garbage,
    "portraits": portraits,
    "crowd": crowd,
}


def main() -> None:
    kind, port, seed = sys.argv[1:4]

    async def go() -> None:
        await KINDS[kind](int(port), random.Random(seed))

    asyncio.run(go())
