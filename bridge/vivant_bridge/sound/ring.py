"""Samples between a device's thread and ours."""

from __future__ import annotations

import threading

import numpy as np

from vivant.types import Float32Array


class SampleRing:
    """A first-in first-out store of mono samples with a fixed capacity; when it is full the oldest fall out and are counted.

    ``push`` and ``pop`` may be called by different threads. They copy and nothing else, so a device callback may call them.
    """

    def __init__(self, capacity: int) -> None:
        self.dropped = 0
        self._samples = np.zeros(capacity, np.float32)
        self._first = 0
        self._count = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count

    def push(self, samples: Float32Array) -> None:
        """Add (n,) samples."""
        capacity = len(self._samples)
        with self._lock:
            overflow = max(0, self._count + len(samples) - capacity)
            if overflow:
                self.dropped += overflow
                self._first = (self._first + min(overflow, self._count)) % capacity
                self._count -= min(overflow, self._count)
                samples = samples[-capacity:]
            start = (self._first + self._count) % capacity
            head = min(len(samples), capacity - start)
            self._samples[start : start + head] = samples[:head]
            self._samples[: len(samples) - head] = samples[head:]
            self._count += len(samples)

    def pop(self, most: int | None = None) -> Float32Array:
        """The oldest samples, all of them or at most ``most``."""
        with self._lock:
            count = self._count if most is None else min(most, self._count)
            first, capacity = self._first, len(self._samples)
            head = min(count, capacity - first)
            taken = np.concatenate([self._samples[first : first + head], self._samples[: count - head]])
            self._first = (first + count) % capacity
            self._count -= count
        return taken
