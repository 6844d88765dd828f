"""Mouths: opening, rounding, closing, and rest."""

from __future__ import annotations

import numpy as np
import pytest

from vivant.speech.features import Features
from vivant.speech.mouth import AHEAD, CHANNELS, JAW, LIPS, MOUTH_TO_ARKIT, ROUND, SEAL, SPREAD, Mouth, MouthTrack
from vivant.types import ARKIT_INDEX, ARKIT_NAMES

pytestmark = pytest.mark.unit

SILENCE = Features(-80, 0, 0, 0, 0, 0, 0, 0, -80)


def voice(openness: float = 0.0, spread: float = 0.0, oral_db: float = -25.0, hiss: float = 0.0) -> Features:
    return Features(-20, 1, 0.9, 1 - hiss, 120, openness, spread, hiss, oral_db)


def track(*ticks: Features) -> list[Mouth]:
    """One mouth per tick, on its tick."""
    mouths = MouthTrack()
    return [mouths.push(tick) for tick in (*ticks, *[SILENCE] * AHEAD)][AHEAD:]


def test_open_vowels_open_more_and_round_ones_round() -> None:
    ah, ee, oo = (track(*[voice(*at)] * 40)[20] for at in ((1.3, 0.0), (-1.2, 1.4), (-1.2, -1.5)))
    assert ah[JAW] > 1.8 * ee[JAW] and ah[JAW] < 0.5
    assert oo[ROUND] > 0.6 > ah[ROUND] == ee[ROUND] == 0
    assert ee[SPREAD] > oo[SPREAD]


def test_a_dip_between_vowels_seals_the_lips_and_a_hiss_forbids_it() -> None:
    def dip(n: int, *after: Features) -> list[Mouth]:
        return track(*[voice(0.5)] * 30, *[voice(-1.0, oral_db=-48)] * n, *after, *[voice(0.5)] * 30)

    labial = min(dip(8), key=lambda mouth: float(mouth[JAW]) if mouth[SEAL] > 0 else 1.0)
    assert labial[JAW] < 0.01 and labial[LIPS] < 0.01 and labial[SEAL] > 0.8
    alveolar = dip(3, *[voice(hiss=1.0)] * 4)[30:42]
    assert min(mouth[LIPS] for mouth in alveolar) > 0.1


def test_lips_move_at_human_speed_and_without_delay() -> None:
    rise = [Features(-40, 0.5, 0.4, 0.5, 120, 0.5, 0, 0, -40)] * 3  # what a window of 32 ms makes of a hard start
    jaw = np.array([mouth[JAW] for mouth in track(*[SILENCE] * 28, *rise, *[voice(1.0)] * 40, *rise, *[SILENCE] * 30)])
    assert abs(np.argmax(jaw > jaw.max() / 2) - 30) <= 1
    assert np.abs(np.diff(jaw)).max() * 100 * 0.47 < 2.6


def test_silence_is_exactly_zero_within_a_quarter_of_a_second() -> None:
    mouths = track(*[voice(1.0)] * 40, *[SILENCE] * 60)
    assert not np.any(mouths[65:])


def test_channels_reach_their_shapes() -> None:
    assert MOUTH_TO_ARKIT.shape == (len(CHANNELS), len(ARKIT_NAMES))
    assert MOUTH_TO_ARKIT[JAW, ARKIT_INDEX["jawOpen"]] == 1.0
