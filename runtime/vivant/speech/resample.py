"""Any sample rate to 16 kHz, in hops of 10 ms, the same to the bit however the audio was cut."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.errors import InputError
from vivant.render import _kernel
from vivant.types import MAX_RATE_HZ, MIN_RATE_HZ, Float32Array

RATE_HZ = 16_000
HOP = RATE_HZ // 100
LEAD = 96
"""A hop ends this many samples (6 ms) after its tick, so that windows of 512 samples are centred on ticks."""

_HALF_WIDTH_US = 1_000
_PHASES = 640
"""Positions between two input samples; exact for 8, 11.025, 22.05, 44.1 and 48 kHz and their multiples."""


class Resampler:
    """A windowed sinc at 16 kHz output times; hop ``b`` holds outputs 160 b - 64 to 160 b + 95."""

    def __init__(self, rate_hz: int) -> None:
        if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
            raise InputError(f"sample_rate_hz must be from {MIN_RATE_HZ} to {MAX_RATE_HZ}, got {rate_hz}")
        self.rate_hz = rate_hz
        self._reach = -(-rate_hz * _HALF_WIDTH_US // 1_000_000)
        self._kernels = _kernels(rate_hz, self._reach)
        before = self._reach + (HOP - LEAD) * rate_hz // RATE_HZ + 1
        self._samples = np.zeros(before, np.float32)
        self._first = -before  # stream index of self._samples[0]
        self._hop = 0

    def push(self, samples: Float32Array) -> Float32Array:
        """Take (n,) samples; give the (m, 160) hops whose every input is now known."""
        self._samples = np.concatenate([self._samples, samples])
        hops = np.empty((self._n_certain() - self._hop, HOP), np.float32)
        if len(hops):
            position = (self._hop * HOP - (HOP - LEAD) + np.arange(hops.size, dtype=np.int64)) * self.rate_hz
            sample, phase = np.divmod(position, RATE_HZ)
            _kernel.filter_at(
                self._samples, sample - (self._reach + self._first), phase * _PHASES // RATE_HZ, self._kernels, hops.reshape(-1)
            )
            self._hop += len(hops)
            self._forget(int(sample[-HOP]) - self._reach + HOP * self.rate_hz // RATE_HZ - 1)
        return hops

    def _n_certain(self) -> int:
        """How many hops since the stream began lie within the samples."""
        last_sample = self._first + len(self._samples) - self._reach - 2
        last_output = ((last_sample + 1) * RATE_HZ - 1) // self.rate_hz
        return max(self._hop, (last_output + 1 - LEAD) // HOP + 1)

    def _forget(self, oldest_needed: int) -> None:
        """Drop what no later hop reads, now and then, so that a stream of hours stays small."""
        spare = oldest_needed - self._first
        if spare > self.rate_hz // 10:
            self._samples = self._samples[spare:]
            self._first += spare


def _kernels(rate_hz: int, reach: int) -> Float32Array:
    """(640, 2 reach + 2) filters: row p is centred p / 640 of a sample after tap ``reach``."""
    cutoff_hz = 0.45 * min(rate_hz, RATE_HZ)
    offset = np.arange(-reach, reach + 2)[None] - np.arange(_PHASES)[:, None] / _PHASES
    taper = np.cos(np.clip(offset / (reach + 1), -1, 1) * np.pi / 2) ** 2
    kernels: NDArray[np.float64] = np.sinc(2 * cutoff_hz / rate_hz * offset) * taper
    unit_gain: Float32Array = (kernels / kernels.sum(1, keepdims=True)).astype(np.float32)
    return unit_gain
