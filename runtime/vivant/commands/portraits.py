"""``vivant portraits``: the faces that come with Vivant, with small pictures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image
from rich.color import Color
from rich.columns import Columns
from rich.style import Style
from rich.text import Text

from vivant.bundled import about, portrait_bytes, portraits
from vivant.commands.options import console, how_to_open, say
from vivant.media import write_picture
from vivant.media.apart import require_apart
from vivant.media.atomic import require_place
from vivant.media.sequence import picture_format_of
from vivant.provenance.production import own_files
from vivant.sheet import tile
from vivant.types import UInt8Array

COLUMNS = 26
"""Characters a picture is wide; as many half rows high."""
CELL_PX, SHEET_COLUMNS = 256, 5


def list_portraits(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="SHEET", help="Write the pictures into one PNG or JPEG, too.")
    ] = None,
) -> None:
    """List the bundled portraits: who they show, by whom, and their licence; with pictures where the terminal has colours."""
    if out is not None:
        picture_format_of(out)
        require_apart(out, own_files())
        require_place(out)
    if console.is_terminal and console.color_system in ("truecolor", "256"):
        console.print(Columns([_drawn(name) for name in portraits()], padding=(1, 2)))
    width = max(map(len, portraits()))
    for name in portraits():
        say(f"{name:<{width}}  {about(name).shows}; {about(name).licence}")
    if out is not None:
        write_picture(out, tile([(name, _pixels(name, CELL_PX)) for name in portraits()], SHEET_COLUMNS))
        say(f"sheet: {out.resolve()}\n{how_to_open(out.resolve())}")


def _pixels(name: str, side_px: int) -> UInt8Array:
    """(side_px, side_px, 3): the middle of the picture."""
    with Image.open(io.BytesIO(portrait_bytes(name))) as image:
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 4
        square = image.convert("RGB").crop((left, top, left + side, top + side))
        return np.asarray(square.resize((side_px, side_px), Image.Resampling.LANCZOS))


def _drawn(name: str) -> Text:
    """Two pixels a character: the upper half of a block before a background of the lower pixel's colour."""
    pixels, text = _pixels(name, COLUMNS), Text(no_wrap=True)
    for above, below in zip(pixels[::2], pixels[1::2], strict=True):
        for upper, lower in zip(above, below, strict=True):
            text.append("▀", Style.from_color(Color.from_rgb(*upper), Color.from_rgb(*lower)))
        text.append("\n")
    return text.append(name)
