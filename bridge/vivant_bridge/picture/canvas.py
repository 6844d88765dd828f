"""The square that a runtime draws, placed in the picture that a camera shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageFilter, ImageOps

from vivant.errors import InputError
from vivant.honest.label import Label
from vivant.media import load_image
from vivant.render import _kernel
from vivant.types import UInt8Array

SIZES = {"720p": (1280, 720), "480p": (640, 480), "square": (512, 512)}
"""Cameras that programs know; some are black with any other."""
FACE_CENTRE_Y = 0.45
"""Where a rig puts the face in its square; crops go around it."""
MOST_DRAWN_PX = 768
"""A crop is drawn at most this large and enlarged, for portraits hold no more."""


@dataclass(frozen=True, slots=True)
class Fill:
    """What lies beside the square."""

    kind: str
    """``blur``, ``crop``, ``colour`` or ``image``."""
    picture: Image.Image | None = None
    colour: tuple[int, int, int] = (0, 0, 0)

    @classmethod
    def parse(cls, text: str) -> Fill:
        """``blur``, ``crop``, a colour such as ``#1e2b3c`` or ``navy``, or an image file."""
        if text in ("blur", "crop"):
            return cls(text)
        try:
            red, green, blue = ImageColor.getrgb(text)[:3]
            return cls("colour", colour=(red, green, blue))
        except ValueError:
            pass
        if "." not in text:
            raise InputError(f"--fill is blur, crop, a colour such as #1e2b3c or navy, or an image file; got {text!r}")
        return cls("image", Image.fromarray(load_image(Path(text)).pixels).convert("RGB"))


class Canvas:
    """From (s, s, 3 or 4) pixels to I420 of one size. One thread at a time."""

    def __init__(self, width: int, height: int, fill: Fill, *, label: Label | None = None) -> None:
        """``label`` is drawn on crops only, for they cut away the one in the square."""
        self.width, self.height = width, height
        self._crops = fill.kind == "crop" and width != height
        self._fill, self._label = fill, label
        self.square_px = min(width, MOST_DRAWN_PX) if self._crops else min(width, height)
        """The side that a runtime should draw."""
        self._left, self._top = (width - self.square_px) // 4 * 2, (height - self.square_px) // 4 * 2
        self._behind: UInt8Array | None = None
        self._portrait: object = None

    def compose(self, pixels: UInt8Array, portrait: object, pts_us: int) -> UInt8Array:
        """The picture, (width * height * 3 / 2,). What lies behind changes with ``portrait``."""
        if self._crops:
            return self._cropped(pixels, pts_us)
        square = _i420(_sized(pixels, self.square_px))
        if self.width == self.height:
            return square
        if self._behind is None or portrait != self._portrait:
            self._behind, self._portrait = _i420(self._background(pixels)), portrait
        frame = self._behind.copy()
        places = zip(
            planes(frame, self.width, self.height), planes(square, self.square_px, self.square_px), (1, 2, 2), strict=True
        )
        for whole, part, shrunk in places:
            top, left = self._top // shrunk, self._left // shrunk
            whole[top : top + part.shape[0], left : left + part.shape[1]] = part
        return frame

    def _cropped(self, pixels: UInt8Array, pts_us: int) -> UInt8Array:
        side = len(pixels)
        rows = side * self.height / self.width
        top = min(max(0.0, side * FACE_CENTRE_Y - rows / 2), side - rows)
        image = Image.fromarray(pixels).resize(
            (self.width, self.height), Image.Resampling.BICUBIC, box=(0, top, side, top + rows)
        )
        cut = np.array(image)
        if self._label is not None:
            self._label.draw(cut, pts_us)
        return _i420(cut)

    def _background(self, pixels: UInt8Array) -> UInt8Array:
        size = (self.width, self.height)
        if self._fill.kind == "colour":
            return np.full((self.height, self.width, 3), self._fill.colour, np.uint8)
        if self._fill.picture is not None:
            return np.asarray(ImageOps.fit(self._fill.picture, size))
        small = ImageOps.fit(Image.fromarray(pixels[..., :3]), (self.width // 8, self.height // 8))
        soft = small.filter(ImageFilter.GaussianBlur(self.height / 8 / 14)).resize(size, Image.Resampling.BICUBIC)
        return (np.asarray(soft) * np.float32(0.7)).astype(np.uint8)


def planes(frame: UInt8Array, width: int, height: int) -> tuple[UInt8Array, UInt8Array, UInt8Array]:
    """Views on Y, U and V."""
    luma, quarter = width * height, width * height // 4
    half = (height // 2, width // 2)
    return (
        frame[:luma].reshape(height, width),
        frame[luma : luma + quarter].reshape(half),
        frame[luma + quarter :].reshape(half),
    )


def _sized(pixels: UInt8Array, side: int) -> UInt8Array:
    if len(pixels) == side:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))


def _i420(pixels: UInt8Array) -> UInt8Array:
    height, width = pixels.shape[:2]
    if pixels.shape[2] == 3:
        pixels = np.dstack([pixels, np.full((height, width), 255, np.uint8)])
    out = np.empty(width * height * 3 // 2, np.uint8)
    _kernel.i420_from_rgba(np.ascontiguousarray(pixels), out)
    return out
