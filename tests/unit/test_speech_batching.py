"""Ticks that are understood together: the same to the bit however many they are, and no more work than a frame needs."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.conftest import VOICE_RATE_HZ, bundled_voice
from tests.examples import examples, some
from vivant.render import _kernel
from vivant.session.stream import FaceStream
from vivant.speech import encoder
from vivant.speech.encoder import PhoneEncoder
from vivant.speech.features import FeatureExtractor
from vivant.speech.resample import Resampler
from vivant.speech.spectrum import BANDS, CepstralMeanNormaliser, power_spectrum, windows_of
from vivant.testing import PlainFace
from vivant.types import Float32Array, Output

pytestmark = pytest.mark.unit

SILENT_TICKS = 280
"""More than the network looks back."""


def spectra(samples: Float32Array) -> NDArray[np.float64]:
    return power_spectrum(windows_of(Resampler(VOICE_RATE_HZ).push(samples).ravel()))


SPOKEN = spectra(bundled_voice()[: 2 * VOICE_RATE_HZ])
SILENT = np.zeros((SILENT_TICKS, SPOKEN.shape[1]))
SPECTRA = np.concatenate([SILENT, SPOKEN[:60], SILENT[:20], SPOKEN[60:150]])


@cache
def together() -> Float32Array:
    return PhoneEncoder().push(SPECTRA)


CUTS = st.lists(st.integers(1, 40), min_size=1, max_size=40)


def cut(array: NDArray[Any], sizes: list[int]) -> list[NDArray[Any]]:
    return [piece for piece in np.split(array, np.cumsum(sizes)) if len(piece)]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many ticks each call of the network was given."""
    calls: list[int] = []
    network = encoder.network()

    class Counted:
        memory_shape = network.memory_shape

        def hear(self, levels: Float32Array, memory: Float32Array, probabilities: Float32Array) -> None:
            calls.append(len(levels))
            network.hear(levels, memory, probabilities)

    monkeypatch.setattr(encoder, "network", Counted)
    return calls


@examples(10)
@given(CUTS)
def test_the_network_gives_the_same_bits_for_any_number_of_ticks(sizes: list[int]) -> None:
    one = PhoneEncoder()
    assert np.array_equal(np.concatenate([one.push(piece) for piece in cut(SPECTRA, sizes)]), together())


@examples(25)
@given(CUTS)
def test_levels_give_the_same_bits_for_any_number_of_ticks(sizes: list[int]) -> None:
    one = FeatureExtractor()
    assert [tick for piece in cut(SPECTRA, sizes) for tick in one.push(piece)] == FeatureExtractor().push(SPECTRA)


@examples(25)
@given(CUTS)
def test_the_normaliser_gives_the_same_bits_for_any_number_of_ticks_and_streams(sizes: list[int]) -> None:
    bands_db = np.random.default_rng(1).normal(-30, 12, (2, 200, BANDS))
    together, one = CepstralMeanNormaliser(2).push(bands_db), CepstralMeanNormaliser()
    pieces = [one.push(piece[None])[0] for piece in cut(bands_db[1], sizes)]
    assert np.array_equal(np.concatenate(pieces), together[1])


@examples(25)
@given(CUTS)
def test_spectra_are_the_same_bits_for_any_number_of_windows(sizes: list[int]) -> None:
    windows = windows_of(Resampler(VOICE_RATE_HZ).push(bundled_voice()[:VOICE_RATE_HZ]).ravel())
    pieces = [power_spectrum(piece) for piece in cut(windows, sizes)]
    assert np.array_equal(np.concatenate(pieces), power_spectrum(windows))


