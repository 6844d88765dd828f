"""Where the delayed voice goes. Every kind tells when the next sample that it is given will be heard."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from vivant.clock import Clock
from vivant.types import Float32Array


class AudioSink(Protocol):
    """Opened and closed any number of times; written by one thread."""

    name: str
    rate_hz: int
    """Known once open."""

    def open(self) -> None:
        """Begin. Raises DeviceLostError when trying again may help, another VivantError when it will not."""
        ...

    def queued_us(self) -> int:
        """How long the device can play from what was written."""
        ...

    def heard_at_us(self) -> int:
        """When the next sample written will be heard, on our clock; raises DeviceLostError when none will."""
        ...

    def write(self, samples: Float32Array) -> None:
        """Add (n,) mono samples in [-1, 1]; does not wait."""
        ...

    def close(self) -> None:
        """End. Closing twice is fine."""
        ...


class MemorySink:
    """The twin of a sound card: plays at a rate that may be off by some parts per million, and keeps what it played."""

    def __init__(self, clock: Clock, rate_hz: int = 48_000, *, off_ppm: float = 0.0, latency_us: int = 20_000) -> None:
        self.name, self.rate_hz = "memory", rate_hz
        self.played: list[Float32Array] = []
        self.starved = 0
        """Samples of silence because nothing had been written in time."""
        self._clock, self._latency_us = clock, latency_us
        self._us_per_sample = 1e6 / (rate_hz * (1 + off_ppm * 1e-6))
        self._n_played = 0

    def open(self) -> None:
        self.start_us = self._clock.now_us() + self._latency_us
        """When the first sample is heard."""

    def queued_us(self) -> int:
        return self.heard_at_us() - self._clock.now_us() - self._latency_us

    def heard_at_us(self) -> int:
        now_us = self._clock.now_us() + self._latency_us
        missed = int((now_us - self.start_us) / self._us_per_sample) - self._n_played
        if missed > 0:
            self.starved += missed
            self._keep(np.zeros(missed, np.float32))
        return self.heard_us(self._n_played)

    def heard_us(self, n: int) -> int:
        """When sample ``n`` is heard."""
        return self.start_us + round(n * self._us_per_sample)

    def write(self, samples: Float32Array) -> None:
        self._keep(samples)

    def _keep(self, samples: Float32Array) -> None:
        self.played.append(samples)
        self._n_played += len(samples)

    def close(self) -> None:
        pass


class NullSink(MemorySink):
    """A twin that keeps nothing."""

    def _keep(self, samples: Float32Array) -> None:
        self._n_played += len(samples)
