"""The face on a server, by `vivant.client`. Needs the extra ``server``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vivant import Act, Controls, PixelFormat
from vivant.errors import UnavailableError
from vivant.extras import install
from vivant.loopback import host_of, is_loopback
from vivant.provenance.consent import Consent
from vivant.types import Float32Array
from vivant_bridge.runtime.runtime import FaceSession, StreamConfig

if TYPE_CHECKING:
    from vivant.client import RemoteConfig, RemoteSession

FIRST_DELAY_US = 180_000
"""To begin with; the bridge's delay grows when the way is longer."""
JPEG_QUALITY = 92
"""Chosen by eye."""

MOST_SKIPPED = 3
"""Late pictures in a row that are not decoded."""


class CatchUp:
    """Which late pictures of a server are left out. What is newer cannot be known here before it is read, so of those that are
    late one in `MOST_SKIPPED` + 1 is shown, and the face goes on in fewer pictures."""

    def __init__(self, is_late: Callable[[int], bool]) -> None:
        self._is_late, self._skipped = is_late, 0

    def leaves_out(self, pts_us: int) -> bool:
        """Whether the next picture, of that time, should not be decoded."""
        self._skipped = (self._skipped + 1) % (MOST_SKIPPED + 1) if self._is_late(pts_us) else 0
        return self._skipped > 0


class RemoteRuntime:
    """A server at ``host:port``. Labels and marks are its work."""

    draws = True

    def __init__(
        self,
        address: str,
        portraits: Sequence[str | Path],
        *,
        consents: Sequence[str] = (),
        label_off_reason: str | None = None,
        token: str | None = None,
        ca: bytes | None = None,
        transparent: bool = False,
        motion: bool = False,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``portraits`` are names of bundled ones or image files, ``consents`` the answers that go with them.

        ``transparent`` cuts the person out; ``motion`` says that outputs have it.
        """
        try:
            from vivant.client import connect
        except ImportError as error:
            raise UnavailableError(f"--runtime needs {error.name}; {install('server')} brings it") from error
        self.name = f"on {address}"
        self._connect = connect
        self.n_portraits = len(portraits)
        self.delay_us = FIRST_DELAY_US
        self._address, self._portraits = address, portraits
        self._consents, self._label_off_reason = consents, label_off_reason
        self._token, self._ca, self._report = token, ca, report
        self._transparent, self._motion = transparent, motion

    @asynccontextmanager
    async def open(self, config: StreamConfig, portrait: int, controls: Controls) -> AsyncIterator[FaceSession]:
        consent = Consent(self._consents[portrait]) if self._consents else None
        client = self._connect(self._address, token=self._token, ca=self._ca)
        session = client.animate(self._portraits[portrait], self._config(config), consent, controls=controls)
        session.is_late = CatchUp(config.is_late).leaves_out
        async with client, session:
            yield _Reporting(session, self._report)

    async def set_portrait(self, session: FaceSession, portrait: int) -> None:
        assert isinstance(session, _Reporting)
        await session.remote.set_portrait(self._portraits[portrait])

    def _config(self, config: StreamConfig) -> RemoteConfig:
        from vivant.client import RemoteConfig

        return RemoteConfig(
            fps=config.fps,
            size_px=config.size_px,
            sample_rate_hz=config.rate_hz,
            seed=config.seed,
            paced=False,
            motion=self._motion,
            pixel_format=PixelFormat.RGBA if self._transparent or is_loopback(host_of(self._address)) else PixelFormat.JPEG,
            transparent=self._transparent,
            jpeg_quality=JPEG_QUALITY,
            label_off_reason=self._label_off_reason,
        )


class _Reporting:
    """A remote session whose user hears in a sentence that a portrait cannot be shown."""

    def __init__(self, remote: RemoteSession, report: Callable[[str], None]) -> None:
        self.remote, self._report = remote, report

    async def push(self, samples: Float32Array) -> None:
        await self.remote.push(samples)

    async def say_text(self, text: str, language: str = "") -> None:
        await self.remote.say_text(text, language)

    async def set_controls(self, controls: Controls) -> None:
        await self.remote.set_controls(controls)

    async def act(self, act: Act) -> None:
        await self.remote.act(act)

    async def __aiter__(self) -> AsyncIterator[Any]:
        from vivant.client import Event

        async for item in self.remote:
            if isinstance(item, Event) and item.kind == "PORTRAIT_FAILED":
                self._report(f"the other portrait cannot be shown: {item.detail}")
            yield item
