"""Half an hour of talk in virtual time: the voice whole, pictures in time with it from first to last, memory flat.

pytest -m slow tests/test_half_an_hour.py -s
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from resource import getpagesize

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd
from scripted import RATE_HZ, voice
from sync_kit import EARLIEST_MS, LATEST_MS, MeasuredGenerator
from test_generator import push

from vivant.testing import Inline, LoopClock, PlainFace, run_virtual

MINUTES = 30
SETTLED_S = 300
"""Memory and lip-sync are compared with those of the first five minutes."""
MOST_GROWTH_MB = 8
MOST_DRIFT_MS = 10
"""Of medians: lines begin anywhere within a frame of 40 ms, and five minutes have some fifty lines."""


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize() / 1e6


class Heard:
    """Counts what a generator gives, and keeps nothing of it."""

    def __init__(self, face: MeasuredGenerator) -> None:
        self.n_pictures = self.n_samples = self.n_ends = 0
        self._face = face

    async def take(self) -> None:
        async for item in self._face:
            if isinstance(item, rtc.VideoFrame):
                self.n_pictures += 1
            elif isinstance(item, rtc.AudioFrame):
                self.n_samples += item.samples_per_channel
            else:
                assert isinstance(item, AudioSegmentEnd)
                self.n_ends += 1


@pytest.mark.slow
def test_half_an_hour_of_talk() -> None:
    async def talk() -> None:
        loop, chance = asyncio.get_running_loop(), np.random.default_rng(1)
        face = MeasuredGenerator(PlainFace(), sample_rate_hz=RATE_HZ, size_px=64, seed=1, clock=LoopClock(), executor=Inline())
        heard = Heard(face)
        taking = asyncio.create_task(heard.take())
        n_lines = n_cut = 0
        settled_mb, n_settled = 0.0, 0
        while loop.time() < 60 * MINUTES:
            if not settled_mb and loop.time() > SETTLED_S:
                settled_mb, n_settled = resident_mb(), len(face.measure.skews_ms)
            n_lines, n_before = n_lines + 1, heard.n_samples
            line = voice(float(chance.choice([chance.uniform(0.003, 0.04), chance.uniform(0.2, 9)], p=[0.1, 0.9])))
            await push(face, line)
            if chance.random() < 0.2:
                await asyncio.sleep(chance.uniform(0, 3))
            if heard.n_samples < n_before + len(line) and chance.random() < 0.2:
                await face.clear_buffer()
                n_cut += 1
            else:
                while heard.n_samples < n_before + len(line) or heard.n_ends < n_lines - n_cut:
                    await asyncio.sleep(0.04)
            await asyncio.sleep(chance.uniform(0, 4))
        taking.cancel()
        await face.aclose()
        skews, grown_mb = np.array(face.measure.skews_ms), resident_mb() - settled_mb
        drift_ms = float(np.median(skews[-n_settled:]) - np.median(skews[:n_settled]))
        print(
            f"{n_lines} lines, {n_cut} interrupted; {heard.n_pictures} pictures; picture minus sound {skews.min():.0f} to "
            f"{skews.max():.0f} ms, drift {drift_ms:.2f} ms; memory {grown_mb:+.1f} MB since minute {SETTLED_S // 60}"
        )
        assert heard.n_ends == n_lines - n_cut and n_cut > 10
        assert heard.n_pictures > 0.97 * 25 * 60 * MINUTES
        assert skews.min() >= EARLIEST_MS and skews.max() <= LATEST_MS
        assert abs(drift_ms) <= MOST_DRIFT_MS and grown_mb <= MOST_GROWTH_MB

    run_virtual(talk())
