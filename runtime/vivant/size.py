"""The size of a frame: a square's side, or width and height."""

from __future__ import annotations

import re
import sys
from typing import NamedTuple

from vivant.arguments import shown, whole_number
from vivant.errors import InputError

MIN_SIZE_PX, MAX_SIZE_PX = 64, 2048
"""Of each side."""
USUAL_SIDE_PX = 512
"""Of what is drawn when no size is named."""
_WORDS = re.compile(r"\s*(\d{1,6})\s*(?:[x×]\s*(\d{1,6})\s*)?", re.ASCII | re.IGNORECASE)


class Size(NamedTuple):
    """Width and height of a frame in px."""

    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> Size:
        """``512`` for a square, or width and height such as ``720x1280``. Raises InputError."""
        found = _WORDS.fullmatch(text)
        if found is None:
            raise InputError(
                f"size is the side of a square such as 512, or width and height such as 720x1280; got {shown(text)}"
            )
        return cls.of((int(found[1]), int(found[2] or found[1])))

    @classmethod
    def of(cls, size_px: int | tuple[int, int]) -> Size:
        """A square's side, or (width, height). Raises InputError beyond 64 to 2048 px a side."""
        sides = tuple(size_px) if isinstance(size_px, tuple | list) else (size_px, size_px)
        try:
            width, height = (whole_number("size", side, -sys.maxsize, sys.maxsize) for side in sides)
        except ValueError as error:  # InputError is one, too
            raise InputError(f"size must be the side of a square in px, or (width, height), got {shown(size_px)}") from error
        size = cls(width, height)
        if not all(MIN_SIZE_PX <= side <= MAX_SIZE_PX for side in size):
            raise InputError(f"size must be from {MIN_SIZE_PX} to {MAX_SIZE_PX} px a side, got {size}")
        return size

    @property
    def is_square(self) -> bool:
        return self.width == self.height

    def __str__(self) -> str:
        return str(self.width) if self.is_square else f"{self.width}x{self.height}"


USUAL_SIZE = Size(USUAL_SIDE_PX, USUAL_SIDE_PX)
