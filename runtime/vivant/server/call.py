"""One ``Animate`` call: three tasks around a session.

    requests ──► [read] ──► voice ──► [feed] ──► session ──► [write] ──► responses

Reading never waits for the voice, so an interruption is heard at once however much audio is queued before it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

import grpc
from google.protobuf.message import DecodeError

from vivant.clock import Clock
from vivant.errors import InputError, VivantError
from vivant.face import Face
from vivant.honest.finisher import live_session_id
from vivant.motion.model import SpeechMotion
from vivant.server.canvas import Canvas, Shot
from vivant.server.config import Effective, controls_of, importance_of, samples_of
from vivant.server.crew import Crew, Governor
from vivant.server.metrics import Metrics
from vivant.server.portraits import Portraits
from vivant.server.refusal import Refusal, full
from vivant.server.ring import Ring
from vivant.server.wire import frame_response
from vivant.session.channel import Channel, Full
from vivant.session.session import Session
from vivant.types import ARKIT_NAMES, Float32Array, Interrupted, MotionFrame, UtteranceEnd, UtteranceStart
from vivant.v1 import vivant_pb2 as pb

log = logging.getLogger("vivant.server")

AUDIO_MESSAGE_BYTES = 1 << 20
UTTERANCE_ID_BYTES = 64
STATISTICS_US = 1_000_000

Context: TypeAlias = grpc.aio.ServicerContext


@dataclass(frozen=True, slots=True)
class House:
    """What all calls of a server share."""

    portraits: Portraits
    crew: Crew
    governor: Governor
    metrics: Metrics
    clock: Clock
    motion: SpeechMotion
    messages_per_s: int


@dataclass(frozen=True, slots=True)
class _Begin:
    utterance_id: str


@dataclass(frozen=True, slots=True)
class _End:
    pass


class Call:
    """Use `run` once."""

    def __init__(self, house: House, client: str, config: Effective, portrait_id: str, face: Face, context: Context) -> None:
        mark_id = live_session_id()
        self.session_id = f"{mark_id:08x}"
        self._house = house
        self._client = client
        self._config = config
        self._context = context
        self._canvas = Canvas(face, portrait_id, config.message, session_id=mark_id, draws=config.wants_frames)
        self._session = Session(
            self._canvas,
            config.session,
            motion=house.motion,
            controls=config.controls,
            clock=house.clock,
            executor=house.crew,
        )
        self._ring: Ring | None = None
        self._voice: Channel[_Begin | _End | Float32Array] = Channel(float("inf"), Full.BLOCK)
        self._importance = config.message.importance
        self._events: deque[pb.Event] = deque()
        self._names: dict[int, str] = {}
        """Utterances by the session's number, until they are over."""
        self._heard_us: dict[int, int] = {}
        """When their first audio came."""
        self._shown_portrait = portrait_id
        self._utterance = 0
        """The one being shown, or 0."""
        self._epoch = 0
        self._sent = self._thinned = 0
        self._lag_us = 0
        self._last_statistics = (house.clock.now_us(), 0)
        self._swap: asyncio.Task[None] | None = None

    @property
    def importance(self) -> tuple[float, float]:
        return self._importance.priority, -self._importance.distance_m

    @property
    def detail(self) -> int:
        return self._canvas.detail

    def set_detail(self, level: int, why: str) -> None:
        self._canvas.detail = level
        self._event(pb.EVENT_TYPE_QUALITY_CHANGED, self._session_pts_us, detail=f"detail level {level}: {why}")

    def drain(self) -> None:
        """Tell the client that the server is about to stop."""
        self._event(pb.EVENT_TYPE_DRAINING, self._session_pts_us)

    async def run(self, notes: tuple[str, ...]) -> None:
        """Serve until the client has finished or gone. Raises what ends the call early."""
        if self._config.shares_memory and self._config.wants_frames:
            self._ring = Ring(self._config.session.size_px**2 * 4)
        try:
            await self._context.write(self._started(notes))
            async with self._session, asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._read(tasks))
                feeding = tasks.create_task(self._feed())
                await self._write()
                reading.cancel()
                feeding.cancel()
                if self._swap is not None:
                    self._swap.cancel()
        finally:
            if self._ring is not None:
                self._ring.close()

    def _started(self, notes: tuple[str, ...]) -> pb.AnimateResponse:
        return pb.AnimateResponse(
            started=pb.SessionStarted(
                config=self._config.message,
                session_id=self.session_id,
                delay_us=1000 * self._session.delay_ms if self._config.session.paced else 0,
                weight_names=ARKIT_NAMES if self._config.wants_motion else (),
                ring=self._ring.message if self._ring is not None else None,
                notes=notes,
            )
        )

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        clock = self._house.clock
        period_us, n_messages = clock.now_us(), 0
        while (request := await next_request(self._context)) is not None:
            n_messages += 1
            if clock.now_us() - period_us > 1_000_000:
                period_us, n_messages = clock.now_us(), 1
            if n_messages > self._house.messages_per_s:
                raise full(f"at most {self._house.messages_per_s} messages per second; put more audio in each")
            await self._take(request, tasks)
        await self._voice.close()

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
                await self._interrupt(request.interrupt.epoch or self._epoch + 1)
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
        if epoch <= self._epoch:
            raise InputError(f"the epoch of an interrupt must grow: got {epoch} after {self._epoch}")
        self._epoch = epoch
        await self._voice.clear()
        await self._session.interrupt()

    async def _change_portrait(self, ref: pb.PortraitRef) -> None:
        try:
            portrait_id, face = await self._house.portraits.open(
                self._client, ref, transparent=self._config.message.transparent
            )
            self._canvas.show(face, portrait_id)
        except VivantError as error:
            self._event(pb.EVENT_TYPE_PORTRAIT_FAILED, self._session_pts_us, detail=str(error))

    async def _feed(self) -> None:
        async for item in self._voice:
            if isinstance(item, _Begin):
                await self._session.end()
                self._names[self._session.utterance] = item.utterance_id
            elif isinstance(item, _End):
                await self._session.end()
            else:
                self._heard_us.setdefault(self._session.utterance, self._house.clock.now_us())
                await self._session.push(item)
        await self._session.finish()

    async def _write(self) -> None:
        async for item in self._session:
            if isinstance(item, Shot):
                await self._write_shot(item)
            else:
                self._mark(item)
            await self._write_events()
            await self._write_statistics()
        await self._write_events()

    def _mark(self, marker: object) -> None:
        name = self._names.get(getattr(marker, "utterance", 0), "")
        match marker:
            case UtteranceStart(utterance):
                self._utterance = utterance
                self._event(pb.EVENT_TYPE_UTTERANCE_STARTED, self._session_pts_us, name)
            case UtteranceEnd(utterance, position_us):
                self._forget(utterance)
                self._event(pb.EVENT_TYPE_UTTERANCE_FINISHED, position_us, name)
            case Interrupted(utterance, position_us):
                self._forget(utterance)
                self._event(pb.EVENT_TYPE_INTERRUPTED, position_us, name)

    def _forget(self, utterance: int) -> None:
        self._utterance = 0
        for number in [number for number in self._names if number <= utterance]:
            del self._names[number]
        for number in [number for number in self._heard_us if number <= utterance]:
            del self._heard_us[number]

    async def _write_shot(self, shot: Shot) -> None:
        self._session_pts_us = shot.pts_us
        name = self._names.get(self._utterance, "")
        if shot.portrait_id != self._shown_portrait:
            self._shown_portrait = shot.portrait_id
            self._event(pb.EVENT_TYPE_PORTRAIT_CHANGED, shot.pts_us, portrait_id=shot.portrait_id)
        await self._write_events()
        if self._config.wants_motion:
            await self._context.write(pb.AnimateResponse(motion=motion_message(shot.motion, name, self._epoch)))
        if self._config.wants_frames:
            await self._write_frame(shot, name)
        self._lag_us = max(0, self._house.clock.now_us() - self._session.due_us(shot)) if self._config.session.paced else 0
        self._house.metrics.lag.observe(self._lag_us / 1e6)
        heard_us = self._heard_us.pop(self._utterance, None)
        if heard_us is not None:
            self._house.metrics.first_frame.observe((self._house.clock.now_us() - heard_us) / 1e6)

    async def _write_frame(self, shot: Shot, name: str) -> None:
        head = pb.Frame(
            index=shot.index,
            pts_us=shot.pts_us,
            utterance_id=name,
            epoch=self._epoch,
            width_px=shot.size_px,
            height_px=shot.size_px,
            pixel_format=self._config.message.pixel_format,
        )
        slot = self._ring.write(shot.payload) if self._ring is not None and shot.payload is not None else None
        if shot.payload is None or (self._ring is not None and slot is None and not self._voice.closed):
            self._thinned += 1
            self._house.metrics.dropped.inc()
            return
        if slot is not None:
            head.ring_slot.CopyFrom(slot)
        self._sent += 1
        self._house.metrics.frames.inc()
        await self._context.write(frame_response(head, b"" if slot is not None else shot.payload))

    async def _write_events(self) -> None:
        while self._events:
            await self._context.write(pb.AnimateResponse(event=self._events.popleft()))

    async def _write_statistics(self) -> None:
        now_us, (then_us, sent) = self._house.clock.now_us(), self._last_statistics
        if now_us - then_us < STATISTICS_US:
            return
        self._last_statistics = (now_us, self._sent)
        stats = self._session.stats
        queued_ms = self._voice.stats.depth_ms + stats.audio.depth_ms
        statistics = pb.Statistics(
            fps=(self._sent - sent) * 1e6 / (now_us - then_us),
            lag_us=self._lag_us,
            frames_sent=self._sent,
            frames_dropped=self._thinned + stats.late + stats.video.dropped,
            audio_queued_us=round(1000 * queued_ms),
            detail_level=self._canvas.detail,
        )
        await self._context.write(pb.AnimateResponse(statistics=statistics))

    def _event(
        self, kind: pb.EventType, position_us: int, utterance_id: str = "", *, detail: str = "", portrait_id: str = ""
    ) -> None:
        self._events.append(
            pb.Event(
                type=kind,
                position_us=position_us,
                utterance_id=utterance_id,
                epoch=self._epoch,
                detail=detail,
                portrait_id=portrait_id,
            )
        )

    _session_pts_us = 0
    """Of the last frame that came out."""


async def next_request(context: Context) -> pb.AnimateRequest | None:
    """None when the client has closed its side. Raises InputError for bytes that are not of the contract."""
    data = await context.read()
    if data is grpc.aio.EOF:
        return None
    try:
        return pb.AnimateRequest.FromString(data)
    except DecodeError as error:
        raise InputError("a message that is not an AnimateRequest") from error


def motion_message(motion: MotionFrame, utterance_id: str, epoch: int) -> pb.Motion:
    pose = motion.pose
    return pb.Motion(
        index=motion.index,
        pts_us=motion.pts_us,
        utterance_id=utterance_id,
        epoch=epoch,
        weights=motion.weights.tolist(),
        pose=pb.Pose(
            yaw_deg=pose.yaw_deg, pitch_deg=pose.pitch_deg, roll_deg=pose.roll_deg, x=pose.x, y=pose.y, scale=pose.scale
        ),
        gaze_yaw_deg=motion.gaze[0],
        gaze_pitch_deg=motion.gaze[1],
    )
