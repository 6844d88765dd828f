"""``vivant serve`` in a process of its own, and what a benchmark asks of it: processor time, memory, frames."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import voice
from vivant.client import Client, Event, connect
from vivant.v1 import vivant_pb2 as pb

FPS = 25
RATE_HZ = 12_000


@asynccontextmanager
async def process(*command: str, port_after: str) -> AsyncIterator[tuple[int, int]]:
    """A server process that prints its port: (pid, port)."""
    child = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert child.stdout is not None
        line = await asyncio.to_thread(child.stdout.readline)
        yield child.pid, int(line.split(port_after)[1].split()[0])
    finally:
        child.terminate()
        await asyncio.to_thread(child.wait)


@asynccontextmanager
async def vivant_serve() -> AsyncIterator[tuple[int, int]]:
    """(pid, port)."""
    code = "from vivant.cli import main; main()"
    async with process("-c", code, "serve", "--port", "0", port_after="127.0.0.1:") as found:
        yield found


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[int, Client]]:
    """``vivant serve`` with a warm portrait: (pid, client)."""
    async with vivant_serve() as (pid, port), connect(f"127.0.0.1:{port}") as client:
        await client.warm_up("ada")
        yield pid, client


def speech(seconds: float) -> Any:  # noqa: ANN401
    """(n,) of the bundled voice, again and again."""
    samples, rate_hz = voice()
    return np.resize(samples[:: rate_hz // RATE_HZ][: RATE_HZ * 10], round(seconds * RATE_HZ))


def settings(**more: Any) -> pb.SessionConfig:  # noqa: ANN401
    return pb.SessionConfig(sample_rate_hz=RATE_HZ, **more)


def cpu_ms(pid: int) -> float:
    """Of all threads of a process, to the microsecond."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e6


def memory_mb(pid: int) -> float:
    """Resident, without what is shared with other processes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1000


async def served_frames(client: Client, n_faces: int, seconds: float, **more: Any) -> int:  # noqa: ANN401
    """Frames (or motion) that arrive from faces that speak at the same time."""

    async def one(seed: int) -> int:
        async with client.animate("ada", settings(seed=seed, **more)) as face:
            await face.push(speech(seconds))
            await face.finish()
            return sum([not isinstance(item, Event | pb.Statistics) async for item in face])

    return sum(await asyncio.gather(*(one(seed) for seed in range(n_faces))))
