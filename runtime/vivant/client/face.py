"""One face on a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from vivant.client.memory import Shared, attach
from vivant.client.messages import (
    Item,
    controls_message,
    error_of,
    event_of,
    frame_of,
    motion_of,
    portrait_ref,
    refusal,
)
from vivant.errors import ClosedError, UnavailableError
from vivant.types import Controls
from vivant.v1 import vivant_pb2 as pb

CHUNK_BYTES = 1 << 19

Metadata = list[tuple[str, str]]


class RemoteFace:
    """Made by `Client.animate`. Push from one task, iterate from another."""

    def __init__(self, stub: Any, metadata: Callable[[], Awaitable[Metadata]], config: pb.SessionConfig) -> None:  # noqa: ANN401
        self._stub, self._metadata, self._config = stub, metadata, config
        self._call: Any = None
        self._memory: Shared | None = None
        self._epoch = 0
        self._sending = asyncio.Lock()
        self._finished = False
        self.started = pb.SessionStarted()
        """The config in effect; known once entered."""

    async def __aenter__(self) -> RemoteFace:
        self._call = self._stub.Animate(metadata=await self._metadata())
        await self._send(pb.AnimateRequest(config=self._config))
        self.started = (await self._receive()).started
        if self.started.HasField("ring"):
            try:
                self._memory = attach(self.started.ring.name)
            except OSError as error:
                await self.close()
                raise UnavailableError("the server's memory is not on this machine; take FRAME_TRANSPORT_INLINE") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def push(self, samples: NDArray[Any]) -> None:
        """Add mono audio (n,): int16, or floats in [-1, 1], at the config's rate."""
        wide = self.started.config.audio_format == pb.AUDIO_FORMAT_F32LE
        array = np.asarray(samples)
        if array.dtype != np.int16:
            array = array.astype(np.float32) if wide else np.round(np.clip(array, -1, 1) * 32767)
        data = (
            (array / 32768).astype("<f4").tobytes()
            if wide and array.dtype == np.int16
            else array.astype("<f4" if wide else "<i2").tobytes()
        )
        for first in range(0, len(data), CHUNK_BYTES):
            await self._send(pb.AnimateRequest(audio=pb.Audio(samples=data[first : first + CHUNK_BYTES])))

    async def begin(self, utterance_id: str) -> None:
        """Name the utterance to which the next audio belongs; without it, it has no name."""
        await self._send(pb.AnimateRequest(utterance_start=pb.UtteranceStart(utterance_id=utterance_id)))

    async def end(self) -> None:
        """The utterance is complete; it is spoken to its end."""
        await self._send(pb.AnimateRequest(utterance_end=pb.UtteranceEnd()))

    async def interrupt(self) -> None:
        """Stop speaking now; whatever was on its way is thrown away here."""
        self._epoch += 1
        await self._send(pb.AnimateRequest(interrupt=pb.Interrupt(epoch=self._epoch)))

    async def steer(self, controls: Controls) -> None:
        """Gaze, distance, emotion; eased from the next frame on."""
        await self._send(pb.AnimateRequest(controls=controls_message(controls)))

    async def show(self, portrait: str | bytes | Path) -> None:
        """Another portrait; a PORTRAIT_CHANGED or PORTRAIT_FAILED event answers."""
        await self._send(pb.AnimateRequest(portrait=portrait_ref(portrait)))

    async def matter(self, priority: int, distance_m: float = 0.0) -> None:
        """How much this face matters, 0 to 100, when the server is overloaded."""
        await self._send(pb.AnimateRequest(importance=pb.Importance(priority=priority, distance_m=distance_m)))

    async def finish(self) -> None:
        """No more audio will come: the iterator ends after what is queued."""
        async with self._sending:
            self._finished = True
            await self._call.done_writing()

    async def close(self) -> None:
        """Stop at once. Closing twice is fine."""
        if self._call is not None:
            self._call.cancel()
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    async def __aiter__(self) -> AsyncIterator[Item]:
        """Frames, motion, events and statistics in order, until the call is over. Nothing older than the last interrupt."""
        while (response := await self._receive()) is not grpc.aio.EOF:
            match response.WhichOneof("message"):
                case "frame":
                    data = await self._data(response.frame)
                    if response.frame.epoch >= self._epoch:
                        yield frame_of(response.frame, data)
                case "motion" if response.motion.epoch >= self._epoch:
                    yield motion_of(response.motion)
                case "event":
                    yield event_of(response.event)
                case "statistics":
                    yield response.statistics

    async def _data(self, frame: pb.Frame) -> bytes:
        if self._memory is None or not frame.HasField("ring_slot"):
            return bytes(frame.data)
        slot = frame.ring_slot
        try:
            data = self._memory.read(slot.slot * self.started.ring.slot_bytes, slot.size_bytes)
        except OSError as error:
            raise UnavailableError("the memory shared with the server was cut off; animate the face again") from error
        if not self._finished and slot.sequence % (self.started.ring.slots // 4) == 0:
            await self._send(pb.AnimateRequest(ring_release=pb.RingRelease(sequence=slot.sequence)))
        return data

    async def _send(self, request: pb.AnimateRequest) -> None:
        try:
            async with self._sending:
                await self._call.write(request)
        except (asyncio.InvalidStateError, grpc.aio.AioRpcError) as error:
            # The call is over; its status says why, the error of a write does not.
            code = await self._call.code()
            if code in (grpc.StatusCode.OK, grpc.StatusCode.CANCELLED):
                raise ClosedError("this face was closed; animate a new one") from error
            raise refusal(code, await self._call.details()) from error

    async def _receive(self) -> Any:  # noqa: ANN401
        try:
            return await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error
