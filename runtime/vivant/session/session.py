"""One speaking character, live: audio in on one side, frames out on the other, each stage a task of its own.

    push ──► [animate] ──► [emit] ──► async for
             pace, silence   pace
             executor: infer, draw

Three verbs stop it, and never mean the same: `end` (finish what is queued), `interrupt` (forget it now), `close`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from types import TracebackType
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from vivant.clock import Clock, MonotonicClock
from vivant.errors import ClosedError, InputError
from vivant.face import Face, default_motion
from vivant.motion.model import SpeechMotion
from vivant.session.channel import Channel, ChannelStats, Full
from vivant.session.listener import Listener, Marker
from vivant.speech.resample import MAX_RATE_HZ, MIN_RATE_HZ
from vivant.types import AudioChunk, Controls, Interrupted, MotionFrame, UtteranceEnd, UtteranceStart, VideoFrame, frame_pts_us

Result = TypeVar("Result")
Item = TypeVar("Item", covariant=True)
Output = VideoFrame | UtteranceStart | UtteranceEnd | Interrupted

AUDIO_MS, VIDEO_MS = 2000.0, 200.0
BLOCK_MS = 20
EAGER_MS = 400
MARGIN_MS = 40
"""Time for inference and rendering between a frame becoming certain and its being due."""
ROUNDING_US = 1000
"""A model may count its samples from elsewhere, and find a frame certain a sample earlier or later."""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Fixed for a session's life."""

    fps: Fraction = Fraction(30)
    size_px: int | tuple[int, int] = 512
    sample_rate_hz: int = 16000
    seed: int = 0
    paced: bool = True
    """True is live: frames come when they are due, and silence is filled in when no audio does. False: as fast as possible."""

    eager: bool = False
    """Paced only: an utterance that begins with `EAGER_MS` of audio queued need not wait for the look-ahead. Time then runs
    ahead by so much at its start (idle frames are left out) and falls back, slightly slower, in the silence after it."""

    def __post_init__(self) -> None:
        if not MIN_RATE_HZ <= self.sample_rate_hz <= MAX_RATE_HZ:
            raise InputError(f"sample_rate_hz must be from {MIN_RATE_HZ} to {MAX_RATE_HZ}, got {self.sample_rate_hz}")


@dataclass(frozen=True, slots=True)
class _Tagged(Generic[Item]):
    """Whatever travels between stages carries the epoch it belongs to; an interruption begins a new one."""

    epoch: int
    item: Item


@dataclass
class SessionStats:
    """For observers."""

    frames: int = 0
    late: int = 0
    """Frames left out because their time had passed."""
    audio: ChannelStats = field(default_factory=ChannelStats)
    video: ChannelStats = field(default_factory=ChannelStats)


