"""One ``Animate`` call: three tasks around a session.

    requests ──► [read] ──► voice ──► [feed] ──► session ──► [write] ──► responses

Reading never waits for the voice, so an interruption is heard at once however much audio is queued before it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from concurrent.futures import Executor
from dataclasses import dataclass

import grpc

from vivant.clock import Clock
from vivant.errors import InputError, VivantError
from vivant.face import Face
from vivant.honest.finisher import live_session_id
from vivant.motion.model import SpeechMotion
from vivant.server.canvas import Canvas
from vivant.server.clients import Client
from vivant.server.config import Effective, controls_of, importance_of, samples_of
from vivant.server.crew import Crew, Governor
from vivant.server.metrics import Metrics
from vivant.server.portraits import Portraits
from vivant.server.refusal import Refusal, full
from vivant.server.responses import Context, Responses
from vivant.server.ring import Ring
from vivant.server.wire import next_message
from vivant.session.channel import Channel, Full
from vivant.session.session import Session
from vivant.size import Size
from vivant.types import Float32Array
from vivant.v1 import vivant_pb2 as pb

log = logging.getLogger("vivant.server")

AUDIO_MESSAGE_BYTES = 1 << 20
UTTERANCE_ID_BYTES = 64
LAST_EPOCH = 2**64 - 1


@dataclass(frozen=True, slots=True)
class House:
    """What all calls of a server share."""

    portraits: Portraits
    crew: Crew
    """For calls that are due."""
    bakery: Executor
    """For those that come as fast as possible."""
    governor: Governor
    metrics: Metrics
    clock: Clock
    motion: SpeechMotion
    messages_per_s: int

    def open(self, config: Effective, face: Face) -> tuple[int, Canvas, Session]:
        """The number that the invisible mark says, the renderer and the session of a config whose portrait is ``face``."""
        mark_id = live_session_id()
        canvas = Canvas(face, config.message.portrait.id, config.message, session_id=mark_id, draws=config.wants_frames)
        executor = self.crew if config.session.paced else self.bakery
        return (
            mark_id,
            canvas,
            Session(canvas, config.session, motion=self.motion, controls=config.controls, clock=self.clock, executor=executor),
        )


@dataclass(frozen=True, slots=True)
class _Begin:
    utterance_id: str


@dataclass(frozen=True, slots=True)
class _End:
    pass


class Call:
    """Use `run` once."""

    def __init__(self, house: House, client: Client, config: Effective, face: Face, context: Context) -> None:
        mark_id, self._canvas, self._session = house.open(config, face)
        self.session_id = f"{mark_id:08x}"
        self._house = house
        self._client = client
        self._config = config
        self._context = context
        self._voice: Channel[_Begin | _End | Float32Array] = Channel(float("inf"), Full.BLOCK)
        self._ring: Ring | None = None
        self._responses = Responses(
            context, config, self._voice, self._session, self._canvas, metrics=house.metrics, clock=house.clock
        )
        self._importance = config.message.importance
        self._swap: asyncio.Task[None] | None = None

    @property
    def paced(self) -> bool:
        return self._config.session.paced

    @property
    def importance(self) -> tuple[float, float]:
        return self._importance.priority, -self._importance.distance_m

    @property
    def label_off_reason(self) -> str | None:
        return self._config.label_off_reason

    @property
    def detail(self) -> int:
        return self._canvas.detail

    @property
    def figures(self) -> dict[str, str | int]:
        """For logs and traces."""
        return {
            "session_id": self.session_id,
            "frames_sent": self._responses.sent,
            "frames_dropped": self._responses.dropped,
        }

    def set_detail(self, level: int, why: str) -> None:
        self._canvas.detail = level
        self._responses.event(pb.EVENT_TYPE_QUALITY_CHANGED, f"detail level {level}: {why}")

    def drain(self) -> None:
        """Tell the client that the server is about to stop."""
        self._responses.event(pb.EVENT_TYPE_DRAINING)

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
            await self._responses.start(self.session_id, notes, self._ring)
            async with self._session, asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._read(tasks))
                feeding = tasks.create_task(self._feed())
                await self._responses.write()
                reading.cancel()
                feeding.cancel()
                if self._swap is not None:
                    self._swap.cancel()
        finally:
            if self._ring is not None:
                self._ring.close()

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        clock = self._house.clock
        period_us, n_messages = clock.now_us(), 0
        while (request := await next_message(self._context, pb.AnimateRequest)) is not None:
            n_messages += 1
            if clock.now_us() - period_us > 1_000_000:
                period_us, n_messages = clock.now_us(), 1
            if n_messages > self._house.messages_per_s:
                raise full(f"at most {self._house.messages_per_s} messages per second; put more audio in each")
            await self._take(request, tasks)
        self._voice.close()

    async def _take(self, request: pb.AnimateRequest, tasks: asyncio.TaskGroup) -> None:
        match request.WhichOneof("message"):
            case "audio":
                await self._hear(request.audio)
            case "utterance_start":
                if len(request.utterance_start.utterance_id.encode()) > UTTERANCE_ID_BYTES:
                    raise InputError(f"utterance_id may have {UTTERANCE_ID_BYTES} bytes")
                await self._voice.put(_Begin(request.utterance_start.utterance_id), 0)
            case "utterance_end":
                await self._voice.put(_End(), 0)
            case "controls":
                self._session.controls = controls_of(request.controls)
            case "portrait":
                if self._swap is not None:
                    self._swap.cancel()
                self._swap = tasks.create_task(self._change_portrait(request.portrait))
            case "interrupt":
                await self._interrupt(request.interrupt.epoch)
            case "importance":
                self._importance = importance_of(request.importance)
            case "ring_release" if self._ring is not None:
                self._ring.release(request.ring_release.sequence)
            case "config":
                raise Refusal(
                    grpc.StatusCode.FAILED_PRECONDITION, "the config comes once, first; open another call to change it"
                )
            case None:
                raise InputError("a message without content, or of a newer contract than this server's")

    async def _hear(self, audio: pb.Audio) -> None:
        if len(audio.samples) > AUDIO_MESSAGE_BYTES:
            raise InputError(f"an audio message may have {AUDIO_MESSAGE_BYTES} bytes, got {len(audio.samples)}")
        samples = samples_of(audio.samples, self._config.message.audio_format)
        length_ms = 1000.0 * len(samples) / self._config.session.sample_rate_hz
        if self._voice.stats.depth_ms + length_ms > self._config.message.audio_queue_ms:
            raise full(f"more than {self._config.message.audio_queue_ms} ms of audio would be queued; send it later")
        await self._voice.put(samples, length_ms)

    async def _interrupt(self, epoch: int) -> None:
        if epoch and epoch <= self._responses.epoch:
            return  # sent again by a client that did not know whether the first one came through
        self._responses.epoch = epoch or min(self._responses.epoch + 1, LAST_EPOCH)
        self._voice.clear()
        await self._session.interrupt()

    async def _change_portrait(self, ref: pb.PortraitRef) -> None:
        transparent = self._config.message.transparent
        try:
            portrait_id, face = await self._house.portraits.open(
                self._client, ref, self._config.declared, transparent=transparent
            )
            self._canvas.show(face, portrait_id)
        except VivantError as error:
            self._responses.event(pb.EVENT_TYPE_PORTRAIT_FAILED, str(error))

    async def _feed(self) -> None:
        async for item in self._voice:
            if isinstance(item, _Begin):
                await self._session.end()
                self._responses.name(self._session.utterance, item.utterance_id)
            elif isinstance(item, _End):
                await self._session.end()
            else:
                self._responses.heard(self._session.utterance)
                await self._session.push(item)
        await self._session.finish()
