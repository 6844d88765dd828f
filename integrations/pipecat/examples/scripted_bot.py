"""A whole bot without a cloud: scripted lines, a voice, a user who interrupts, and a listener at the end of the pipeline.

    python examples/scripted_bot.py [LINES]

prints how soon the face spoke after the voice came, and what the listener got. With hibari-tts installed (Apache-2.0, 8 MB) it
speaks the lines; else every line is the bundled voice.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from importlib.util import find_spec

import numpy as np
from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InterruptionFrame,
    OutputImageRawFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner
from pipecat_vivant import VivantVideoService

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
    """Listener: takes what a transport would send."""

    def __init__(self) -> None:
        super().__init__(enable_direct_mode=True)
        self.n_pictures, self.n_samples = 0, 0
        self.first_s = 0.0
        """When the line's first sound came; 0 before."""
        self.ended = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, OutputImageRawFrame):
            self.n_pictures += 1
        elif isinstance(frame, TTSAudioRawFrame):
            self.first_s = self.first_s or time.monotonic()
            self.n_samples += len(frame.audio) // 2
        elif isinstance(frame, TTSStoppedFrame):
            self.ended.set()
        await self.push_frame(frame, direction)


async def main(n_lines: int) -> None:
    listener = Listener()
    worker = PipelineWorker(Pipeline([VivantVideoService("ada", seed=1), listener]), cancel_on_idle_timeout=False)
    runner = WorkerRunner()
    await runner.add_workers(worker)
    _, waits_ms = await asyncio.gather(runner.run(), talk(worker, listener, n_lines))
    print(f"first sound after the voice came: median {statistics.median(waits_ms):.0f} ms, worst {max(waits_ms):.0f} ms")
    print(f"{listener.n_pictures} pictures, {listener.n_samples / RATE_HZ:.1f} s of sound")


async def talk(worker: PipelineWorker, listener: Listener, n_lines: int) -> list[float]:
    """Line by line, every fourth of them interrupted. Returns ms from each line's voice to the face's."""
    speak, waits_ms = voice(), []
    while not listener.n_pictures:
        await asyncio.sleep(0.02)
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
            await worker.queue_frame(InterruptionFrame())
        else:
            await listener.ended.wait()
        await asyncio.sleep(0.6)
    await worker.queue_frame(EndFrame())
    return waits_ms


def spoken(samples: np.ndarray) -> list[Frame]:
    """As a text-to-speech brings it: all at once, in pieces."""
    pieces = [TTSAudioRawFrame(samples[i : i + PIECE].tobytes(), RATE_HZ, 1) for i in range(0, len(samples), PIECE)]
    return [TTSStartedFrame(), *pieces, TTSStoppedFrame()]


def voice():  # noqa: ANN201
    """Text in, (n,) int16 out."""
    if find_spec("hibari") is not None:
        from hibari import Hibari

        hibari = Hibari()
        return lambda text: np.frombuffer(pcm_s16le(hibari(text)), np.int16)
    line = np.frombuffer(pcm_s16le(bundled_voice()), np.int16)
    return lambda text: line


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 12))
