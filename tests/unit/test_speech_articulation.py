"""Mouths: opening, rounding, closing, biting, and rest, from phones that are told for certain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.examples import examples
from vivant.rig import canonical as c
from vivant.speech.articulation import (
    AHEAD,
    BITE,
    CHANNELS,
    HISS,
    JAW,
    LIPS,
    MOUTH_TO_ARKIT,
    ROUND,
    SEAL,
    SPREAD,
    TONGUE,
    ArticulationTrack,
)  # fmt: skip
from vivant.speech.encoder import DELAY_TICKS, GUESSES
from vivant.speech.features import Features
from vivant.speech.phones import CLASS_OF, CLASSES, PHONE_INDEX, PHONES
from vivant.types import ARKIT_INDEX, ARKIT_NAMES

pytestmark = pytest.mark.unit

VOICE = Features(level_db=-20, gate=1, loud=0.9, voiced=1, pitch_hz=120)
QUIET = Features(level_db=-70, gate=0, loud=0, voiced=0, pitch_hz=0)


def track(*spoken: tuple[str, int]) -> NDArray[np.float64]:
    """(n, 9) one mouth per tick, on its tick, of (phone, ticks) heard without doubt."""
    phones = [PHONE_INDEX[phone] for phone, ticks in spoken for _ in range(ticks)]
    padded = [*phones, *[0] * (AHEAD + GUESSES)]
    sure = np.eye(len(PHONES), dtype=np.float32)
    mouths = ArticulationTrack()
    out = []
    for t in range(len(phones) + AHEAD):
        heard = [padded[t - DELAY_TICKS + g] if t - DELAY_TICKS + g >= 0 else 0 for g in range(1 + GUESSES)]
        out.append(mouths.push(sure[heard], VOICE if t < len(phones) and phones[t] else QUIET))
    return np.stack(out[AHEAD:])


def lip_gap(weights: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(n,) inner-lip gap in outer-eye distances that (n, 52) weights make on the average head."""
    face, bounded = c.canonical_face(), weights.astype(np.float64)
    close, jaw = ARKIT_INDEX["mouthClose"], ARKIT_INDEX["jawOpen"]
    bounded[:, close] = np.minimum(bounded[:, close], bounded[:, jaw])
    parts = (face.fields[:, [13, 82, 312], 1] - face.fields[:, [14, 87, 317], 1]).mean(1)
    gap: NDArray[np.float64] = np.maximum(bounded @ parts, 0.0)
    return gap


def gaps(*spoken: tuple[str, int]) -> NDArray[np.float64]:
    return lip_gap(track(*spoken) @ MOUTH_TO_ARKIT)


def test_what_spreads_the_lips_parts_them_and_rounding_narrows_the_opening() -> None:
    gap = {phone: gaps(("_", 20), (phone, 40), ("_", 20))[40] for phone in ("a", "e", "i", "s", "o", "u", "y", "w")}
    assert gap["a"] > gap["e"] > gap["i"] > gap["u"] > 0.005
    assert min(gap["i"], gap["s"]) > 0.07 > max(gap["u"], gap["y"], gap["w"])
    assert gap["o"] < 0.6 * gap["a"]


def test_lips_stay_parted_between_words_and_rest_in_a_pause() -> None:
    short = gaps(("_", 20), ("a", 20), ("_", 10), ("a", 20), ("_", 20))
    assert short[24:68].min() > 0.03
    long = gaps(("_", 20), ("a", 20), ("_", 30), ("a", 20), ("_", 20))
    assert long[58:65].max() < 0.003


@pytest.mark.parametrize("phone", ["p", "m"])
def test_a_closure_is_short_between_parted_lips(phone: str) -> None:
    gap = gaps(("_", 20), ("t", 15), (phone, 6), ("t", 15), ("_", 20))
    assert gap[35:41].min() < 0.002
    assert gap[27] > 0.03 and gap[48] > 0.03


def test_lips_part_before_the_first_sound() -> None:
    assert gaps(("_", 40), ("a", 30))[40] > 0.03


