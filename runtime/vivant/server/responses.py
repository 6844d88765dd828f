"""The answering side of one ``Animate`` call: what its session gives, as the contract's messages, in order."""

from __future__ import annotations

from collections import deque
from typing import Any, TypeAlias

import grpc

from vivant.clock import Clock
from vivant.server.canvas import Canvas, Shot
from vivant.server.config import Effective
from vivant.server.metrics import Metrics
from vivant.server.ring import Ring
from vivant.server.wire import frame_response, motion_message
from vivant.session.channel import Channel
from vivant.session.session import Session
from vivant.types import ARKIT_NAMES, Interrupted, UtteranceEnd, UtteranceStart
from vivant.v1 import vivant_pb2 as pb

STATISTICS_US = 1_000_000

Context: TypeAlias = grpc.aio.ServicerContext


class Responses:
    """One task writes; the rest may be called from others of the same loop."""

    def __init__(
        self,
        context: Context,
        config: Effective,
        voice: Channel[Any],
        session: Session,
        canvas: Canvas,
        *,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self.sent = 0
        self.epoch = 0
        self._context = context
        self._config = config
        self._voice = voice
        self._session = session
        self._canvas = canvas
        self._metrics = metrics
        self._clock = clock
        self._ring: Ring | None = None
        self._events: deque[pb.Event] = deque()
        self._names: dict[int, str] = {}
        """Utterances by the session's number, until they are over."""
        self._heard_us: dict[int, int] = {}
        """When their first audio came."""
        self._shown_portrait = config.message.portrait.id
        self._utterance = 0
        """The one being shown, or 0."""
        self._pts_us = 0
        """Of the last frame that came out."""
        self._thinned = 0
        self._lag_us = 0
        self._last_statistics = (clock.now_us(), 0)

    @property
    def dropped(self) -> int:
        """Frames left out: late, not taken by a slow reader, or thinned out."""
        return self._thinned + self._session.stats.late + self._session.stats.video.dropped

    def name(self, utterance: int, utterance_id: str) -> None:
        """The client's name for an utterance of the session."""
        self._names[utterance] = utterance_id

    def heard(self, utterance: int) -> None:
        """Audio of an utterance has come."""
        self._heard_us.setdefault(utterance, self._clock.now_us())

    def event(self, kind: pb.EventType, detail: str = "") -> None:
        """Something that has no place in the audio; it goes out with the next frame."""
        self._note(kind, self._pts_us, detail=detail)

    async def start(self, session_id: str, notes: tuple[str, ...], ring: Ring | None) -> None:
        """The echo; frames go into the ring if there is one."""
        self._ring = ring
        started = pb.SessionStarted(
            config=self._config.message,
            session_id=session_id,
            delay_us=1000 * self._session.delay_ms if self._config.session.paced else 0,
            weight_names=ARKIT_NAMES if self._config.wants_motion else (),
            ring=ring.message if ring is not None else None,
            notes=notes,
        )
        await self._context.write(pb.AnimateResponse(started=started))

    async def write(self) -> None:
        """Everything, until the session is over."""
        async for item in self._session:
            if isinstance(item, Shot):
                await self._write_shot(item)
            else:
                self._mark(item)
            await self._write_events()
            await self._write_statistics()
        await self._write_events()

    def _mark(self, marker: object) -> None:
        match marker:
            case UtteranceStart(utterance, position_us):
                self._utterance = utterance
                self._note(pb.EVENT_TYPE_UTTERANCE_STARTED, position_us, self._names.get(utterance, ""))
            case UtteranceEnd(utterance, position_us):
                self._note(pb.EVENT_TYPE_UTTERANCE_FINISHED, position_us, self._forget(utterance))
            case Interrupted(utterance, position_us):
                self._note(pb.EVENT_TYPE_INTERRUPTED, position_us, self._forget(utterance))

    def _forget(self, utterance: int) -> str:
        """Whatever is known of an utterance and those before it; returns its name."""
        self._utterance = 0
        name = self._names.get(utterance, "")
        for known in (self._names, self._heard_us):
            for number in [number for number in known if number <= utterance]:
                del known[number]
        return name

    async def _write_shot(self, shot: Shot) -> None:
        self._pts_us = shot.pts_us
        name = self._names.get(self._utterance, "")
        if shot.portrait_id != self._shown_portrait:
            self._shown_portrait = shot.portrait_id
            self._note(pb.EVENT_TYPE_PORTRAIT_CHANGED, shot.pts_us, portrait_id=shot.portrait_id)
        await self._write_events()
        if self._config.wants_motion:
            await self._context.write(pb.AnimateResponse(motion=motion_message(shot.motion, name, self.epoch)))
        if self._config.wants_frames:
            await self._write_frame(shot, name)
        else:
            self._count()
        now_us = self._clock.now_us()
        if self._config.session.paced:
            self._lag_us = max(0, now_us - self._session.due_us(shot))
            self._metrics.lag.observe(self._lag_us / 1e6)
        heard_us = self._heard_us.pop(self._utterance, None)
        if heard_us is not None:
            self._metrics.first_frame.observe((now_us - heard_us) / 1e6)

    async def _write_frame(self, shot: Shot, name: str) -> None:
        slot = self._slot(shot.payload) if shot.payload is not None else None
        if shot.payload is None or (self._ring is not None and slot is None and not self._voice.closed):
            self._thinned += 1
            self._metrics.dropped.inc()
            return
        head = pb.Frame(
            index=shot.index,
            pts_us=shot.pts_us,
            utterance_id=name,
            epoch=self.epoch,
            width_px=shot.size_px,
            height_px=shot.size_px,
            pixel_format=self._config.message.pixel_format,
            ring_slot=slot,
        )
        self._count()
        await self._context.write(frame_response(head, b"" if slot is not None else shot.payload))

    def _count(self) -> None:
        """A frame: its picture, or its motion where no pictures are wanted."""
        self.sent += 1
        self._metrics.frames.inc()

    def _slot(self, payload: memoryview | bytes) -> pb.RingSlot | None:
        try:
            return self._ring.write(payload) if self._ring is not None else None
        except OSError as error:  # the client has cut it, and the memory is full
            self._ring = None
            self.event(pb.EVENT_TYPE_QUALITY_CHANGED, f"frames come inline from here on: {error.strerror}")
            return None

    async def _write_events(self) -> None:
        while self._events:
            await self._context.write(pb.AnimateResponse(event=self._events.popleft()))

    async def _write_statistics(self) -> None:
        now_us, (then_us, sent) = self._clock.now_us(), self._last_statistics
        if now_us - then_us < STATISTICS_US:
            return
        self._last_statistics = (now_us, self.sent)
        queued_ms = self._voice.stats.depth_ms + self._session.stats.audio.depth_ms
        statistics = pb.Statistics(
            fps=(self.sent - sent) * 1e6 / (now_us - then_us),
            lag_us=self._lag_us,
            frames_sent=self.sent,
            frames_dropped=self.dropped,
            audio_queued_us=round(1000 * queued_ms),
            detail_level=self._canvas.detail,
        )
        await self._context.write(pb.AnimateResponse(statistics=statistics))

    def _note(
        self, kind: pb.EventType, position_us: int, utterance_id: str = "", *, detail: str = "", portrait_id: str = ""
    ) -> None:
        self._events.append(
            pb.Event(
                type=kind,
                position_us=position_us,
                utterance_id=utterance_id,
                epoch=self.epoch,
                detail=detail,
                portrait_id=portrait_id,
            )
        )
