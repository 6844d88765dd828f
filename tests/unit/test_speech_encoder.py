"""The shipped encoder and the mouth it moves, against what the bundled voice says when."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import vivant
from vivant.media import read_sound
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.speech.encoder import DELAY_TICKS, PhoneEncoder
from vivant.speech.phones import CLASS_OF, PHONE_INDEX, PHONES, SILENCE
from vivant.speech.resample import HOP, Resampler
from vivant.speech.spectrum import WINDOW, power_spectrum, windows_of
from vivant.types import ARKIT_INDEX, AudioChunk, Controls, Float32Array

pytestmark = pytest.mark.unit

SAMPLES, RATE_HZ = read_sound(Path(vivant.__file__).parent / "assets" / "voice.flac")
SPOKEN = [
    (PHONE_INDEX[phone], float(start), float(end))
    for phone, start, end in (
        line.split() for line in (Path(__file__).parents[1] / "golden" / "voice_phones.txt").read_text().splitlines()[1:]
    )
]
SMOOTH = np.hanning(17) / np.hanning(17).sum()


def heard(samples: Float32Array, rate_hz: int) -> Float32Array:
    """(n, phones) probabilities, row k about 10 k ms."""
    first = 1 + DELAY_TICKS
    return PhoneEncoder().push(spectra(samples, rate_hz))[first : first + len(samples) * 100 // rate_hz, 0]


def spectra(samples: Float32Array, rate_hz: int) -> NDArray[np.float64]:
    """(n, 513), and of a quarter of a second of silence after the end."""
    hops = Resampler(rate_hz).push(np.concatenate([samples, np.zeros(rate_hz // 4, np.float32)]))
    return power_spectrum(windows_of(np.concatenate([np.zeros(WINDOW - HOP, np.float32), *hops])))


def truth(n: int) -> NDArray[np.int64]:
    label = np.zeros(n, np.int64)
    for phone, start_s, end_s in SPOKEN:
        label[int(np.ceil(start_s * 100)) : int(np.ceil(end_s * 100))] = phone
    return label


@pytest.fixture(scope="module")
def weights() -> NDArray[np.float32]:
    """(n, 52) at 100 frames per second, interpolated from 50."""
    state = ArticulatoryMotion().open(Fraction(50), 0)
    frames = state.push(AudioChunk(SAMPLES, RATE_HZ), Controls()) + state.flush(Controls())
    coarse = np.stack([frame.weights for frame in frames])
    return np.repeat(coarse, 2, 0)[: len(SAMPLES) * 100 // RATE_HZ]


@pytest.fixture(scope="module")
def chance() -> Float32Array:
    """(n, phones) of the whole voice."""
    return heard(SAMPLES, RATE_HZ)


def test_it_hears_what_is_said(chance: Float32Array) -> None:
    found = chance.argmax(1)
    of = np.array(CLASS_OF)
    assert np.mean(of[found] == of[truth(len(found))]) > 0.75


def test_probabilities_are_probabilities_and_silence_is_sure(chance: Float32Array) -> None:
    assert chance.shape[1] == len(PHONES)
    np.testing.assert_allclose(chance.sum(1), 1, atol=1e-4)
    assert chance[:12, SILENCE].min() > 0.9


def test_level_and_line_hardly_matter(chance: Float32Array) -> None:
    plain = chance[:500].argmax(1)
    quiet = heard(SAMPLES[: 5 * RATE_HZ] * np.float32(0.03), RATE_HZ).argmax(1)
    of = np.array(CLASS_OF)
    assert np.mean(of[plain[100:]] == of[quiet[100:]]) > 0.85


def test_lips_meet_in_bilabials(weights: NDArray[np.float32]) -> None:
    open_ = weights[:, ARKIT_INDEX["jawOpen"]] + weights[:, ARKIT_INDEX["mouthLowerDownLeft"]]
    spans = [(int(a * 100), int(b * 100) + 2) for phone, a, b in SPOKEN if phone in (PHONE_INDEX["p"], PHONE_INDEX["m"])]
    assert len(spans) >= 10
    assert np.mean([open_[a:b].min() < 0.03 for a, b in spans]) > 0.85


def test_the_mouth_opens_with_the_vowels_and_in_time(weights: NDArray[np.float32]) -> None:
    height = {"a": 1.0, "e": 0.6, "o": 0.6, "@": 0.5, "i": 0.3, "u": 0.2, "l": 0.3, "r": 0.25, "n": 0.25, "t": 0.2, "k": 0.3}
    wanted = np.convolve(
        np.array([height.get(phone, 0.1 if phone != "_" else 0.0) for phone in PHONES])[truth(len(weights))], SMOOTH, "same"
    )
    jaw = weights[:, ARKIT_INDEX["jawOpen"]]
    lags = range(-15, 16)
    r = [float(np.corrcoef(np.roll(jaw, -lag)[30:-30], wanted[30:-30])[0, 1]) for lag in lags]
    assert r[lags.index(0)] > 0.7 and abs(lags[int(np.argmax(r))]) <= 4
