"""What may be said as a size."""

from __future__ import annotations

import pytest

from vivant.errors import InputError
from vivant.size import Size

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512", (512, 512)),
        ("720x1280", (720, 1280)),
        ("1920X1080", (1920, 1080)),
        (" 64 x 2048 ", (64, 2048)),
        ("720×1280", (720, 1280)),
    ],
)
def test_a_side_or_both(text: str, size: tuple[int, int]) -> None:
    assert Size.parse(text) == size
    assert Size.parse(str(Size.parse(text))) == size


@pytest.mark.parametrize(
    "text", ["", "720x", "x720", "-720x1280", "720x-1280", "7.5", "720x1280x3", "720,1280", "wide", "٧٢٠", "1e3"]
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(InputError, match="size is the side of a square such as 512, or width and height such as 720x1280; got"):
        Size.parse(text)


@pytest.mark.parametrize("text", ["0", "63", "2049", "0x720", "720x0", "3840x2160", "999999", "63x2048"])
def test_what_is_out_of_bounds(text: str) -> None:
    with pytest.raises(InputError, match=f"size must be from 64 to 2048 px a side, got {text}$"):
        Size.parse(text)
