"""What callers hand in as sound means one thing everywhere."""

from __future__ import annotations

import array
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from vivant.errors import InputError
from vivant.samples import MOST_AMPLITUDE, as_sample_rate, mono_samples
from vivant.types import AudioChunk
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.values import samples_bytes, samples_of

pytestmark = pytest.mark.unit

WAVE = np.sin(np.arange(400) / 20).astype(np.float32) * 0.9
FORMATS = (pb.AUDIO_FORMAT_PCM_S16LE, pb.AUDIO_FORMAT_F32LE)
MOST_CHARS = 250


class Tensor:
    """Something with ``__array__``, as tensors of other libraries are."""

    def __init__(self, values: Any) -> None:  # noqa: ANN401
        self._values = values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:  # noqa: ANN401
        if isinstance(self._values, Exception):
            raise self._values
        return np.asarray(self._values, dtype)


def read_only() -> Any:  # noqa: ANN401
    wave = WAVE.copy()
    wave.flags.writeable = False
    return wave


SAME: dict[str, Any] = {
    "float32": WAVE,
    "float64": WAVE.astype(np.float64),
    "float16": WAVE.astype(np.float16),
    "longdouble": WAVE.astype(np.longdouble),
    "int16": (WAVE * 32768).astype(np.int16),
    "big-endian float": WAVE.astype(">f4"),
    "big-endian int16": (WAVE * 32768).astype(">i2"),
    "read-only": read_only(),
    "strided": np.repeat(WAVE, 3)[::3],
    "backwards": WAVE[::-1].copy()[::-1],
    "column of a sound card": WAVE[:, None],
    "row of a tensor": WAVE[None],
    "list": WAVE.tolist(),
    "tuple": tuple(WAVE.tolist()),
    "list of NumPy's": list(WAVE),
    "array.array": array.array("f", WAVE.tolist()),
    "array.array of int16": array.array("h", (WAVE * 32768).astype(np.int16).tolist()),
    "memoryview of floats": memoryview(WAVE.tobytes()).cast("f"),
    "tensor": Tensor(WAVE),
}


@pytest.mark.parametrize("name", list(SAME))
def test_one_sound_in_any_type(name: str) -> None:
    own = mono_samples(SAME[name])
    assert own.dtype == np.float32 and own.dtype.isnative and own.shape == WAVE.shape
    assert np.abs(own - WAVE).max() < 0.001
    for audio_format in FORMATS:
        assert np.abs(samples_of(samples_bytes(SAME[name], audio_format), audio_format) - own).max() <= 1 / 32768


REFUSED: dict[str, tuple[Any, str]] = {
    "bytes": (b"\0\0" * 50_000, r"got 100000 bytes; .*np.frombuffer"),
    "bytearray": (bytearray(9), "got 9 bytes"),
    "memoryview": (memoryview(bytes(8)), "got 8 bytes"),
    "text": ("hello" * 50_000, "got str"),
    "nothing": (None, "got NoneType"),
    "one number": (0.5, r"got float of float64, shape \(\)"),
    "0-d": (np.float32(0.5), r"got float32"),
    "stereo": (np.zeros((10, 2), np.float32), r"got float32, shape \(10, 2\); give one of the channels"),
    "stereo, channels first": (np.zeros((2, 10), np.int16), r"got int16, shape \(2, 10\); give one of the channels"),
    "3-d": (np.zeros((1, 1, 10), np.float32), r"one channel .*shape \(1, 1, 10\)"),
    "uint8": (np.zeros(10, np.uint8), "got uint8, .*full range"),
    "int8": (np.zeros(10, np.int8), "got int8, .*full range"),
    "uint16": (np.zeros(10, np.uint16), "got uint16, .*full range"),
    "int32": (np.zeros(10, np.int32), "got int32, .*full range"),
    "int64": (np.zeros(10, np.int64), "got int64, .*full range"),
    "list of whole numbers": ([0, 1000, -1000], "got list of int64, .*full range"),
    "bool": (np.zeros(10, bool), "got bool"),
    "complex": (np.zeros(10, np.complex64), "got complex64"),
    "objects": (np.array([None, 1.0]), "got object"),
    "texts": (["0.1"] * 9, "got list of <U3"),
    "ragged": ([[0.1], [0.1, 0.2]], "got a list of 2"),
    "dates": (np.zeros(3, "M8[s]"), "got datetime64"),
    "generator": ((x for x in WAVE), "got generator"),
    "chunk": (AudioChunk(WAVE, 16_000), "an AudioChunk; give its samples"),
    "tensor elsewhere": (Tensor(TypeError("can't convert cuda:0 device type tensor to numpy" * 99)), "got Tensor, which NumPy"),
    "NaN": (np.where(np.arange(400) == 7, np.nan, WAVE), "finite numbers, got 1 of 400"),
    "infinity": (np.array([np.inf, -np.inf, 0]), "finite numbers, got 2 of 3"),
    "int16 that was only cast": (WAVE * 32767, r"in \[-1, 1\], got some beyond 16"),
    "float64 beyond float32": (np.array([1e300]), "got some beyond 16"),
}


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


@given(st.lists(st.integers(-32768, 32767), max_size=50))
def test_int16_crosses_the_wire_to_the_bit(values: list[int]) -> None:
    whole = np.array(values, np.int16)
    own = mono_samples(whole)
    for audio_format in FORMATS:
        for form in (whole, own, own.astype(np.float64), whole[:, None]):
            assert np.array_equal(samples_of(samples_bytes(form, audio_format), audio_format), own)


@given(st.lists(st.floats(-MOST_AMPLITUDE, MOST_AMPLITUDE, width=32), max_size=60), st.integers(0, 60))
def test_the_same_however_it_is_cut(values: list[float], at: int) -> None:
    whole = np.array(values, np.float32)
    parts = np.concatenate([mono_samples(whole[:at]), mono_samples(whole[at:])])
    assert np.array_equal(parts, mono_samples(whole)) and np.abs(parts).max(initial=0) <= 1


@settings(max_examples=300, deadline=None)
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


@pytest.mark.parametrize("rate", [16_000, 16_000.0, np.int64(16_000), np.float32(16_000), np.uint16(16_000)])
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
