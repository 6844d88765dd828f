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

from vivant.client import Client, Event, RemoteFace, RemoteFrame, connect
from vivant.errors import PortraitError
from vivant.server.server import Server, ServerConfig
from vivant.size import Size
from vivant.types import MotionFrame, PixelFormat, UInt8Array, VideoFrame
from vivant.v1 import vivant_pb2 as pb

SIZE_PX = 64
RATE_HZ = 16_000
WAIT_S = 10.0
INDEX_BITS = 16
"""A px each, black or white: the label and the mark leave them readable."""


class TintFace:
    """One colour per picture, and the motion's index in the middle row: quick, and one can see whose it is."""

    notes: tuple[str, ...] = ("a test face",)

    def __init__(self, image: bytes) -> None:
        self.tint = image[-1]

    def open(self, size_px: int | tuple[int, int]) -> TintRenderer:
        return TintRenderer(self.tint, Size.of(size_px).width)


class TintRenderer:
    def __init__(self, tint: int, size_px: int) -> None:
        self._tint, self._size_px = tint, size_px

    def render(self, motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
        pixels = np.full((self._size_px, self._size_px, 4), self._tint, np.uint8)
        pixels[..., 3] = 255
        pixels[self._size_px // 2, :INDEX_BITS, :3] = 255 * ((motion.index >> np.arange(INDEX_BITS)) & 1)[:, None]
        return VideoFrame(motion.index, motion.pts_us, pixels, PixelFormat.RGBA)


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


def index_in(pixels: UInt8Array) -> int:
    """The index that `TintRenderer` wrote."""
    return int(((pixels[len(pixels) // 2, :INDEX_BITS, 0] > 127) << np.arange(INDEX_BITS)).sum())


async def until(face: RemoteFace, kind: str) -> tuple[list[RemoteFrame], list[Event]]:
    """Frames and events up to the event of that kind."""
    frames: list[RemoteFrame] = []
    events: list[Event] = []
    async for item in face:
        if isinstance(item, RemoteFrame):
            frames.append(item)
        elif isinstance(item, Event):
            events.append(item)
            if item.kind == kind:
                return frames, events
    raise AssertionError(f"the call ended without {kind}")


async def gone(server: Server) -> None:
    """Wait until the server holds no session any more."""
    while server.house.governor.members:
        await asyncio.sleep(0.01)


def raw_stub(server: Server) -> tuple[grpc.aio.Channel, Any]:
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{server.port}")
    return channel, channel.stream_stream("/vivant.v1.FaceService/Animate")
