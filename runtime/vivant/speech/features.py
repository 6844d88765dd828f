"""What head, brows and effort need to know of the sound, every 10 ms: how loud, how voiced, how high."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivant.easing import smoothstep
from vivant.speech.resample import RATE_HZ
from vivant.speech.spectrum import FFT, HANN, band_matrix

TICK_US = 10_000
_SPEECH = band_matrix(((150, 3800),))[:, 0]
_TINY = 1e-7
"""Band energy of about -90 dB of full scale: below it nothing is heard."""
_SILENCE_DB = -68.0
"""Of full scale: speech 8 dB louder counts in full, softer sound ever less; chosen."""
_PITCH_LAGS = slice(RATE_HZ // 400, RATE_HZ // 75)
_PITCH_BINS = slice(math.ceil(60 * FFT / RATE_HZ), 1500 * FFT // RATE_HZ)
_WINDOW_CORRELATION: NDArray[np.float64] = np.fft.irfft(np.abs(np.fft.rfft(HANN, 2 * FFT)) ** 2)[_PITCH_LAGS] / float(
    np.sum(HANN**2)
)


@dataclass(frozen=True, slots=True)
class Features:
    """One tick. Shares in [0, 1]."""

    level_db: float
    """Re full scale, above the noise."""
    gate: float
    """How surely this is sound of a voice rather than background."""
    loud: float
    """0 at 26 dB below the speaker's usual peaks, 1 at them, up to 1.25."""
    voiced: float
    pitch_hz: float
    """Rough fundamental; meaningful where ``voiced`` is."""


class FeatureExtractor:
    """Power spectra in, features out; all adaptation is causal and forgets, so a stream may last for ever."""

    def __init__(self) -> None:
        self._noise = _NoiseFloor()
        self._level = _SpeakerLevel()
        self._evidence = 0.0

    def push(self, power: NDArray[np.float64]) -> list[Features]:
        """Take the (n, 513) spectra of the next ticks."""
        return [
            self._tick(float(row @ _SPEECH), voiced, pitch_hz)
            for row, (voiced, pitch_hz) in zip(power, _pitches(power), strict=True)
        ]

    def _tick(self, energy: float, voiced: float, pitch_hz: float) -> Features:
        speech_db = self._noise.cleaned_db(energy, voiced)
        audible = smoothstep((speech_db - _SILENCE_DB) / 8)
        self._level.push(speech_db, voiced * audible)
        loud = self._level.loudness(speech_db)
        # Only a voice opens the gate; it stays open for unvoiced sounds within 0.3 s of it.
        self._evidence = max(self._evidence - 1 / 30, voiced * audible * smoothstep(4 * loud))
        gate = audible * smoothstep(6 * loud) * smoothstep(2 * self._evidence)
        return Features(level_db=speech_db, gate=gate, loud=loud, voiced=voiced, pitch_hz=pitch_hz)


class _NoiseFloor:
    """A minimum that creeps up: slowly under a voice, fast otherwise, and drops at once."""

    def __init__(self) -> None:
        self._floor = _TINY

    def cleaned_db(self, energy: float, voiced: float) -> float:
        """The level in dB after taking the noise away."""
        rise_db_per_s = 2.0 if voiced > 0.3 else 40.0
        self._floor = max(min(energy, self._floor * 10 ** (rise_db_per_s / 1000)), _TINY)
        # The minimum of a fluctuating noise lies about 5 dB below its mean and 9 below its peaks.
        return 10 * math.log10(max(energy - 8 * self._floor, _TINY))


class _SpeakerLevel:
    """The level of the speaker's usual peaks: up within 50 ms, down within seconds of speech."""

    def __init__(self) -> None:
        self._peak_db = -60.0

    def push(self, level_db: float, certainty: float) -> None:
        excess = level_db - self._peak_db
        self._peak_db += excess * certainty * (0.25 if excess > 0 else 0.003)

    def loudness(self, level_db: float) -> float:
        return min(max(1 + (level_db - self._peak_db) / 26, 0.0), 1.25)


def _pitches(power: NDArray[np.float64]) -> Iterator[tuple[float, float]]:
    """(voiced share, fundamental in Hz) of each tick, from the autocorrelation below 1.5 kHz."""
    low = np.zeros_like(power)
    low[:, _PITCH_BINS] = power[:, _PITCH_BINS]
    correlation = np.fft.irfft(low, FFT)
    periodic = correlation[:, _PITCH_LAGS] / _WINDOW_CORRELATION
    for row, best, energy in zip(periodic, periodic.argmax(1).tolist(), correlation[:, 0].tolist(), strict=True):
        if energy < 1e-12:
            yield 0.0, 0.0
        else:
            yield smoothstep((float(row[best]) / energy - 0.45) / 0.25), RATE_HZ / (best + _PITCH_LAGS.start)
