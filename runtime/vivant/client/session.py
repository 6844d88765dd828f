"""Remote session: the verbs and outputs of `vivant.Session`, with the face on a server."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from fractions import Fraction
from types import TracebackType
from typing import Any

import grpc
import numpy as np
from numpy.typing import ArrayLike

from vivant.arguments import instance, member, real_number
from vivant.arguments import text as as_text
from vivant.client.backlog import Backlog
from vivant.client.config import as_priority
from vivant.client.memory import Shared, attach
from vivant.client.messages import Event, Statistics, error_of, event_of, refusal, statistics_of
from vivant.client.reader import Reader, write
from vivant.client.receipts import Receipts
from vivant.clock import Clock, MonotonicClock
from vivant.errors import ClosedError, UnavailableError, VivantError
from vivant.media.sources import PictureSource
from vivant.samples import mono_samples
from vivant.types import Act, Controls, Interrupted, Item, MotionFrame, Output, UtteranceEnd, UtteranceStart, VideoFrame
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.responses import ReceivedFrame
from vivant.wire.values import act_message, controls_message, motion_of, picture_of, portrait_ref, samples_bytes, text_messages

PIECE_SAMPLES = 1 << 16
"""In a message, and at most a quarter of what may wait: an interruption comes after one at most."""
NOBODY_TAKES_S = 2.0
"""Sound that finds no room waits for it as long as somebody iterates, at least so often; chosen."""
LOOK_US = 50_000
"""Between two looks at whether there is room."""
MAX_DISTANCE_M = 10_000
"""Of a face from the camera; the server's."""

NO_MEMORY = "frames come inline, for the server's shared memory cannot be opened here"

Metadata = list[tuple[str, str]]


