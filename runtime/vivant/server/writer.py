"""Response writer: the answering side of one ``Animate`` call: what its session gives, as the contract's messages, in order."""

from __future__ import annotations

from collections import deque

from vivant.clock import Clock
from vivant.server.config import ResolvedConfig
from vivant.server.metrics import Metrics
from vivant.server.outflow import Outflow
from vivant.server.ring import Ring
from vivant.session.session import Session
from vivant.types import ARKIT_NAMES, Interrupted, Marker, Output, UtteranceStart
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.responses import FrameToSend, SoundToSend
from vivant.wire.values import marker_event, motion_message, picture_head

STATISTICS_US = 1_000_000
"""From one `Statistics` of a call to the next."""


class ResponseWriter:
    """Response writer: encodes and writes, owns nothing of the session.

    One task writes; the rest may be called from others of the same loop.
    """

    def __init__(self, outflow: Outflow, config: ResolvedConfig, session: Session, *, metrics: Metrics, clock: Clock) -> None:
        self.sent = 0
        self.is_speaking = False
        """The client has seen the beginning of an utterance and not its end."""
        self._outflow = outflow
        self._config = config
        self._session = session
        self._metrics = metrics
        self._clock = clock
        self._ring: Ring | None = None
        self._inline = 0
        """Frames that went in their messages."""
        self._events: deque[pb.Event] = deque()
        self._heard_us: deque[int] = deque()
        """When the first audio came of each utterance that has not begun."""
        self._begun_us: int | None = None
        """The same of the utterance of which no frame was written yet."""
        self._shown_portrait = config.message.portrait.id
        self._utterance_id = ""
        """Of the utterance that is shown."""
        self._pts_us = 0
        """Of the last frame that came out."""
        self._thinned = 0
        self._dropped = 0
        """So many of those left out are in the metric."""
        self._lag_us = 0
        self._last_statistics = (clock.now_us(), 0)

    @property
    def dropped(self) -> int:
        """Frames left out: late, not taken by a slow reader, or thinned out."""
        return self._thinned + self._session.stats.dropped

    @property
    def has_room(self) -> bool:
        """Whether a picture drawn now would reach the client soon. One that has closed its side gets all there is."""
        if self._session.stream.is_finishing:
            return True
        return self._outflow.has_room if self._ring is None else self._ring.has_room

    def heard(self) -> None:
        """The first audio of an utterance has come."""
        self._heard_us.append(self._clock.now_us())

    def event(self, kind: pb.EventType, detail: str = "") -> None:
        """Something that has no place in the audio; it goes out with the next frame."""
        self._note(kind, self._pts_us, detail=detail)

    async def start(self, session_id: str, notes: tuple[str, ...], ring: Ring | None) -> None:
        """The echo; frames go into the ring if there is one."""
        self._ring = ring
        self._outflow.expect_confirmations(expected=ring is not None or self._config.confirms_frames)
        started = pb.SessionStarted(
            config=self._config.message,
            session_id=session_id,
            delay_us=1000 * self._session.delay_ms,
            weight_names=ARKIT_NAMES if self._config.wants_motion else (),
            ring=ring.message if ring is not None else None,
            notes=notes,
        )
        await self._outflow.write(pb.AnimateResponse(started=started))

    async def write(self) -> None:
        """Everything, until the session is over."""
        async for item in self._session:
            if isinstance(item, Output):
                await self._write_output(item)
            else:
                self._mark(item)
            self._count_dropped()
            await self._write_events()
            await self._write_statistics()
        await self._write_events()

    def _mark(self, marker: Marker) -> None:
        self._events.append(marker_event(marker))
        self.is_speaking = isinstance(marker, UtteranceStart)
        self._utterance_id = marker.utterance_id if isinstance(marker, UtteranceStart) else ""
        if isinstance(marker, UtteranceStart):
            self._begun_us = self._heard_us.popleft() if self._heard_us else None
        elif isinstance(marker, Interrupted):
            self._heard_us.clear()

    async def _write_output(self, output: Output) -> None:
        self._pts_us = output.pts_us
        if output.portrait != self._shown_portrait:
            self._shown_portrait = output.portrait
            self._note(pb.EVENT_TYPE_PORTRAIT_CHANGED, output.pts_us, portrait_id=output.portrait)
        await self._write_events()
        if self._config.wants_motion:
            await self._outflow.write(
                pb.AnimateResponse(motion=motion_message(output.motion, self._utterance_id, output.epoch))
            )
        if output.audio is not None and output.utterance is not None:  # silence needs no player
            await self._outflow.write(SoundToSend(output.audio, output.epoch))
        if self._config.wants_frames:
            await self._write_picture(output)
        else:
            self._count()
        now_us = self._clock.now_us()
        if self._config.session.paced:
            self._lag_us = max(0, now_us - self._session.pace.due_us(output.pts_us))
            self._metrics.lag.observe(self._lag_us / 1e6)
        if self._begun_us is not None:
            self._metrics.first_frame.observe((now_us - self._begun_us) / 1e6)
            self._begun_us = None

    async def _write_picture(self, output: Output) -> None:
        picture = output.picture
        if picture is None or not self.has_room:
            self._thinned += 1
            return
        head, data = picture_head(picture, self._utterance_id, output.epoch), picture.pixels.reshape(-1).data
        slot = self._slot(data)
        if slot is not None:
            head.ring_slot.CopyFrom(slot)
        self._inline += slot is None
        self._outflow.sent(self._inline if slot is None else slot.sequence)
        self._count()
        alpha = b"" if picture.jpeg_alpha is None else picture.jpeg_alpha.data
        await self._outflow.write(FrameToSend(head, data if slot is None else b"", alpha))

    def _count(self) -> None:
        """A frame: its picture, or its motion where no pictures are wanted."""
        self.sent += 1
        self._metrics.frames.inc()

    def _count_dropped(self) -> None:
        self._metrics.dropped.inc(self.dropped - self._dropped)
        self._dropped = self.dropped

    def _slot(self, data: memoryview) -> pb.RingSlot | None:
        try:
            return self._ring.write(data) if self._ring is not None else None
        except OSError as error:  # the client has cut it, and the memory is full
            self._ring = None
            self._outflow.expect_confirmations(expected=self._config.confirms_frames)
            self.event(pb.EVENT_TYPE_QUALITY_CHANGED, f"frames come inline from here on: {error.strerror}")
            return None

    async def _write_events(self) -> None:
        while self._events:
            await self._outflow.write(pb.AnimateResponse(event=self._events.popleft()))

    async def _write_statistics(self) -> None:
        now_us, (then_us, sent) = self._clock.now_us(), self._last_statistics
        if now_us - then_us < STATISTICS_US:
            return
        self._last_statistics = (now_us, self.sent)
        statistics = pb.Statistics(
            fps=(self.sent - sent) * 1e6 / (now_us - then_us),
            lag_us=self._lag_us,
            frames_sent=self.sent,
            frames_dropped=self.dropped,
            audio_queued_us=round(1000 * self._session.stream.queued_ms),
            detail_level=self._session.stream.presenter.detail,
            filled_us=round(1000 * self._session.stream.filled_ms),
        )
        await self._outflow.write(pb.AnimateResponse(statistics=statistics))

    def _note(self, kind: pb.EventType, position_us: int, *, detail: str = "", portrait_id: str = "") -> None:
        self._events.append(
            pb.Event(
                type=kind,
                position_us=position_us,
                epoch=self._session.stream.epoch,
                detail=detail,
                portrait_id=portrait_id,
            )
        )
