"""The bundled voice, as samples."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from vivant.media import open_audio
from vivant.types import Float32Array

VOICE_RATE_HZ = 24_000


def bundled_voice(seconds: float | None = None) -> Float32Array:
    """(n,) mono at ``VOICE_RATE_HZ``: the line once, or again and again for so long."""
    line = _line()
    return np.resize(line, len(line) if seconds is None else round(seconds * VOICE_RATE_HZ))


@cache
def _line() -> Float32Array:
    with open_audio(Path(str(files("vivant") / "assets" / "voice.flac"))) as sound:
        assert sound.sample_rate_hz == VOICE_RATE_HZ
        line: Float32Array = np.concatenate([chunk.samples for chunk in sound.chunks()])
    return line
