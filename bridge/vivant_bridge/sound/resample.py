"""Any sample rate to any other, a little faster or slower as two clocks drift."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from vivant.render import _kernel
from vivant.types import Float32Array

_PHASES = 512
"""Positions between two samples; the nearest is taken, which leaves an error below -65 dB in speech."""
_LOBES = 16
"""Zero crossings of the sinc on each side; chosen."""


class Resampler:
    """A windowed sinc read at any pace. Samples are pushed at one rate and pulled at another."""

    def __init__(self, in_hz: int, out_hz: int) -> None:
        self._step = in_hz / out_hz
        self._reach = round(_LOBES * max(1.0, self._step))
        self._kernels = _kernels(self._reach, 0.92 * min(1.0, 1.0 / self._step))
        self._samples = np.zeros(self._reach, np.float32)
        self._position = float(self._reach)
        """Of the next output, in samples of the buffer."""

    def push(self, samples: Float32Array) -> None:
        """Add (n,) samples."""
        self._samples = np.concatenate([self._samples, samples])

    @property
    def ready(self) -> int:
        """How many samples can be pulled now."""
        room = len(self._samples) - self._reach - 1 - self._position
        return max(0, int(room / self._step))

    def pull(self, n: int, drift: float = 0.0) -> Float32Array:
        """The next (n,) samples, at most `ready`; a ``drift`` of 0.001 reads 1 ms more in each second."""
        step = self._step * (1.0 + drift)
        positions = self._position + step * np.arange(n)
        whole = np.floor(positions).astype(np.int64)
        phases = np.rint((positions - whole) * _PHASES).astype(np.int64)
        pulled = np.empty(n, np.float32)
        _kernel.filter_at(self._samples, whole + (1 - self._reach), phases, self._kernels, pulled)
        self._advance(n * step)
        return pulled

    def skip(self, n: int) -> None:
        """Leave out what would have been the next ``n`` samples, at most `ready`."""
        self._advance(n * self._step)

    def _advance(self, samples: float) -> None:
        self._position += samples
        spare = int(self._position) - self._reach
        if spare > 0:
            self._samples = self._samples[spare:]
            self._position -= spare


@cache
def _kernels(reach: int, cutoff: float) -> Float32Array:
    """(513, 2 reach) filters for positions between two samples; ``cutoff`` in shares of half the input rate."""
    offset = np.arange(-reach + 1, reach + 1)[None] - np.arange(_PHASES + 1)[:, None] / _PHASES
    kernels: NDArray[np.float64] = np.sinc(cutoff * offset) * np.cos(np.clip(offset / reach, -1, 1) * np.pi / 2) ** 2
    unit_gain: Float32Array = (kernels / kernels.sum(1, keepdims=True)).astype(np.float32)
    return unit_gain
