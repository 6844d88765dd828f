"""Which video files can be written, and what each of them can hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vivant.errors import InputError
from vivant.size import USUAL_SIDE_PX

MIN_SIDE_PX = 16
MAX_SIDE_PX = 8192
MAX_FPS = 240


@dataclass(frozen=True, slots=True)
class VideoLayout:
    """What a video is made of, the same for all of its frames."""

    width: int
    height: int
    fps: Fraction
    sample_rate_hz: int | None
    """None for a silent video."""
    alpha: bool
    n_channels: int = 1
    """Of the sound: 1, or 2 for left and right."""


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """One kind of result."""

    name: str
    muxer: str | None
    """FFmpeg's name; None for a folder of pictures."""
    has_alpha: bool
    has_sound: bool = True
    even_only: bool = True
    """FFmpeg's colour conversion and these codecs go wrong, by version differently, at the edge of an odd size."""
    max_fps: int = MAX_FPS
    usual_fps: str = "30"
    """Where none is asked for."""
    usual_side_px: int = USUAL_SIDE_PX


PNG_FOLDER = OutputFormat("a folder of PNG frames", None, has_alpha=True, even_only=False)

FORMATS = {
    ".mp4": OutputFormat(".mp4", "mp4", has_alpha=False),
    ".mov": OutputFormat(".mov", "mov", has_alpha=True),
    ".mkv": OutputFormat(".mkv", "matroska", has_alpha=False),
    ".webm": OutputFormat(".webm", "webm", has_alpha=True),
    # Browsers slow down delays of less than two hundredths of a second.
    ".gif": OutputFormat(
        ".gif", "gif", has_alpha=True, has_sound=False, even_only=False, max_fps=50, usual_fps="15", usual_side_px=320
    ),
    ".png": PNG_FOLDER,
    "": PNG_FOLDER,
}

_PATTERN = re.compile(r"[^%]*%0?[1-9]d[^%]*")


def format_of(path: Path) -> OutputFormat:
    """The format that the suffix of ``path`` asks for; raises InputError with the known ones."""
    if str(path) == "-":
        raise InputError("a video cannot go to standard output, as it is finished and signed at its end; give a file name")
    if path.name in ("", "..") or path.name.lower() in FORMATS:
        raise InputError(f"{str(path)!r} is no name for a video; give one such as talk.mp4, or talk for a folder of PNG frames")
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        known = ", ".join(suffix for suffix, kind in FORMATS.items() if kind is not PNG_FOLDER)
        raise InputError(f"unknown video type {path.suffix!r} of {path}; use {known}, or a name without suffix for PNG frames")
    if path.suffix.lower() == ".png" and not _PATTERN.fullmatch(path.name):
        raise InputError(f"{path} names one picture; for a video give a folder, or a pattern such as frame_%06d.png")
    return found


def folder_of(path: Path) -> Path | None:
    """Where a video of PNG frames lies; None for one that is a file."""
    if format_of(path).muxer:
        return None
    return path.parent if path.suffix else path


def require_supported(path: Path, kind: OutputFormat, layout: VideoLayout) -> None:
    """Raise InputError when ``kind`` cannot hold such a video."""
    for name, side in (("width", layout.width), ("height", layout.height)):
        if not MIN_SIDE_PX <= side <= MAX_SIDE_PX:
            raise InputError(f"{name} must be from {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels, got {side}")
        if side % 2 and kind.even_only:
            raise InputError(f"{kind.name} video needs an even {name}, got {side}; crop one pixel or use PNG frames")
    if not 0 < layout.fps <= kind.max_fps:
        raise InputError(f"{kind.name} takes more than 0 and at most {kind.max_fps} frames per second, got {layout.fps}")
    if layout.alpha and not kind.has_alpha:
        able = ", ".join(suffix for suffix, other in FORMATS.items() if other.has_alpha and other is not PNG_FOLDER)
        raise InputError(f"{kind.name} has no transparency, so {path} cannot; use {able} or {PNG_FOLDER.name}")
    if layout.sample_rate_hz is not None and not kind.has_sound:
        raise InputError(f"{kind.name} holds no sound; leave the sound away or use .mp4 or .webm")
    if layout.n_channels not in (1, 2):
        raise InputError(f"n_channels must be 1 or 2, got {layout.n_channels}")
    if layout.sample_rate_hz is not None and layout.sample_rate_hz < 1:
        raise InputError(f"sample_rate_hz must be positive, got {layout.sample_rate_hz}")
