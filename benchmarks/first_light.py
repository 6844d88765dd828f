"""The mouth of the first release, kept as a yardstick: rules on band levels, no network. Not part of the product."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivant.easing import smoothstep
from vivant.speech.resample import HOP, RATE_HZ, Resampler
from vivant.types import ARKIT_INDEX, ARKIT_NAMES, Float32Array


def first_light_weights(samples: Float32Array, rate_hz: int) -> NDArray[np.float64]:
    """(n, 52) weights of the mouth every 10 ms, in time with the sound."""
    features, track = FeatureExtractor(), MouthTrack()
    padded = np.concatenate([samples, np.zeros(rate_hz // 4, np.float32)])
    mouths = [track.push(features.push(hop)) for hop in Resampler(rate_hz).push(padded)]
    n = len(samples) * 100 // rate_hz
    weights: NDArray[np.float64] = np.clip(np.stack(mouths)[1 + AHEAD : 1 + AHEAD + n] @ MOUTH_TO_ARKIT, 0, 1)
    return weights


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


Mouth = NDArray[np.float64]

CHANNELS = ("jaw", "lips", "funnel", "spread", "round", "seal", "bite", "hiss", "tongue")
JAW, LIPS, FUNNEL, SPREAD, ROUND, SEAL, BITE, HISS, TONGUE = range(len(CHANNELS))
"""jaw: opening; lips: parting of the lips at any jaw; funnel: open rounding; spread and round: width; seal: lips pressed
shut (m, b, p); bite: lower lip under the teeth (f, v); hiss: teeth together, lips apart (s, sh); tongue: tip up (l, n)."""

AHEAD = 7
"""Ticks of future that a mouth needs, to smooth it without delay and to tell the burst of a t from that of a p."""
_BEHIND = 14
_SMOOTH_TICKS = 7
_ARKIT_OF: dict[str, dict[str, float]] = {
    "jaw": {"jawOpen": 1.0},
    "lips": {"mouthLowerDownLeft": 0.6, "mouthLowerDownRight": 0.56, "mouthUpperUpLeft": 0.34, "mouthUpperUpRight": 0.37},
    "funnel": {"mouthFunnel": 1.0},
    "spread": {
        "mouthStretchLeft": 0.62,
        "mouthStretchRight": 0.58,
        "mouthSmileLeft": 0.3,
        "mouthSmileRight": 0.32,
        "cheekSquintLeft": 0.08,
        "cheekSquintRight": 0.08,
        "eyeSquintLeft": 0.04,
        "eyeSquintRight": 0.04,
    },
    "round": {"mouthPucker": 0.9},
    "seal": {"mouthPressLeft": 0.25, "mouthPressRight": 0.25, "mouthRollLower": 0.22, "mouthRollUpper": 0.18},
    "bite": {"mouthRollLower": 0.5, "mouthUpperUpLeft": 0.14, "mouthUpperUpRight": 0.15},
    "hiss": {"mouthShrugUpper": 0.08, "mouthStretchLeft": 0.12, "mouthStretchRight": 0.12},
    "tongue": {},
}


_PARTED = np.zeros(len(CHANNELS))
_PARTED[[JAW, LIPS, SPREAD]] = 0.08, 0.35, 0.16


def _arkit_matrix() -> NDArray[np.float64]:
    matrix = np.zeros((len(CHANNELS), len(ARKIT_NAMES)))
    for row, channel in enumerate(CHANNELS):
        for name, gain in _ARKIT_OF[channel].items():
            matrix[row, ARKIT_INDEX[name]] = gain
    return matrix


MOUTH_TO_ARKIT = _arkit_matrix()
"""(9, 52)."""


class MouthTrack:
    """Features in, mouths out ``AHEAD`` ticks later; every output depends on a fixed window, so silence is exactly zero."""

    def __init__(self) -> None:
        n = _BEHIND + AHEAD + 1
        self._targets = np.zeros((n, len(CHANNELS)))
        self._oral_db = np.full(n, -70.0)
        self._hiss = np.zeros(n)
        self._spread = np.zeros(n)
        self._closure = np.zeros(n)
        self._phrase = 0.0

    def push(self, features: Features) -> Mouth:
        """Take tick i; give the (9,) mouth of tick i - AHEAD."""
        for array in (self._targets, self._oral_db, self._hiss, self._spread):
            array[:-1] = array[1:]
        # Between the sounds of a phrase the lips stay a little apart unless they close on purpose.
        self._phrase = max(features.gate, self._phrase - 0.06)
        self._targets[-1] = np.maximum(_target(features), min(1.0, 1.5 * self._phrase) * _PARTED)
        self._oral_db[-1] = features.oral_db if features.gate > 0 else -70.0
        self._hiss[-1] = features.hiss
        self._spread[-1] = features.spread
        return self._mouth()

    def _mouth(self) -> Mouth:
        self._closure[:-1] = self._closure[1:]
        self._closure[-1] = self._closure_now()
        # Neighbouring sounds give way to a closure (wide), and the lips snap at it (narrow).
        self._targets[_CLOSURE_AT, _OPENING] *= 1 - self._closure[-1]
        mouth: Mouth = _SMOOTH @ self._targets
        closed = min(1.0, 1.2 * float(_SNAP @ self._closure[-len(_SNAP) :]))
        mouth[_OPENING] *= 1 - closed
        # Lips press where a vowel follows; at the end of a phrase they only meet.
        mouth[SEAL] = closed * min(1.0, float(np.max(self._targets[-1 - AHEAD :, JAW])) / 0.08)
        return np.clip(mouth, 0.0, 1.0)

    def _closure_now(self) -> float:
        """How surely the lips meet, at the newest tick whose future is known well enough."""
        at = _CLOSURE_AT
        now = self._oral_db[at]
        before = float(np.max(self._oral_db[at - 10 : at]))
        after = float(np.max(self._oral_db[at:]))
        # A return not yet in sight is believed after a fall that is 8 dB deeper.
        dip_db = min(before, max(after, before - 8)) - now
        # A burst or hiss nearby, or a high second formant on the way in and out, says that the tongue closed, not the lips.
        labial = 1 - 0.9 * float(np.max(self._hiss[at - 3 :]))
        labial *= smoothstep((0.8 - float(np.mean(self._spread[at - 4 :]))) / 0.5)
        return smoothstep((dip_db - 6) / 7) * labial


def _target(f: Features) -> Mouth:
    """The mouth that this tick alone asks for, before coarticulation."""
    vowel = f.voiced * f.gate * (1 - f.hiss)
    height = min(max(0.5 + 0.3 * f.openness, 0.0), 1.0)
    effort = min(f.loud, 1.1)
    jaw = vowel * effort * (0.1 + 0.3 * height**1.2)
    sibilant = f.hiss * f.gate
    wide = min(max(f.spread, -2.0), 2.0) / 2 * vowel * smoothstep(2 * f.loud)
    rounded = max(-wide, 0.0) * (1 - height) * 1.6
    bite = sibilant * smoothstep((0.35 - f.loud) / 0.25)
    target = np.zeros(len(CHANNELS))
    target[JAW] = jaw + 0.035 * sibilant
    target[LIPS] = 0.9 * jaw + 0.22 * sibilant * (1 - bite)
    target[FUNNEL] = 0.35 * rounded
    target[SPREAD] = 0.35 * max(wide, 0.0) + 2.5 * jaw * (1 - min(rounded, 1.0))
    target[ROUND] = rounded
    target[BITE] = 0.7 * bite
    target[HISS] = sibilant * (1 - bite)
    # Sounds of a raised tongue (l, n, i) have a low first and a high second formant.
    target[TONGUE] = 0.6 * vowel * smoothstep((0.2 - f.openness) / 1.2) * smoothstep(1 + f.spread)
    return target


def _window(half: int, length: int) -> NDArray[np.float64]:
    """(length,) symmetric Hann weights about the tick that lies ``AHEAD`` before the newest."""
    weights = np.zeros(length)
    shape = np.hanning(2 * half + 3)[1:-1]
    centre = length - 1 - AHEAD
    weights[centre - half : centre + half + 1] = shape / shape.sum()
    return weights


_SMOOTH = _window(_SMOOTH_TICKS, _BEHIND + AHEAD + 1)
_SNAP = np.hanning(11)[1:-1] / np.hanning(11).sum()
_CLOSURE_AT = _BEHIND + len(_SNAP) // 2
"""The newest tick at which a closure is decided."""
_OPENING = [JAW, LIPS, FUNNEL, HISS, TONGUE]
