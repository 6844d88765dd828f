"""Half an hour of talk in virtual time: the voice whole, pictures in time with it from first to last, memory flat.

pytest -m slow tests/test_half_an_hour.py -s
"""

from __future__ import annotations

import asyncio

import half_an_hour
import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd
from scripted import RATE_HZ, voice
from sync_kit import MeasuredGenerator
from test_generator import push

from vivant.testing import Inline, LoopClock, PlainFace, run_virtual


class Heard:
    """Counts what a generator gives, and keeps nothing of it."""

    def __init__(self, face: MeasuredGenerator) -> None:
        self.n_pictures = self.n_samples = self.n_ends = 0
        self._face = face

    @property
    def skews_ms(self) -> list[float]:
        return self._face.measure.skews_ms

    async def say(self, line: np.ndarray) -> None:
        await push(self._face, line)

    async def interrupt(self) -> None:
        await self._face.clear_buffer()

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
        face = MeasuredGenerator(PlainFace(), sample_rate_hz=RATE_HZ, size_px=64, seed=1, clock=LoopClock(), executor=Inline())
        heard = Heard(face)
        taking = asyncio.create_task(heard.take())
        await half_an_hour.talk(heard, voice)
        taking.cancel()
        await face.aclose()

    run_virtual(talk())
