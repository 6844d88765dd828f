"""A scripted bot and its user: lines, a voice, and a listener at the end of a pipeline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from vivant.samples import pcm_s16le
from vivant.testing import bundled_voice

RATE_HZ = 24_000
PIECE = RATE_HZ // 5
LINES = (
    "Hello. I am a picture, and this is my voice.",
    "Nothing of this leaves your machine: no key, no cloud, no meter that runs.",
    "Ask me something while I speak. I will stop at once, and I will not mind.",
    "Where were we? I listen, I think, and then I answer.",
)


class Listener(FrameProcessor):
    """Listener: takes what a transport would send, or has sent."""

    def __init__(self) -> None:
        super().__init__(enable_direct_mode=True)
        self.n_samples = 0
        self.first_s = 0.0
        """When the line's first sound came; 0 before."""
        self.ended = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.first_s = self.first_s or time.monotonic()
            self.n_samples += len(frame.audio) // 2
        elif isinstance(frame, TTSStoppedFrame):
            self.ended.set()
        await self.push_frame(frame, direction)


Voice = Callable[[str], np.ndarray]


async def talk(worker: PipelineWorker, listener: Listener, speak: Voice, n_lines: int) -> list[float]:
    """Line by line, every fourth of them interrupted. Returns ms from each line's voice to the face's."""
    waits_ms = []
    for i in range(n_lines):
        listener.first_s = 0.0
        listener.ended.clear()
        line = spoken(await asyncio.to_thread(speak, LINES[i % len(LINES)]))
        began_s = time.monotonic()
        for frame in line:
            await worker.queue_frame(frame)
        while not listener.first_s:
            await asyncio.sleep(0.005)
        waits_ms.append(1000 * (listener.first_s - began_s))
        if i % 4 == 2:
            await asyncio.sleep(0.8)
            await worker.queue_frames([UserStartedSpeakingFrame(), InterruptionFrame()])
            await asyncio.sleep(0.5)
            await worker.queue_frame(UserStoppedSpeakingFrame())
        else:
            await listener.ended.wait()
        await asyncio.sleep(0.6)
    return waits_ms


def spoken(samples: np.ndarray) -> list[Frame]:
    """As a text-to-speech brings it: all at once, in pieces."""
    pieces = [TTSAudioRawFrame(samples[i : i + PIECE].tobytes(), RATE_HZ, 1) for i in range(0, len(samples), PIECE)]
    return [TTSStartedFrame(), *pieces, TTSStoppedFrame()]


def voice() -> Voice:
    """Text in, (n,) int16 out: hibari-tts (Apache-2.0, 8 MB) where it is installed, else the bundled line whatever the text."""
    if find_spec("hibari") is not None:
        from hibari import Hibari

        hibari = Hibari()
        return lambda text: np.frombuffer(pcm_s16le(hibari(text)), np.int16)
    line = np.frombuffer(pcm_s16le(bundled_voice()), np.int16)
    return lambda text: line