class RemoteSession:
    """Made by `Client.animate`. Push from one task, iterate from another."""

    def __init__(
        self,
        animate: Callable[..., Any],
        metadata: Callable[[], Awaitable[Metadata]],
        config: pb.SessionConfig,
        clock: Clock | None = None,
        *,
        is_near: Callable[[], bool] = lambda: False,
    ) -> None:
        """``animate`` is the call whose responses are `received`. ``is_near``, asked after ``metadata``, says whether to try
        memory that both sides map, where the config leaves it open."""
        self._animate, self._metadata, self._config = animate, metadata, config
        self._clock, self._is_near = clock or MonotonicClock(), is_near
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
        metadata = await self._metadata()
        tries_memory = not self._config.frame_transport and self._is_near()
        if tries_memory:
            self._config.frame_transport = pb.FRAME_TRANSPORT_SHARED_MEMORY
        await self._begin(metadata)
        if self.started.HasField("ring") and not self._attached():
            await self.close()
            if not tries_memory:
                raise UnavailableError("the server's memory is not on this machine; take FRAME_TRANSPORT_INLINE")
            self._config.frame_transport = pb.FRAME_TRANSPORT_INLINE
            await self._begin(metadata)
            self.started.notes.append(NO_MEMORY)
        return self

    async def _begin(self, metadata: Metadata) -> None:
        """Raises what the call is refused for."""
        is_live = self._config.delivery != pb.DELIVERY_IMMEDIATE
        self._config.confirms_frames = is_live
        self._call = self._animate(metadata=metadata)
        self._reader = Reader(self._call, is_live=is_live)
        self._receipts = Receipts(self._release, self._clock) if is_live else None
        await self._send(pb.AnimateRequest(config=self._config))
        self.started = (await self._receive()).started
        self._portrait = self.started.config.portrait.id
        self._backlog = Backlog(self.started.config, self._clock)

    def _attached(self) -> bool:
        try:
            self._memory = attach(self.started.ring.name)
        except OSError:  # another machine's, container's or user's
            return False
        return True

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

        However long it is: what the server has no room for yet waits here, as long as another task iterates. An interruption
        ends the waiting, and the rest is not sent. Raises UnavailableError where nobody takes what comes.
        """
        own, epoch, config = mono_samples(samples), self._epoch, self.started.config
        n_piece = min(PIECE_SAMPLES, self._backlog.most_ms * config.sample_rate_hz // 4000)
        if self._backlog.excess_us(len(own)) > 0:
            await self._until_taken()
        for first in range(0, len(own), n_piece):
            piece = own[first : first + n_piece]
            await self._until_room(len(piece), epoch)
            if epoch != self._epoch:
                return  # interrupted meanwhile: the rest is not wanted either
            self._backlog.add(len(piece))
            await self._send(pb.AnimateRequest(audio=pb.Audio(samples=samples_bytes(piece, config.audio_format))))

    async def begin(self, utterance_id: str, text: str = "", language: str = "") -> None:
        """Name the utterance that the next audio begins, and say its text as by `say_text`; the one before it is complete."""
        start = pb.UtteranceStart(utterance_id=as_text("utterance_id", utterance_id))
        pieces = list(text_messages(text, language))
        await self._send(pb.AnimateRequest(utterance_start=start))
        for piece in pieces:
            await self._send(pb.AnimateRequest(text=piece))

    async def say_text(self, text: str, language: str = "") -> None:
        """The text of the utterance, or more of it, where it is known: it sharpens the lips of the sound pushed after it.

        It may come in pieces, cut anywhere. ``language`` is a tag such as ``de``, guessed if empty. A wrong text does little
        harm.
        """
        for piece in text_messages(text, language):
            await self._send(pb.AnimateRequest(text=piece))

    async def end(self) -> None:
        """The utterance is complete; it is spoken to its end."""
        await self._send(pb.AnimateRequest(utterance_end=pb.UtteranceEnd()))

    async def interrupt(self) -> None:
        """Stop speaking now; whatever was on its way is thrown away here, and an `Interrupted` comes out."""
        self._epoch += 1
        self._motion = None
        self._backlog.forget()
        await self._send(pb.AnimateRequest(interrupt=pb.Interrupt(epoch=self._epoch)))

    async def set_controls(self, controls: Controls) -> None:
        """Gaze, distance, emotion; eased from the next frame on."""
        await self._send(pb.AnimateRequest(controls=controls_message(instance("controls", Controls, controls))))

    async def act(self, act: Act | str) -> None:
        """A nod, a laugh and so on, once, blended with speech."""
        await self._send(act_message(member("act", Act, act)))

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
            if self._receipts is not None:
                self._receipts.close()
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    async def __aiter__(self) -> AsyncIterator[Item | Event | Statistics]:
        """Outputs, markers, events and statistics in order, until the call is over. Nothing older than the last interrupt."""
        while (response := await self._receive()) is not grpc.aio.EOF:
            if isinstance(response, ReceivedFrame):
                data = await self._data(response)
                if response.head.epoch >= self._epoch:
                    yield self._output(picture_of(response.head, data), response.head.epoch)
                continue
            if self._motion is not None:  # its picture was left out
                yield self._output(None, self._epoch)
            match response.WhichOneof("message"):
                case "motion" if response.motion.epoch >= self._epoch:
                    self._motion = motion_of(response.motion)
                    if self.started.config.outputs == pb.OUTPUTS_MOTION:
                        yield self._output(None, response.motion.epoch)
                case "event" if (item := self._item_of(response.event)) is not None:
                    yield item
                case "statistics":
                    self._backlog.waits(response.statistics.audio_queued_us)
                    yield statistics_of(response.statistics)
        if self._motion is not None:
            yield self._output(None, self._epoch)

    def _output(self, picture: VideoFrame | None, epoch: int) -> Output:
        """Of the picture and the motion that came before it, if motion was asked for."""
        motion, self._motion = self._motion, None
        if motion is None or (picture is not None and motion.index != picture.index):
            assert picture is not None
            motion = MotionFrame(picture.index, picture.pts_us, np.zeros(0, np.float32))
        self._backlog.came(motion.pts_us)
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

    async def _data(self, frame: ReceivedFrame) -> bytes | memoryview:
        """The pixels; and the server is told that they have come."""
        slot = frame.head.ring_slot
        if self._memory is None or not slot.sequence:
            if self._receipts is not None and not self._finished:
                self._receipts.came(frame.head.index)
            return frame.data
        try:
            data = self._memory.read(slot.slot * self.started.ring.slot_bytes, slot.size_bytes)
        except OSError as error:
            raise UnavailableError("the memory shared with the server was cut off; animate the face again") from error
        if slot.sequence % (self.started.ring.slots // 4) == 0:
            await self._release(slot.sequence)
        return data

    async def _release(self, sequence: int) -> None:
        """Never an error: why a call is over is said by what comes next."""
        if not self._finished:
            with suppress(VivantError):
                await self._send(pb.AnimateRequest(ring_release=pb.RingRelease(sequence=sequence)))

    async def _until_taken(self) -> None:
        """Raises UnavailableError where nobody iterates; said here, for the refusal of a server ends the call."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while loop.time() - self._reader.taken_s > NOBODY_TAKES_S:
            if loop.time() - began_s > NOBODY_TAKES_S:
                raise UnavailableError(
                    f"more than {self._backlog.most_ms} ms of audio would be queued; send it later, "
                    "or iterate the session while you push"
                )
            await self._clock.sleep_until(self._clock.now_us() + LOOK_US)

    async def _until_room(self, n_samples: int, epoch: int) -> None:
        while epoch == self._epoch and not self._call.done() and (excess_us := self._backlog.excess_us(n_samples)) > 0:
            await self._until_taken()
            await self._clock.sleep_until(self._clock.now_us() + min(excess_us, LOOK_US))
        await self._backlog.next_message()

    async def _send(self, request: pb.AnimateRequest) -> None:
        try:
            async with self._sending:
                await self._reader.during(write(self._call, request))
        except (asyncio.InvalidStateError, grpc.aio.InternalError, grpc.aio.AioRpcError) as error:
            # The call is over; its status says why, the error of a write does not.
            code = await self._reader.during(self._call.code())
            if code in (grpc.StatusCode.OK, grpc.StatusCode.CANCELLED):
                raise ClosedError("this face was closed; animate a new one") from error
            raise refusal(code, await self._call.details(), await self._call.trailing_metadata()) from error

    async def _receive(self) -> Any:  # noqa: ANN401
        try:
            return await self._reader.next()
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error


def _warn(before: str, now: str) -> None:
    warnings.warn(f"RemoteSession.{before} is now {now} (docs/upgrading.md)", DeprecationWarning, stacklevel=3)
