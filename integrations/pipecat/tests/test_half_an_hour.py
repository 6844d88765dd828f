"""Half an hour of talk in virtual time: the voice whole, pictures in time with it from first to last, memory flat.

pytest -m slow tests/test_half_an_hour.py -s
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from resource import getpagesize
from typing import Any

import numpy as np
import pytest
from pipecat.frames.frames import (
    Frame,
    OutputImageRawFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat_vivant import VivantVideoService
from test_video_service import RATE_HZ, spoken, voice

import vivant
from vivant.testing import Inline, LoopClock, PlainFace, run_virtual

MINUTES = 30
SETTLED_S = 300
"""Memory and lip-sync are compared with those of the first five minutes."""
MOST_GROWTH_MB = 8
MOST_DRIFT_MS = 10
"""Of medians: lines begin anywhere within a frame of 40 ms, and five minutes have some fifty lines."""
EARLIEST_MS, LATEST_MS = -45.0, 15.0
"""Picture minus sound, as broadcasters want it (ATSC IS-191)."""


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize() / 1e6


class Measured(VivantVideoService):
    """The service without a pipeline: counts what it gives, and how much later than its sound each picture comes.

    A player is thought behind it that plays the sound as soon as it can.
    """

    def __init__(self, **how: Any) -> None:
        super().__init__(PlainFace(), size_px=64, seed=1, clock=LoopClock(), executor=Inline(), **how)
        self._rate_hz = RATE_HZ
        self.n_pictures = self.n_samples = self.n_ends = 0
        self.skews_ms: list[float] = []
        self._start_us, self._due_us, self._zero_s = 0, -1, 0.0
        self._n_of_line = 0
        self._waiting: list[tuple[float, float]] = []

    def create_task(self, coroutine: Any, name: str | None = None, **_: Any) -> asyncio.Task[Any]:
        return asyncio.create_task(coroutine, name=name)

    async def cancel_task(self, task: asyncio.Task[Any], *_: Any, **__: Any) -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def say(self, line: np.ndarray) -> None:
        session = self._hearing
        assert session is not None
        for frame in spoken(line):
            if isinstance(frame, TTSAudioRawFrame):
                await self._hear(frame, session)
            elif isinstance(frame, TTSStoppedFrame):
                await self._hold(frame, session)

    async def push_frame(self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM) -> None:
        now_s = asyncio.get_running_loop().time()
        if isinstance(frame, OutputImageRawFrame):
            self.n_pictures += 1
            if self._due_us >= 0:
                self._waiting.append((self._due_us / 1e6, now_s))
        elif isinstance(frame, TTSAudioRawFrame):
            n = len(frame.audio) // 2
            if not self._n_of_line:
                self._zero_s = now_s
            self._zero_s = max(self._zero_s, now_s - self._n_of_line / RATE_HZ)  # it ran dry: all after it is later
            self._n_of_line += n
            self.n_samples += n
            self.skews_ms += [1000 * (at_s - self._zero_s - place_s) for place_s, at_s in self._waiting]
            self._waiting.clear()
        elif isinstance(frame, TTSStoppedFrame):
            self.n_ends += 1

    async def _give(self, item: vivant.Item, session: vivant.Session) -> None:
        if isinstance(item, vivant.UtteranceStart):
            self._start_us, self._n_of_line = item.position_us, 0
            self._waiting.clear()
        is_spoken = isinstance(item, vivant.Output) and item.utterance is not None
        self._due_us = item.pts_us - self._start_us if is_spoken else -1  # type: ignore[union-attr]
        await super()._give(item, session)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.04)


@pytest.mark.slow
def test_half_an_hour_of_talk() -> None:
    async def talk() -> None:
        loop, chance, face = asyncio.get_running_loop(), np.random.default_rng(1), Measured()
        await face._open()
        n_lines = n_cut = n_settled = 0
        settled_mb = 0.0
        while loop.time() < 60 * MINUTES:
            if not settled_mb and loop.time() > SETTLED_S:
                settled_mb, n_settled = resident_mb(), len(face.skews_ms)
            n_lines += 1
            wanted = face.n_samples + len(line := voice(float(chance.choice([0.005, chance.uniform(0.2, 9)], p=[0.1, 0.9]))))
            await face.say(line)
            if chance.random() < 0.2:
                await asyncio.sleep(chance.uniform(0, 3))
            if face.n_samples < wanted and chance.random() < 0.2:
                await face._interrupt()
                n_cut += 1
            else:
                await until(lambda: face.n_samples >= wanted and face.n_ends >= n_lines - n_cut)  # noqa: B023
            await asyncio.sleep(chance.uniform(0, 4))
        await face._close()
        skews, grown_mb = np.array(face.skews_ms), resident_mb() - settled_mb
        drift_ms = float(np.median(skews[-n_settled:]) - np.median(skews[:n_settled]))
        print(
            f"{n_lines} lines, {n_cut} interrupted; {face.n_pictures} pictures; picture minus sound {skews.min():.0f} to "
            f"{skews.max():.0f} ms, drift {drift_ms:.2f} ms; memory {grown_mb:+.1f} MB since minute {SETTLED_S // 60}"
        )
        assert face.n_ends == n_lines - n_cut and n_cut > 10
        assert face.n_pictures > 0.97 * 25 * 60 * MINUTES
        assert skews.min() >= EARLIEST_MS and skews.max() <= LATEST_MS
        assert abs(drift_ms) <= MOST_DRIFT_MS and grown_mb <= MOST_GROWTH_MB

    run_virtual(talk())


def test_interruptions_by_the_hundred_leave_nothing_behind() -> None:
    async def interrupt() -> None:
        chance, face = np.random.default_rng(2), Measured()
        await face._open()
        for _ in range(100):
            await face.say(voice(1.0))
            await asyncio.sleep(float(chance.uniform(0, 0.4)))
            await face._interrupt()
        n_samples, n_ends = face.n_samples, face.n_ends
        await face.say(voice(0.4))
        await until(lambda: face.n_ends > n_ends)
        await asyncio.sleep(2)
        assert (n_ends, face.n_ends, face.n_samples - n_samples) == (0, 1, len(voice(0.4)))
        await face._close()

    run_virtual(interrupt())
