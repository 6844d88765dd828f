"""``vivant serve`` in a process of its own, what is said to it, and the frames that come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import numpy as np

from benchmarks.processes import process
from benchmarks.report import voice
from vivant.client import Client, connect
from vivant.types import Output
from vivant.v1 import vivant_pb2 as pb

FPS = 25
RATE_HZ = 12_000
_BARE = """
import asyncio, os
import grpc
picture = memoryview(os.urandom({size}))  # zeros would be one page read again and again
async def pour(_, context):
    loop = asyncio.get_running_loop()
    began = loop.time()
    for n in range({frames}):
        if {fps}:
            await asyncio.sleep(max(0, began + n / {fps} - loop.time()))
        await context.write(picture.tobytes())
async def main():
    server = grpc.aio.server()
    handler = grpc.unary_stream_rpc_method_handler(pour)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bare.Bare", {{"Pour": handler}}),))
    print("port", server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await server.wait_for_termination()
asyncio.run(main())
"""


@asynccontextmanager
async def bare_stream(size: int, frames: int, fps: int = 0) -> AsyncIterator[tuple[int, Callable[[], Awaitable[None]]]]:
    """A grpc.aio server that only sends ``size`` bytes so often, at ``fps`` or (0) as fast as it can: (pid, how to read it)."""
    async with (
        process(_BARE.format(size=size, frames=frames, fps=fps), port_after="port ") as (pid, port),
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):

        async def pour() -> None:
            async for _ in channel.unary_stream("/bare.Bare/Pour")(b""):
                pass

        yield pid, pour


@asynccontextmanager
async def vivant_serve(prelude: str = "", **how: Any) -> AsyncIterator[tuple[int, int]]:  # noqa: ANN401
    """(pid, port). ``prelude`` is Python that runs first in it; ``how`` as for `process`."""
    code = "from vivant.cli import main; main()"
    async with process(f"{prelude}\n{code}", "serve", "--port", "0", port_after="127.0.0.1:", **how) as found:
        yield found


@asynccontextmanager
async def serving(**how: Any) -> AsyncIterator[tuple[int, Client]]:  # noqa: ANN401
    """``vivant serve`` with a warm portrait: (pid, client)."""
    async with vivant_serve(**how) as (pid, port), connect(f"127.0.0.1:{port}") as client:
        await client.warm_up("ada")
        yield pid, client


def speech(seconds: float) -> Any:  # noqa: ANN401
    """(n,) of the bundled voice, again and again."""
    samples, rate_hz = voice()
    return np.resize(samples[:: rate_hz // RATE_HZ][: RATE_HZ * 10], round(seconds * RATE_HZ))


def settings(**more: Any) -> pb.SessionConfig:  # noqa: ANN401
    return pb.SessionConfig(sample_rate_hz=RATE_HZ, **more)


async def served_frames(client: Client, n_faces: int, seconds: float, **more: Any) -> int:  # noqa: ANN401
    """Frames (or motion) that arrive from faces that speak at the same time."""

    async def one(seed: int) -> int:
        async with client.animate("ada", settings(seed=seed, **more)) as face:
            await face.push(speech(seconds))
            await face.finish()
            return sum([isinstance(item, Output) async for item in face])

    return sum(await asyncio.gather(*(one(seed) for seed in range(n_faces))))
