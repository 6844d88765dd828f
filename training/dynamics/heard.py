"""Voices as the dynamics hear them: recordings put together to conversations, and what our ears make of them, tick by tick."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vivant.media import open_audio
from vivant.motion.learned.recorded import Heard, hear
from vivant.types import Float32Array

PAUSES_S, LONG_PAUSES_S, LONG_SHARE = (0.25, 1.4), (2.0, 6.0), 0.18
"""Between recordings; chosen: sentences of a talk, and now and then a silence in which a face is at rest."""
SOUNDS = (".wav", ".flac", ".ogg", ".mp3")


@dataclass(frozen=True)
class Voice:
    """Recordings of one speaker."""

    name: str
    files: list[Path]


def voices(folders: list[Path], skip: int = 0) -> list[Voice]:
    """One for each folder, without its first ``skip`` recordings. Raises SystemExit where there is no sound."""
    found = []
    for folder in folders:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SOUNDS)[skip:]
        if not files:
            raise SystemExit(f"{folder} holds no sound")
        found.append(Voice(folder.name, files))
    return found


def read_sound(path: Path) -> tuple[Float32Array, int]:
    """(n,) samples and their rate."""
    with open_audio(path) as audio:
        return np.concatenate([chunk.samples for chunk in audio.chunks()]), audio.sample_rate_hz


def conversations(voice: Voice, rng: np.random.Generator, seconds: float) -> Iterator[Heard]:
    """Every recording once, in any order, in conversations of about ``seconds``."""
    pieces: list[Float32Array] = []
    n = rate_hz = 0
    for i in rng.permutation(len(voice.files)):
        samples, rate = read_sound(voice.files[i])
        if pieces and rate != rate_hz:
            continue
        rate_hz = rate
        pause_s = rng.uniform(*(LONG_PAUSES_S if rng.random() < LONG_SHARE else PAUSES_S))
        pieces += [samples, np.zeros(round(pause_s * rate_hz), np.float32)]
        n += len(samples) + len(pieces[-1])
        if n >= seconds * rate_hz:
            yield hear(np.concatenate(pieces), rate_hz)
            pieces, n = [], 0
    if n >= 0.3 * seconds * max(rate_hz, 1):
        yield hear(np.concatenate(pieces), rate_hz)
