"""Four faces for hours of virtual time, with random lines, interruptions and portraits: does sound stay with picture, is memory
flat? All of the server but gRPC, the voice's model and pictures."""

from __future__ import annotations

import asyncio
import os
import random

from benchmarks.processes import memory_mb
from benchmarks.report import Row
from benchmarks.served import FPS, RATE_HZ, speech
from benchmarks.soak_watch import Drift
from tests.session.virtual_call import Wire, call, shared_context
from vivant.server.call import ServerContext
from vivant.testing import LoopClock, run_virtual
from vivant.v1 import vivant_pb2 as pb

FACES = 4
FRAME_MS = 1000 / FPS
PORTRAITS = ("ada", "bram", "noor")
TARGET = f"no drift (<= {FRAME_MS:.0f} ms), flat memory"


async def act(chance: random.Random, drift: Drift, wire: Wire) -> None:
    """Lines, interruptions and portraits at random, for ever."""
    line = 0
    while True:
        line, seconds = line + 1, round(chance.uniform(0.5, 6), 2)
        drift.said_ms[f"{line}"] = 1000 * seconds
        pcm = (speech(seconds) * 32767).round().astype("<i2").tobytes()
        wire.send(pb.AnimateRequest(utterance_start=pb.UtteranceStart(utterance_id=f"{line}")))
        wire.send(pb.AnimateRequest(audio=pb.Audio(samples=pcm)))
        wire.send(pb.AnimateRequest(utterance_end=pb.UtteranceEnd()))
        await asyncio.sleep(chance.uniform(0.5, 2 * seconds + 2))
        if chance.random() < 0.3:
            wire.send(pb.AnimateRequest(interrupt=pb.Interrupt()))
        if chance.random() < 0.3:
            wire.send(pb.AnimateRequest(portrait=pb.PortraitRef(id=chance.choice(PORTRAITS))))


def hear(drift: Drift, now_us: int, response: pb.AnimateResponse) -> None:
    """What a client is told."""
    if response.HasField("motion"):
        drift.frame(now_us / 1000, response.motion.pts_us, response.motion.utterance_id)
    elif response.event.type == pb.EVENT_TYPE_UTTERANCE_STARTED:
        drift.began(response.event.position_us)
    elif response.event.type == pb.EVENT_TYPE_UTTERANCE_FINISHED:
        drift.finished(response.event.utterance_id, response.event.position_us)


async def virtual_face(shared: ServerContext, seed: int, seconds: float) -> Drift:
    drift, clock = Drift(FPS), LoopClock()
    wire = Wire(lambda response: hear(drift, clock.now_us(), response))
    acting = asyncio.create_task(act(random.Random(seed), drift, wire))
    calling = asyncio.create_task(call(shared, wire, seed=seed, sample_rate_hz=RATE_HZ, outputs=pb.OUTPUTS_MOTION))
    await asyncio.sleep(seconds)
    acting.cancel()
    wire.close()
    await calling
    return drift


async def virtual_faces(seconds: float) -> tuple[list[Drift], list[float]]:
    """What was seen of them, and this process's memory in MB over time."""
    shared, memory = shared_context(), Memory(os.getpid(), seconds)
    drifts = await asyncio.gather(*(virtual_face(shared, seed, seconds) for seed in range(FACES)))
    return drifts, memory.stop()


class Memory:
    """Looks at a process twenty times in so many seconds."""

    def __init__(self, pid: int, seconds: float) -> None:
        self._seen: list[float] = []
        self._task = asyncio.create_task(self._look(pid, seconds / 20))

    async def _look(self, pid: int, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            self._seen.append(memory_mb(pid))

    def stop(self) -> list[float]:
        self._task.cancel()
        return self._seen


def row(hours: float) -> Row:
    """Hours of sound in minutes, the clock standing still while calls work."""
    drifts, memory = run_virtual(virtual_faces(3600 * hours / FACES))
    lines, drift_ms = sum(len(drift.said_ms) for drift in drifts), max(drift.worst_ms for drift in drifts)
    settled = memory[len(memory) // 5 :]  # before that caches fill
    measured = f"{lines} lines, drift {drift_ms:.0f} ms, memory {settled[0]:.0f} to {settled[-1]:.0f} MB"
    return Row(f"soak, {hours:.3g} h of sound in virtual time, {FACES} faces", TARGET, measured)
