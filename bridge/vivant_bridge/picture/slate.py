"""Slates: pictures with a word on them, for when there is no face to show."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vivant.types import FloatArray, PixelFormat, UInt8Array
from vivant_bridge.picture.compositor import planes, shaped

_DIM = 0.5
"""Of the last picture's contrast; chosen by eye."""
_GREY = 28
"""Chosen by eye."""
_BLACK, _WHITE, _NO_COLOUR = 16, 235, 128
"""Levels of limited-range video (ITU-R BT.601)."""


def blank(width: int, height: int, pixel_format: PixelFormat = PixelFormat.I420) -> UInt8Array:
    """A dark grey frame."""
    return shaped(np.full((height, width, 3), _GREY, np.uint8), pixel_format)


def with_word(
    frame: UInt8Array, width: int, height: int, word: str, pixel_format: PixelFormat = PixelFormat.I420
) -> UInt8Array:
    """The frame, dimmed, and ``word`` large at its foot."""
    card = frame.copy()
    letters = np.asarray(_letters(word, height // 12), np.float32) / np.float32(255)
    rows, columns = letters.shape
    top, left = height * 4 // 5 - rows // 2, (width - columns) // 2
    place = slice(top, top + rows), slice(left, left + columns)
    if pixel_format is not PixelFormat.I420:
        _dim(card[..., :3], 0)
        _towards(card[place], 255, letters[..., None])
        return card
    luma, u, v = planes(card, width, height)
    for plane, floor in ((luma, _BLACK), (u, _NO_COLOUR), (v, _NO_COLOUR)):
        _dim(plane, floor)
    _towards(luma[place], _WHITE, letters)
    half = (slice(top // 2, (top + rows) // 2), slice(left // 2, (left + columns) // 2))
    u[half] = v[half] = _NO_COLOUR
    return card


def _dim(plane: UInt8Array, floor: int) -> None:
    plane[:] = (floor + _DIM * (plane.astype(np.float32) - floor)).astype(np.uint8)


def _towards(plane: UInt8Array, white: int, share: FloatArray) -> None:
    plane[:] = (plane + share * (white - plane)).astype(np.uint8)


def _letters(word: str, size_px: int) -> Image.Image:
    font = ImageFont.load_default(size=size_px)
    box = font.getbbox(word)
    picture = Image.new("L", (round(box[2] - box[0]) + 2, round(box[3] - box[1]) + 2))
    ImageDraw.Draw(picture).text((1 - box[0], 1 - box[1]), word, font=font, fill=255)
    return picture
