"""Features of sounds that we make ourselves: vowels, noise, silence."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from vivant.speech.features import FeatureExtractor, Features
from vivant.speech.resample import HOP, RATE_HZ, Resampler
from vivant.speech.spectrum import BANDS, FLOOR_DB, WINDOW, CepstralMeanNormaliser, mel_db, power_spectrum, windows_of
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


AH, EE = vowel((730, 1090, 2440)), vowel((270, 2290, 3010))


def noise(seconds: float, level: float, seed: int = 0) -> Float32Array:
    return (level * np.random.default_rng(seed).standard_normal(int(seconds * RATE_HZ))).astype(np.float32)


def spectra(*sounds: Float32Array) -> NDArray[np.float64]:
    hops = Resampler(RATE_HZ).push(np.concatenate(sounds))
    return power_spectrum(windows_of(np.concatenate([np.zeros(WINDOW - HOP, np.float32), *hops])))


def features(*sounds: Float32Array) -> list[Features]:
    return FeatureExtractor().push(spectra(*sounds))


def mean(ticks: list[Features], name: str) -> float:
    return float(np.mean([getattr(tick, name) for tick in ticks]))


def test_a_vowel_is_voiced_at_its_pitch() -> None:
    heard = features(np.zeros(3_200, np.float32), AH, AH)[30:90]
    assert mean(heard, "voiced") > 0.95 and mean(heard, "gate") > 0.95
    assert abs(mean(heard, "pitch_hz") - 120) < 5


def test_hiss_is_no_voice() -> None:
    hiss = np.diff(noise(0.2, 0.05), prepend=0).astype(np.float32)
    assert mean(features(np.zeros(3_200, np.float32), AH, hiss)[-15:], "voiced") < 0.2


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


def test_a_full_scale_tone_is_near_0_db_in_its_band_and_silence_at_the_floor() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    levels = mel_db(spectra(tone)[50])
    assert levels.shape == (BANDS,) and -4 < levels.max() < 1 and abs(int(levels.argmax()) - 14) <= 2
    np.testing.assert_allclose(mel_db(spectra(np.zeros(3_200, np.float32))[5]), FLOOR_DB)


def test_levelling_forgets_gain_and_colour() -> None:
    rng = np.random.default_rng(3)
    voice = rng.normal(-20, 8, (900, BANDS))
    coloured = voice - 18 + np.linspace(0, 12, BANDS)
    plain, other = CepstralMeanNormaliser(2).push(np.stack([voice, coloured]))
    gap = np.abs(plain - other)[:, :BANDS].mean(1)
    assert gap[-50:].mean() < 0.06 < gap[20]
