"""Half an hour of talk in virtual time, the same for both plugins: what a face gives must stay whole, in time and bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from resource import getpagesize
from typing import Protocol

import numpy as np

MINUTES = 30
SETTLED_S = 300
"""Memory and lip-sync are compared with those of the first five minutes."""
MOST_GROWTH_MB = 8
MOST_DRIFT_MS = 10
"""Of medians: lines begin anywhere within a frame of 40 ms, and five minutes have some fifty lines."""
EARLIEST_MS, LATEST_MS = -45.0, 15.0
"""Picture minus sound, as broadcasters want it (EBU R37 has 40 and 60 ms; ATSC IS-191 15 and 45)."""


class Talker(Protocol):
    """A face, which counts what it gives, and how much later than its sound each picture comes."""

    n_pictures: int
    n_samples: int
    n_ends: int

    @property
    def skews_ms(self) -> list[float]: ...
    async def say(self, line: np.ndarray) -> None: ...
    async def interrupt(self) -> None: ...


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize() / 1e6


async def talk(face: Talker, voice: Callable[[float], np.ndarray]) -> None:
    """Lines of all lengths, some shorter than a frame and some interrupted; then judges. ``voice`` gives so many seconds."""
    loop, chance = asyncio.get_running_loop(), np.random.default_rng(1)
    n_lines = n_cut = n_settled = 0
    settled_mb = 0.0
    while loop.time() < 60 * MINUTES:
        if not settled_mb and loop.time() > SETTLED_S:
            settled_mb, n_settled = resident_mb(), len(face.skews_ms)
        n_lines += 1
        line = voice(float(chance.choice([chance.uniform(0.003, 0.04), chance.uniform(0.2, 9)], p=[0.1, 0.9])))
        wanted = face.n_samples + len(line)
        await face.say(line)
        if chance.random() < 0.2:
            await asyncio.sleep(chance.uniform(0, 3))
        if face.n_samples < wanted and chance.random() < 0.2:
            await face.interrupt()
            n_cut += 1
        else:
            while face.n_samples < wanted or face.n_ends < n_lines - n_cut:
                await asyncio.sleep(0.04)
        await asyncio.sleep(chance.uniform(0, 4))
    judge(face, n_lines, n_cut, n_settled, resident_mb() - settled_mb)


def judge(face: Talker, n_lines: int, n_cut: int, n_settled: int, grown_mb: float) -> None:
    skews = np.array(face.skews_ms)
    drift_ms = float(np.median(skews[-n_settled:]) - np.median(skews[:n_settled]))
    print(
        f"{n_lines} lines, {n_cut} interrupted; {face.n_pictures} pictures; picture minus sound {skews.min():.0f} to "
        f"{skews.max():.0f} ms, drift {drift_ms:.2f} ms; memory {grown_mb:+.1f} MB since minute {SETTLED_S // 60}"
    )
    assert face.n_ends == n_lines - n_cut and n_cut > 10
    assert face.n_pictures > 0.97 * 25 * 60 * MINUTES
    assert skews.min() >= EARLIEST_MS and skews.max() <= LATEST_MS
    assert abs(drift_ms) <= MOST_DRIFT_MS and grown_mb <= MOST_GROWTH_MB
