"""``vivant serve`` in a process of its own, what is said to it, and the frames that come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from benchmarks.processes import process
from benchmarks.report import voice
from vivant.client import Client, connect
from vivant.types import Output
from vivant.v1 import vivant_pb2 as pb

FPS = 25
RATE_HZ = 12_000


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
