"""From features to a mouth: jaw and lips as two axes (after JALI), soft classes, and closures that seal.

A mouth is a vector of the channels below, each in [0, 1], 100 times a second. ``MOUTH_TO_ARKIT`` turns it into weights.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.speech.features import Features, smoothstep
from vivant.types import ARKIT_INDEX, ARKIT_NAMES

Mouth = NDArray[np.float64]

CHANNELS = ("jaw", "lips", "funnel", "spread", "round", "seal", "bite", "hiss", "tongue")
JAW, LIPS, FUNNEL, SPREAD, ROUND, SEAL, BITE, HISS, TONGUE = range(len(CHANNELS))
"""jaw: opening; lips: parting of the lips at any jaw; funnel: open rounding; spread and round: width; seal: lips pressed
shut (m, b, p); bite: lower lip under the teeth (f, v); hiss: teeth together, lips apart (s, sh); tongue: tip up (l, n)."""

AHEAD = 7
"""Ticks of future that a mouth needs, to smooth it without delay and to tell the burst of a t from that of a p."""
_BEHIND = 14
_SMOOTH_TICKS = 7
_ARKIT_OF: dict[str, dict[str, float]] = {
    "jaw": {"jawOpen": 1.0},
    "lips": {"mouthLowerDownLeft": 0.6, "mouthLowerDownRight": 0.56, "mouthUpperUpLeft": 0.34, "mouthUpperUpRight": 0.37},
    "funnel": {"mouthFunnel": 1.0},
    "spread": {
        "mouthStretchLeft": 0.62,
        "mouthStretchRight": 0.58,
        "mouthSmileLeft": 0.3,
        "mouthSmileRight": 0.32,
        "cheekSquintLeft": 0.08,
        "cheekSquintRight": 0.08,
        "eyeSquintLeft": 0.04,
        "eyeSquintRight": 0.04,
    },
    "round": {"mouthPucker": 0.9},
    "seal": {"mouthPressLeft": 0.25, "mouthPressRight": 0.25, "mouthRollLower": 0.22, "mouthRollUpper": 0.18},
    "bite": {"mouthRollLower": 0.5, "mouthUpperUpLeft": 0.14, "mouthUpperUpRight": 0.15},
    "hiss": {"mouthShrugUpper": 0.08, "mouthStretchLeft": 0.12, "mouthStretchRight": 0.12},
    "tongue": {},
}


_PARTED = np.zeros(len(CHANNELS))
_PARTED[[JAW, LIPS, SPREAD]] = 0.08, 0.35, 0.16


def _arkit_matrix() -> NDArray[np.float64]:
    matrix = np.zeros((len(CHANNELS), len(ARKIT_NAMES)))
    for row, channel in enumerate(CHANNELS):
        for name, gain in _ARKIT_OF[channel].items():
            matrix[row, ARKIT_INDEX[name]] = gain
    return matrix


MOUTH_TO_ARKIT = _arkit_matrix()
"""(9, 52)."""


class MouthTrack:
    """Features in, mouths out ``AHEAD`` ticks later; every output depends on a fixed window, so silence is exactly zero."""

    def __init__(self) -> None:
        n = _BEHIND + AHEAD + 1
        self._targets = np.zeros((n, len(CHANNELS)))
        self._oral_db = np.full(n, -70.0)
        self._hiss = np.zeros(n)
        self._spread = np.zeros(n)
        self._closure = np.zeros(n)
        self._phrase = 0.0

    def push(self, features: Features) -> Mouth:
        """Take tick i; give the (9,) mouth of tick i - AHEAD."""
        for array in (self._targets, self._oral_db, self._hiss, self._spread):
            array[:-1] = array[1:]
        # Between the sounds of a phrase the lips stay a little apart unless they close on purpose.
        self._phrase = max(features.gate, self._phrase - 0.06)
        self._targets[-1] = np.maximum(_target(features), min(1.0, 1.5 * self._phrase) * _PARTED)
        self._oral_db[-1] = features.oral_db if features.gate > 0 else -70.0
        self._hiss[-1] = features.hiss
        self._spread[-1] = features.spread
        return self._mouth()

    def _mouth(self) -> Mouth:
        self._closure[:-1] = self._closure[1:]
        self._closure[-1] = self._closure_now()
        # Neighbouring sounds give way to a closure (wide), and the lips snap at it (narrow).
        self._targets[_CLOSURE_AT, _OPENING] *= 1 - self._closure[-1]
        mouth: Mouth = _SMOOTH @ self._targets
        closed = min(1.0, 1.2 * float(_SNAP @ self._closure[-len(_SNAP) :]))
        mouth[_OPENING] *= 1 - closed
        # Lips press where a vowel follows; at the end of a phrase they only meet.
        mouth[SEAL] = closed * min(1.0, float(np.max(self._targets[-1 - AHEAD :, JAW])) / 0.08)
        return np.clip(mouth, 0.0, 1.0)

    def _closure_now(self) -> float:
        """How surely the lips meet, at the newest tick whose future is known well enough."""
        at = _CLOSURE_AT
        now = self._oral_db[at]
        before = float(np.max(self._oral_db[at - 10 : at]))
        after = float(np.max(self._oral_db[at:]))
        # A return not yet in sight is believed after a fall that is 8 dB deeper.
        dip_db = min(before, max(after, before - 8)) - now
        # A burst or hiss nearby, or a high second formant on the way in and out, says that the tongue closed, not the lips.
        labial = 1 - 0.9 * float(np.max(self._hiss[at - 3 :]))
        labial *= smoothstep((0.8 - float(np.mean(self._spread[at - 4 :]))) / 0.5)
        return smoothstep((dip_db - 6) / 7) * labial


def _target(f: Features) -> Mouth:
    """The mouth that this tick alone asks for, before coarticulation."""
    vowel = f.voiced * f.gate * (1 - f.hiss)
    height = min(max(0.5 + 0.3 * f.openness, 0.0), 1.0)
    effort = min(f.loud, 1.1)
    jaw = vowel * effort * (0.1 + 0.3 * height**1.2)
    sibilant = f.hiss * f.gate
    wide = min(max(f.spread, -2.0), 2.0) / 2 * vowel * smoothstep(2 * f.loud)
    rounded = max(-wide, 0.0) * (1 - height) * 1.6
    bite = sibilant * smoothstep((0.35 - f.loud) / 0.25)
    target = np.zeros(len(CHANNELS))
    target[JAW] = jaw + 0.035 * sibilant
    target[LIPS] = 0.9 * jaw + 0.22 * sibilant * (1 - bite)
    target[FUNNEL] = 0.35 * rounded
    target[SPREAD] = 0.35 * max(wide, 0.0) + 2.5 * jaw * (1 - min(rounded, 1.0))
    target[ROUND] = rounded
    target[BITE] = 0.7 * bite
    target[HISS] = sibilant * (1 - bite)
    # Sounds of a raised tongue (l, n, i) have a low first and a high second formant.
    target[TONGUE] = 0.6 * vowel * smoothstep((0.2 - f.openness) / 1.2) * smoothstep(1 + f.spread)
    return target


def _window(half: int, length: int) -> NDArray[np.float64]:
    """(length,) symmetric Hann weights about the tick that lies ``AHEAD`` before the newest."""
    weights = np.zeros(length)
    shape = np.hanning(2 * half + 3)[1:-1]
    centre = length - 1 - AHEAD
    weights[centre - half : centre + half + 1] = shape / shape.sum()
    return weights


_SMOOTH = _window(_SMOOTH_TICKS, _BEHIND + AHEAD + 1)
_SNAP = np.hanning(11)[1:-1] / np.hanning(11).sum()
_CLOSURE_AT = _BEHIND + len(_SNAP) // 2
"""The newest tick at which a closure is decided."""
_OPENING = [JAW, LIPS, FUNNEL, HISS, TONGUE]
