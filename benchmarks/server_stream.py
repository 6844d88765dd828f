"""What sending costs by itself: processor time per 512 px RGBA frame at full speed, of a server with a model and a face that do
nothing, against a bare stream of as many bytes, by turns in one run. ``python -m benchmarks.server_stream [--rounds N]``

What the pictures cost without a server (label, mark, stream) is measured in the same run and taken off.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

import numpy as np

from benchmarks.processes import cpu_ms, process
from benchmarks.served import RATE_HZ, bare_stream
from tests.session.virtual_call import StillVoice
from vivant.client import Client, RemoteConfig, connect
from vivant.session.stream import FaceStream
from vivant.testing import PlainFace
from vivant.types import Output

SIZE_PX, SECONDS = 512, 20
N_FRAMES = 25 * SECONDS
_SERVED = """
import asyncio
from tests.session.virtual_call import StillVoice
from vivant.server.server import Server
from vivant.testing import PlainFace
async def main():
    async with Server(opener=lambda image, /, *, transparent: PlainFace(), motion=StillVoice()) as server:
        print("port", server.port, flush=True)
        await server.wait()
asyncio.run(main())
"""
SILENCE = np.zeros(RATE_HZ * SECONDS, np.float32)


def alone_ms() -> float:
    """The same frames in one thread, for nobody."""
    began = time.process_time()
    with FaceStream(PlainFace(), size_px=SIZE_PX, sample_rate_hz=RATE_HZ, motion=StillVoice()) as stream:
        n_frames = sum(isinstance(item, Output) for items in (stream.push(SILENCE), stream.finish()) for item in items)
    return 1000 * (time.process_time() - began) / n_frames


async def bare_ms(pid: int, pour: Callable[[], Awaitable[None]]) -> float:
    began = cpu_ms(pid)
    await pour()
    return (cpu_ms(pid) - began) / N_FRAMES


async def served_ms(pid: int, client: Client, *, pictures: bool) -> float:
    config = RemoteConfig(size_px=SIZE_PX, sample_rate_hz=RATE_HZ, pictures=pictures, motion=not pictures)
    began, n_frames = cpu_ms(pid), 0
    async for item in client.synthesize("ada", SILENCE, config):
        n_frames += isinstance(item, Output)
    assert n_frames >= N_FRAMES - 1
    return (cpu_ms(pid) - began) / n_frames


async def main(rounds: int) -> None:
    costs: dict[str, list[float]] = {name: [] for name in ("pictures alone", "bare stream", "motion served", "RGBA served")}
    async with (
        process(_SERVED, port_after="port ") as (pid, port),
        bare_stream(SIZE_PX**2 * 4, N_FRAMES) as (bare_pid, pour),
        connect(f"127.0.0.1:{port}") as client,
    ):
        for _ in range(rounds):
            costs["pictures alone"].append(await asyncio.to_thread(alone_ms))
            costs["bare stream"].append(await bare_ms(bare_pid, pour))
            costs["motion served"].append(await served_ms(pid, client, pictures=False))
            costs["RGBA served"].append(await served_ms(pid, client, pictures=True))
    for name, each in costs.items():
        print(f"{name:15} {statistics.median(each):6.3f} ms per frame, {min(each):.3f} to {max(each):.3f}")
    alone, bare, motion, whole = (np.array(each) for each in costs.values())
    print(f"{'session, call':15} {np.median(motion / bare):6.2f} of a bare stream: tasks, threads and a small message")
    print(f"{'their bytes':15} {np.median((whole - alone - motion) / bare):6.2f} of a bare stream of as many")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    asyncio.run(main(parser.parse_args().rounds))
