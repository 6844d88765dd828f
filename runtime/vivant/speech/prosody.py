"""The rhythm of a voice, for head, brows and lids: when it talks, where it stresses, when a phrase begins or ends."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from vivant.speech.articulation import AHEAD
from vivant.speech.features import TICK_US, Features

_PAUSE_TICKS = 18
"""So long without speech ends a phrase; chosen."""
_NOTHING_DB = -70.0
_PEAK_DB = 3.0
"""How far syllables stand above their own mean level."""
_REFRACTORY_TICKS = 22
"""Two stressed syllables are at least this far apart; chosen."""
_MOST_ST = 6.0
"""Semitones from the usual pitch that count: an octave is a mistake of the tracker more often than of the voice."""
_RANGE_ST, _PACE_HZ, _LEVEL_ST = (2.1, 1.2), (3.6, 1.6), 3.0
"""An ordinary mean deviation from the usual pitch and one step from it (conversation: 2 to 3 semitones of standard deviation,
lively speech 4 and more, Johns-Lewis 1986), likewise of syllables that begin in a second, and of pitch held above the usual."""
_SLOWLY = 0.004
"""Of the way to what is heard, each tick."""
_SMOOTH = [1 / (2 * AHEAD + 2) * (1 + math.cos(math.pi * i / (AHEAD + 1))) for i in range(-AHEAD, AHEAD + 1)]


@dataclass(frozen=True, slots=True)
class Prosody:
    """One tick."""

    talking: bool
    """Within a phrase: pauses up to 0.18 s belong to it."""
    stress: float
    """0, or at the rise of a stressed syllable how strong it is, up to 1."""
    phrase_start: bool
    phrase_end: bool
    energy: float
    """Loudness of the voice now, 0 to about 1, smoothed over 0.1 s without delay."""
    arousal: float
    """Effort heard now, 0 to 1: loud and high for this speaker."""
    valence: float
    """Pleasure heard in the last seconds, -1 to 1: lively, quick and high, or flat, slow and low; 0 is a voice at ease."""
    soon: float = 0.0
    """Loudness ``AHEAD`` ticks later, as it is."""


class ProsodyTrack:
    """Features in, prosody out ``AHEAD`` ticks later."""

    def __init__(self) -> None:
        self._energy: deque[float] = deque([0.0] * 24, maxlen=24)
        self._speech: deque[float] = deque([0.0] * _PAUSE_TICKS, maxlen=_PAUSE_TICKS)
        self._pitch_hz = 0.0
        self._usual_db = _NOTHING_DB
        self._usual_rise = 0.5
        self._since_stress = _REFRACTORY_TICKS
        self._talking = False
        self._arousal = 0.0
        self._mood = _Mood()

    def push(self, features: Features, speech: float) -> Prosody:
        """Take the newest tick's features, and how surely somebody spoke ``AHEAD`` ticks ago."""
        certainty = features.voiced * features.gate
        self._energy.append(features.loud * certainty)
        self._speech.append(speech)
        was_talking = self._talking
        self._talking = max(self._speech) > 0.5 if was_talking else speech > 0.5
        effort = self._effort(features, certainty)
        self._arousal += 0.012 * (effort - self._arousal)
        rise = self._syllable()
        if self._talking:
            self._mood.hear(rise > 0, 12 * math.log2(features.pitch_hz / self._pitch_hz) if certainty >= 0.5 else None)
        return Prosody(
            talking=self._talking,
            stress=self._stress(rise, effort) if self._talking else 0.0,
            phrase_start=self._talking and not was_talking,
            phrase_end=was_talking and not self._talking,
            energy=sum(weight * energy for weight, energy in zip(_SMOOTH, list(self._energy)[-len(_SMOOTH) :], strict=True)),
            arousal=self._arousal,
            valence=self._mood.valence,
            soon=self._energy[-1],
        )

    def _effort(self, features: Features, certainty: float) -> float:
        """How much louder and higher than this speaker's usual, 0 to 1; a whisper has none, a voice at ease 0.3."""
        if certainty < 0.5:
            return 0.0 if self._talking else self._arousal
        if self._pitch_hz == 0.0:
            self._pitch_hz, self._usual_db = features.pitch_hz, features.level_db
        # Slowly, so that a scene shouted from end to end stays one for half a minute.
        self._pitch_hz += 0.0008 * (features.pitch_hz - self._pitch_hz)
        self._usual_db += 0.0008 * (features.level_db - self._usual_db)
        height = min(max(features.pitch_hz / self._pitch_hz - 1.0, -0.5), 0.5)
        louder = min(max((features.level_db - self._usual_db - _PEAK_DB) / 12, -0.5), 1.0)
        return min(max(0.3 + 0.9 * height + 0.6 * louder, 0.0), 1.0)

    def _syllable(self) -> float:
        """How steeply a syllable rises whose steepest rise is at the tick ``AHEAD`` before the newest, else 0."""
        energy = list(self._energy)
        before, now, after = (_rise(energy, len(energy) - 1 - AHEAD + shift) for shift in (-1, 0, 1))
        return now if now >= 0.12 and now >= before and now > after else 0.0

    def _stress(self, rise: float, arousal: float) -> float:
        """Strength of a syllable, 0 to 1; 0 soon after another one."""
        self._since_stress += 1
        if rise == 0.0 or self._since_stress < _REFRACTORY_TICKS:
            return 0.0
        self._since_stress = 0
        strength = min(max(0.5 * rise / self._usual_rise - 0.25 + 0.8 * (arousal - 0.3), 0.0), 1.0)
        self._usual_rise += 0.08 * (rise - self._usual_rise)
        return strength


class _Mood:
    """Mood of a voice: its melody and pace over some 2.5 s of speech; pauses change nothing."""

    def __init__(self) -> None:
        self._range_st, self._pace_hz, self._level_st = _RANGE_ST[0], _PACE_HZ[0], 0.0

    def hear(self, begins: bool, above_st: float | None) -> None:
        """A tick of speech: whether a syllable begins, and semitones above the usual pitch, None where there is no pitch."""
        self._pace_hz += _SLOWLY * (begins * 1e6 / TICK_US - self._pace_hz)
        if above_st is not None:
            above_st = min(max(above_st, -_MOST_ST), _MOST_ST)
            self._level_st += _SLOWLY * (above_st - self._level_st)
            self._range_st += _SLOWLY * (abs(above_st - self._level_st) - self._range_st)

    @property
    def valence(self) -> float:
        lively = (self._range_st - _RANGE_ST[0]) / _RANGE_ST[1]
        quick = (self._pace_hz - _PACE_HZ[0]) / _PACE_HZ[1]
        return min(max(0.6 * lively + 0.25 * quick + 0.25 * self._level_st / _LEVEL_ST, -1.0), 1.0)


def _rise(energy: list[float], at: int) -> float:
    """Mean of the 4 ticks after ``at`` less the mean of the 6 before."""
    return sum(energy[at + 1 : at + 5]) / 4 - sum(energy[at - 6 : at]) / 6
