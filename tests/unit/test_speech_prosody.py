"""Prosody: phrases, stresses, pauses."""

from __future__ import annotations

import numpy as np
import pytest

from vivant.speech.articulation import AHEAD
from vivant.speech.features import Features
from vivant.speech.prosody import Prosody, ProsodyTrack

pytestmark = pytest.mark.unit


def track(loudness: list[float]) -> list[Prosody]:
    """One tick per loudness, on its tick."""
    prosody = ProsodyTrack()
    ticks = [
        Features(level_db=-20, gate=float(loud > 0), loud=loud, voiced=float(loud > 0), pitch_hz=120)
        for loud in loudness + [0.0] * AHEAD
    ]
    speech = [0.0] * AHEAD + [float(loud > 0) for loud in loudness]
    return [prosody.push(tick, said) for tick, said in zip(ticks, speech, strict=True)][AHEAD:]


SYLLABLES = [*[0.3] * 10, *np.interp(np.arange(25), [0, 6, 24], [0.3, 1.0, 0.3]).tolist()]


def test_each_syllable_has_one_stress_at_its_rise() -> None:
    heard = track([0.0] * 30 + SYLLABLES * 4)
    stressed = [k for k, tick in enumerate(heard) if tick.stress > 0]
    wanted = [30 + 35 * n + 12 for n in range(4)]
    assert all(min(abs(k - at) for k in stressed) <= 4 for at in wanted[1:])
    assert len(stressed) <= 6


def test_a_short_gap_stays_within_the_phrase_and_a_long_one_ends_it() -> None:
    heard = track([0.0] * 30 + [0.8] * 30 + [0.0] * 10 + [0.8] * 30 + [0.0] * 60)
    assert [k for k, tick in enumerate(heard) if tick.phrase_start] == [30]
    ends = [k for k, tick in enumerate(heard) if tick.phrase_end]
    assert len(ends) == 1 and 110 <= ends[0] <= 125


def test_silence_says_nothing() -> None:
    assert not any(t.talking or t.stress or t.phrase_start or t.phrase_end or t.energy for t in track([0.0] * 200))


def mood_of(spread_st: float, syllable_ticks: int) -> float:
    """Valence after eight seconds of syllables whose pitch wanders so far, in semitones, about 150 Hz."""
    prosody, heard = ProsodyTrack(), []
    for k in range(800):
        loud = 0.3 + 0.7 * max(0.0, np.sin(2 * np.pi * k / syllable_ticks))
        pitch_hz = 150 * 2 ** (spread_st * np.sqrt(2) * np.sin(2 * np.pi * k / 170) / 12)
        heard.append(prosody.push(Features(level_db=-20, gate=1.0, loud=loud, voiced=1.0, pitch_hz=pitch_hz), 1.0))
    return heard[-1].valence


def test_a_lively_quick_voice_pleases_and_a_flat_slow_one_does_not() -> None:
    lively, at_ease, flat = mood_of(4.5, 20), mood_of(2.4, 28), mood_of(0.8, 45)
    assert lively > 0.4 and abs(at_ease) < 0.35 and flat < -0.4
