"""Channels become one voice and two sides: as loud as the voice alone, never cancelled, and the same however they are cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.examples import examples, some
from vivant.errors import InputError
from vivant.media.mixing import mix

pytestmark = pytest.mark.unit

Samples = NDArray[np.float32]

RATE_HZ = 8000
STEREO = ("FL", "FR")
SIX = ("FL", "FR", "FC", "LFE", "SL", "SR")
EIGHT = ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR")
NAMELESS = ("NONE",) * 4


def _voice(seed: int = 0, seconds: float = 6.0) -> Samples:
    """Noise of a falling spectrum in syllables, -20 dBFS."""
    noise = np.random.default_rng(seed).normal(size=round(seconds * RATE_HZ))
    low = np.convolve(noise, np.exp(-np.arange(40) / 6.0), "same")
    syllables = np.maximum(np.sin(2 * np.pi * 3.3 * np.arange(noise.size) / RATE_HZ + seed), 0.02)
    spoken = low * syllables
    return np.asarray(0.1 * spoken / np.sqrt(np.mean(spoken**2)), np.float32)


VOICE, OTHER, NOTHING = _voice(), _voice(1), np.zeros_like(_voice())


def _mix(planes: Sequence[Samples], channels: Sequence[str], piece: int = 3000) -> Samples:
    stacked = np.asarray(planes, np.float32)
    pieces = (stacked[:, start : start + piece] for start in range(0, stacked.shape[1], piece))
    return np.concatenate(list(mix(pieces, channels, RATE_HZ)), axis=1)


def _db(samples: Samples, of: Samples = VOICE) -> float:
    """Louder than ``of``."""
    return float(10 * np.log10(np.mean(samples.astype(float) ** 2) / np.mean(of.astype(float) ** 2)))


def _likeness(one: Samples, other: Samples = VOICE) -> float:
    return abs(float(np.corrcoef(one, other)[0, 1]))


def _only(channel: int, channels: Sequence[str]) -> list[Samples]:
    return [VOICE if number == channel else NOTHING for number in range(len(channels))]


def test_one_channel_passes_bit_for_bit() -> None:
    assert all(np.array_equal(row, VOICE) for row in _mix([VOICE], ("FC",)))


@pytest.mark.parametrize(
    ("channel", "channels"),
    [(i, names) for names in (STEREO, SIX, EIGHT, NAMELESS) for i in range(len(names)) if names[i] != "LFE"],
)
def test_a_voice_in_one_channel_is_as_loud_as_alone_and_on_both_sides(channel: int, channels: Sequence[str]) -> None:
    for row in _mix(_only(channel, channels), channels):
        assert _db(row) == pytest.approx(0.0, abs=0.1)
        assert _likeness(row) > 0.999


@pytest.mark.parametrize("channels", [STEREO, SIX, EIGHT, NAMELESS])
def test_a_voice_in_all_channels_is_as_loud_as_alone(channels: Sequence[str]) -> None:
    for row in _mix([VOICE] * len(channels), channels):
        assert _db(row) == pytest.approx(0.0, abs=0.1)


def test_the_low_frequency_channel_is_left_out() -> None:
    rumble = np.asarray(0.9 * np.sin(2 * np.pi * 40 * np.arange(VOICE.size) / RATE_HZ), np.float32)
    planes = _only(2, SIX)
    planes[3] = rumble
    assert min(_likeness(row) for row in _mix(planes, SIX)) > 0.999


@pytest.mark.parametrize(
    ("planes", "channels"),
    [
        ([VOICE, -VOICE], STEREO),
        ([-VOICE, VOICE], STEREO),
        ([VOICE, -0.4 * VOICE], STEREO),
        ([VOICE + 0.3 * OTHER, -VOICE + 0.3 * OTHER], STEREO),  # middle and side swapped
        ([VOICE, -VOICE, NOTHING, NOTHING, NOTHING, NOTHING], SIX),
        ([-VOICE, -VOICE, VOICE, NOTHING, NOTHING, NOTHING], SIX),
        ([VOICE, -VOICE, VOICE, -VOICE], NAMELESS),
    ],
)
def test_opposite_phase_is_heard_on_the_voice_and_between_the_sides(planes: list[Samples], channels: Sequence[str]) -> None:
    voice, left, right = _mix(planes, channels)
    assert _db(voice) == pytest.approx(0.0, abs=1.0)
    assert _likeness(voice) > 0.95
    assert _likeness((left + right) / 2) > 0.95
    assert _db((left + right) / 2) > -3.5


@pytest.mark.parametrize("delay_ms", some([5, 1, 20]))
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_delayed_channel_does_not_cancel(delay_ms: int, sign: float) -> None:
    late = np.roll(VOICE, delay_ms * RATE_HZ // 1000) * np.float32(sign)
    assert _db(_mix([VOICE, late], STEREO)[0]) == pytest.approx(0.0, abs=1.0)


def test_a_phase_that_turns_in_the_middle_is_followed_without_a_click() -> None:
    sample = np.arange(VOICE.size)
    turn = np.asarray(np.clip((VOICE.size // 2 - sample) / 400, -1, 1), np.float32)
    assert _db(_mix([VOICE, turn * VOICE], STEREO)[0]) == pytest.approx(0.0, abs=1.0)
    tone = np.asarray(0.3 * np.sin(2 * np.pi * 200 * sample / RATE_HZ), np.float32)
    for row in _mix([tone, turn * tone], STEREO):
        assert np.abs(np.diff(row, 2)).max() < 1.5 * np.abs(np.diff(tone, 2)).max()


def test_stereo_stays_as_it_is() -> None:
    wide = [0.7 * VOICE + 0.3 * OTHER, 0.4 * VOICE - 0.3 * np.roll(OTHER, 90)]
    voice, *sides = _mix(wide, STEREO)
    np.testing.assert_array_equal(sides, np.asarray(wide, np.float32))
    assert _likeness(voice) > 0.9


def test_two_speakers_on_two_sides_are_both_as_loud_as_alone() -> None:
    half = VOICE.size // 2
    left, right = VOICE.copy(), OTHER.copy()
    left[half:], right[:half] = 0, 0
    voice, *sides = _mix([left, right], STEREO)
    assert _db(voice[: half - RATE_HZ], VOICE[: half - RATE_HZ]) == pytest.approx(0.0, abs=1.0)
    assert _db(voice[half + RATE_HZ :], OTHER[half + RATE_HZ :]) == pytest.approx(0.0, abs=1.0)
    np.testing.assert_allclose(sides[1][half + RATE_HZ :], right[half + RATE_HZ :], atol=1e-3)


@pytest.mark.parametrize("hum_hz", [50, 60])
def test_hum_in_a_quiet_channel_does_not_spoil(hum_hz: int) -> None:
    hum = np.asarray(0.01 * np.sin(2 * np.pi * hum_hz * np.arange(VOICE.size) / RATE_HZ), np.float32)
    voice, left, _ = _mix([VOICE, hum], STEREO)
    assert _db(voice) == pytest.approx(0.0, abs=0.5)
    assert min(_likeness(voice), _likeness(left)) > 0.99


def test_loud_channels_never_reach_beyond_full_scale_and_are_not_cut_off() -> None:
    loud = [np.asarray(piece / np.abs(piece).max(), np.float32) for piece in (_voice(seed) for seed in range(6))]
    mixed = _mix(loud, SIX)
    assert np.abs(mixed).max() <= 1.0
    assert (np.abs(mixed) == 1.0).sum() <= 3


@examples(25)
@given(
    channels=st.sampled_from([STEREO, SIX, NAMELESS, ("AMBI0", "AMBI1", "AMBI2", "AMBI3")]),
    seconds=st.floats(0.01, 3.0),
    piece=st.integers(1, 5000),
    seed=st.integers(0, 99),
)
def test_how_it_is_cut_changes_nothing(channels: Sequence[str], seconds: float, piece: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.choice([0.0, 1.0, -1.0, 0.3, -8.0], size=(len(channels), 2))
    planes = list(np.clip(weights @ np.stack([_voice(2, seconds), _voice(3, seconds)]), -1, 1).astype(np.float32))
    mixed = _mix(planes, channels, max(piece, 20))
    assert mixed.shape == (3, planes[0].size)
    assert np.abs(mixed).max() <= 1.0
    np.testing.assert_array_equal(mixed, _mix(planes, channels, 10**6))


def test_what_came_before_damage_is_given_out_first() -> None:
    def pieces() -> Iterator[Samples]:
        yield np.stack([VOICE[:5000], VOICE[:5000]])
        raise InputError("damaged")

    n_given_out = 0
    with pytest.raises(InputError, match="damaged"):
        for piece in mix(pieces(), STEREO, RATE_HZ):
            n_given_out += piece.shape[1]
    assert n_given_out == 5000


@pytest.mark.parametrize("phases_deg", [(0, 180), (180, 0), (0, 0, 0, 180, 180, 180), (0, 100, 200, 300, 40, 140)])
@pytest.mark.parametrize("level", some([0.9, 1.0, 0.5]))
def test_a_phase_that_differs_from_octave_to_octave_cancels_none(phases_deg: Sequence[float], level: float) -> None:
    spectrum, hz = np.fft.rfft(VOICE), np.fft.rfftfreq(VOICE.size, 1 / RATE_HZ)
    octave = np.floor(np.log2(np.maximum(hz, 62.5) / 62.5)).astype(int)
    turned = np.fft.irfft(spectrum * np.exp(1j * np.radians(phases_deg)[octave % len(phases_deg)]), VOICE.size)
    other = np.asarray(level * turned, np.float32)
    for planes, channels in (([VOICE, other], STEREO), ([other, VOICE], STEREO), ([VOICE, other, *[NOTHING] * 4], SIX)):
        voice = _mix(planes, channels)[0]
        heard, whole = np.abs(np.fft.rfft(voice)) ** 2, np.abs(spectrum) ** 2
        for number in range(1, 6):
            assert heard[octave == number].sum() > 0.5 * whole[octave == number].sum()


def test_two_people_on_two_sides_are_both_the_voice() -> None:
    voice = _mix([VOICE, OTHER], STEREO)[0]
    assert _likeness(voice, VOICE) > 0.6
    assert _likeness(voice, OTHER) > 0.6