class Session:
    """Use as ``async with``; push from one task, iterate from another. All on one event loop.

    ``executor`` runs inference and rendering (default: the loop's own); both release the GIL.
    """

    def __init__(
        self,
        face: Face,
        config: SessionConfig | None = None,
        *,
        motion: SpeechMotion | None = None,
        controls: Controls | None = None,
        clock: Clock | None = None,
        executor: Executor | None = None,
    ) -> None:
        self.config = config or SessionConfig()
        self.controls = controls or Controls()
        self.stats = SessionStats()
        model = motion or default_motion()
        self.delay_ms = model.look_ahead_ms + BLOCK_MS + MARGIN_MS
        """A live frame comes this long after the sound it belongs to was due."""
        self._clock = clock or MonotonicClock()
        self._executor = executor
        self._listener = Listener(model.open(self.config.fps, self.config.seed), self.config.fps, live=self.config.paced)
        self._renderer = face.open(self.config.size_px)
        self._frame_ms = 1000.0 * self.config.fps.denominator / self.config.fps.numerator
        self._audio: Channel[_Tagged[AudioChunk | Marker]] = Channel(AUDIO_MS, Full.BLOCK)
        self._video: Channel[_Tagged[VideoFrame | Marker]] = Channel(VIDEO_MS, Full.LATEST if self.config.paced else Full.BLOCK)
        self._out: Channel[_Tagged[Output]] = Channel(self._frame_ms, Full.BLOCK)
        self._channels: tuple[Channel[Any], ...] = (self._audio, self._video, self._out)
        self.stats.audio, self.stats.video = self._audio.stats, self._video.stats
        self._epoch = 0
        self._utterance = 0
        self._speaking = False
        self._last_pts_us = 0
        self._start_us = 0
        self._look_ahead_us = 1000 * model.look_ahead_ms
        self._lead_us = 0
        """How far time runs ahead for an eager utterance."""
        self._task: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    @property
    def utterance(self) -> int:
        """The number of the utterance to which audio belongs that is pushed now; the first is 1."""
        return self._utterance + (not self._speaking)

    async def push(self, samples: NDArray[np.floating[Any]]) -> None:
        """Add mono audio (n,) in [-1, 1] at the session's rate; waits while more than two seconds are queued."""
        own = np.asarray(samples, np.float32)
        if own.ndim != 1:
            raise InputError(f"samples must have shape (n,), got {own.shape}")
        epoch, rate_hz = self._epoch, self.config.sample_rate_hz
        if not self._speaking:
            self._speaking = True
            self._utterance += 1
            await self._put(self._audio, _Tagged(epoch, UtteranceStart(self._utterance)))
        step = rate_hz * BLOCK_MS // 1000
        for first in range(0, len(own), step):
            if epoch != self._epoch:
                return  # interrupted meanwhile: the rest is not wanted either
            await self._put(self._audio, _Tagged(epoch, AudioChunk(own[first : first + step], rate_hz)))

    async def end(self) -> None:
        """The utterance is complete: everything queued is spoken, then an `UtteranceEnd` comes out."""
        if self._speaking:
            self._speaking = False
            await self._put(self._audio, _Tagged(self._epoch, UtteranceEnd(self._utterance, 0)))

    async def interrupt(self) -> None:
        """Stop speaking now: every queue is emptied, the mouth eases shut, an `Interrupted` comes out."""
        self._epoch += 1
        self._speaking = False
        for channel in self._channels:
            channel.clear()
        await self._put(self._out, _Tagged(self._epoch, Interrupted(self._utterance, self._last_pts_us)))

    async def close(self) -> None:
        """Stop everything; what is queued is lost. Closing twice is fine."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for channel in self._channels:
            channel.close()
            channel.clear()

    async def finish(self) -> None:
        """No more audio will come: the iterator ends after what is queued."""
        await self.end()
        self._audio.close()

    async def __aiter__(self) -> AsyncIterator[Output]:
        """Frames and markers in order, until the session is over. Raises what made a stage fail."""
        async for tagged in self._out:
            if tagged.epoch != self._epoch:
                continue
            if isinstance(tagged.item, VideoFrame):
                self._last_pts_us = tagged.item.pts_us
                self.stats.frames += 1
            yield tagged.item
        if self._failure is not None:
            raise self._failure

    async def run(self) -> None:
        """All stages, until the audio is finished or the session is closed."""
        self._start_us = self._clock.now_us()
        try:
            async with asyncio.TaskGroup() as stages:
                stages.create_task(self._animate())
                stages.create_task(self._emit())
        except ExceptionGroup as group:
            self._failure = group.exceptions[0]
            raise self._failure from None
        finally:
            for channel in self._channels:
                channel.close()

    async def _as_it_comes(self) -> AsyncIterator[tuple[int, list[AudioChunk | Marker]]]:
        """Audio as fast as it is pushed."""
        async for tagged in self._audio:
            yield tagged.epoch, [tagged.item]

    async def _as_time_goes(self) -> AsyncIterator[tuple[int, list[AudioChunk | Marker]]]:
        """Audio at the speed of time; silence where there is none, for the face goes on living.

        As many blocks at once as make the next frame certain: waking a thread for each is dear.
        """
        heard, rate_hz, n_frames = 0, self.config.sample_rate_hz, 0
        silence = AudioChunk(np.zeros(rate_hz * BLOCK_MS // 1000, np.float32), rate_hz)
        epoch, blocks = self._epoch, list[AudioChunk | Marker]()
        while not self._audio.finished:
            await self._clock.sleep_until(self._start_us + heard * 1_000_000 // rate_hz)
            tagged = self._audio.take_now()
            if epoch != self._epoch:
                epoch, blocks = self._epoch, []
            item = tagged.item if tagged is not None and tagged.epoch == epoch else silence
            if self.config.eager:
                self._run_ahead(item, is_silence=item is silence)
            if not isinstance(item, AudioChunk):  # an empty chunk says when the marker came
                blocks += [AudioChunk(silence.samples[:0], rate_hz, heard), item]
                continue
            blocks.append(replace(item, start_sample=heard))
            heard += len(item.samples)
            heard_us = heard * 1_000_000 // rate_hz - self._look_ahead_us
            if heard_us + ROUNDING_US >= frame_pts_us(n_frames, self.config.fps):
                yield epoch, blocks
                blocks = []
            while heard_us - ROUNDING_US >= frame_pts_us(n_frames, self.config.fps):
                n_frames += 1
        yield epoch, blocks

    def _run_ahead(self, item: AudioChunk | Marker, *, is_silence: bool) -> None:
        step_us = 0
        if isinstance(item, UtteranceStart) and self._audio.stats.depth_ms >= EAGER_MS:
            step_us = self._look_ahead_us - self._lead_us
        elif is_silence:
            step_us = -min(self._lead_us, 1000 * BLOCK_MS // 5)
        self._lead_us += step_us
        self._start_us -= step_us

    async def _animate(self) -> None:
        """Sound to pictures. The sound and the first picture that it makes are one job."""
        async for epoch, blocks in self._as_time_goes() if self.config.paced else self._as_it_comes():
            if epoch == self._epoch:
                await self._draw_all(epoch, partial(self._listener.take, epoch, blocks, self.controls))
        await self._draw_all(self._epoch, partial(self._listener.finish, self._epoch, self.controls))
        self._video.close()

    async def _draw_all(self, epoch: int, listen: Callable[[], list[MotionFrame | Marker]]) -> None:
        waiting: deque[MotionFrame | Marker] = deque()

        def begin() -> list[VideoFrame | Marker]:
            waiting.extend(listen())
            return self._draw_next(epoch, waiting)

        drawn = await self._compute(begin)
        while drawn or waiting:
            for item in drawn:
                await self._put(self._video, _Tagged(epoch, item))
            drawn = await self._compute(partial(self._draw_next, epoch, waiting)) if waiting else []

    def _draw_next(self, epoch: int, waiting: deque[MotionFrame | Marker]) -> list[VideoFrame | Marker]:
        """On the executor: what waits, up to one picture, so that faces take turns where a model gives many frames at once."""
        made: list[VideoFrame | Marker] = []
        while waiting and epoch == self._epoch:
            item = waiting.popleft()
            if not isinstance(item, MotionFrame):
                made.append(item)
            elif self._is_late(item):
                self.stats.late += 1
            else:
                return [*made, self._renderer.render(item)]
        waiting.clear()
        return made

    async def _emit(self) -> None:
        async for tagged in self._video:
            if self.config.paced and isinstance(tagged.item, VideoFrame):
                await self._clock.sleep_until(self.due_us(tagged.item))
            if tagged.epoch == self._epoch:
                await self._put(self._out, tagged)

    def due_us(self, frame: MotionFrame | VideoFrame) -> int:
        """When a paced frame should be given out, on the session's clock."""
        return self._start_us + frame.pts_us + self.delay_ms * 1000

    def _is_late(self, frame: MotionFrame) -> bool:
        return self.config.paced and self._clock.now_us() > self.due_us(frame) + 1000 * self._frame_ms

    async def _put(self, channel: Channel[_Tagged[Item]], tagged: _Tagged[Item]) -> None:
        item, length_ms = tagged.item, 0.0
        if isinstance(item, AudioChunk):
            length_ms = 1000.0 * len(item.samples) / item.sample_rate_hz
        elif isinstance(item, VideoFrame):
            length_ms = self._frame_ms
        await channel.put(tagged, length_ms)

    async def _compute(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def __aenter__(self) -> Session:
        if self._task is not None:
            raise ClosedError("a session runs once; open a new one")
        self._task = asyncio.create_task(self.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
        # A failed stage closes the channels; whoever pushed then knows only that.
        if self._failure is not None and (kind is None or issubclass(kind, ClosedError)):
            raise self._failure
