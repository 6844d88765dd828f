"""Four faces for a long time, with random lines, interruptions and portraits: does sound stay with picture, is memory flat?"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.report import Row
from benchmarks.served import FPS, RATE_HZ, memory_mb, settings, speech
from tests.session.virtual_call import Wire, call, shared_context
from vivant.client import Client, Event, RemoteFrame
from vivant.server.call import ServerContext
from vivant.testing import LoopClock, run_virtual
from vivant.v1 import vivant_pb2 as pb

FACES = 4
FRAME_MS = 1000 / FPS
PORTRAITS = ("ada", "bram", "noor")
SETTLED_MS = 700.0
"""After a line its lead over idle time, 100 ms as the contract announces, is gone by then."""
TARGET = f"no drift (<= {FRAME_MS:.0f} ms), flat memory, 0 errors"


Say = Callable[[pb.AnimateRequest], Awaitable[None]]


@dataclass
class Watch:
    """What is seen of one call, in ms."""

    said_ms: dict[str, float] = field(default_factory=dict)
    """Sound that was sent, by utterance."""
    off_by_ms: list[float] = field(default_factory=list)
    """Of lines that were spoken whole: the picture's length against the sound's, and how its time ran against the clock's."""
    idle_ms: list[float] = field(default_factory=list)
    """When the frames between lines came, against their own time and the first frame."""
    _spoke_ms: float = 0.0
    _line: str = ""
    _began_ms: float = 0.0
    _late_ms: list[float] = field(default_factory=list)
    _origin_ms: float | None = None

    def frame(self, now_ms: float, pts_us: int, utterance_id: str) -> None:
        late_ms = now_ms - pts_us / 1000
        if self._origin_ms is None:
            self._origin_ms = late_ms
        if not utterance_id:
            if pts_us / 1000 - self._spoke_ms > SETTLED_MS:
                self.idle_ms.append(late_ms - self._origin_ms)
        else:
            self._spoke_ms = pts_us / 1000
            if utterance_id != self._line:
                self._line, self._late_ms = utterance_id, []
            self._late_ms.append(late_ms)

    def event(self, kind: str, utterance_id: str, position_us: int) -> None:
        """A line began, or was spoken to its end."""
        if kind == "UTTERANCE_STARTED":
            self._began_ms = position_us / 1000
        elif kind == "UTTERANCE_FINISHED":
            self.off_by_ms.append(abs(position_us / 1000 - self._began_ms - self.said_ms[utterance_id]))
            self._judge_pace()

    def _judge_pace(self) -> None:
        half = len(self._late_ms) // 2
        if half >= FPS:
            # The least late of each half: drift moves it, a busy machine does not.
            self.off_by_ms.append(abs(min(self._late_ms[half:]) - min(self._late_ms[:half])))

    @property
    def drift_ms(self) -> float:
        """The worst line, and idle time from the first quarter of the call to the last."""
        quarter = max(1, len(self.idle_ms) // 4)
        idle = float(np.median(self.idle_ms[-quarter:]) - np.median(self.idle_ms[:quarter])) if self.idle_ms else 0.0
        return max(abs(idle), *self.off_by_ms)


async def act(chance: random.Random, watch: Watch, say: Say, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Lines, interruptions and portraits at random, for ever."""
    line = 0
    while True:
        line, seconds = line + 1, round(chance.uniform(0.5, 6), 2)
        watch.said_ms[f"{line}"] = 1000 * seconds
        pcm = (speech(seconds) * 32767).round().astype("<i2").tobytes()
        await say(pb.AnimateRequest(utterance_start=pb.UtteranceStart(utterance_id=f"{line}")))
        await say(pb.AnimateRequest(audio=pb.Audio(samples=pcm)))
        await say(pb.AnimateRequest(utterance_end=pb.UtteranceEnd()))
        await sleep(chance.uniform(0.5, 2 * seconds + 2))
        if chance.random() < 0.3:
            await say(pb.AnimateRequest(interrupt=pb.Interrupt()))
        if chance.random() < 0.3:
            await say(pb.AnimateRequest(portrait=pb.PortraitRef(id=chance.choice(PORTRAITS))))


async def one_face(client: Client, seed: int, seconds: float) -> Watch:
    watch, began = Watch(), time.monotonic()
    async with client.animate("ada", settings(seed=seed)) as face:
        acting = asyncio.create_task(act(random.Random(seed), watch, face._send, asyncio.sleep))
        try:
            async for item in face:
                now_ms = 1000 * (time.monotonic() - began)
                if isinstance(item, RemoteFrame):
                    watch.frame(now_ms, item.pts_us, item.utterance_id)
                elif isinstance(item, Event):
                    watch.event(item.kind, item.utterance_id, item.position_us)
                if now_ms > 1000 * seconds:
                    break
        finally:
            acting.cancel()
            await asyncio.gather(acting, return_exceptions=True)
    return watch


async def virtual_face(shared: ServerContext, seed: int, seconds: float) -> Watch:
    """The same, with virtual time and without a network."""
    watch, clock = Watch(), LoopClock()

    def hear(response: pb.AnimateResponse) -> None:
        if response.HasField("motion"):
            watch.frame(clock.now_us() / 1000, response.motion.pts_us, response.motion.utterance_id)
        elif response.HasField("event"):
            event = response.event
            watch.event(pb.EventType.Name(event.type).removeprefix("EVENT_TYPE_"), event.utterance_id, event.position_us)

    wire = Wire(hear)

    async def say(request: pb.AnimateRequest) -> None:
        wire.send(request)

    acting = asyncio.create_task(act(random.Random(seed), watch, say, asyncio.sleep))
    calling = asyncio.create_task(call(shared, wire, seed=seed, sample_rate_hz=RATE_HZ, outputs=pb.OUTPUTS_MOTION))
    await asyncio.sleep(seconds)
    acting.cancel()
    wire.close()
    await calling
    return watch


async def virtual_faces(seconds: float) -> tuple[list[Watch], list[float]]:
    """What was seen of them, and this process's memory in MB over time."""
    shared, memory = shared_context(), Memory(os.getpid(), seconds)
    watches = await asyncio.gather(*(virtual_face(shared, seed, seconds) for seed in range(FACES)))
    return watches, memory.stop()


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


async def row(pid: int, client: Client, seconds: float) -> Row:
    """In real time."""
    memory = Memory(pid, seconds)
    ended = await asyncio.gather(*(one_face(client, seed, seconds) for seed in range(FACES)), return_exceptions=True)
    errors = [one for one in ended if isinstance(one, BaseException)]
    for error in errors:
        sys.stderr.write(f"{error!r}\n")
    watches = [one for one in ended if isinstance(one, Watch)]
    return Row(f"soak, {seconds / 60:.3g} min real, {FACES} faces", TARGET, verdict(watches, len(errors), memory.stop()))


def verdict(watches: list[Watch], n_errors: int, memory: list[float]) -> str:
    lines = sum(len(watch.said_ms) for watch in watches)
    drift = max((watch.drift_ms for watch in watches), default=float("nan"))
    settled = memory[len(memory) // 5 :]  # before that portraits are opened and caches fill
    spread = f"memory {settled[0]:.0f} to {settled[-1]:.0f} MB" if settled else "memory not seen"
    return f"{n_errors} errors, {lines} lines, drift {drift:.0f} ms, {spread}"


def virtual_row(hours: float) -> Row:
    """Hours of sound in minutes, the clock standing still while calls work: all but gRPC, the voice's model and pictures."""
    watches, memory = run_virtual(virtual_faces(3600 * hours / FACES))
    return Row(f"soak, {hours:.3g} h of sound in virtual time, {FACES} faces", TARGET, verdict(watches, 0, memory))
