"""Half an hour of talk in virtual time: the voice whole, pictures in time with it from first to last, memory flat.

pytest -m slow tests/test_half_an_hour.py -s
"""

from __future__ import annotations

import asyncio
from typing import Any

import half_an_hour
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

    async def interrupt(self) -> None:
        await self._interrupt()

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


@pytest.mark.slow
def test_half_an_hour_of_talk() -> None:
    async def talk() -> None:
        face = Measured()
        await face._open()
        await half_an_hour.talk(face, voice)
        await face._close()

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
        while face.n_ends <= n_ends:
            await asyncio.sleep(0.04)
        await asyncio.sleep(2)
        assert (n_ends, face.n_ends, face.n_samples - n_samples) == (0, 1, len(voice(0.4)))
        await face._close()

    run_virtual(interrupt())