@pytest.mark.parametrize("fps", some([25, 12, 30, 60], 2))
@pytest.mark.parametrize("piece_ms", some([20, 5, 70]))
def test_a_frame_asks_the_network_once(asked: list[int], voice: Float32Array, fps: int, piece_ms: int) -> None:
    calls, n_frames = 0, 0
    size = VOICE_RATE_HZ * piece_ms // 1000
    with FaceStream(PlainFace(), fps=fps, sample_rate_hz=VOICE_RATE_HZ, seed=1, pictures=False) as stream:
        for first in range(0, VOICE_RATE_HZ, size):
            came = sum(isinstance(item, Output) for item in stream.push(voice[first : first + size]))
            assert len(asked) - calls <= came, "sound that no frame needs yet waits for the next one"
            calls, n_frames = len(asked), n_frames + came
    assert n_frames >= fps * 4 // 5 and sum(asked) >= 85


def test_long_silence_asks_the_network_no_more(asked: list[int]) -> None:
    one = PhoneEncoder()
    for _ in range(3):
        one.push(SILENT)
    one.push(SPOKEN[60:64])
    assert len(asked) == 2 and asked[0] < SILENT_TICKS and asked[1] == 4


@pytest.mark.full
def test_streams_in_several_threads_do_not_know_of_each_other() -> None:
    def heard(sizes: list[int]) -> Float32Array:
        one = PhoneEncoder()
        return np.concatenate([one.push(piece) for piece in cut(SPECTRA, sizes)])

    with ThreadPoolExecutor(4) as pool:
        assert all(np.array_equal(found, together()) for found in pool.map(heard, [[n] * 200 for n in (2, 3, 5, 7)]))


def test_a_copy_goes_on_by_itself() -> None:
    one = PhoneEncoder()
    one.push(SPECTRA[:50])
    twin = copy.deepcopy(one)
    twin.push(SPOKEN[100:140])
    assert np.array_equal(one.push(SPECTRA[50:]), together()[50:])


def stack(name: str, layers: int, inputs: int, outputs: int) -> dict[str, NDArray[Any]]:
    gains = np.ones((layers, outputs), np.float32)
    return {name: np.ones((layers, inputs, outputs), np.int16), f"{name}_scale": gains, f"{name}_bias": gains}


FITTING: dict[str, NDArray[Any]] = {
    **stack("enter", 1, 41, 16),
    "dilations": np.ones(1, np.int32),
    "taps": np.ones((1, 9, 16), np.float32),
    **stack("widen", 1, 16, 24),
    **stack("narrow", 1, 24, 16),
    **stack("leave", 1, 16, 48),
}


@pytest.mark.parametrize(
    "parts",
    [
        stack("enter", 0, 41, 16),
        stack("widen", 1, 16, 20),
        stack("widen", 1, 8, 24),
        stack("narrow", 1, 16, 16),
        stack("leave", 1, 16, 40),
        stack("leave", 1, 24, 48),
        {"enter_scale": np.ones((1, 8), np.float32)},
        {"dilations": np.zeros(1, np.int32)},
        {"dilations": np.full(1, 2**30, np.int32)},
        {"taps": np.ones((2, 9, 16), np.float32)},
        {"taps": np.ones((1, 9, 8), np.float32)},
    ],
    ids=lambda parts: next(f"{name} {array.shape}" for name, array in parts.items()),
)
def test_layers_that_do_not_fit_are_refused(parts: dict[str, NDArray[Any]]) -> None:
    _kernel.Encoder(**FITTING, n_phones=24)
    with pytest.raises(ValueError, match=r"layer|block|output"):
        _kernel.Encoder(**{**FITTING, **parts}, n_phones=24)


@pytest.mark.parametrize(("levels", "memory", "told"), [((2, 40), 0, (2, 144)), ((2, 41), 1, (2, 144)), ((2, 41), 0, (3, 144))])
def test_arrays_of_other_shapes_are_refused(levels: tuple[int, int], memory: int, told: tuple[int, int]) -> None:
    ticks, width = encoder.network().memory_shape
    with pytest.raises(ValueError, match="must be"):
        encoder.network().hear(
            np.zeros(levels, np.float32), np.zeros((ticks + memory, width), np.float32), np.zeros(told, np.float32)
        )
