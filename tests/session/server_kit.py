"""A server with quick faces, and what its tests do with it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import numpy as np
from PIL import Image

from vivant.client import Client, Event, RemoteSession, Statistics, connect
from vivant.errors import PortraitError
from vivant.pixels import decoded
from vivant.server.server import Server, ServerConfig
from vivant.testing import PlainFace
from vivant.types import Interrupted, Marker, Output, UInt8Array, UtteranceEnd, UtteranceStart
from vivant.v1 import vivant_pb2 as pb

SIZE_PX = 64
RATE_HZ = 16_000
WAIT_S = 10.0


class TintFace(PlainFace):
    """One colour per picture."""

    notes = ("a test face",)

    def __init__(self, image: bytes) -> None:
        super().__init__(image[-1])


def open_tint(image: bytes, /, *, transparent: bool) -> TintFace:
    if image.endswith(b"nobody"):
        raise PortraitError("no face was found")
    return TintFace(image)


def run_served(
    story: Callable[[Server, Client], Awaitable[None]], config: ServerConfig | None = None, wait_s: float = WAIT_S
) -> None:
    """Run a test's story against a real server on a free port of loopback."""

    async def main() -> None:
        async with serving(config) as (server, client):
            await asyncio.wait_for(story(server, client), wait_s)

    asyncio.run(main())


@asynccontextmanager
async def serving(config: ServerConfig | None = None) -> AsyncIterator[tuple[Server, Client]]:
    async with Server(config, opener=open_tint) as server, connect(f"127.0.0.1:{server.port}") as client:
        yield server, client


NOBODY = pb.Consent(basis=pb.CONSENT_BASIS_SYNTHETIC)


def settings(**more: Any) -> pb.SessionConfig:  # noqa: ANN401
    return pb.SessionConfig(**{"size_px": SIZE_PX, "sample_rate_hz": RATE_HZ, "consent": NOBODY, **more})


def tone(seconds: float) -> UInt8Array | Any:  # noqa: ANN401
    return 0.3 * np.sin(np.arange(round(seconds * RATE_HZ)) * 2 * np.pi * 150 / RATE_HZ)


def picture(tint: int) -> bytes:
    """A PNG whose last byte tells faces apart."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (tint, 0, 0)).save(out, "PNG")
    return out.getvalue() + bytes([tint])


KINDS = {UtteranceStart: "UTTERANCE_STARTED", UtteranceEnd: "UTTERANCE_FINISHED", Interrupted: "INTERRUPTED"}
Said = Event | Marker


def kind_of(item: Said) -> str:
    """The contract's name of a marker or an event."""
    return item.kind if isinstance(item, Event) else KINDS[type(item)]


async def until(face: RemoteSession, kind: str) -> tuple[list[Output], list[Said]]:
    """Outputs, markers and events up to the one of that kind."""
    outputs: list[Output] = []
    said: list[Said] = []
    async for item in face:
        if isinstance(item, Output):
            outputs.append(item)
        elif not isinstance(item, Statistics):
            said.append(item)
            if kind_of(item) == kind:
                return outputs, said
    raise AssertionError(f"the call ended without {kind}")


def picture_in(output: Output) -> UInt8Array:
    """The pixels that came."""
    assert output.picture is not None
    return decoded(output.picture)


async def gone(server: Server) -> None:
    """Wait until the server holds no session any more."""
    while server.shared.load_shedder.members:
        await asyncio.sleep(0.01)


def raw_stub(server: Server) -> tuple[grpc.aio.Channel, Any]:
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{server.port}")
    return channel, channel.stream_stream("/vivant.v1.FaceService/Animate")
