"""WAV: what other programs' voices give, and what a spoken text is kept as."""

from __future__ import annotations

import wave
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO

import numpy as np

from vivant.errors import InputError, UnavailableError
from vivant.media.atomic import reporting
from vivant.samples import pcm_s16le
from vivant.types import AudioChunk

BLOCK_S = 0.1
"""Read at once; chosen."""


def write_wav(chunks: Iterable[AudioChunk], path: Path) -> float:
    """All of it as mono PCM of 16 bits; returns seconds. Raises OutputError, and InputError where nothing was spoken."""
    with reporting(path):
        return write_pieces(chunks, path)


def write_pieces(chunks: Iterable[AudioChunk], path: Path) -> float:
    """As `write_wav`, for whoever reports failures under another name. Raises OSError."""
    pieces = iter(chunks)
    first = next(pieces, None)
    if first is None:
        raise InputError("the voice found nothing in the text that it can speak")
    with path.open("wb") as target, wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(first.sample_rate_hz)
        for chunk in chain([first], pieces):
            file.writeframes(pcm_s16le(chunk.samples))
        return file.getnframes() / first.sample_rate_hz


def read_wav(source: IO[bytes] | str, maker: str) -> Iterator[AudioChunk]:
    """Mono PCM of 16 bits, from a path or a pipe, whose header may claim any length; nothing where nothing is written.

    Raises UnavailableError, with the name of its ``maker``, for anything else.
    """
    try:
        with wave.open(source, "rb") as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise UnavailableError(f"{maker} gave another sound than mono PCM of 16 bits")
            yield from _blocks(file)
    except EOFError:
        return
    except wave.Error as error:
        raise UnavailableError(f"{maker} gave no sound") from error


def _blocks(file: wave.Wave_read) -> Iterator[AudioChunk]:
    rate_hz, n_spoken = file.getframerate(), 0
    while data := file.readframes(round(BLOCK_S * rate_hz)):
        samples = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)
        yield AudioChunk(samples, rate_hz, n_spoken)
        n_spoken += len(samples)