def test_open_vowels_open_more_and_round_ones_round() -> None:
    ah, ee, oo = (track(("_", 20), (phone, 40), ("_", 20))[40] for phone in ("a", "i", "u"))
    assert ah[JAW] > 1.8 * ee[JAW]
    assert oo[ROUND] > 0.6 and ah[ROUND] < 0.05 and ee[ROUND] < 0.05
    assert min(ee[SPREAD], ah[SPREAD]) > 0.4 > oo[SPREAD]


@pytest.mark.parametrize("phone", ["p", "m"])
@pytest.mark.parametrize("ticks", [4, 6, 10])
def test_bilabials_shut_the_lips(phone: str, ticks: int) -> None:
    mouths = track(("_", 20), ("a", 15), (phone, ticks), ("a", 15), ("_", 20))
    shut = mouths[35 : 35 + ticks]
    assert shut[:, JAW].min() < 0.02 and shut[:, LIPS].min() < 0.02 and shut[:, SEAL].max() > 0.8
    assert mouths[20:32, SEAL].max() < 0.2


@pytest.mark.parametrize("phone", ["t", "k", "s", "l", "n"])
def test_other_consonants_leave_them_apart(phone: str) -> None:
    mouths = track(("_", 20), ("a", 15), (phone, 8), ("a", 15), ("_", 20))
    assert mouths[28:50, LIPS].min() > 0.25 and mouths[28:50, SEAL].max() < 0.05


def test_each_consonant_shows_its_own_place() -> None:
    f, s, th = (track(("_", 20), ("e", 12), (phone, 9), ("e", 12), ("_", 9))[36] for phone in ("f", "s", "l"))
    assert f[BITE] > 0.6 > max(s[BITE], th[BITE])
    assert s[HISS] > 0.6 > max(f[HISS], th[HISS])
    assert th[TONGUE] > 0.6 > max(f[TONGUE], s[TONGUE])


def test_rounding_spreads_ahead_of_its_vowel() -> None:
    rounded = track(("_", 20), ("e", 20), ("t", 6), ("u", 20), ("_", 20))[:, ROUND]
    assert rounded[42] > 0.1 and rounded[30] < 0.02


def test_fast_speech_undershoots_and_does_not_tremble() -> None:
    slow = track(("_", 20), *[("a", 16), ("t", 12)] * 6, ("_", 20))[20:-20, JAW]
    fast = track(("_", 20), *[("a", 5), ("t", 4)] * 12, ("_", 20))[20:-20, JAW]
    assert np.ptp(fast[20:-20]) < 0.6 * np.ptp(slow[20:-20])


def test_lips_move_at_human_speed_and_in_time() -> None:
    jaw = track(("_", 40), ("a", 40), ("_", 40))[:, JAW] * MOUTH_TO_ARKIT[JAW, ARKIT_INDEX["jawOpen"]]
    assert abs(int(np.argmax(jaw > jaw.max() / 2)) - 40) <= 3
    assert np.abs(np.diff(jaw)).max() * 100 * 0.47 < 2.4


def test_silence_is_exactly_zero_within_a_quarter_of_a_second() -> None:
    assert not np.any(track(("a", 40), ("_", 60))[65:])


@examples(30)
@given(st.integers(0, 2**32 - 1))
def test_any_doubt_gives_a_possible_mouth(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mouths = ArticulationTrack()
    for _ in range(60):
        chance = rng.dirichlet(np.full(len(PHONES), rng.choice([0.05, 1.0])), 1 + GUESSES).astype(np.float32)
        mouth = mouths.push(chance, Features(-20, 1, float(rng.uniform(0, 1.25)), 1, 120))
        assert np.all((mouth >= 0) & (mouth <= 1))


def test_channels_reach_their_shapes() -> None:
    assert MOUTH_TO_ARKIT.shape == (len(CHANNELS), len(ARKIT_NAMES))
    assert 0.2 < MOUTH_TO_ARKIT[JAW, ARKIT_INDEX["jawOpen"]] < 0.6


def test_every_phone_has_one_class() -> None:
    assert len(CLASS_OF) == len(PHONES) and set(CLASS_OF) == set(range(len(CLASSES)))
