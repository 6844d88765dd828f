"""Remote session: the verbs and outputs of `vivant.Session`, with the face on a server."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from fractions import Fraction
from types import TracebackType
from typing import Any

import grpc
import numpy as np
from numpy.typing import ArrayLike

from vivant.arguments import instance, real_number, text
from vivant.client.config import as_priority
from vivant.client.memory import Shared, attach
from vivant.client.messages import Event, Statistics, error_of, event_of, refusal, statistics_of
from vivant.client.reader import Reader
from vivant.clock import Clock, MonotonicClock
from vivant.errors import ClosedError, UnavailableError
from vivant.media.sources import PictureSource
from vivant.samples import mono_samples
from vivant.types import Controls, Interrupted, Item, MotionFrame, Output, UtteranceEnd, UtteranceStart, VideoFrame
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.values import controls_message, motion_of, picture_of, portrait_ref, samples_bytes

CHUNK_BYTES = 1 << 19
REASON_LOST = "Internal error from Core"
"""What gRPC says where a write failed before everything in front of the call's status was read."""
MAX_DISTANCE_M = 10_000
"""Of a face from the camera; the server's."""
QUEUE_SPARE_MS = 500
"""Of the server's queue for sound, left free: it hears what is on its way later than this side counts."""

Metadata = list[tuple[str, str]]


