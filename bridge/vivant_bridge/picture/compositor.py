"""Compositor: the square that a runtime draws, placed in the picture that a camera shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from vivant.errors import InputError
from vivant.media import load_image
from vivant.pixels import rgb_of
from vivant.provenance.label import Label
from vivant.render import _kernel
from vivant.session.background import BLUR, Background
from vivant.types import PixelFormat, UInt8Array

SIZES = {"720p": (1280, 720), "480p": (640, 480), "square": (512, 512)}
"""Cameras that programs know; some are black with any other."""
CROP_CENTRE = 0.465
"""The middle row of a crop, in shares of the square: the face's. The square's whole width is shown, and as many rows as fit."""
MOST_DRAWN_PX = 768
"""A crop is drawn at most this large and enlarged, for portraits hold little more."""


@dataclass(frozen=True, slots=True)
class Fill:
    """What lies beside the square."""

    kind: str
    """``blur``, ``crop``, ``colour``, ``image`` or ``transparent``."""
    picture: Image.Image | None = None
    colour: tuple[int, int, int] = (0, 0, 0)

    @classmethod
    def parse(cls, text: str) -> Fill:
        """``blur``, ``crop``, ``transparent``, a colour such as ``#1e2b3c`` or ``navy``, or an image file."""
        if text in ("blur", "crop", "transparent"):
            return cls(text)
        if (rgb := rgb_of(text)) is not None:
            return cls("colour", colour=rgb)
        if "." not in text:
            raise InputError(
                f"--fill is blur, crop, a colour such as #1e2b3c or navy, an image file, or transparent; got {text!r}"
            )
        return cls("image", Image.fromarray(load_image(Path(text)).pixels).convert("RGB"))


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What a camera's picture shows behind the person and beside the square, as ``--background`` and ``--fill`` say it."""

    fill: Fill
    background: Background | None
    """Behind who is cut out, as large as the camera's picture; None where nobody is, or where it stays transparent."""
    cut_out: bool
    blurred: bool
    """The portrait's own background, out of focus."""

    @classmethod
    def parse(cls, background: str, fill: str, size: tuple[int, int]) -> Backdrop:
        """Raises InputError for words that are neither's, and for two of them that say what lies beside the square."""
        beside = Fill.parse(fill)
        if background in ("original", BLUR):
            return cls(beside, None, beside.kind == "transparent", background == BLUR)
        if beside.kind not in ("blur", "crop"):
            raise InputError(f"--background {background} fills the whole picture; leave --fill {fill} away")
        crops = beside.kind == "crop"
        side = min(max(size), MOST_DRAWN_PX)
        behind = Background.parse(background, side if crops else size)
        if behind is None or behind.pixels is None:
            return cls(beside if crops else Fill("transparent"), None, cut_out=True, blurred=False)
        around = beside if crops else Fill("image", Image.fromarray(behind.pixels))
        return cls(around, behind, cut_out=True, blurred=False)


ORIGINAL = Backdrop(Fill("blur"), None, cut_out=False, blurred=False)
"""The portrait's own background, and beside the square it again, out of focus."""


