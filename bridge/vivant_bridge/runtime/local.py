"""The face in this process: a `vivant.Session` that runs as fast as it can, for the bridge itself keeps the time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np

from vivant import Controls, Face, MotionFrame, Session, SessionConfig, SpeechMotion, VideoFrame
from vivant.face import FaceRenderer
from vivant.honest.finisher import FrameFinisher
from vivant.types import Float32Array, PixelFormat, UInt8Array
from vivant_bridge.runtime.runtime import CatchUp, FaceStream, Picture, StreamConfig

SAVED_US = 20_000
"""Of a session's own delay: it counts on larger blocks than these, and on a pacer that never waits longer."""
_NOT_DRAWN = np.zeros((0, 0, 4), np.uint8)


class LocalRuntime:
    """Portraits that are open, and how their frames are finished."""

    def __init__(
        self,
        portraits: Sequence[tuple[Face, FrameFinisher]],
        *,
        mirror: bool = False,
        motion: SpeechMotion | None = None,
        executor: Executor | None = None,
    ) -> None:
        self.name = "in this process"
        self.n_portraits = len(portraits)
        self.delay_us = 1000 * Session(portraits[0][0], motion=motion).delay_ms - SAVED_US
        self._portraits, self._mirror = portraits, mirror
        self._motion, self._executor = motion, executor

    @asynccontextmanager
    async def open(self, config: StreamConfig, portrait: int, controls: Controls) -> AsyncIterator[FaceStream]:
        wardrobe = _Wardrobe(self._portraits, portrait, config, mirror=self._mirror)
        settings = SessionConfig(config.fps, config.size_px, config.rate_hz, config.seed, paced=False)
        session = Session(wardrobe, settings, motion=self._motion, controls=controls, executor=self._executor)
        async with session:
            yield _LocalStream(session, wardrobe)


class _LocalStream:
    def __init__(self, session: Session, wardrobe: _Wardrobe) -> None:
        self._session, self._wardrobe = session, wardrobe

    async def push(self, samples: Float32Array) -> None:
        await self._session.push(samples)

    async def steer(self, controls: Controls) -> None:
        self._session.controls = controls

    async def show(self, portrait: int) -> None:
        self._wardrobe.worn = portrait

    async def __aiter__(self) -> AsyncIterator[Picture]:
        async for item in self._session:
            if isinstance(item, _Shot):
                yield Picture(item.pts_us, item, item.portrait)


@dataclass(frozen=True, slots=True)
class _Shot(VideoFrame):
    """A frame that knows whom it shows."""

    portrait: int


class _Wardrobe:
    """`Face` and `FaceRenderer` of one session: portraits change, frames are finished, late ones are not drawn."""

    notes: tuple[str, ...] = ()

    def __init__(
        self, portraits: Sequence[tuple[Face, FrameFinisher]], worn: int, config: StreamConfig, *, mirror: bool
    ) -> None:
        self.worn = worn
        self._portraits, self._mirror = portraits, mirror
        self._size_px = config.size_px
        self._late = CatchUp(config.is_late)
        self._renderers: dict[int, FaceRenderer] = {}

    def open(self, size_px: int | tuple[int, int]) -> _Wardrobe:
        return self

    def render(self, motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
        worn = self.worn
        if self._late.leaves_out(motion.pts_us):
            return VideoFrame(motion.index, motion.pts_us, _NOT_DRAWN, PixelFormat.RGBA)
        face, finisher = self._portraits[worn]
        if worn not in self._renderers:
            self._renderers[worn] = face.open(self._size_px)
        frame = self._renderers[worn].render(motion)
        if self._mirror:
            frame = VideoFrame(frame.index, frame.pts_us, frame.pixels[:, ::-1], frame.format)
        frame = finisher.finish(frame)
        return _Shot(frame.index, frame.pts_us, frame.pixels, frame.format, worn)
