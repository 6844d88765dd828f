"""Features of sounds that we make ourselves: vowels of known formants, hiss, noise, silence."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from vivant.speech.features import FeatureExtractor, Features
from vivant.speech.resample import RATE_HZ, Resampler
from vivant.types import Float32Array

pytestmark = pytest.mark.unit


def vowel(formants_hz: tuple[float, ...], seconds: float = 0.4, pitch_hz: float = 120.0) -> Float32Array:
    """A buzz through resonances, at -20 dB."""
    source = np.zeros(int(seconds * RATE_HZ))
    source[:: round(RATE_HZ / pitch_hz)] = 1.0
    for frequency_hz in formants_hz:
        radius, angle = np.exp(-np.pi * 90 / RATE_HZ), 2 * np.pi * frequency_hz / RATE_HZ
        source = lfilter([1.0], [1.0, -2 * radius * np.cos(angle), radius**2], source)
    source = lfilter([1.0], [1.0, -0.9], source)
    return np.asarray(source / np.sqrt(np.mean(source**2)) * 0.1, np.float32)


AH, EE, OO = vowel((730, 1090, 2440)), vowel((270, 2290, 3010)), vowel((300, 870, 2240))


def noise(seconds: float, level: float, seed: int = 0) -> Float32Array:
    return (level * np.random.default_rng(seed).standard_normal(int(seconds * RATE_HZ))).astype(np.float32)


def features(*sounds: Float32Array) -> list[Features]:
    extractor = FeatureExtractor()
    return [extractor.push(hop) for hop in Resampler(RATE_HZ).push(np.concatenate(sounds))]


def mean(ticks: list[Features], name: str) -> float:
    return float(np.mean([getattr(tick, name) for tick in ticks]))


def test_vowels_lie_where_phonetics_puts_them() -> None:
    heard = features(np.zeros(3_200, np.float32), *[AH, EE, OO] * 4)[-120:]
    ah, ee, oo = heard[5:35], heard[45:75], heard[85:115]
    assert mean(ah, "openness") > mean(ee, "openness") + 0.8
    assert mean(ah, "openness") > mean(oo, "openness") + 0.8
    assert mean(ee, "spread") > mean(oo, "spread") + 0.8
    assert mean(ah, "voiced") > 0.95 and mean(ah, "gate") > 0.95
    assert abs(mean(ah, "pitch_hz") - 120) < 5


def test_hiss_is_hiss_and_not_voice() -> None:
    hiss = np.diff(noise(0.2, 0.05), prepend=0).astype(np.float32)
    heard = features(np.zeros(3_200, np.float32), AH, hiss)[-15:]
    assert mean(heard, "hiss") > 0.8 and mean(heard, "voiced") < 0.2


def test_silence_and_steady_noise_do_not_open_the_gate() -> None:
    assert max(tick.gate for tick in features(np.zeros(RATE_HZ, np.float32))) == 0
    assert mean(features(noise(3.0, 0.02))[100:], "gate") < 0.02


def test_quiet_and_loud_recordings_look_the_same() -> None:
    sounds = [np.zeros(3_200, np.float32), AH, EE, AH]
    loud = [tick.loud for tick in features(*sounds)]
    quiet = [tick.loud for tick in features(*(0.05 * sound for sound in sounds))]
    np.testing.assert_allclose(quiet[60:], loud[60:], atol=0.12)


def test_speech_is_heard_through_noise() -> None:
    heard = features(noise(1.0, 0.005), AH + noise(0.4, 0.005, 1))
    assert mean(heard[106:136], "gate") > 0.9 and mean(heard[60:98], "gate") < 0.1
