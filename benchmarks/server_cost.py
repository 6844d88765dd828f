"""What serving costs on top of drawing: processor time per frame of two talking faces at 25 fps, by turns in one run.

The yardstick is a plain loop that infers, draws, labels and marks the same two faces at the same pace, without session and
server.
"""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction

import numpy as np

from benchmarks.processes import cpu_ms
from benchmarks.report import PORTRAITS, Row
from benchmarks.served import FPS, RATE_HZ, bare_stream, served_frames, speech
from vivant.client import Client
from vivant.face import RigFace, default_motion, open_portrait
from vivant.provenance.disclosure import Disclosure, live_session_id
from vivant.session.stream import BLOCK_MS
from vivant.types import AudioChunk, Controls, UInt8Array
from vivant.v1 import vivant_pb2 as pb

FACES, SECONDS, ROUNDS = 2, 5.0, 4
SIZE_PX = 512
FEWEST = 0.97
"""Share of the frames that must have come for a round to count: what an overloaded server leaves out it does not pay for."""


class Plain:
    """A face that speaks in a loop."""

    def __init__(self, face: RigFace, seed: int) -> None:
        self._motion = default_motion().open(Fraction(FPS), seed)
        self._renderer = face.open(SIZE_PX)
        self._finisher = Disclosure.for_face(face, live_session_id())
        self._out: UInt8Array = np.empty((SIZE_PX, SIZE_PX, 4), np.uint8)

    def hear(self, chunk: AudioChunk) -> int:
        """Draws what has become certain; returns how many frames."""
        frames = self._motion.push(chunk, Controls())
        for frame in frames:
            self._finisher.finish(self._renderer.render(frame, self._out))
        return len(frames)


def plain_ms(face: RigFace) -> float:
    faces, samples, step = [Plain(face, seed) for seed in range(FACES)], speech(SECONDS), RATE_HZ * BLOCK_MS // 1000
    n_frames, began, cpu_s = 0, time.monotonic(), time.process_time()
    for first in range(0, len(samples), step):
        time.sleep(max(0.0, began + first / RATE_HZ - time.monotonic()))
        chunk = AudioChunk(samples[first : first + step].astype(np.float32), RATE_HZ, first)
        n_frames += sum(one.hear(chunk) for one in faces)
    return 1000 * (time.process_time() - cpu_s) / n_frames


async def bare_ms() -> float:
    """A bare stream of as many bytes, as often, to as many readers."""
    frames = round(FPS * SECONDS)
    async with bare_stream(SIZE_PX**2 * 4, frames, FPS) as (pid, pour):
        began = cpu_ms(pid)
        await asyncio.gather(*(pour() for _ in range(FACES)))
        return (cpu_ms(pid) - began) / (FACES * frames)


async def served_ms(pid: int, client: Client, config: dict[str, int]) -> float | None:
    """None when the server was too busy to send them all."""
    began = cpu_ms(pid)
    n_frames = await served_frames(client, FACES, SECONDS, **config)
    return (cpu_ms(pid) - began) / n_frames if n_frames >= FEWEST * FACES * FPS * SECONDS else None


async def rows(pid: int, client: Client) -> list[Row]:
    """Medians over the rounds."""
    face = open_portrait(PORTRAITS[0])
    kinds: dict[str, dict[str, int]] = {
        "RGBA": {},
        "JPEG": {"pixel_format": pb.PIXEL_FORMAT_JPEG},
        "shared memory": {"frame_transport": pb.FRAME_TRANSPORT_SHARED_MEMORY},
    }
    plain, bare = [], []
    served: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        plain.append(await asyncio.to_thread(plain_ms, face))
        bare.append(await bare_ms())
        for name, config in kinds.items():
            cost = await served_ms(pid, client, config)
            served[name] += [] if cost is None else [cost]
    drawing, stream = float(np.median(plain)), float(np.median(bare))
    table = [Row(f"CPU per frame of {FACES} faces: drawing alone; a bare stream alone", "", f"{drawing:.2f}; {stream:.2f} ms")]
    for name, costs in served.items():
        target = "<= 1.5 of a bare stream" if name == "RGBA" else "<= 25 % of drawing"
        if not costs:
            table.append(Row(f"{name}: what serving adds", target, "not measured: the machine was too busy for two faces"))
            continue
        added = float(np.median(costs)) - drawing
        against = f"{added / stream:.1f} of a bare stream; " if name == "RGBA" else ""
        measured = f"{float(np.median(costs)):.2f} ms, {added:+.2f} ms: {against}{100 * added / drawing:.0f} % of drawing"
        table.append(Row(f"{name}: CPU per frame served, and what serving adds", target, measured))
    return table
