"""One speaking character, live: audio in on one side, frames out on the other, each stage a task of its own.

    push ──► [ingest] ──► [infer] ──► [render] ──► [emit] ──► async for
             pace,        executor     executor     pace
             silence

Three verbs stop it, and never mean the same: `end` (finish what is queued), `interrupt` (forget it now), `close`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from fractions import Fraction
from types import TracebackType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vivant.clock import Clock, MonotonicClock
from vivant.errors import ClosedError, InputError
from vivant.face import Face, default_motion
from vivant.motion.model import SpeechMotion
from vivant.session.channel import Channel, ChannelStats, Full
from vivant.types import AudioChunk, Controls, Interrupted, MotionFrame, UtteranceEnd, UtteranceStart, VideoFrame

Result = TypeVar("Result")
Output = VideoFrame | UtteranceStart | UtteranceEnd | Interrupted

AUDIO_MS, MOTION_MS, VIDEO_MS = 2000.0, 200.0, 200.0
BLOCK_MS = 20
MARGIN_MS = 40
"""Time for inference and rendering between a frame becoming certain and its being due."""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Fixed for a session's life."""

    fps: Fraction = Fraction(30)
    size_px: int = 512
    sample_rate_hz: int = 16000
    seed: int = 0
    paced: bool = True
    """True is live: frames come when they are due, and silence is filled in when no audio does. False: as fast as possible."""


