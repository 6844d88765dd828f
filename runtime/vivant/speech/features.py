"""What the mouth needs to know of the sound, every 10 ms: how loud, how voiced, which vowel colour, how hissing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivant.speech.resample import HOP, RATE_HZ
from vivant.types import Float32Array

TICK_US = 10_000
WINDOW = 512
"""Samples per analysis window (32 ms), centred on the tick."""

_FFT = 1024
_BANDS_HZ = {
    "speech": (150, 3800),
    "closed": (220, 450),  # strong in i, u and nasals: the first formant of a small mouth
    "open": (600, 1100),  # strong in a: the first formant of a large one
    "back": (600, 1300),
    "front": (1700, 3000),  # second formant of spread lips
    "oral": (500, 3000),  # what a closure of the lips takes away, even when the nose sounds on
    "body": (150, 2500),
    "hiss": (2800, 7500),
}
_BAND_INDEX = {name: i for i, name in enumerate(_BANDS_HZ)}
_TINY = 1e-7
"""Band energy of about -90 dB of full scale: below it nothing is heard."""
_PITCH_LAGS = slice(RATE_HZ // 400, RATE_HZ // 75)
_PITCH_BINS = 1500 * _FFT // RATE_HZ


@dataclass(frozen=True, slots=True)
class Features:
    """One tick. Levels in dB re full scale, above the noise; shares in [0, 1]."""

    level_db: float
    gate: float
    """How surely this is sound of speech rather than background."""
    loud: float
    """0 at 26 dB below the speaker's usual peaks, 1 at them, up to 1.25."""
    voiced: float
    pitch_hz: float
    """Rough fundamental; meaningful where ``voiced`` is."""
    openness: float
    """Vowel height from the first formant: about -2 (i, u) to 2 (a), in deviations from the speaker's mean."""
    spread: float
    """Second formant likewise: about -2 (u, o) to 2 (i)."""
    hiss: float
    oral_db: float


class FeatureExtractor:
    """Hops in, features out; all adaptation is causal and forgets, so a stream may last for ever."""

    def __init__(self) -> None:
        self._samples = np.zeros(WINDOW, np.float32)
        self._noise = _NoiseFloor()
        self._level = _SpeakerLevel()
        self._openness = _RunningScore(mean=-16.0, deviation=13.0)
        self._spread = _RunningScore(mean=-1.0, deviation=12.0)
        self._evidence = 0.0

    def push(self, hop: Float32Array) -> Features:
        """Take the next (160,) hop at 16 kHz."""
        self._samples = np.concatenate([self._samples[HOP:], hop])
        # A constant offset would leak into the low bands.
        spectrum = np.fft.rfft((self._samples - self._samples.mean()) * _HANN, _FFT)
        power = spectrum.real**2 + spectrum.imag**2
        voiced, pitch_hz = _pitch(power)
        band_db = self._noise.cleaned_db(power @ _BAND_MATRIX, voiced)
        return self._features([float(db) for db in band_db], voiced, pitch_hz)

    def _features(self, band_db: list[float], voiced: float, pitch_hz: float) -> Features:
        speech, closed, open_, back, front, oral, body, hiss = band_db
        audible = smoothstep((speech - _SILENCE_DB) / 8)
        self._level.hear(speech, voiced * audible)
        loud = self._level.loudness(speech)
        # Only a voice opens the gate; it stays open for unvoiced sounds within 0.3 s of it.
        self._evidence = max(self._evidence - 1 / 30, voiced * audible * smoothstep(4 * loud))
        gate = audible * smoothstep(6 * loud) * smoothstep(2 * self._evidence)
        certainty = voiced * gate
        return Features(
            level_db=speech,
            gate=gate,
            loud=loud,
            voiced=voiced,
            pitch_hz=pitch_hz,
            openness=self._openness.score(open_ - closed, certainty),
            spread=self._spread.score(front - back, certainty),
            hiss=smoothstep((hiss - body + 9) / 12) * smoothstep((hiss - _SILENCE_DB) / 8),
            oral_db=oral,
        )


