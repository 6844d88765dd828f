"""``Animate`` calls in virtual time: everything of the server but gRPC itself, which is a queue here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import grpc

from tests.session.server_kit import open_tint, settings
from vivant.face import Face, default_motion
from vivant.server.call import Call, ServerContext
from vivant.server.clients import Client
from vivant.server.config import resolve
from vivant.server.limits import Limits
from vivant.server.load_shedder import LoadShedder
from vivant.server.metrics import Metrics
from vivant.server.portraits import Portraits
from vivant.server.workers import WorkerPool
from vivant.testing import Inline, LoopClock
from vivant.types import AudioChunk, Controls, MotionFrame, arkit_weights, frame_pts_us
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.responses import Response, SoundToSend, serialize


class Wire:
    """A ServicerContext as far as a call uses it; every answer goes to ``hear`` when it is sent."""

    def __init__(self, hear: Callable[[pb.AnimateResponse], None]) -> None:
        self._hear = hear
        self._requests: asyncio.Queue[Any] = asyncio.Queue()

    def send(self, request: pb.AnimateRequest) -> None:
        self._requests.put_nowait(request.SerializeToString())

    def close(self) -> None:
        """The client's side."""
        self._requests.put_nowait(grpc.aio.EOF)

    async def read(self) -> Any:  # noqa: ANN401
        return await self._requests.get()

    async def write(self, response: Response) -> None:
        assert not isinstance(response, SoundToSend)
        self._hear(pb.AnimateResponse.FromString(serialize(response)))


class InlineWorkers(WorkerPool):
    """Works in the loop's own thread, for time stands still meanwhile."""

    def submit_to(self, lane: Any, work: Any) -> Any:  # noqa: ANN401
        return Inline().submit(work)


class StillPortraits(Portraits):
    """Opened without a thread."""

    async def open(
        self, client: Client, ref: pb.PortraitRef, consent: pb.Consent | None = None, *, transparent: bool = False
    ) -> tuple[str, Face]:
        return ref.id, open_tint(ref.id.encode(), transparent=transparent)


class StillVoice:
    """A speech model as quick as can be, with the first voice's look-ahead."""

    look_ahead_ms = default_motion().look_ahead_ms

    name = "still voice"

    def open(self, fps: Fraction, seed: int, face: object = None) -> StillVoiceState:
        return StillVoiceState(fps, self.look_ahead_ms)


class StillVoiceState:
    def __init__(self, fps: Fraction, look_ahead_ms: int) -> None:
        self._fps, self._look_ahead_us = fps, 1000 * look_ahead_ms
        self._index = self._next_us = 0
        self._origin_us = self._heard = 0

    def push(self, chunk: AudioChunk, controls: Controls) -> list[MotionFrame]:
        self._heard += len(chunk.samples)
        return self._until(self._origin_us + self._heard * 1_000_000 // chunk.sample_rate_hz - self._look_ahead_us)

    def flush(self, controls: Controls) -> list[MotionFrame]:
        return self._until(self._next_us + self._look_ahead_us)

    def reset(self) -> None:
        self._origin_us, self._heard = self._next_us, 0

    def _until(self, certain_us: int) -> list[MotionFrame]:
        frames = []
        while self._next_us <= certain_us:
            frames.append(MotionFrame(self._index, self._next_us, REST))
            self._index += 1
            self._next_us = frame_pts_us(self._index, self._fps)
        return frames


REST = arkit_weights()


def shared_context() -> ServerContext:
    clock, limits = LoopClock(), Limits()
    workers = InlineWorkers(clock)
    load_shedder = LoadShedder(workers, clock, limits.sessions)
    return ServerContext(StillPortraits(limits), workers, workers, load_shedder, Metrics(), clock, StillVoice(), limits)


async def call(shared: ServerContext, wire: Wire, portrait: str = "ada", **more: Any) -> None:  # noqa: ANN401
    """One call from its config to its end."""
    config = resolve(settings(portrait=pb.PortraitRef(id=portrait), **more), Limits())
    await Call(shared, Client("client", "lane"), config, open_tint(portrait.encode(), transparent=False), wire).run(())
