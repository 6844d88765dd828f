"""Plain faces: quick to draw, and one can see in their pictures whose they are and when."""

from __future__ import annotations

import numpy as np

from vivant.errors import InputError
from vivant.size import Size
from vivant.types import MotionFrame, PixelFormat, UInt8Array, VideoFrame

INDEX_BITS = 16
"""A px each, black or white: the label and the mark leave them readable."""


class PlainFace:
    """A `Face` of one grey level, with the motion's index in the middle row; it refuses to draw the index ``fails_at``."""

    name = "plain face"
    portrait_sha256 = ""
    face_box = None
    notes: tuple[str, ...] = ()

    def __init__(self, tint: int = 128, *, fails_at: int | None = None) -> None:
        self.tint, self._fails_at = tint, fails_at

    def open(self, size_px: int | tuple[int, int]) -> PlainRenderer:
        return PlainRenderer(self.tint, Size.of(size_px), self._fails_at)


class PlainRenderer:
    """`FaceRenderer` of a `PlainFace`."""

    def __init__(self, tint: int, size: Size, fails_at: int | None = None) -> None:
        self._tint, self._size, self._fails_at = tint, size, fails_at

    def render(self, motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
        if motion.index == self._fails_at:
            raise InputError("this face cannot be drawn")
        pixels = np.full((self._size.height, self._size.width, 4), self._tint, np.uint8)
        pixels[..., 3] = 255
        pixels[self._size.height // 2, :INDEX_BITS, :3] = 255 * ((motion.index >> np.arange(INDEX_BITS)) & 1)[:, None]
        return VideoFrame(motion.index, motion.pts_us, pixels, PixelFormat.RGBA)


def index_in(pixels: UInt8Array) -> int:
    """The index that a `PlainFace` wrote into (h, w, 3 or 4)."""
    return int(((pixels[len(pixels) // 2, :INDEX_BITS, 0] > 127) << np.arange(INDEX_BITS)).sum())
