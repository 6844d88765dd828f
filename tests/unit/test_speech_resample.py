"""The resampler: exact in time, right in frequency, and blind to how the audio was cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from vivant.errors import InputError
from vivant.speech.resample import HOP, LEAD, RATE_HZ, Resampler
from vivant.types import Float32Array

pytestmark = pytest.mark.unit


def tone(rate_hz: int, frequency_hz: float, seconds: float = 0.5) -> Float32Array:
    time_s = np.arange(int(rate_hz * seconds)) / rate_hz
    return np.asarray(np.sin(2 * np.pi * frequency_hz * time_s), np.float32)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 44_101, 48_000, 96_000, 192_000])
def test_a_tone_keeps_its_time_and_size(rate_hz: int) -> None:
    output = np.concatenate(Resampler(rate_hz).push(tone(rate_hz, 700.0)))
    at = (np.arange(len(output)) - (HOP - LEAD)) / RATE_HZ
    inside = slice(400, len(output) - 400)
    np.testing.assert_allclose(output[inside], np.sin(2 * np.pi * 700 * at)[inside], atol=0.01)


def test_what_16_khz_cannot_hold_is_taken_out() -> None:
    output = np.concatenate(Resampler(48_000).push(tone(48_000, 11_000.0)))
    assert np.abs(output[400:-400]).max() < 0.01


@examples(25)
@given(st.sampled_from([8_000, 44_100, 44_101, 48_000]), st.lists(st.integers(1, 3_000), min_size=1, max_size=30))
def test_any_cutting_gives_the_same_bits(rate_hz: int, sizes: list[int]) -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, rate_hz // 3).astype(np.float32)
    whole = np.concatenate(Resampler(rate_hz).push(samples))
    resampler, hops = Resampler(rate_hz), []
    for piece in np.split(samples, np.cumsum(sizes)):
        hops += resampler.push(piece)
    assert np.array_equal(np.concatenate(hops), whole)


def test_memory_stays_small() -> None:
    resampler = Resampler(48_000)
    for _ in range(500):
        resampler.push(np.zeros(4_800, np.float32))
    assert len(resampler._samples) < 20_000


@pytest.mark.parametrize("rate_hz", [0, 7_999, 192_001])
def test_other_rates_are_refused(rate_hz: int) -> None:
    with pytest.raises(InputError, match=str(rate_hz)):
        Resampler(rate_hz)
