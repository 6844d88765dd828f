"""Where a voice comes from. Every kind gives what has arrived since it was last asked, and never waits."""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vivant.clock import Clock
from vivant.errors import InputError
from vivant.media import open_audio
from vivant.types import MAX_RATE_HZ, MIN_RATE_HZ, Float32Array

NOTHING = np.zeros(0, np.float32)
MOST_DUE_S = 4.0
"""Of sound that is due at once; chosen: as much as the timeline keeps."""


class SampleFormat(Enum):
    """What `AudioSource.read` gives."""

    F32 = "float32"
    """In [-1, 1]."""
    S16 = "int16"


class AudioSource(Protocol):
    """Opened and closed any number of times, from any thread; read by one."""

    name: str
    """For people."""
    rate_hz: int
    """Known once open."""
    sample_format: SampleFormat
    latency_us: int
    """From the air to `read`, as far as the device tells."""

    def open(self) -> None:
        """Begin. Raises DeviceLostError when trying again may help, another VivantError when it will not."""
        ...

    def read(self) -> NDArray[Any]:
        """(n,) or (n, channels) samples that have arrived since the last call.

        Raises DeviceLostError when no more will come.
        """
        ...

    def close(self) -> None:
        """End. Closing twice is fine."""
        ...


class SampleClock:
    """How many samples are due, by a clock. Of a time in which the machine slept or the program was stopped, no more than
    `MOST_DUE_S`: the rest was not missed, it comes later."""

    def __init__(self, clock: Clock, rate_hz: int, given: int = 0) -> None:
        """Begins now, with the sample behind the first ``given``."""
        self._clock, self._rate_hz, self._given = clock, rate_hz, given
        self._start_us = clock.now_us() - given * 1_000_000 // rate_hz

    def due(self) -> int:
        """Since the last call."""
        n = (self._clock.now_us() - self._start_us) * self._rate_hz // 1_000_000 - self._given
        beyond = max(0, n - round(MOST_DUE_S * self._rate_hz))
        self._start_us += beyond * 1_000_000 // self._rate_hz
        self._given += n - beyond
        return n - beyond


class ClockedSource:
    """Samples that are there from the start, given out at the speed of time."""

    latency_us = 0
    sample_format = SampleFormat.F32

    def __init__(self, name: str, rate_hz: int, clock: Clock, sound: Callable[[int, int], Float32Array]) -> None:
        """``sound(first, n)`` gives (n,) samples, fewer at the end."""
        self.name, self.rate_hz = name, rate_hz
        self._clock, self._sound = clock, sound
        self._given = 0

    def open(self) -> None:
        self._pace = SampleClock(self._clock, self.rate_hz, self._given)

    def read(self) -> Float32Array:
        first, n = self._given, self._pace.due()
        self._given += n
        return self._sound(first, n)

    def close(self) -> None:
        pass


def silence(clock: Clock, rate_hz: int = 48_000) -> ClockedSource:
    """Nobody speaks; the face lives."""
    return ClockedSource("silence", rate_hz, clock, lambda _, n: np.zeros(n, np.float32))


def tone(clock: Clock, rate_hz: int = 48_000, hz: float = 150.0, beat_s: float = 1.0) -> ClockedSource:
    """A tone for the first half of every beat."""

    def sound(first: int, n: int) -> Float32Array:
        time_s = (first + np.arange(n)) / rate_hz
        wave: Float32Array = (0.3 * np.sin(2 * np.pi * hz * time_s) * (time_s % beat_s < beat_s / 2)).astype(np.float32)
        return wave

    return ClockedSource("a test tone", rate_hz, clock, sound)


class FileSource:
    """A sound file, or a video's sound, at the speed of time; then silence, or again from its beginning."""

    latency_us = 0
    sample_format = SampleFormat.F32

    def __init__(self, path: Path, clock: Clock, *, repeat: bool = False) -> None:
        self.name = path.name
        self.rate_hz = 0
        self._path, self._clock, self._repeat = path, clock, repeat
        self._store = NOTHING

    def open(self) -> None:
        """Raises InputError for a file without sound."""
        with open_audio(self._path) as audio:
            self.rate_hz = audio.sample_rate_hz
        self._pieces, self._store = self._read_file(), NOTHING
        self._pace = SampleClock(self._clock, self.rate_hz)

    def read(self) -> Float32Array:
        due = self._pace.due()
        pieces, held = [self._store], len(self._store)
        while held < due and (piece := next(self._pieces, None)) is not None:
            pieces.append(piece)
            held += len(piece)
        pieces.append(np.zeros(max(0, due - held), np.float32))
        store = np.concatenate(pieces)
        self._store = store[due:]
        return store[:due]

    def close(self) -> None:
        if self.rate_hz:
            self._pieces.close()

    def _read_file(self) -> Generator[Float32Array, None, None]:
        while True:
            with open_audio(self._path) as audio:
                for chunk in audio.chunks(50):
                    yield chunk.samples
            if not self._repeat:
                return


def mono(samples: Float32Array) -> Float32Array:
    """(n, channels) as the mean of the channels that carry sound: an interface's eight inputs have one voice in one of them."""
    if samples.ndim == 1 or samples.shape[1] == 1:
        return samples.reshape(-1)
    loudness = np.abs(samples).max(axis=0)
    heard = loudness > max(1e-4, 0.05 * float(loudness.max()))
    mixed: Float32Array = samples[:, heard].mean(axis=1) if heard.any() else np.zeros(len(samples), np.float32)
    return mixed


def voice_of(samples: NDArray[Any], sample_format: SampleFormat) -> Float32Array:
    """(n,) mono in [-1, 1] of what a source has read."""
    scale = np.float32(1 / 32768 if sample_format is SampleFormat.S16 else 1)
    return mono(np.asarray(samples, np.float32) * scale)


def parse_pcm(data: bytes, channels: int) -> Float32Array:
    """Whole frames of signed 16 bit little-endian PCM as (n,) mono."""
    frames = np.frombuffer(data, "<i2").reshape(-1, channels).astype(np.float32) / np.float32(32768)
    return mono(frames)


def require_pcm(rate_hz: int, channels: int) -> None:
    """Raises InputError for what is no layout of raw PCM."""
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise InputError(f"raw PCM needs a rate from {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz, got {rate_hz}")
    if not 1 <= channels <= 32:
        raise InputError(f"raw PCM needs 1 to 32 channels, got {channels}")
