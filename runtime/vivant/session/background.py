"""Background: what is put behind a cut-out person."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image

from vivant.arguments import as_path, shown
from vivant.errors import InputError
from vivant.media.images import load_image
from vivant.size import Size
from vivant.types import PixelFormat, UInt8Array, VideoFrame


@dataclass(frozen=True)
class Background:
    """What lies behind a cut-out person."""

    pixels: UInt8Array | None
    """(h, w, 3), or None to keep the alpha."""
    source: Path | None = None
    """The image file, if it comes from one."""

    @classmethod
    def parse(cls, text: str | PathLike[str], size_px: int | tuple[int, int]) -> Background | None:
        """``original`` (None), ``transparent``, a colour such as ``#00ff00``, or an image file."""
        width, height = Size.of(size_px)
        text = str(as_path("background", text))
        if text == "original":
            return None
        if text == "transparent":
            return cls(None)
        if text.startswith("#") and len(text) == 7 and all(c in "0123456789abcdefABCDEF" for c in text[1:]):
            rgb = tuple(int(text[i : i + 2], 16) for i in (1, 3, 5))
            return cls(np.broadcast_to(np.array(rgb, np.uint8), (height, width, 3)))
        if text.startswith("#") or not Path(text).exists():
            raise InputError(
                f"background must be original, transparent, a colour such as #00ff00 or an image file, got {shown(text)}"
            )
        picture = Image.fromarray(load_image(Path(text)).pixels)
        share = min(picture.width / width, picture.height / height)
        wide, high = min(picture.width, round(share * width)), min(picture.height, round(share * height))
        left, top = (picture.width - wide) // 2, (picture.height - high) // 2
        return cls(np.asarray(picture.resize((width, height), box=(left, top, left + wide, top + high))), Path(text))

    def behind(self, frame: VideoFrame) -> VideoFrame:
        """The frame with this background: RGBA as it is, or RGB."""
        if self.pixels is None:
            return frame
        alpha = frame.pixels[..., 3:].astype(np.uint16)
        mixed = (frame.pixels[..., :3] * alpha + self.pixels * (255 - alpha) + 127) // 255
        return VideoFrame(frame.index, frame.pts_us, mixed.astype(np.uint8), PixelFormat.RGB)
