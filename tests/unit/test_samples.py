"""What callers hand in as sound means one thing everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vivant.errors import InputError
from vivant.samples import mono_samples
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.values import samples_bytes, samples_of

pytestmark = pytest.mark.unit

WAVE = np.sin(np.arange(400) / 20).astype(np.float32) * 0.9


@pytest.mark.parametrize(
    "given",
    [
        WAVE,
        WAVE.astype(np.float64),
        (WAVE * 32767).astype(np.int16),
    ],
    ids=["float32", "float64", "int16"],
)
def test_one_sound_in_any_type(given: Any) -> None:  # noqa: ANN401
    assert mono_samples(given).dtype == np.float32
    assert np.abs(mono_samples(given) - WAVE).max() < 0.001
    for audio_format in (pb.AUDIO_FORMAT_PCM_S16LE, pb.AUDIO_FORMAT_F32LE):
        assert np.abs(samples_of(samples_bytes(given, audio_format), audio_format) - WAVE).max() < 0.001


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (b"\0\0" * 50_000, "np.frombuffer"),
        ([0.0, 0.1], "got list"),
        (np.zeros((10, 2), np.float32), "one channel"),
        (np.zeros(10, np.uint8), "got uint8"),
        (np.zeros(10, np.int32), "got int32"),
        (np.zeros(10, np.complex64), "got complex64"),
        (np.float32(0.5), "got float32"),
    ],
)
def test_what_is_no_sound_is_one_short_sentence(given: Any, sentence: str) -> None:  # noqa: ANN401
    with pytest.raises(InputError, match=sentence) as caught:
        mono_samples(given)
    assert len(str(caught.value)) < 200