class RemoteSession:
    """Made by `Client.animate`. Push from one task, iterate from another."""

    def __init__(
        self,
        stub: Any,  # noqa: ANN401
        metadata: Callable[[], Awaitable[Metadata]],
        config: pb.SessionConfig,
        clock: Clock | None = None,
    ) -> None:
        self._stub, self._metadata, self._config = stub, metadata, config
        self._clock = clock or MonotonicClock()
        self._spoken_us = 0
        """When all that was pushed will have been spoken, on the clock, if the server is live."""
        self._call: Any = None
        self._memory: Shared | None = None
        self._epoch = 0
        self._utterance: UtteranceStart | None = None
        self._n_utterances = 0
        self._portrait = config.portrait.id
        self._motion: MotionFrame | None = None
        """Of the output whose picture may still come."""
        self.is_late: Callable[[int], bool] = lambda pts_us: False
        """Whether the picture of that time comes too late to be wanted; asked as it arrives."""
        self._sending = asyncio.Lock()
        self._finished = False
        self.started = pb.SessionStarted()
        """The server's answer to the config; known once entered."""

    async def __aenter__(self) -> RemoteSession:
        self._call = self._stub.Animate(metadata=await self._metadata())
        self._reader = Reader(self._call)
        await self._send(pb.AnimateRequest(config=self._config))
        await self._begin()
        return self

    async def speak_whole(self, samples: ArrayLike) -> None:
        """In place of entering: everything that is to be said at once. Nothing can be sent any more, only iterated."""
        data = samples_bytes(samples, self._config.audio_format)
        request = pb.SynthesizeRequest(config=self._config, samples=data)
        self._call = self._stub.Synthesize(request, metadata=await self._metadata())
        self._reader = Reader(self._call)
        await self._begin()

    async def _begin(self) -> None:
        """Raises what the call is refused for."""
        self.started = (await self._receive()).started
        self._portrait = self.started.config.portrait.id
        if self.started.HasField("ring"):
            try:
                self._memory = attach(self.started.ring.name)
            except OSError as error:
                await self.close()
                raise UnavailableError("the server's memory is not on this machine; take FRAME_TRANSPORT_INLINE") from error

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def fps(self) -> Fraction:
        return Fraction(self.started.config.fps.numerator, self.started.config.fps.denominator)

    @property
    def seed(self) -> int:
        """The one in effect."""
        return int(self.started.config.seed)

    @property
    def delay_ms(self) -> float:
        """A live frame is sent this long after the sound it belongs to was due."""
        return self.started.delay_us / 1000

    async def push(self, samples: ArrayLike) -> None:
        """Add mono audio (n,): int16, or floats in [-1, 1], as `mono_samples` takes it, at the config's rate.

        Raises UnavailableError, and sends nothing of it, where a live server would have to queue more than it takes.
        """
        own = mono_samples(samples)
        data = samples_bytes(own, self.started.config.audio_format)
        self._require_room(len(own))
        for first in range(0, len(data), CHUNK_BYTES):
            await self._send(pb.AnimateRequest(audio=pb.Audio(samples=data[first : first + CHUNK_BYTES])))

    async def begin(self, utterance_id: str) -> None:
        """Name the utterance that the next audio begins; the one before it is complete."""
        await self._send(pb.AnimateRequest(utterance_start=pb.UtteranceStart(utterance_id=text("utterance_id", utterance_id))))

    async def end(self) -> None:
        """The utterance is complete; it is spoken to its end."""
        await self._send(pb.AnimateRequest(utterance_end=pb.UtteranceEnd()))

    async def interrupt(self) -> None:
        """Stop speaking now; whatever was on its way is thrown away here, and an `Interrupted` comes out."""
        self._epoch += 1
        self._motion, self._spoken_us = None, 0
        await self._send(pb.AnimateRequest(interrupt=pb.Interrupt(epoch=self._epoch)))

    async def set_controls(self, controls: Controls) -> None:
        """Gaze, distance, emotion; eased from the next frame on."""
        await self._send(pb.AnimateRequest(controls=controls_message(instance("controls", Controls, controls))))

    async def set_portrait(self, portrait: PictureSource) -> None:
        """Another portrait; a PORTRAIT_CHANGED or PORTRAIT_FAILED event answers."""
        await self._send(pb.AnimateRequest(portrait=portrait_ref(portrait)))

    async def set_priority(self, priority: int, distance_m: float = 0.0) -> None:
        """How much this face matters, 0 to 100, when the server is overloaded."""
        whole, metres = as_priority(priority), real_number("distance_m", distance_m, 0, MAX_DISTANCE_M)
        await self._send(pb.AnimateRequest(importance=pb.Importance(priority=whole, distance_m=metres)))

    async def steer(self, controls: Controls) -> None:
        """Deprecated, to go in 0.3: `set_controls`."""
        _warn("steer", "set_controls")
        await self.set_controls(controls)

    async def show(self, portrait: PictureSource) -> None:
        """Deprecated, to go in 0.3: `set_portrait`."""
        _warn("show", "set_portrait")
        await self.set_portrait(portrait)

    async def matter(self, priority: int, distance_m: float = 0.0) -> None:
        """Deprecated, to go in 0.3: `set_priority`."""
        _warn("matter", "set_priority")
        await self.set_priority(priority, distance_m)

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

    async def __aiter__(self) -> AsyncIterator[Item | Event | Statistics]:
        """Outputs, markers, events and statistics in order, until the call is over. Nothing older than the last interrupt."""
        while (response := await self._receive()) is not grpc.aio.EOF:
            kind = response.WhichOneof("message")
            if kind == "frame":
                data = await self._data(response.frame)
                if response.frame.epoch >= self._epoch:
                    yield self._output(picture_of(response.frame, data), response.frame.epoch)
                continue
            if self._motion is not None:  # its picture was left out
                yield self._output(None, self._epoch)
            match kind:
                case "motion" if response.motion.epoch >= self._epoch:
                    self._motion = motion_of(response.motion)
                    if self.started.config.outputs == pb.OUTPUTS_MOTION:
                        yield self._output(None, response.motion.epoch)
                case "event" if (item := self._item_of(response.event)) is not None:
                    yield item
                case "statistics":
                    yield statistics_of(response.statistics)
        if self._motion is not None:
            yield self._output(None, self._epoch)

    def _output(self, picture: VideoFrame | None, epoch: int) -> Output:
        """Of the picture and the motion that came before it, if motion was asked for."""
        motion, self._motion = self._motion, None
        if motion is None or (picture is not None and motion.index != picture.index):
            assert picture is not None
            motion = MotionFrame(picture.index, picture.pts_us, np.zeros(0, np.float32))
        spoken = self._utterance
        number, name = (spoken.utterance, spoken.utterance_id) if spoken is not None else (None, "")
        if self.is_late(motion.pts_us):
            picture = None
        return Output(motion, picture, self._portrait, number, epoch, utterance_id=name)

    def _item_of(self, event: pb.Event) -> Item | Event | None:
        """A marker, or an event; None for what is older than the last interrupt."""
        if event.epoch < self._epoch:
            return None
        position_us, name, epoch = event.position_us, event.utterance_id, event.epoch
        match event.type:
            case pb.EVENT_TYPE_UTTERANCE_STARTED:
                self._n_utterances += 1
                self._utterance = UtteranceStart(self._n_utterances, position_us, name, epoch)
                return self._utterance
            case pb.EVENT_TYPE_UTTERANCE_FINISHED:
                self._utterance = None
                return UtteranceEnd(self._n_utterances, position_us, name, epoch)
            case pb.EVENT_TYPE_INTERRUPTED:
                self._utterance = None
                return Interrupted(self._n_utterances, position_us, name, epoch)
            case pb.EVENT_TYPE_PORTRAIT_CHANGED:
                self._portrait = event.portrait_id
        return event_of(event)

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

    def _require_room(self, n_samples: int) -> None:
        """Said here, for the refusal of a server ends the call, and may not get past pictures that nobody has read."""
        config = self.started.config
        if config.delivery != pb.DELIVERY_PACED:
            return
        now_us = self._clock.now_us()
        spoken_us = max(self._spoken_us, now_us) + n_samples * 1_000_000 // config.sample_rate_hz
        most_ms = config.audio_queue_ms - min(QUEUE_SPARE_MS, config.audio_queue_ms // 8)
        if spoken_us - now_us > 1000 * most_ms:
            raise UnavailableError(f"more than {most_ms} ms of audio would be queued; send it later")
        self._spoken_us = spoken_us

    async def _send(self, request: pb.AnimateRequest) -> None:
        try:
            async with self._sending:
                await self._reader.during(self._call.write(request))
        except (asyncio.InvalidStateError, grpc.aio.AioRpcError) as error:
            # The call is over; its status says why, the error of a write does not.
            code = await self._call.code()
            if code in (grpc.StatusCode.OK, grpc.StatusCode.CANCELLED):
                raise ClosedError("this face was closed; animate a new one") from error
            if await self._call.details() == REASON_LOST:
                raise UnavailableError("the server ended the call; iterate the session while you push, to hear why") from error
            raise refusal(code, await self._call.details()) from error

    async def _receive(self) -> Any:  # noqa: ANN401
        try:
            return await self._reader.next()
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error


def _warn(before: str, now: str) -> None:
    warnings.warn(f"RemoteSession.{before} is now {now} (docs/upgrading.md)", DeprecationWarning, stacklevel=3)
