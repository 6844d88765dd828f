"""The face in this process: a `vivant.Session` that runs as fast as it can, for the bridge itself keeps the time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager

from vivant import Controls, Face, PixelFormat, Presenter, Session, SessionConfig, SpeechMotion
from vivant.face import default_motion
from vivant.provenance.consent import Consent
from vivant.session.background import Background
from vivant.session.pace import live_delay_ms
from vivant_bridge.runtime.runtime import FaceSession, StreamConfig

SAVED_US = 20_000
"""Of a live session's delay: it counts on larger blocks than these, and on a pacer that never waits longer."""


class LocalRuntime:
    """Portraits that are open."""

    draws = True

    def __init__(
        self,
        faces: Sequence[Face],
        *,
        consents: Sequence[str] = (),
        label_off_reason: str | None = None,
        mirror: bool = False,
        motion: SpeechMotion | None = None,
        background: Background | None = None,
        executor: Executor | None = None,
    ) -> None:
        """``consents`` say of each face who it shows; ``background`` lies behind cut-out ones, as wide as the whole camera's
        picture, of which faces are drawn in the middle."""
        self.name = "in this process"
        self.n_portraits = len(faces)
        self._motion = motion or default_motion()
        self.delay_us = 1000 * live_delay_ms(self._motion.look_ahead_ms) - SAVED_US
        self._faces, self._label_off_reason, self._mirror, self._executor = faces, label_off_reason, mirror, executor
        self._consents, self._background = consents, background

    @asynccontextmanager
    async def open(self, config: StreamConfig, portrait: int, controls: Controls) -> AsyncIterator[FaceSession]:
        face = self._faces[portrait]
        presenter = Presenter(
            face,
            size_px=config.size_px,
            portrait=str(portrait),
            consent=Consent(self._consents[portrait]) if self._consents else None,
            label_off_reason=self._label_off_reason,
            mirror=self._mirror,
            background=self._background.middle(config.size_px) if self._background is not None else None,
            pixel_format=PixelFormat.RGBA if self._background is None else PixelFormat.RGB,
        )
        session = Session(
            face,
            SessionConfig(config.fps, config.size_px, config.rate_hz, config.seed, paced=False),
            motion=self._motion,
            controls=controls,
            presenter=presenter,
            executor=self._executor,
            is_late=config.is_late,
        )
        async with session:
            yield session

    async def set_portrait(self, session: FaceSession, portrait: int) -> None:
        assert isinstance(session, Session)
        await session.set_face(self._faces[portrait], str(portrait))
