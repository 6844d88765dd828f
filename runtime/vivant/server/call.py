"""One ``Animate`` call: two tasks around a session.

    requests ──► [read] ──► session ──► [write] ──► responses

Reading never waits for the voice, so an interruption is heard at once however much audio is queued before it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, Protocol

import grpc

from vivant.clock import Clock
from vivant.errors import InputError, VivantError
from vivant.face import Face, RigFace
from vivant.motion.model import SpeechMotion
from vivant.server.clients import Client
from vivant.server.config import ResolvedConfig, importance_of
from vivant.server.limits import Limits
from vivant.server.load_shedder import LoadShedder, Pictures, Wanted
from vivant.server.metrics import Metrics
from vivant.server.outflow import Outflow
from vivant.server.portraits import Portraits
from vivant.server.ring import Ring
from vivant.server.status import StatusError, full
from vivant.server.workers import SessionExecutor, WorkerPool
from vivant.server.writer import ResponseWriter
from vivant.session.presenter import SHOWN_OF, Look, Presenter
from vivant.session.session import Session
from vivant.size import Size
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.responses import Response, next_message
from vivant.wire.values import FORMATS_BY_NUMBER, TEXT_MESSAGE_BYTES, act_of, consent_of, controls_of, samples_of

log = logging.getLogger("vivant.server")

AUDIO_MESSAGE_BYTES = 1 << 20
"""Most in one message of sound."""
UTTERANCE_ID_BYTES = 64
TEXT_QUEUE_CHARS = 1 << 20
"""Most text that waits for its sound."""
FAREWELL_US = 2_000_000
"""A client that hears of the server's end may leave by itself before it is left; chosen."""
LOOK_US = 50_000
"""Between two looks whether a face speaks that is to be left."""
LAST_EPOCH = 2**64 - 1
"""The largest of the contract's uint64."""


@dataclass(frozen=True, slots=True)
class ServerContext:
    """Server context: what all calls of a server share."""

    portraits: Portraits
    workers: WorkerPool
    """For calls that are due."""
    batch_pool: Executor
    """For those that come as fast as possible."""
    load_shedder: LoadShedder
    metrics: Metrics
    clock: Clock
    motion: SpeechMotion
    limits: Limits

    def open(self, config: ResolvedConfig, face: Face, executor: Executor) -> Session:
        """The session of a config whose portrait is ``face``; the config then says the seed."""
        asked = config.message
        presenter = Presenter(
            face,
            size_px=asked.size_px,
            portrait=asked.portrait.id,
            consent=consent_of(asked.consent),
            label_off_reason=config.label_off_reason,
            pixel_format=FORMATS_BY_NUMBER[asked.pixel_format],
            jpeg_quality=asked.jpeg_quality,
            jpeg_alpha=config.jpeg_alpha,
            mirror=config.look.mirror,
            background=config.look.background,
            label_corner=config.look.label_corner,
        )
        session = Session(
            face,
            config.session,
            motion=self.motion,
            controls=config.controls,
            presenter=presenter,
            clock=self.clock,
            executor=executor,
        )
        asked.seed = session.stream.seed
        return session

    async def open_face(self, client: Client, ref: pb.PortraitRef, config: ResolvedConfig) -> tuple[str, Face]:
        """Id and face of a client's portrait as a config wants it: cut out, or before its own background out of focus."""
        portrait_id, face = await self.portraits.open(client, ref, config.declared, transparent=config.cuts_out)
        if config.blurred:
            if not isinstance(face, RigFace):
                raise InputError(f"the background blur is for faces that Vivant draws itself, not for {face.name}")
            face = await asyncio.get_running_loop().run_in_executor(self.workers, face.blurred)
        return portrait_id, face


class CallContext(Protocol):
    """What a call reads from and writes to: a ServicerContext, or a WebSocket."""

    async def read(self) -> Any:  # noqa: ANN401
        """The bytes of an `AnimateRequest`, or ``grpc.aio.EOF``."""
        ...

    async def write(self, response: Response) -> None:
        """Waits while the client takes nothing."""
        ...


