"""What a window of sound holds: its power spectrum every 10 ms, and the mel bands of it that the encoder hears."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.speech.resample import HOP, RATE_HZ
from vivant.types import Float32Array

WINDOW = 512
"""Samples per window (32 ms), centred on its tick."""
FFT = 1024
BANDS = 40
_LOW_HZ, _HIGH_HZ = 60.0, 7600.0
FLOOR_DB = -100.0
"""The level of digital silence."""


def windows_of(samples: Float32Array) -> Float32Array:
    """(m, 512) from (n,) samples at 16 kHz: one window every 10 ms, as many as lie within."""
    return np.stack([samples[first : first + WINDOW] for first in range(0, len(samples) - WINDOW + 1, HOP)])


def power_spectrum(windows: Float32Array) -> NDArray[np.float64]:
    """(..., 513) from (..., 512) samples at 16 kHz. A constant offset is taken out: it would leak into the low bands."""
    spectrum = np.fft.rfft((windows - windows.mean(-1, keepdims=True)) * HANN, FFT)
    power: NDArray[np.float64] = spectrum.real**2 + spectrum.imag**2
    return power


def mel_db(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 40) levels in dB from (..., 513); a full-scale sine gives about 0."""
    levels: NDArray[np.float64] = 10 * np.log10(power @ _MEL + 10 ** (FLOOR_DB / 10))
    return levels


def band_matrix(edges_hz: tuple[tuple[float, float], ...]) -> NDArray[np.float64]:
    """(513, n) power spectrum to the energy between each pair of edges; a full-scale sine gives about 1."""
    frequency_hz = np.arange(FFT // 2 + 1) * RATE_HZ / FFT
    inside = [(frequency_hz >= low) & (frequency_hz < high) for low, high in edges_hz]
    matrix: NDArray[np.float64] = np.stack(inside, 1).astype(np.float64) * _SCALE
    return matrix


def _mel_matrix() -> NDArray[np.float64]:
    """(513, 40) triangles, equally wide in mel (O'Shaughnessy 1987)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (_LOW_HZ, _HIGH_HZ))
    mel = np.linspace(low, high, BANDS + 2)
    edges_hz = 700 * (10 ** (mel / 2595) - 1)
    frequency_hz = np.arange(FFT // 2 + 1)[:, None] * RATE_HZ / FFT
    rise = (frequency_hz - edges_hz[:-2]) / (edges_hz[1:-1] - edges_hz[:-2])
    fall = (edges_hz[2:] - frequency_hz) / (edges_hz[2:] - edges_hz[1:-1])
    matrix: NDArray[np.float64] = np.clip(np.minimum(rise, fall), 0, None) * _SCALE
    return matrix


def _hann() -> NDArray[np.float64]:
    window: NDArray[np.float64] = np.hanning(WINDOW + 1)[:WINDOW]
    return window


HANN = _hann()
_SCALE = 4 / (FFT * float(np.sum(HANN**2)))
_MEL = _mel_matrix()


class CepstralMeanNormaliser:
    """Mean normaliser: mel levels relative to this speaker and microphone, causally, of ``n`` streams at once.

    Each band is taken relative to the level of the usual peaks, then to its own mean over the last seconds of sound near
    them, as streaming recognisers do it. What comes out is in units of 20 dB.
    """

    INPUTS = BANDS + 1
    """The bands, then the level of the whole."""

    def __init__(self, n: int = 1) -> None:
        self._peak = np.full((n, 1), _PEAK_MIN_DB)
        self._mean = np.repeat(_USUAL_DB[None], n, 0)
        self._weight = np.full((n, 1), _TRUST_TICKS)

    def push(self, bands_db: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, ticks, 41) from the next ticks' (n, ticks, 40)."""
        level = np.sort(bands_db, 2)[:, :, -10:].mean(2, keepdims=True)
        relative = np.concatenate([bands_db, level + 20], 2)
        for tick in range(bands_db.shape[1]):
            self._tick(level[:, tick], relative[:, tick])
        return relative / 20

    def _tick(self, level: NDArray[np.float64], relative: NDArray[np.float64]) -> None:
        """``relative`` (n, 41) is turned from levels into what they are beside the usual."""
        excess = level - self._peak
        self._peak = np.maximum(self._peak + np.where(excess > 0, 0.3 * excess, _RELEASE_DB), _PEAK_MIN_DB)
        relative -= self._peak
        near = np.minimum(np.maximum((level - self._peak + 30) / 15, 0), 1)
        self._weight = np.minimum(self._weight + near, _MEMORY_TICKS)
        bands = relative[:, :BANDS]
        self._mean += near / self._weight * (bands - self._mean)
        bands -= self._mean


_PEAK_MIN_DB = -52.0
"""Peaks below this level are taken for a room, not a voice."""
_RELEASE_DB = -0.02
"""Per tick: 2 dB/s."""
_TRUST_TICKS = 100.0
"""Weight of the usual spectrum when a stream begins."""
_MEMORY_TICKS = 600.0
_USUAL_DB = np.interp(np.arange(BANDS), [0, 3, 8, 14, 22, 30, 39], [-14, -6, -5, -12, -17, -22, -26])
"""Mean levels of a voice relative to its peaks."""
