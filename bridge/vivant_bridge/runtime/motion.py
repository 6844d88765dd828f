"""Motion alone: a session in this process that draws nothing, for avatars of other programs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vivant import Controls, InputError, Presenter, Session, SessionConfig, SpeechMotion
from vivant.face import FaceRenderer, default_motion
from vivant.session.pace import live_delay_ms
from vivant.size import Size
from vivant_bridge.runtime.local import SAVED_US
from vivant_bridge.runtime.runtime import FaceSession, StreamConfig


class Nobody:
    """`Face` of whoever is shown elsewhere."""

    name, portrait_sha256, face_box, notes = "nobody", "", None, ()

    def open(self, size_px: int | tuple[int, int] | Size) -> FaceRenderer:
        raise InputError("motion alone has no pictures")


class MotionRuntime:
    """`Runtime` without portraits."""

    n_portraits, draws = 0, False

    def __init__(self, motion: SpeechMotion | None = None) -> None:
        self.name = "in another program"
        self._motion = motion or default_motion()
        self.delay_us = 1000 * live_delay_ms(self._motion.look_ahead_ms) - SAVED_US

    @asynccontextmanager
    async def open(self, config: StreamConfig, portrait: int, controls: Controls) -> AsyncIterator[FaceSession]:
        nobody = Nobody()
        session = Session(
            nobody,
            SessionConfig(config.fps, sample_rate_hz=config.rate_hz, seed=config.seed, paced=False, pictures=False),
            motion=self._motion,
            controls=controls,
            presenter=Presenter(nobody, pictures=False),
        )
        async with session:
            yield session

    async def set_portrait(self, session: FaceSession, portrait: int) -> None:
        """There is nobody to show."""