class Call:
    """Use `run` once."""

    def __init__(self, shared: ServerContext, client: Client, config: ResolvedConfig, face: Face, context: CallContext) -> None:
        self._importance = config.message.importance
        self._lane: SessionExecutor = shared.workers.lane(self._importance.priority)
        self._session = shared.open(config, face, self._lane if config.session.paced else shared.batch_pool)
        self._presenter = self._session.stream.presenter
        self.session_id = f"{self._presenter.session_id:08x}"
        self._shared = shared
        self._client = client
        self._config = config
        self._context = context
        self._ring: Ring | None = None
        self._outflow = Outflow(context, shared.clock, shared.limits.unread_s)
        self._writer = ResponseWriter(self._outflow, config, self._session, metrics=shared.metrics, clock=shared.clock)
        self._session.playout.reader_has_room = lambda: self._writer.has_room
        self._shown = self._asked = config.message.portrait, config
        """Portrait and config: in the picture, and as they were asked for last."""
        self._swap: asyncio.Task[None] | None = None
        self._drained = asyncio.Event()

    @property
    def paced(self) -> bool:
        return self._config.session.paced

    @property
    def wanted(self) -> Wanted | None:
        return self._config.wanted

    @property
    def importance(self) -> tuple[float, float]:
        return self._importance.priority, -self._importance.distance_m

    @property
    def label_off_reason(self) -> str | None:
        return self._config.label_off_reason

    @property
    def is_speaking(self) -> bool:
        """The next sound belongs to an utterance that has begun."""
        return self._session.stream.is_speaking

    @property
    def ahead_ms(self) -> float:
        """Sound that has come and whose time has not; below 0 where it comes late."""
        stream = self._session.stream
        return stream.queued_ms - (self._session.pace.now_us - stream.heard_us) / 1000

    @property
    def filled_ms(self) -> float:
        """Silence that was heard within utterances, for their sound came late."""
        return self._session.stream.filled_ms

    @property
    def detail(self) -> int:
        return self._presenter.detail

    @property
    def pictures(self) -> Pictures:
        overdue = int(self._session.outputs.waits_us * self._config.session.fps / (1_000_000 * SHOWN_OF[self.detail]))
        return Pictures(self._writer.sent, self._session.stats.late + overdue)

    @property
    def figures(self) -> dict[str, str | int]:
        """For logs and traces."""
        return {
            "session_id": self.session_id,
            "frames_sent": self._writer.sent,
            "frames_dropped": self._writer.dropped,
        }

    def set_detail(self, level: int, why: str) -> None:
        self._presenter.detail = level
        self._writer.event(pb.EVENT_TYPE_QUALITY_CHANGED, f"detail level {level}: {why}")

    def drain(self) -> None:
        """Tell the client that the server is about to stop; the call ends between two lines."""
        self._writer.event(pb.EVENT_TYPE_DRAINING)
        self._drained.set()

    async def run(self, notes: tuple[str, ...]) -> None:
        """Serve until the client has finished or gone. Raises what ends the call early."""
        if self._config.shares_memory and self._config.wants_frames:
            try:
                self._ring = Ring(math.prod(Size.of(self._config.session.size_px)) * 4)
            except OSError as error:
                log.warning("no shared memory", extra={"reason": error.strerror, **self.figures})
                self._config.message.frame_transport = pb.FRAME_TRANSPORT_INLINE
                notes = (*notes, f"frames come inline, for the server has no shared memory left: {error.strerror}")
        try:
            await self._writer.start(self.session_id, notes, self._ring)
            async with self._session, asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                watching = self._outflow.watch(self._session.playout.wanted)
                leaving = [self._leave()] if self.paced else []  # what is made as fast as possible ends by itself
                beside = [tasks.create_task(each) for each in (self._read(), watching, *leaving)]
                await self._writer.write()
                for task in beside:
                    task.cancel()
                if self._swap is not None:
                    self._swap.cancel()
        finally:
            if self._ring is not None:
                self._ring.close()

    async def _leave(self) -> None:
        """Once drained: when nothing is said any more."""
        await self._drained.wait()
        clock = self._shared.clock
        await clock.sleep_until(clock.now_us() + FAREWELL_US)
        while self._writer.is_speaking or not self._session.stream.is_silent:
            await clock.sleep_until(clock.now_us() + LOOK_US)
        raise StatusError(grpc.StatusCode.UNAVAILABLE, "the server is about to stop; animate the face again", 0)

    async def _read(self) -> None:
        clock = self._shared.clock
        period_us, n_messages = clock.now_us(), 0
        while (request := await next_message(self._context, pb.AnimateRequest)) is not None:
            n_messages += 1
            if clock.now_us() - period_us > 1_000_000:
                period_us, n_messages = clock.now_us(), 1
            if n_messages > self._shared.limits.messages_per_s:
                raise full(f"at most {self._shared.limits.messages_per_s} messages per second; put more audio in each")
            await self._take(request)
        self._outflow.expect_confirmations(expected=False)
        await self._session.finish()

    async def _take(self, request: pb.AnimateRequest) -> None:
        match request.WhichOneof("message"):
            case "audio":
                self._hear(request.audio)
            case "utterance_start":
                if len(request.utterance_start.utterance_id.encode()) > UTTERANCE_ID_BYTES:
                    raise InputError(f"utterance_id may have {UTTERANCE_ID_BYTES} bytes")
                await self._session.begin(request.utterance_start.utterance_id)
            case "text":
                await self._say(request.text)
            case "utterance_end":
                await self._session.end()
            case "controls":
                await self._session.set_controls(controls_of(request.controls))
            case "act":
                await self._session.act(act_of(request.act))
            case "portrait":
                self._show(request.portrait, self._asked[1])
            case "interrupt":
                await self._interrupt(request.interrupt.epoch)
            case "importance":
                self._importance = importance_of(request.importance)
                self._lane.priority = self._importance.priority
            case "ring_release":
                self._outflow.confirmed(request.ring_release.sequence)
                if self._ring is not None:
                    self._ring.release(request.ring_release.sequence)
            case "config":
                raise StatusError(
                    grpc.StatusCode.FAILED_PRECONDITION, "the config comes once, first; open another call to change it"
                )
            case None:
                raise InputError("a message without content, or of a newer contract than this server's")

    def _hear(self, audio: pb.Audio) -> None:
        if len(audio.samples) > AUDIO_MESSAGE_BYTES:
            raise InputError(f"an audio message may have {AUDIO_MESSAGE_BYTES} bytes, got {len(audio.samples)}")
        samples = samples_of(audio.samples, self._config.message.audio_format)
        length_ms = 1000.0 * len(samples) / self._config.session.sample_rate_hz
        if self._session.stream.queued_ms + length_ms > self._config.message.audio_queue_ms:
            raise full(f"more than {self._config.message.audio_queue_ms} ms of audio would be queued; send it later")
        if not self._session.stream.is_speaking:
            self._writer.heard()
        self._session.push_nowait(samples)

    async def _say(self, said: pb.Text) -> None:
        if len(said.text.encode()) > TEXT_MESSAGE_BYTES:
            raise InputError(f"a text message may have {TEXT_MESSAGE_BYTES} bytes, got {len(said.text.encode())}")
        if self._session.stream.queued_chars + len(said.text) > TEXT_QUEUE_CHARS:
            raise full(f"more than {TEXT_QUEUE_CHARS} characters of text would wait for their sound; send them later")
        await self._session.say_text(said.text, said.language)

    async def _interrupt(self, epoch: int) -> None:
        last = self._session.stream.epoch
        if epoch and epoch <= last:
            return  # sent again by a client that did not know whether the first one came through
        await self._session.interrupt(epoch or min(last + 1, LAST_EPOCH))

    def set_look(self, look: Look, *, blurred: bool) -> None:
        """Another one, with the portrait that was asked for last, as soon as that is open so."""
        portrait, config = self._asked
        self._show(portrait, replace(config, look=look, blurred=blurred))

    def _show(self, portrait: pb.PortraitRef, config: ResolvedConfig) -> None:
        self._asked = portrait, config
        if self._swap is not None:
            self._swap.cancel()
        self._swap = self._tasks.create_task(self._change_portrait(portrait, config))

    async def _change_portrait(self, portrait: pb.PortraitRef, config: ResolvedConfig) -> None:
        try:
            portrait_id, face = await self._shared.open_face(self._client, portrait, config)
            self._presenter.show(face, portrait_id, config.look)
            self._shown = portrait, config
        except VivantError as error:
            self._asked = self._shown
            self._writer.event(pb.EVENT_TYPE_PORTRAIT_FAILED, str(error))
