"""A whole bot without a cloud: scripted lines, a voice, a user who interrupts, and a listener at the end of the pipeline.

    python examples/scripted_bot.py [LINES]

prints how soon the face spoke after the voice came, and what the listener got.
"""

from __future__ import annotations

import asyncio
import statistics
import sys

from pipecat.frames.frames import EndFrame, Frame, OutputImageRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection
from pipecat.workers.runner import WorkerRunner
from pipecat_vivant import VivantVideoService
from scripted import RATE_HZ, Listener, talk, voice


class Viewer(Listener):
    """Listener that sees the pictures, too."""

    def __init__(self) -> None:
        super().__init__()
        self.n_pictures = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        self.n_pictures += isinstance(frame, OutputImageRawFrame)
        await super().process_frame(frame, direction)


async def main(n_lines: int) -> None:
    viewer, speak = Viewer(), voice()
    worker = PipelineWorker(Pipeline([VivantVideoService("ada", seed=1), viewer]), cancel_on_idle_timeout=False)
    runner = WorkerRunner()
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    while not viewer.n_pictures:
        await asyncio.sleep(0.02)
    waits_ms = await talk(worker, viewer, speak, n_lines)
    await worker.queue_frame(EndFrame())
    await running
    print(f"first sound after the voice came: median {statistics.median(waits_ms):.0f} ms, worst {max(waits_ms):.0f} ms")
    print(f"{viewer.n_pictures} pictures, {viewer.n_samples / RATE_HZ:.1f} s of sound")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 12))
