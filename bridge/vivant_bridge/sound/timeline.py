"""Audio timeline: the voice of the last seconds, by its position."""

from __future__ import annotations

import numpy as np

from vivant.types import Float32Array


class AudioTimeline:
    """Audio timeline: mono samples, addressed by their number since the start. Written and read by one thread."""

    def __init__(self, rate_hz: int, seconds: float = 4.0) -> None:
        self.rate_hz = rate_hz
        self.written = 0
        """Position behind the last sample."""
        self._samples = np.zeros(round(seconds * rate_hz), np.float32)

    @property
    def written_us(self) -> int:
        return self.time_us(self.written)

    def time_us(self, position: int) -> int:
        """The time of a position."""
        return position * 1_000_000 // self.rate_hz

    def position(self, time_us: int) -> int:
        """The position of a time."""
        return time_us * self.rate_hz // 1_000_000

    def append(self, samples: Float32Array) -> None:
        """Add (n,) samples."""
        for first in range(0, len(samples), len(self._samples)):
            self._write(samples[first : first + len(self._samples)])

    def _write(self, samples: Float32Array) -> None:
        start = self.written % len(self._samples)
        head = min(len(samples), len(self._samples) - start)
        self._samples[start : start + head] = samples[:head]
        self._samples[: len(samples) - head] = samples[head:]
        self.written += len(samples)

    def skip_to(self, position: int) -> None:
        """Silence up to ``position``."""
        missing = np.zeros(max(0, min(position - self.written, len(self._samples))), np.float32)
        self.written = max(self.written, position - len(missing))
        self.append(missing)

    def read(self, start: int, n: int) -> Float32Array:
        """(n,) samples from ``start``; silence where nothing was written or it was written over."""
        samples = np.zeros(n, np.float32)
        first = max(start, 0, self.written - len(self._samples))
        known = max(0, min(start + n, self.written) - first)
        place = first % len(self._samples)
        head = min(known, len(self._samples) - place)
        into = samples[first - start : first - start + known]
        into[:head] = self._samples[place : place + head]
        into[head:] = self._samples[: known - head]
        return samples
