"""The voice of the last seconds, by its position."""

from __future__ import annotations

import numpy as np

from vivant.types import Float32Array


class Tape:
    """Mono samples, addressed by their number since the start. Written and read by one thread."""

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
        places = np.arange(self.written, self.written + len(samples)) % len(self._samples)
        self._samples[places] = samples
        self.written += len(samples)

    def skip_to(self, position: int) -> None:
        """Silence up to ``position``."""
        missing = np.zeros(max(0, min(position - self.written, len(self._samples))), np.float32)
        self.written = max(self.written, position - len(missing))
        self.append(missing)

    def read(self, start: int, n: int) -> Float32Array:
        """(n,) samples from ``start``; silence where nothing was written or it was written over."""
        places = np.arange(start, start + n)
        known = (places >= max(0, self.written - len(self._samples))) & (places < self.written)
        samples: Float32Array = np.where(known, self._samples[places % len(self._samples)], np.float32(0))
        return samples
