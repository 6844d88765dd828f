"""A bridge with twins in virtual time: a face that is bright when it is loud, and devices that remember what happened when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from vivant.testing import Inline, LoopClock, run_virtual
from vivant.types import (
    Act,
    Controls,
    Float32Array,
    MotionFrame,
    Output,
    PixelFormat,
    UInt8Array,
    VideoFrame,
    arkit_weights,
    frame_pts_us,
)
from vivant_bridge.bridge import Bridge
from vivant_bridge.errors import DeviceLostError
from vivant_bridge.picture.compositor import Compositor, Fill
from vivant_bridge.picture.sink import MemoryCamera
from vivant_bridge.runtime.runtime import FaceSession, StreamConfig
from vivant_bridge.sound.output import MemorySink
from vivant_bridge.sound.source import tone

SIDE_PX = 64
LOOK_AHEAD_US = 100_000
LOUD = 0.05
REST = arkit_weights()
BRIGHT = 120
"""Luma of a picture in which the voice is loud."""


class Loudness:
    """`Runtime`: a picture is bright if the sound within half a frame of it is loud, and comes one look-ahead later."""

    name = "of the test"
    n_portraits, draws = 3, True
    delay_us = LOOK_AHEAD_US + 40_000

    def __init__(self, work_us: int = 15_000) -> None:
        self.work_us = work_us
        """What a picture takes to be drawn and sent."""
        self.broken: str | None = None
        self.silent = False
        self.opened = 0
        self.streams: list[LoudnessStream] = []

    @asynccontextmanager
    async def open(self, config: StreamConfig, portrait: int, controls: Controls) -> AsyncIterator[FaceSession]:
        if self.broken:
            raise DeviceLostError(self.broken)
        self.opened += 1
        stream = LoudnessStream(self, config, portrait, controls)
        self.streams.append(stream)
        yield stream

    async def set_portrait(self, session: FaceSession, portrait: int) -> None:
        assert isinstance(session, LoudnessStream)
        session.portrait = portrait


class LoudnessStream:
    def __init__(self, runtime: Loudness, config: StreamConfig, portrait: int, controls: Controls) -> None:
        self.controls, self.portrait = controls, portrait
        self._runtime, self._config = runtime, config
        self._heard = np.zeros(0, np.float32)
        self._forgotten = 0
        self.texts: list[tuple[str, str]] = []
        self._grown = asyncio.Event()

    async def push(self, samples: Float32Array) -> None:
        self._heard = np.concatenate([self._heard, samples])
        self._grown.set()

    async def say_text(self, text: str, language: str = "") -> None:
        self.texts.append((text, language))

    async def set_controls(self, controls: Controls) -> None:
        self.controls = controls

    async def act(self, act: Act) -> None:
        raise NotImplementedError(act)

    async def __aiter__(self) -> AsyncIterator[Output]:
        clock, rate_hz, index = LoopClock(), self._config.rate_hz, 0
        half = round(rate_hz / self._config.fps / 2)
        while True:
            pts_us = frame_pts_us(index, self._config.fps)
            middle = pts_us * rate_hz // 1_000_000
            while self._forgotten + len(self._heard) < middle + LOOK_AHEAD_US * rate_hz // 1_000_000:
                self._grown.clear()
                await self._grown.wait()
            first = max(0, middle - half)
            self._heard = self._heard[first - self._forgotten :]
            self._forgotten = first
            if self._runtime.broken:
                raise DeviceLostError(self._runtime.broken)
            while self._runtime.silent:
                await clock.sleep_until(clock.now_us() + 100_000)
            if self._runtime.work_us:
                await clock.sleep_until(clock.now_us() + self._runtime.work_us)
            is_loud = float(np.abs(self._heard[: middle + half - first]).max()) > LOUD
            grey = VideoFrame(index, pts_us, _grey(200 if is_loud else 0), PixelFormat.RGBA)
            yield Output(MotionFrame(index, pts_us, REST), grey, str(self.portrait), None, 0)
            index += 1


def _grey(level: int) -> UInt8Array:
    return np.full((SIDE_PX, SIDE_PX, 4), level, np.uint8)


class StampedCamera(MemoryCamera):
    """Remembers when each frame came and how bright it was; ``trouble`` says what `open` and `send` raise."""

    def __init__(self) -> None:
        super().__init__(keep=1)
        self.times_us: list[int] = []
        self.luma: list[int] = []
        self.trouble: Exception | None = None
        self.opened = 0

    def open(self, *size: Any) -> None:  # noqa: ANN401
        if self.trouble is not None:
            raise self.trouble
        self.opened += 1
        super().open(*size)

    def send(self, frame: UInt8Array, due_us: int) -> None:
        if self.trouble is not None:
            raise self.trouble
        super().send(frame, due_us)
        self.times_us.append(LoopClock().now_us())
        self.luma.append(int(frame[: SIDE_PX * SIDE_PX // 2].mean()))

    def bright(self) -> list[int]:
        """When the picture turned bright."""
        rows = list(zip(self.luma, self.luma[1:], self.times_us[1:], strict=False))
        return [time_us for before, after, time_us in rows if before < BRIGHT <= after]

    def longest_gap_us(self) -> int:
        return int(np.diff(self.times_us).max())


def loud(sink: MemorySink) -> list[int]:
    """When the sound that was played turned loud."""
    played = np.concatenate(sink.played)
    level = np.lib.stride_tricks.sliding_window_view(np.abs(np.pad(played, (479, 0))), 480).max(axis=1)
    onsets = np.flatnonzero((level[1:] > LOUD) & (level[:-1] <= LOUD)) + 1
    return [sink.heard_us(int(n)) for n in onsets]


class Stage:
    """Everything that a test needs to look at."""

    def __init__(self, source: Any = None, *, runtime: Any = None, off_ppm: float = 0.0, **more: Any) -> None:  # noqa: ANN401
        self.clock = LoopClock()
        self.runtime: Any = runtime or Loudness()
        self.camera = StampedCamera()
        self.speaker = MemorySink(self.clock, off_ppm=off_ppm)
        self.said: list[str] = []
        self.clock_end = 0
        self.bridge = Bridge(
            self.runtime,
            source or tone(self.clock),
            self.camera,
            Compositor(SIDE_PX, SIDE_PX, Fill("blur")),
            self.speaker,
            clock=self.clock,
            executor=Inline(),
            report=self.said.append,
            spawn=lambda story: story(),
            **more,
        )

    async def until(self, seconds: float) -> None:
        await self.clock.sleep_until(round(1e6 * seconds))


def run_stage(make: Callable[[], Stage], story: Callable[[Stage], Awaitable[None]]) -> Stage:
    """Run a bridge beside ``story``, and quit when that is over."""

    async def main() -> Stage:
        stage = make()
        running = asyncio.create_task(stage.bridge.run())
        telling = asyncio.ensure_future(story(stage))
        await asyncio.wait([running, telling], return_when=asyncio.FIRST_COMPLETED)
        stage.clock_end = stage.clock.now_us()
        stage.bridge.quit()
        if not telling.done():
            telling.cancel()
        await running
        await telling
        return stage

    return run_virtual(main())
