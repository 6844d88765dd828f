"""Sound and picture on one axis of time: what other programs get of them, and when."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from scipy.signal import correlate

from vivant.types import Float32Array

STEPS_HZ = 1_000
"""Courses are compared in steps of a millisecond."""
WINDOW_S = 2.0
SEARCH_S = 0.5
LIKE = 0.7
"""The least correlation that says something; a window in which the sound or the pictures faltered has less."""


@dataclass(frozen=True)
class Course:
    """Something that changes in time: the loudness of a sound, the brightness of a picture."""

    start_s: float
    values: Float32Array
    """In steps of a millisecond."""

    def part(self, start_s: float, end_s: float) -> Course:
        """Where it is known."""
        first = max(0, round((start_s - self.start_s) * STEPS_HZ))
        last = max(first, round((end_s - self.start_s) * STEPS_HZ))
        return Course(self.start_s + first / STEPS_HZ, self.values[first:last])


class Camera(threading.Thread):
    """Reads the camera ``file:FIFO`` of ``vivant cam``, and notes when each picture came and how bright its middle is."""

    def __init__(self, fifo: Path) -> None:
        super().__init__(daemon=True)
        self._fifo = fifo
        self._times_s: list[float] = []
        self._brightness: list[float] = []

    def run(self) -> None:
        with self._fifo.open("rb") as stream:
            found = re.search(rb" W(\d+) H(\d+) ", stream.readline())
            assert found is not None
            width, height = map(int, found.groups())
            while len(frame := stream.read(6 + width * height * 3 // 2)) > 6:
                self._times_s.append(time.monotonic())
                luma = np.frombuffer(frame, np.uint8, width * height, 6).reshape(height, width)
                self._brightness.append(luma[height // 2 - 32 : height // 2 + 32, width // 2 - 32 : width // 2 + 32].mean())

    def course(self) -> Course:
        """All that was seen."""
        return evenly(np.array(self._times_s), np.array(self._brightness))


class Recorder(threading.Thread):
    """Reads mono float samples from a program that records, and notes when they came."""

    def __init__(self, stream: IO[bytes], rate_hz: int) -> None:
        super().__init__(daemon=True)
        self._stream, self._rate_hz = stream, rate_hz
        self._pieces: list[Float32Array] = []
        self._starts_s: list[float] = []

    def run(self) -> None:
        n = 0
        while data := self._stream.read1(1 << 16):  # type: ignore[attr-defined]
            self._pieces.append(np.frombuffer(data, np.float32))
            n += len(self._pieces[-1])
            self._starts_s.append(time.monotonic() - n / self._rate_hz)

    def course(self) -> Course:
        """The loudness; its beginning is what the pieces say that came without delay."""
        return Course(float(np.percentile(self._starts_s, 5)), loudness(np.concatenate(self._pieces), self._rate_hz))


def loudness(samples: Float32Array, rate_hz: int) -> Float32Array:
    """Per millisecond, smoothed over ten."""
    step = rate_hz // STEPS_HZ
    level = np.abs(samples[: len(samples) // step * step]).reshape(-1, step).mean(axis=1)
    smooth: Float32Array = np.convolve(level, np.ones(10) / 10, "same").astype(np.float32)
    return smooth


def evenly(times_s: Float32Array, values: Float32Array) -> Course:
    """What was known at some times, in between too."""
    steps_s = np.arange(times_s[0], times_s[-1], 1 / STEPS_HZ)
    return Course(float(times_s[0]), np.interp(steps_s, times_s, values).astype(np.float32))


def picture_minus_sound_ms(seen: Course, heard: Course, shown: Course, spoken: Course) -> list[float]:
    """For each window of the voice in which both are clear: positive = picture late.

    ``shown`` and ``spoken`` are how the pictures and the sound of the voice must look from its beginning, at 0 s.
    """
    begun_s, _ = where(heard, spoken)
    offsets_ms = []
    for start_s in np.arange(0, len(spoken.values) / STEPS_HZ - WINDOW_S, WINDOW_S / 2):
        late_s = []
        for course, model in ((seen, shown), (heard, spoken)):
            window = model.part(start_s, start_s + WINDOW_S)
            around = course.part(begun_s + start_s - SEARCH_S, begun_s + start_s + WINDOW_S + SEARCH_S)
            found_s, likeness = where(around, window)
            late_s += [found_s - start_s] if likeness > LIKE else []
        offsets_ms += [1000 * (late_s[0] - late_s[1])] if len(late_s) == 2 else []
    return offsets_ms


def where(long: Course, short: Course) -> tuple[float, float]:
    """When ``short`` begins in ``long``, and how alike they are there: their correlation, up to 1."""
    wanted = short.values - short.values.mean()
    if len(long.values) < len(wanted) or not wanted.any():
        return 0.0, 0.0
    n = len(wanted)
    sums, squares = (np.cumsum(np.concatenate([[0.0], long.values**power])) for power in (1, 2))
    spread = squares[n:] - squares[:-n] - (sums[n:] - sums[:-n]) ** 2 / n
    likeness = correlate(long.values, wanted, "valid") / np.sqrt(np.maximum(spread, 1e-9) * (wanted @ wanted))
    best = int(likeness.argmax())
    return long.start_s + best / STEPS_HZ, float(likeness[best])
