"""Background: what is put behind a person: the one home of the words of ``--background``."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image

from vivant.arguments import as_path, shown
from vivant.errors import InputError
from vivant.media.images import load_image
from vivant.pixels import over, rgb_of
from vivant.size import Size
from vivant.types import PixelFormat, UInt8Array, VideoFrame

TRANSPARENT = "transparent"
BLUR = "blur"
"""The portrait's own background, out of focus: `RigFace.blurred` draws it, and nobody is cut out."""


@dataclass(frozen=True)
class Background:
    """What lies behind a cut-out person."""

    pixels: UInt8Array | None
    """(h, w, 3), or None to keep the alpha."""
    source: Path | None = None
    """The image file, if it comes from one."""

    @classmethod
    def parse(cls, text: str | PathLike[str], size_px: int | tuple[int, int]) -> Background | None:
        """``original`` or ``blur`` (None), ``transparent``, a colour such as ``#00ff00`` or ``navy``, or an image file."""
        width, height = Size.of(size_px)
        text = str(as_path("background", text))
        if text in ("original", BLUR):
            return None
        if text == TRANSPARENT:
            return cls(None)
        if (rgb := rgb_of(text)) is not None:
            return cls(np.broadcast_to(np.array(rgb, np.uint8), (height, width, 3)))
        if text.startswith("#") or not Path(text).exists():
            raise InputError(
                "background must be original, blur, transparent, a colour such as #00ff00 or navy, or an image file,"
                f" got {shown(text)}"
            )
        picture = Image.fromarray(load_image(Path(text)).pixels)
        share = min(picture.width / width, picture.height / height)
        wide, high = min(picture.width, round(share * width)), min(picture.height, round(share * height))
        left, top = (picture.width - wide) // 2, (picture.height - high) // 2
        return cls(np.asarray(picture.resize((width, height), box=(left, top, left + wide, top + high))), Path(text))

    @classmethod
    def named(cls, text: str, size_px: int | tuple[int, int]) -> Background | None:
        """`parse`, but for ``blur`` in a frame that is no square: a portrait has no more background. Raises InputError."""
        size = Size.of(size_px)
        if text == BLUR and not size.is_square:
            raise InputError(f"--background blur is for square videos, not for {size}; name a picture instead")
        return cls.parse(text, size)

    def middle(self, side_px: int) -> Background:
        """Its square in the middle, of that side."""
        if self.pixels is None:
            return self
        top, left = ((whole - side_px) // 2 for whole in self.pixels.shape[:2])
        return Background(self.pixels[top : top + side_px, left : left + side_px], self.source)

    def behind(self, frame: VideoFrame) -> VideoFrame:
        """The frame with this background: RGBA as it is, or RGB. A smaller frame, as a low level of detail gives, gets every
        second pixel of it."""
        if self.pixels is None:
            return frame
        step = max(1, len(self.pixels) // len(frame.pixels))
        below = self.pixels[::step, ::step]
        return VideoFrame(frame.index, frame.pts_us, over(frame.pixels, below), PixelFormat.RGB)