class Compositor:
    """Compositor: from (s, s, 3 or 4) pixels to what a camera wants, in one size. One thread at a time."""

    def __init__(
        self,
        width: int,
        height: int,
        fill: Fill,
        *,
        label: Label | None = None,
        pixel_format: PixelFormat = PixelFormat.I420,
    ) -> None:
        """``label`` is drawn on crops only, for they cut away the one in the square.

        Raises InputError for a format that no camera takes, and for transparency in one that has none.
        """
        if pixel_format is PixelFormat.JPEG:
            raise InputError("a camera takes I420, RGB or RGBA, got JPEG")
        if fill.kind == "transparent" and pixel_format is not PixelFormat.RGBA:
            raise InputError(f"--fill transparent needs a camera that takes RGBA; this one takes {pixel_format.name}")
        self.width, self.height, self.pixel_format = width, height, pixel_format
        self._fill, self._label = fill, label
        self._crops = fill.kind == "crop" and width > height
        side = width if self._crops else min(width, height)
        self._part = (side, min(side, height))
        """Width and height of what is shown of the square."""
        self.square_px = min(side, MOST_DRAWN_PX)
        """The side that a runtime should draw."""
        self._behind: UInt8Array | None = None
        self._portrait: object = None

    def compose(self, pixels: UInt8Array, portrait: object, pts_us: int) -> UInt8Array:
        """The picture: (width * height * 3 / 2,) of I420, (height, width, 3 or 4) of RGB and RGBA.

        What lies behind changes with ``portrait``.
        """
        part = shaped(self._cropped(pixels, pts_us) if self._crops else _sized(pixels, self._part), self.pixel_format)
        if self._part == (self.width, self.height):
            return part
        if self._behind is None or portrait != self._portrait:
            self._behind, self._portrait = shaped(self._background(pixels), self.pixel_format), portrait
        frame = self._behind.copy()
        wholes = planes(frame, self.width, self.height, self.pixel_format)
        for whole, inner in zip(wholes, planes(part, *self._part, self.pixel_format), strict=True):
            top, left = (whole.shape[0] - inner.shape[0]) // 2, (whole.shape[1] - inner.shape[1]) // 2
            whole[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
        return frame

    def _cropped(self, pixels: UInt8Array, pts_us: int) -> UInt8Array:
        share = self.height / self.width
        cut = _sized(pixels, self._part, CROP_CENTRE - share / 2, CROP_CENTRE + share / 2).copy()
        if self._label is not None:
            self._label.draw(cut, pts_us)
        return cut

    def _background(self, pixels: UInt8Array) -> UInt8Array:
        size = (self.width, self.height)
        if self._fill.kind == "transparent":
            return np.zeros((self.height, self.width, 4), np.uint8)
        if self._fill.kind == "colour":
            return np.full((self.height, self.width, 3), self._fill.colour, np.uint8)
        if self._fill.picture is not None:
            return np.asarray(ImageOps.fit(self._fill.picture, size))
        small = ImageOps.fit(Image.fromarray(pixels[..., :3]), (self.width // 8, self.height // 8))
        soft = small.filter(ImageFilter.GaussianBlur(self.height / 8 / 14)).resize(size, Image.Resampling.BICUBIC)
        return (np.asarray(soft) * np.float32(0.7)).astype(np.uint8)


def planes(frame: UInt8Array, width: int, height: int, pixel_format: PixelFormat = PixelFormat.I420) -> tuple[UInt8Array, ...]:
    """Views on Y, U and V; RGB and RGBA are one plane."""
    if pixel_format is not PixelFormat.I420:
        return (frame,)
    luma, quarter = width * height, width * height // 4
    half = (height // 2, width // 2)
    return (
        frame[:luma].reshape(height, width),
        frame[luma : luma + quarter].reshape(half),
        frame[luma + quarter :].reshape(half),
    )


def _sized(pixels: UInt8Array, size: tuple[int, int], top: float = 0.0, bottom: float = 1.0) -> UInt8Array:
    """Rows ``top`` to ``bottom``, in shares, at a size of (width, height)."""
    side = len(pixels)
    if size == (side, side):
        return pixels
    box = (0, top * side, side, bottom * side)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, box=box))


def shaped(pixels: UInt8Array, pixel_format: PixelFormat) -> UInt8Array:
    """(height, width, 3 or 4) as a camera wants it."""
    height, width = pixels.shape[:2]
    if pixel_format is PixelFormat.RGB:
        return np.ascontiguousarray(pixels[..., :3])
    if pixels.shape[2] == 3:
        pixels = np.dstack([pixels, np.full((height, width), 255, np.uint8)])
    if pixel_format is PixelFormat.RGBA:
        return pixels
    out = np.empty(width * height * 3 // 2, np.uint8)
    _kernel.i420_from_rgba(np.ascontiguousarray(pixels), out)
    return out
