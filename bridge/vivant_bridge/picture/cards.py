"""Slates: pictures with a word on them, for when there is no face to show."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vivant.types import UInt8Array
from vivant_bridge.picture.canvas import planes

_DIM = 0.5
"""Of the last picture's contrast; chosen by eye."""
_BLACK, _DARK, _WHITE, _NO_COLOUR = 16, 40, 235, 128
"""Levels of limited-range video (ITU-R BT.601); the dark grey is chosen by eye."""


def blank(width: int, height: int) -> UInt8Array:
    """A dark grey I420 frame."""
    frame = np.full(width * height * 3 // 2, _NO_COLOUR, np.uint8)
    frame[: width * height] = _DARK
    return frame


def with_word(frame: UInt8Array, width: int, height: int, word: str) -> UInt8Array:
    """The I420 frame, dimmed, and ``word`` large at its foot."""
    card = frame.copy()
    luma, u, v = planes(card, width, height)
    for plane, floor in ((luma, _BLACK), (u, _NO_COLOUR), (v, _NO_COLOUR)):
        plane[:] = (floor + _DIM * (plane.astype(np.float32) - floor)).astype(np.uint8)
    letters = np.asarray(_letters(word, height // 12), np.float32) / 255
    rows, columns = letters.shape
    top, left = height * 4 // 5 - rows // 2, (width - columns) // 2
    place = luma[top : top + rows, left : left + columns]
    place[:] = (place + letters * (_WHITE - place)).astype(np.uint8)
    half = (slice(top // 2, (top + rows) // 2), slice(left // 2, (left + columns) // 2))
    u[half] = v[half] = _NO_COLOUR
    return card


def _letters(word: str, size_px: int) -> Image.Image:
    font = ImageFont.load_default(size=size_px)
    box = font.getbbox(word)
    picture = Image.new("L", (round(box[2] - box[0]) + 2, round(box[3] - box[1]) + 2))
    ImageDraw.Draw(picture).text((1 - box[0], 1 - box[1]), word, font=font, fill=255)
    return picture