@dataclass(frozen=True, slots=True)
class _Tagged:
    """Whatever travels between stages carries the epoch it belongs to; an interruption begins a new one."""

    epoch: int
    item: AudioChunk | MotionFrame | VideoFrame | UtteranceStart | UtteranceEnd


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

    def __init__(self, face: Face, config: SessionConfig | None = None, *, motion: SpeechMotion | None = None,
                 controls: Controls | None = None, clock: Clock | None = None, executor: Executor | None = None) -> None:  # fmt: skip
        self.config = config or SessionConfig()
        self.controls = controls or Controls()
        self.stats = SessionStats()
        model = motion or default_motion()
        self.delay_ms = model.look_ahead_ms + BLOCK_MS + MARGIN_MS
        """A live frame comes this long after the sound it belongs to was due."""
        self._clock = clock or MonotonicClock()
        self._executor = executor
        self._state = model.open(self.config.fps, self.config.seed)
        self._renderer = face.open(self.config.size_px)
        self._frame_ms = 1000.0 * self.config.fps.denominator / self.config.fps.numerator
        self._audio: Channel[_Tagged] = Channel(AUDIO_MS, Full.BLOCK)
        self._heard: Channel[_Tagged] = Channel(2.0 * BLOCK_MS, Full.BLOCK)
        self._motion: Channel[_Tagged] = Channel(MOTION_MS, Full.BLOCK)
        self._video: Channel[_Tagged] = Channel(VIDEO_MS, Full.LATEST if self.config.paced else Full.BLOCK)
        self._out: Channel[Output] = Channel(self._frame_ms, Full.BLOCK)
        self.stats.audio, self.stats.video = self._audio.stats, self._video.stats
        self._epoch = 0
        self._utterance = 0
        self._speaking = False
        self._last_pts_us = 0
        self._start_us = 0
        self._task: asyncio.Task[None] | None = None

    async def push(self, samples: NDArray[np.floating]) -> None:
        """Add mono audio (n,) in [-1, 1] at the session's rate; waits while more than two seconds are queued."""
        if not self._speaking:
            self._speaking = True
            self._utterance += 1
            await self._audio.put(_Tagged(self._epoch, UtteranceStart(self._utterance)), 0.0)
        step = self.config.sample_rate_hz * BLOCK_MS // 1000
        own = np.asarray(samples, np.float32)
        if own.ndim != 1:
            raise InputError(f"samples must have shape (n,), got {own.shape}")
        for first in range(0, len(own), step):
            block = own[first : first + step]
            await self._audio.put(_Tagged(self._epoch, AudioChunk(block, self.config.sample_rate_hz)), self._length_ms(len(block)))

    async def end(self) -> None:
        """The utterance is complete: everything queued is spoken, then an `UtteranceEnd` comes out."""
        if self._speaking:
            self._speaking = False
            await self._audio.put(_Tagged(self._epoch, UtteranceEnd(self._utterance, 0)), 0.0)

    async def interrupt(self) -> None:
        """Stop speaking now: every queue is emptied, the mouth eases shut, an `Interrupted` comes out."""
        self._epoch += 1
        for channel in (self._audio, self._heard, self._motion, self._video):
            await channel.clear()
        await self._out.clear()
        self._speaking = False
        await self._out.put(Interrupted(self._utterance, self._last_pts_us), 0.0)

    async def close(self) -> None:
        """Stop everything; what is queued is lost. Closing twice is fine."""
        for channel in (self._audio, self._heard, self._motion, self._video):
            await channel.close()
            await channel.clear()
        await self._out.close()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def finish(self) -> None:
        """No more audio will come: the iterator ends after what is queued."""
        await self.end()
        await self._audio.close()

    def __aiter__(self) -> AsyncIterator[Output]:
        return self._out.__aiter__()

    async def run(self) -> None:
        """All stages, until the audio is finished or the session is closed."""
        self._start_us = self._clock.now_us()
        async with asyncio.TaskGroup() as stages:
            stages.create_task(self._ingest_live() if self.config.paced else self._ingest())
            stages.create_task(self._infer())
            stages.create_task(self._render())
            stages.create_task(self._emit())

    async def _ingest(self) -> None:
        async for tagged in self._audio:
            await self._heard.put(tagged, self._audio_ms(tagged))
        await self._heard.close()

    async def _ingest_live(self) -> None:
        """Audio at the speed of time; silence where there is none, for the face goes on living."""
        position_us = 0
        silence = np.zeros(self.config.sample_rate_hz * BLOCK_MS // 1000, np.float32)
        while not self._audio.finished:
            await self._clock.sleep_until(self._start_us + position_us)
            tagged = self._audio.take_now()
            await self._audio.freed()
            if tagged is None:
                tagged = _Tagged(self._epoch, AudioChunk(silence, self.config.sample_rate_hz))
            position_us += round(1000 * self._audio_ms(tagged))
            await self._heard.put(tagged, self._audio_ms(tagged))
        await self._heard.close()

    async def _infer(self) -> None:
        epoch, marks, last_us = 0, [], -1  # type: int, list[UtteranceEnd], int
        position_us, pushed = 0, 0
        async for tagged in self._heard:
            if tagged.epoch != epoch:
                epoch, pushed, marks = tagged.epoch, 0, []
                self._state.reset()
                position_us = last_us + round(1000 * self._frame_ms)
            item, frames = tagged.item, list[MotionFrame]()
            if isinstance(item, AudioChunk):
                chunk = AudioChunk(item.samples, item.sample_rate_hz, pushed)
                frames = await self._compute(lambda chunk=chunk: self._state.push(chunk, self.controls))  # type: ignore[misc]
                pushed += len(item.samples)
            elif isinstance(item, UtteranceEnd):
                marks.append(UtteranceEnd(item.utterance, position_us + pushed * 1_000_000 // self.config.sample_rate_hz))
                if not self.config.paced:
                    frames = await self._compute(lambda: self._state.flush(self.controls))
            elif isinstance(item, UtteranceStart):
                await self._motion.put(tagged, 0.0)
            for frame in frames:
                last_us = frame.pts_us
                await self._motion.put(_Tagged(epoch, frame), self._frame_ms)
            while marks and (last_us + 1000 * self._frame_ms >= marks[0].position_us):
                await self._motion.put(_Tagged(epoch, marks.pop(0)), 0.0)
        for mark in marks:
            await self._motion.put(_Tagged(epoch, mark), 0.0)
        await self._motion.close()

    async def _render(self) -> None:
        async for tagged in self._motion:
            item = tagged.item
            if tagged.epoch != self._epoch:
                continue
            if isinstance(item, MotionFrame):
                if self.config.paced and self._clock.now_us() > self._due_us(item.pts_us) + 1000 * self._frame_ms:
                    self.stats.late += 1
                    continue
                picture = await self._compute(lambda item=item: self._renderer.render(item))  # type: ignore[misc]
                await self._video.put(_Tagged(tagged.epoch, picture), self._frame_ms)
            else:
                await self._video.put(tagged, 0.0)
        await self._video.close()

    async def _emit(self) -> None:
        async for tagged in self._video:
            item = tagged.item
            if isinstance(item, VideoFrame):
                if self.config.paced:
                    await self._clock.sleep_until(self._due_us(item.pts_us))
                if tagged.epoch != self._epoch:
                    continue
                self._last_pts_us = item.pts_us
                self.stats.frames += 1
                await self._out.put(item, self._frame_ms)
            elif tagged.epoch == self._epoch and isinstance(item, UtteranceStart | UtteranceEnd):
                await self._out.put(item, 0.0)
        await self._out.close()

    def _due_us(self, pts_us: int) -> int:
        return self._start_us + pts_us + self.delay_ms * 1000

    def _length_ms(self, n_samples: int) -> float:
        return 1000.0 * n_samples / self.config.sample_rate_hz

    def _audio_ms(self, tagged: _Tagged) -> float:
        return self._length_ms(len(tagged.item.samples)) if isinstance(tagged.item, AudioChunk) else 0.0

    async def _compute(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def __aenter__(self) -> Session:
        if self._task is not None:
            raise ClosedError("a session runs once; open a new one")
        self._task = asyncio.create_task(self.run())
        self._task.add_done_callback(lambda _: asyncio.ensure_future(self._out.close()))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        failed = self._task is not None and self._task.done() and not self._task.cancelled() and self._task.exception()
        await self.close()
        if failed and kind is None:
            raise failed
