"""Numbered pictures: whoever sees one, behind whatever drivers, can say which it is and whether its colours are right.

Three bands of colour, and below them the number as a row of black and white blocks. Imports numpy alone, for the guest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SIZE_PX = 512
COLOURS = ((200, 40, 60), (50, 180, 70), (40, 70, 210))
COLOUR_TOLERANCE = 8
BITS = 16
BLOCK_PX = SIZE_PX // BITS
Picture = np.ndarray[Any, np.dtype[np.uint8]]


def numbered(number: int) -> Picture:
    """(s, s, 3) RGB."""
    picture = np.empty((SIZE_PX, SIZE_PX, 3), np.uint8)
    bands = np.array_split(np.arange(SIZE_PX), len(COLOURS))
    for columns, colour in zip(bands, COLOURS, strict=True):
        picture[:, columns] = colour
    bits = (number >> np.arange(BITS)) & 1
    picture[-BLOCK_PX:] = 255 * np.repeat(bits, BLOCK_PX)[None, :, None]
    return picture


def number_of(picture: Picture) -> int:
    """The number of a seen RGB or BGR picture."""
    middles = picture[-BLOCK_PX // 2, BLOCK_PX // 2 :: BLOCK_PX].mean(axis=-1)
    return int(((middles > 128) << np.arange(BITS)).sum())


def has_right_colours(picture: Picture) -> bool:
    """Of an RGB picture."""
    middles = picture[SIZE_PX // 4, SIZE_PX // 6 :: SIZE_PX // 3].astype(int)
    return bool(np.abs(middles[: len(COLOURS)] - np.array(COLOURS)).max() <= COLOUR_TOLERANCE)
