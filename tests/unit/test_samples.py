"""What callers hand in as sound means one thing everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from tests.examples import examples
from tests.odd_values import MOST_CHARS, REFUSED, SAME, WAVE
from vivant.errors import InputError
from vivant.samples import MOST_AMPLITUDE, as_sample_rate, mono_samples
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.values import samples_bytes, samples_of

pytestmark = pytest.mark.unit

FORMATS = (pb.AUDIO_FORMAT_PCM_S16LE, pb.AUDIO_FORMAT_F32LE)


@pytest.mark.parametrize("name", list(SAME))
def test_one_sound_in_any_type(name: str) -> None:
    own = mono_samples(SAME[name])
    assert own.dtype == np.float32 and own.dtype.isnative and own.shape == WAVE.shape
    assert np.array_equal(own, WAVE)
    for audio_format in FORMATS:
        assert np.array_equal(samples_of(samples_bytes(SAME[name], audio_format), audio_format), WAVE)


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_no_sound_is_one_short_sentence(name: str) -> None:
    samples, sentence = REFUSED[name]
    for take in (mono_samples, lambda given: samples_bytes(given, pb.AUDIO_FORMAT_PCM_S16LE)):
        with pytest.raises(InputError, match=sentence) as caught:
            take(samples)
        assert len(str(caught.value)) < MOST_CHARS and "\n" not in str(caught.value)


@pytest.mark.parametrize("empty", [[], (), np.zeros(0, np.float32), np.zeros(0, np.int16), np.zeros((0, 1)), np.zeros((1, 0))])
def test_no_sound_at_all_is_fine(empty: Any) -> None:  # noqa: ANN401
    assert mono_samples(empty).shape == (0,)


def test_what_overshoots_is_clipped_everywhere() -> None:
    loud = np.array([1.5, -7, 0.25], np.float32)
    assert mono_samples(loud).tolist() == [1.0, -1.0, 0.25]
    for audio_format in FORMATS:
        assert np.abs(samples_of(samples_bytes(loud, audio_format), audio_format) - [1, -1, 0.25]).max() <= 1 / 32768


def test_the_callers_memory_may_be_used_again() -> None:
    """As sound cards do with the block that they give to a callback."""
    block = WAVE.copy()
    own = mono_samples(block)
    block[:] = 0
    assert np.array_equal(own, WAVE)


def test_a_chunk_of_the_wire_is_read_like_any_other() -> None:
    for values, sentence in (([np.nan], "finite"), ([np.inf], "finite"), ([300.0], "beyond")):
        with pytest.raises(InputError, match=sentence):
            samples_of(np.array(values, "<f4").tobytes(), pb.AUDIO_FORMAT_F32LE)


@settings(deadline=None)
@given(st.lists(st.integers(-32768, 32767), max_size=50))
def test_int16_crosses_the_wire_to_the_bit(values: list[int]) -> None:
    whole = np.array(values, np.int16)
    own = mono_samples(whole)
    for audio_format in FORMATS:
        for form in (whole, own, own.astype(np.float64), whole[:, None]):
            assert np.array_equal(samples_of(samples_bytes(form, audio_format), audio_format), own)


@settings(deadline=None)
@given(st.lists(st.floats(-MOST_AMPLITUDE, MOST_AMPLITUDE, width=32), max_size=60), st.integers(0, 60))
def test_the_same_however_it_is_cut(values: list[float], at: int) -> None:
    whole = np.array(values, np.float32)
    parts = np.concatenate([mono_samples(whole[:at]), mono_samples(whole[at:])])
    assert np.array_equal(parts, mono_samples(whole)) and np.abs(parts).max(initial=0) <= 1


@examples(100)
@given(
    stn.arrays(
        stn.scalar_dtypes() | stn.unicode_string_dtypes(max_len=3),
        stn.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    )
)
def test_any_array_is_sound_or_one_short_sentence(given_array: np.ndarray[Any, Any]) -> None:
    try:
        own = mono_samples(given_array)
    except InputError as error:
        assert len(str(error)) < MOST_CHARS
    else:
        assert own.dtype == np.float32 and own.ndim == 1 and own.size == given_array.size
        assert np.abs(own).max(initial=0) <= 1 and not np.shares_memory(own, given_array)


@pytest.mark.parametrize(
    "rate", [16_000, 16_000.0, np.int64(16_000), np.float32(16_000), np.float16(16_000), np.uint16(16_000)]
)
def test_one_rate_in_any_type(rate: Any) -> None:  # noqa: ANN401
    assert as_sample_rate(rate) == 16_000 and type(as_sample_rate(rate)) is int


@pytest.mark.parametrize(
    "rate",
    ["16000", True, 0, -16_000, 7_999, 192_001, 16_000.5, float("nan"), float("inf"), None, [16_000], 10**400, b"16000"],
)
def test_what_is_no_rate_is_one_short_sentence(rate: Any) -> None:  # noqa: ANN401
    with pytest.raises(InputError, match=r"sample_rate_hz must be (a whole number )?from 8000 to 192000, got") as caught:
        as_sample_rate(rate)
    assert len(str(caught.value)) < MOST_CHARS
