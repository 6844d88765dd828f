"""PNG pictures, one or a folder of them."""

from __future__ import annotations

import re
import wave
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from vivant.errors import InputError
from vivant.media.atomic import Complete, replacing, reporting
from vivant.media.formats import VideoLayout
from vivant.types import Float32Array, UInt8Array

PICTURE_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
"""Pillow's names, by suffix."""
DEFAULT_PATTERN = "frame_%06d.png"
SOUND_NAME = "audio.wav"

_COMPRESS_LEVEL = 1
"""zlib level: three times the speed of the default for a tenth more bytes."""
_JPEG_QUALITY = 93


def picture_format_of(path: Path) -> str:
    """Pillow's name of the format that the suffix of ``path`` asks for; raises InputError with the known ones."""
    found = PICTURE_FORMATS.get(path.suffix.lower())
    if found is None:
        raise InputError(f"a sheet is a PNG or JPEG picture, got {str(path)!r}; end its name in {', '.join(PICTURE_FORMATS)}")
    return found


def write_png(path: Path, pixels: UInt8Array) -> None:
    """`write_picture` as PNG, whatever the name."""
    _write(path, pixels, "PNG", None)


def write_picture(path: Path, pixels: UInt8Array, complete: Complete | None = None) -> None:
    """Write one picture, (height, width, 3 or 4) sRGB, or (height, width) grey; whole or not at all; PNG or JPEG by its name.

    ``complete`` has the last word before it appears, as in ``media.atomic``. Raises InputError for another name, shape or
    type, OutputError when the file cannot be written.
    """
    _write(path, pixels, picture_format_of(path), complete)


def _write(path: Path, pixels: UInt8Array, kind: str, complete: Complete | None) -> None:
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))):
        raise InputError(f"a picture must be uint8 (height, width[, 3 or 4]), got {pixels.dtype} {pixels.shape}")
    if pixels.size == 0:
        raise InputError(f"a picture needs at least one pixel, got shape {pixels.shape}")
    with replacing(path, complete=complete) as temporary, reporting(path):
        _save(temporary, pixels, kind)


def _save(path: Path, pixels: UInt8Array, kind: str = "PNG") -> None:
    options = {"compress_level": _COMPRESS_LEVEL} if kind == "PNG" else {"quality": _JPEG_QUALITY, "subsampling": 0}
    Image.fromarray(pixels).save(path, kind, **options)


def is_sequence_file(name: str, pattern: str) -> bool:
    """Whether a file of this name may have come from an earlier sequence with ``pattern``."""
    before, after = re.split(r"%\d+d", pattern)
    return name == SOUND_NAME or re.fullmatch(rf"{re.escape(before)}\d+{re.escape(after)}", name) is not None


class SequenceWriter:
    """Frames as ``frame_000001.png`` (index + 1), the sound as ``audio.wav`` (16 bit) beside them."""

    def __init__(self, folder: Path, pattern: str, layout: VideoLayout) -> None:
        self._folder = folder
        self._pattern = pattern
        self._wave: wave.Wave_write | None = None
        if layout.sample_rate_hz is not None:
            self._wave = wave.open(str(folder / SOUND_NAME), "wb")  # noqa: SIM115 - lives as long as the writer
            self._wave.setnchannels(layout.n_channels)
            self._wave.setsampwidth(2)
            self._wave.setframerate(layout.sample_rate_hz)

    def picture(self, index: int, pixels: UInt8Array) -> None:
        """Write one file."""
        _save(self._folder / (self._pattern % (index + 1)), pixels)

    def sound(self, samples: Float32Array) -> None:
        """Append (n,) or (n, 2) samples in [-1, 1]."""
        assert self._wave is not None
        self._wave.writeframes(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())

    def finish(self) -> None:
        """Complete the header of the sound."""
        if self._wave is not None:
            self._wave.close()

    def abort(self) -> None:
        """Let go of the files; they are about to be deleted."""
        with suppress(OSError):
            self.finish()
