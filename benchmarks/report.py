"""What all benchmarks share: rows of one table, the bundled portraits and voice, and quiet networks."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from vivant.media import open_audio
from vivant.portrait import PortraitAnalyser, default_analyser
from vivant.types import Float32Array

ROOT = Path(__file__).resolve().parent.parent
HEAD = ("what", "target", "measured")
ASSETS = Path(str(files("vivant") / "assets"))
VOICE = ASSETS / "voice.flac"
PORTRAITS = tuple(sorted((ASSETS / "portraits").glob("*.jpg")))


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; ``target`` is empty where none was set."""

    what: str
    target: str
    measured: str


def checked(what: str, target: str, held: bool, measured: str) -> Row:
    """A line that says where the target was missed."""
    return Row(what, target, measured if held else f"WRONG: {measured}")


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells, the first of them the head, as a Markdown table with aligned columns."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    rows = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines]
    return "\n".join([rows[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *rows[1:]])


def table(rows: Sequence[Row]) -> str:
    return markdown([HEAD, *((row.what, row.target, row.measured) for row in rows)])


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    sys.stdout.write(table(rows) + "\n")


def put(path: Path, name: str, table: str) -> None:
    """Replace what stands between the two marks of that name."""
    text = path.read_text(encoding="utf-8")
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    found = re.subn(f"{begin}.*?{end}", lambda _: f"{begin}\n{table}\n{end}", text, flags=re.DOTALL)
    if found[1] != 1:
        raise SystemExit(f"{path} must contain {begin} and {end} once")
    path.write_text(found[0], encoding="utf-8")


@cache
def voice() -> tuple[Float32Array, int]:
    """The bundled voice: samples (n,) and their rate."""
    with open_audio(VOICE) as audio:
        return np.concatenate([chunk.samples for chunk in audio.chunks()]), audio.sample_rate_hz


@cache
def analyser() -> PortraitAnalyser:
    """The landmark network, loaded once."""
    return default_analyser()


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps what native libraries log on file descriptor 2 out of the table; Python's own errors still come through."""
    keep, errors = os.dup(2), sys.stderr
    with os.fdopen(os.dup(keep), "w", buffering=1) as own, Path(os.devnull).open("wb") as sink:
        os.dup2(sink.fileno(), 2)
        sys.stderr = own
        try:
            yield
        finally:
            sys.stderr = errors
            os.dup2(keep, 2)
            os.close(keep)
