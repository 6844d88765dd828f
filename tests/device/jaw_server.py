"""A server whose faces are flat: as bright as the jaw is open. ``python -m tests.device.jaw_server`` prints its address.

Everything is real but the drawing, so that a picture says exactly which moment of the voice it belongs to, and the machine has
time to spare.
"""

from __future__ import annotations

import asyncio

import numpy as np

from vivant.server.server import Server
from vivant.size import Size
from vivant.types import ARKIT_INDEX, MotionFrame, PixelFormat, UInt8Array, VideoFrame


class JawFace:
    """Whatever the portrait."""

    name = "jaw face"
    portrait_sha256 = ""
    face_box = None
    notes: tuple[str, ...] = ()

    def open(self, size_px: int | tuple[int, int]) -> JawRenderer:
        return JawRenderer(Size.of(size_px).width)


class JawRenderer:
    def __init__(self, size_px: int) -> None:
        self._size_px = size_px

    def render(self, motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
        brightness = round(255 * float(motion.weights[ARKIT_INDEX["jawOpen"]]))
        pixels = np.full((self._size_px, self._size_px, 4), brightness, np.uint8)
        pixels[..., 3] = 255
        return VideoFrame(motion.index, motion.pts_us, pixels, PixelFormat.RGBA)


def open_jaw(image: bytes, /, *, transparent: bool) -> JawFace:
    return JawFace()


async def serve() -> None:
    async with Server(opener=open_jaw) as server:
        print(f"127.0.0.1:{server.port}", flush=True)
        await server.wait()


if __name__ == "__main__":
    asyncio.run(serve())