_SILENCE_DB = -68.0


class _NoiseFloor:
    """Per-band minimum that creeps up: slowly under a voice, fast otherwise, and drops at once."""

    def __init__(self) -> None:
        self._floor = np.full(len(_BANDS_HZ), _TINY)

    def cleaned_db(self, energy: NDArray[np.float64], voiced: float) -> NDArray[np.float64]:
        """(8,) band levels in dB after taking the noise away."""
        rise_db_per_s = 2.0 if voiced > 0.3 else 40.0
        self._floor = np.maximum(np.minimum(energy, self._floor * 10 ** (rise_db_per_s / 1000)), _TINY)
        # The minimum of a fluctuating noise lies about 5 dB below its mean and 9 below its peaks.
        cleaned: NDArray[np.float64] = 10 * np.log10(np.maximum(energy - 8 * self._floor, _TINY))
        return cleaned


class _SpeakerLevel:
    """The level of the speaker's usual peaks: up within 50 ms, down within seconds of speech."""

    def __init__(self) -> None:
        self._peak_db = -60.0

    def hear(self, level_db: float, certainty: float) -> None:
        excess = level_db - self._peak_db
        self._peak_db += excess * certainty * (0.25 if excess > 0 else 0.003)

    def loudness(self, level_db: float) -> float:
        return min(max(1 + (level_db - self._peak_db) / 26, 0.0), 1.25)


class _RunningScore:
    """A measure in deviations from its own mean over the last seconds of voice, so that any voice uses the whole mouth."""

    def __init__(self, mean: float, deviation: float) -> None:
        self._mean = mean
        self._deviation = deviation

    def score(self, value: float, certainty: float) -> float:
        gain = 0.004 * certainty
        error = min(max(value - self._mean, -30.0), 30.0)
        self._mean += gain * error
        self._deviation = max(self._deviation + gain * (1.25 * abs(error) - self._deviation), 3.0)
        return error / self._deviation


def smoothstep(x: float) -> float:
    """0 below 0, 1 above 1, with level ends."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)


def _pitch(power: NDArray[np.float64]) -> tuple[float, float]:
    """(voiced share, fundamental in Hz) from the autocorrelation below 1.5 kHz."""
    low = np.zeros(_FFT // 2 + 1)
    low[_PITCH_BINS_FROM:_PITCH_BINS] = power[_PITCH_BINS_FROM:_PITCH_BINS]
    correlation = np.fft.irfft(low, _FFT)
    if correlation[0] < 1e-12:
        return 0.0, 0.0
    normalised = correlation[_PITCH_LAGS] / _WINDOW_CORRELATION * (1 / correlation[0])
    best = int(np.argmax(normalised))
    return smoothstep((float(normalised[best]) - 0.45) / 0.25), RATE_HZ / (best + _PITCH_LAGS.start)


def _hann() -> NDArray[np.float64]:
    window: NDArray[np.float64] = np.hanning(WINDOW + 1)[:WINDOW]
    return window


def _band_matrix() -> NDArray[np.float64]:
    """(513, 8) power spectrum to band energy; a full-scale sine gives about 0 dB."""
    frequency_hz = np.arange(_FFT // 2 + 1) * RATE_HZ / _FFT
    inside = [(frequency_hz >= low) & (frequency_hz < high) for low, high in _BANDS_HZ.values()]
    scale = 4 / (_FFT * float(np.sum(_HANN**2)))
    matrix: NDArray[np.float64] = np.stack(inside, 1).astype(np.float64) * scale
    return matrix


_PITCH_BINS_FROM = math.ceil(60 * _FFT / RATE_HZ)
_HANN = _hann()
_BAND_MATRIX = _band_matrix()
_WINDOW_CORRELATION: NDArray[np.float64] = np.fft.irfft(np.abs(np.fft.rfft(_HANN, 2 * _FFT)) ** 2)[_PITCH_LAGS] / float(
    np.sum(_HANN**2)
)
