"""The face on a server, by `vivant.client`. Needs the extra ``server``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vivant.errors import UnavailableError
from vivant.extras import install
from vivant.loopback import host_of, is_loopback
from vivant.types import Controls, Float32Array
from vivant_bridge.errors import DeviceLostError
from vivant_bridge.runtime.runtime import CatchUp, FaceStream, Picture, StreamConfig

if TYPE_CHECKING:
    from vivant.client import RemoteFace

FIRST_DELAY_US = 180_000
"""To begin with; the bridge's delay grows when the way is longer."""
JPEG_QUALITY = 92


class RemoteRuntime:
    """A server at ``host:port``. Labels and marks are its work."""

    def __init__(
        self,
        address: str,
        portraits: Sequence[str | Path],
        *,
        consents: Sequence[str] = (),
        label_off_reason: str | None = None,
        token: str | None = None,
        ca: bytes | None = None,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``portraits`` are names of bundled ones or image files, ``consents`` the answers that go with them."""
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

    @asynccontextmanager
    async def open(self, config: StreamConfig, portrait: int, controls: Controls) -> AsyncIterator[FaceStream]:
        client = self._connect(self._address, token=self._token, ca=self._ca)
        async with client, client.animate(self._portraits[portrait], self._config(config, portrait), controls=controls) as face:
            yield _RemoteStream(face, self._portraits, portrait, CatchUp(config.is_late), self._report)

    def _config(self, config: StreamConfig, portrait: int) -> Any:  # noqa: ANN401
        from vivant.v1 import vivant_pb2 as pb

        asked = pb.SessionConfig(
            fps=pb.Rational(numerator=config.fps.numerator, denominator=config.fps.denominator),
            size_px=config.size_px,
            pixel_format=pb.PIXEL_FORMAT_RGBA if is_loopback(host_of(self._address)) else pb.PIXEL_FORMAT_JPEG,
            jpeg_quality=JPEG_QUALITY,
            sample_rate_hz=config.rate_hz,
            delivery=pb.DELIVERY_IMMEDIATE,
            seed=config.seed,
        )
        if self._consents:
            asked.consent.CopyFrom(pb.Consent(basis=f"CONSENT_BASIS_{self._consents[portrait].upper()}"))
        if self._label_off_reason is not None:
            asked.disclosure.label, asked.disclosure.label_off_reason = pb.LABEL_MODE_OFF, self._label_off_reason
        return asked


class _RemoteStream:
    def __init__(
        self,
        face: RemoteFace,
        portraits: Sequence[str | Path],
        shown: int,
        late: CatchUp,
        report: Callable[[str], None],
    ) -> None:
        self._face, self._portraits, self._late, self._report = face, portraits, late, report
        self._shown, self._asked = shown, shown

    async def push(self, samples: Float32Array) -> None:
        await self._face.push(samples)

    async def steer(self, controls: Controls) -> None:
        await self._face.steer(controls)

    async def show(self, portrait: int) -> None:
        self._asked = portrait
        await self._face.show(self._portraits[portrait])

    async def __aiter__(self) -> AsyncIterator[Picture]:
        from vivant.client import Event, RemoteFrame

        async for item in self._face:
            if isinstance(item, RemoteFrame):
                if not self._late.leaves_out(item.pts_us):
                    yield Picture(item.pts_us, item, self._shown)
            elif isinstance(item, Event) and item.kind == "PORTRAIT_CHANGED":
                self._shown = self._asked
            elif isinstance(item, Event) and item.kind == "PORTRAIT_FAILED":
                self._report(f"the other portrait cannot be shown: {item.detail}")
        raise DeviceLostError("the server has ended the call")
