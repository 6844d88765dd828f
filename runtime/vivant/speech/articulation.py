"""From phones to a mouth: each sound pulls jaw and lips towards its own place, as strongly as that place matters to it.

Coarticulation by dominance (Cohen and Massaro 1993) over a jaw axis and a lip axis (JALI, Edwards et al. 2016). A mouth is a
vector of the channels below, each in [0, 1], 100 times a second. ``MOUTH_TO_ARKIT`` turns it into weights.

What spreads the lips parts them, what rounds them narrows the opening whatever the jaw does (Fromkin 1964, Lip positions in
American English vowels; VocalTractLab's speaker, measured by MRI, Birkholz 2013: lip distance a 1.0, i .9, e and @ .9, t .85,
s .4, u and y .3, o .3, f .1 cm, lip protrusion o .6, u 1.0, y .8). People who talk part their lips by a median of .08 and a
95th percentile of .12 to .22 outer-eye distances; the table and the gains were chosen within these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.easing import smoothstep
from vivant.speech.encoder import DELAY_TICKS, GUESSES
from vivant.speech.features import Features
from vivant.speech.phones import PHONE_INDEX, PHONES, SILENCE
from vivant.types import ARKIT_INDEX, ARKIT_NAMES, Float32Array

Mouth = NDArray[np.float64]

AHEAD = DELAY_TICKS
"""Ticks of future that a mouth needs."""

CHANNELS = ("jaw", "lips", "spread", "round", "funnel", "hiss", "tongue", "seal", "bite")
JAW, LIPS, SPREAD, ROUND, FUNNEL, HISS, TONGUE, SEAL, BITE = range(len(CHANNELS))
"""jaw: opening; lips: parting of the lips at any jaw; spread and round: width; funnel: open rounding; hiss: teeth together,
lips apart (s, sh); tongue: tip up (l, n, th); seal: lips pressed shut (m, b, p); bite: lower lip under the teeth (f, v)."""

_N_BLENDED = SEAL
"""Channels that sounds share by dominance; seal and bite are events that the sound alone decides."""

# Per phone: jaw, lips, spread, round, funnel, hiss, tongue; then how strongly it insists on its jaw, on its lips, on its width.
_PLACES: dict[str, tuple[float, ...]] = {
    "_": (0.00, 0.00, 0.00, 0.00, 0.00, 0.0, 0.0, 0.60, 0.6, 0.5),
    "p": (0.20, 0.25, 0.08, 0.00, 0.00, 0.0, 0.0, 0.60, 0.7, 0.3),
    "m": (0.20, 0.25, 0.08, 0.00, 0.00, 0.0, 0.0, 0.60, 0.7, 0.3),
    "f": (0.16, 0.25, 0.10, 0.00, 0.00, 0.0, 0.0, 0.80, 1.0, 0.3),
    "th": (0.28, 0.64, 0.25, 0.00, 0.00, 0.0, 0.9, 0.60, 0.5, 0.3),
    "t": (0.26, 0.68, 0.25, 0.00, 0.00, 0.2, 0.6, 0.50, 0.4, 0.3),
    "n": (0.28, 0.66, 0.25, 0.00, 0.00, 0.0, 0.7, 0.50, 0.4, 0.3),
    "l": (0.38, 0.62, 0.28, 0.00, 0.00, 0.0, 1.0, 0.50, 0.4, 0.3),
    "s": (0.14, 0.90, 0.35, 0.00, 0.00, 1.0, 0.2, 1.00, 0.9, 0.6),
    "sh": (0.20, 0.60, 0.00, 0.35, 0.55, 0.6, 0.2, 1.00, 1.0, 1.2),
    "k": (0.36, 0.62, 0.28, 0.00, 0.00, 0.0, 0.0, 0.35, 0.3, 0.15),
    "ng": (0.34, 0.60, 0.25, 0.00, 0.00, 0.0, 0.0, 0.35, 0.3, 0.15),
    "x": (0.42, 0.60, 0.35, 0.00, 0.00, 0.0, 0.0, 0.20, 0.2, 0.1),
    "r": (0.32, 0.25, 0.10, 0.30, 0.20, 0.0, 0.4, 0.45, 0.5, 0.5),
    "j": (0.28, 0.70, 0.55, 0.00, 0.00, 0.0, 0.0, 0.50, 0.5, 0.6),
    "w": (0.30, 0.05, 0.00, 1.00, 0.10, 0.0, 0.0, 0.70, 1.0, 1.6),
    "i": (0.36, 0.85, 0.68, 0.00, 0.00, 0.0, 0.1, 0.90, 0.7, 0.9),
    "y": (0.34, 0.08, 0.00, 0.90, 0.12, 0.0, 0.0, 0.90, 0.9, 1.4),
    "e": (0.68, 0.85, 0.80, 0.00, 0.00, 0.0, 0.0, 1.00, 0.8, 0.8),
    "a": (1.00, 0.75, 0.60, 0.00, 0.05, 0.0, 0.0, 1.10, 0.8, 0.7),
    "@": (0.56, 0.66, 0.42, 0.00, 0.05, 0.0, 0.0, 0.70, 0.5, 0.4),
    "o": (0.62, 0.08, 0.10, 0.60, 0.42, 0.0, 0.0, 1.00, 0.9, 1.3),
    "u": (0.38, 0.05, 0.00, 0.95, 0.10, 0.0, 0.0, 0.90, 0.9, 1.4),
    "ih": (0.44, 0.75, 0.48, 0.00, 0.00, 0.0, 0.0, 0.80, 0.6, 0.6),
}
# Silence that is not yet rest, between words: whatever went before goes on, a little parted.
_PAUSE = (0.20, 0.50, 0.15, 0.00, 0.00, 0.0, 0.0, 0.25, 0.25, 0.15)
_TABLE = np.array([*(_PLACES[phone] for phone in PHONES), _PAUSE])
_INSISTS = _TABLE[:, [7, 8, 9, 9, 9, 8, 8]] + 1e-3
_PULL = _TABLE[:, :_N_BLENDED] * _INSISTS

_JAW_FULL = 0.47
"""``jawOpen`` of an open vowel at full voice: speech opens the mouth little."""
_ARKIT_OF: dict[str, dict[str, float]] = {
    "jaw": {"jawOpen": _JAW_FULL},
    "lips": {"mouthLowerDownLeft": 0.59, "mouthLowerDownRight": 0.56, "mouthUpperUpLeft": 0.325, "mouthUpperUpRight": 0.345},
    "spread": {
        "mouthStretchLeft": 0.50, "mouthStretchRight": 0.47, "mouthSmileLeft": 0.20, "mouthSmileRight": 0.215,
        "cheekSquintLeft": 0.08, "cheekSquintRight": 0.08, "eyeSquintLeft": 0.04, "eyeSquintRight": 0.04,
    },
    # Rounded lips stay close together while the jaw is down: what they close, the jaw has opened.
    "round": {"mouthPucker": 0.95, "mouthClose": 0.07},
    "funnel": {"mouthFunnel": 0.45, "mouthClose": 0.16},
    "hiss": {"mouthShrugUpper": 0.08, "mouthStretchLeft": 0.06, "mouthStretchRight": 0.06},
    "tongue": {},
    "seal": {"mouthPressLeft": 0.25, "mouthPressRight": 0.25, "mouthRollLower": 0.22, "mouthRollUpper": 0.18},
    "bite": {"mouthRollLower": 0.5, "mouthUpperUpLeft": 0.14, "mouthUpperUpRight": 0.15},
}  # fmt: skip

_BEHIND = 12
"""Ticks of past that a mouth looks at."""


def _arkit_matrix() -> NDArray[np.float64]:
    matrix = np.zeros((len(CHANNELS), len(ARKIT_NAMES)))
    for row, channel in enumerate(CHANNELS):
        for name, gain in _ARKIT_OF[channel].items():
            matrix[row, ARKIT_INDEX[name]] = gain
    return matrix


MOUTH_TO_ARKIT = _arkit_matrix()
"""(9, 52)."""


def _window(half: int, centre: int = 0) -> NDArray[np.float64]:
    """(behind + 1 + guesses,) Hann weights about ``centre`` ticks from now; what is not known yet is left out."""
    lag = np.arange(-_BEHIND, GUESSES + 1) - centre
    weights = np.where(np.abs(lag) <= half, 0.5 + 0.5 * np.cos(np.pi * lag / (half + 1)), 0.0)
    normal: NDArray[np.float64] = weights / weights.sum()
    return normal


_MOVES, _ROUNDS = _window(9), _window(11)
"""Of jaw, lips and width; of rounding, which is slower and begins earlier. Half widths that follow VocalTractLab's trajectories
best (2 min of random German syllables; jaw angle, lip distance: 90 ms, r .89 and .91; protrusion: 110 ms, r .93)."""
_BITES, _SHUTS = _window(4, 1), _window(1)
"""Of the events. Teeth are on the lip a tick ahead; a closure is short, and what a longer window adds to it are the doubts of
its neighbours."""
_WINDOWS = np.stack([_ROUNDS if channel in (ROUND, FUNNEL) else _MOVES for channel in range(_N_BLENDED)])
_P, _M, _F = (PHONE_INDEX[phone] for phone in "pmf")
_OPENS = np.isin(np.arange(len(CHANNELS)), (JAW, LIPS, FUNNEL, HISS, TONGUE)).astype(np.float64)
_CLOSES_FROM, _CLOSES_WITHIN = 0.05, 0.08
"""Chance of a bilabial from which lips close, and how much more of it shuts them: a doubt is enough. Chosen with its window on
eight minutes of natural voices: 1 to 2 % more of their p, b and m shut than by a window of 90 ms, and as many of their t, d, k,
s, n and l."""
_JAW_WIDENS, _NARROW_JAW = 0.25, 0.2
"""Beyond what the sound asks, a wide open mouth is wider and a nearly shut one narrower: real openings and widths go together
(r about .46)."""
_SHUTS_BY, _PARTS_BY = 0.22, 0.18
"""At most, per tick: an open mouth needs 45 ms to shut, for a bilabial may be no longer, and 55 ms to part again, for jaws jerk
otherwise."""
_SONG_FADE = 0.002
"""Per tick: a held note may fade for seconds."""
_SUNG, _HOLDS = 0.999, 0.85
_QUIET_FIRST = 2.5
"""How much likelier silence is than it was heard to be: noise may sound like a voice for a moment; a voice is seldom silent."""
_SETTLES = 1 / 14
"""Per tick of silence: lips stay a little apart between words and rest together in a pause of .3 s. Chosen."""
_LEAST_EFFORT = 0.6
"""How far the softest voice opens the mouth, of a full one: loudness tells little of real openings (r .2 to .3). Chosen."""
_DOUBT = 0.03
"""Chances below this are none, so that silence is exactly at rest."""


class ArticulationTrack:
    """Probabilities and features in, the mouth of ``AHEAD`` ticks ago out; constant memory."""

    def __init__(self) -> None:
        self._phones = np.zeros((_BEHIND + 1 + GUESSES, len(PHONES)))
        self._phones[:, SILENCE] = 1.0
        self._settled = np.ones(_BEHIND + 1 + GUESSES)
        self._loud = np.zeros(AHEAD + _BEHIND + 1)
        self._closed = 0.0
        self._shares = np.empty((_BEHIND + 1 + GUESSES, len(PHONES) + 1))
        """Scratch of `_blend`: the phones, silence at rest, and a pause."""

    def push(self, probabilities: Float32Array, features: Features, singing: bool = False) -> Mouth:
        """Take what `PhoneEncoder.push` and `FeatureExtractor.push` gave for the newest tick; give a (9,) mouth."""
        self._phones[:_BEHIND] = self._phones[1 : _BEHIND + 1]
        heard = probabilities.astype(np.float64)
        heard[:, SILENCE] *= _QUIET_FIRST
        if singing:
            heard = self._sung(heard, features.voiced * features.gate)
        sure = np.maximum(heard / heard.sum(1, keepdims=True) - _DOUBT, 0.0)
        self._phones[_BEHIND:] = sure / sure.sum(1, keepdims=True)
        self._settle()
        self._loud[:-1] = self._loud[1:]
        self._loud[-1] = max(features.loud, self._loud[-2] - _SONG_FADE) if singing else features.loud
        mouth = np.zeros(len(CHANNELS))
        mouth[:_N_BLENDED] = self._blend()
        effort = _LEAST_EFFORT + (1 - _LEAST_EFFORT) * float(_MOVES @ self._loud[: len(_MOVES)])
        mouth[JAW] *= effort
        mouth[LIPS] *= 0.5 + 0.5 * min(max(effort, 1.3 * mouth[HISS]), 1.0)  # a hiss is quiet and shows its teeth all the same
        closed = self._close()
        mouth *= 1 - closed * _OPENS
        mouth[SPREAD] = (1 - closed) * (mouth[SPREAD] + _JAW_WIDENS * (mouth[JAW] - _NARROW_JAW))
        mouth[SEAL] = closed * smoothstep(2 * float((1 - self._phones[_BEHIND:, SILENCE]).mean()))
        mouth[BITE] = 0.9 * smoothstep(1.6 * float(_BITES @ self._phones[:, _F]) - 0.3)
        mouth[LIPS] *= 1 - 0.5 * mouth[BITE]
        bounded: Mouth = np.minimum(np.maximum(mouth, 0.0), 1.0)
        return bounded

    def _sung(self, heard: NDArray[np.float64], voiced: float) -> NDArray[np.float64]:
        """A held note is easily taken for an instrument, and its vibrato for other vowels: what was heard holds on."""
        heard[:, SILENCE] *= 1 - _SUNG * voiced
        heard /= heard.sum(1, keepdims=True)
        held: NDArray[np.float64] = heard + _HOLDS * voiced * (self._phones[_BEHIND - 1] - heard)
        return held

    def _settle(self) -> None:
        """How far each tick has come to rest: ever more while silence lasts, whatever the doubt."""
        self._settled[:_BEHIND] = self._settled[1 : _BEHIND + 1]
        for t in range(_BEHIND, len(self._settled)):
            silent = smoothstep(2 * float(self._phones[t, SILENCE]))
            self._settled[t] = silent * min(self._settled[t - 1] + _SETTLES, 1.0)

    def _blend(self) -> NDArray[np.float64]:
        """(7,) every channel's mean place over its window, weighted by chance and dominance."""
        silent, shares = self._phones[:, SILENCE], self._shares
        rest = silent * self._settled**2
        shares[:, :-1], shares[:, SILENCE], shares[:, -1] = self._phones, rest, silent - rest
        pull, insist = _WINDOWS @ (shares @ _PULL), _WINDOWS @ (shares @ _INSISTS)
        blended: NDArray[np.float64] = pull.diagonal() / insist.diagonal()
        return blended

    def _close(self) -> float:
        """How far the lips are shut by a bilabial; they need not be sure of it, and no lips are faster than theirs."""
        wanted = smoothstep((float(_SHUTS @ (self._phones[:, _P] + self._phones[:, _M])) - _CLOSES_FROM) / _CLOSES_WITHIN)
        self._closed += min(max(wanted - self._closed, -_PARTS_BY), _SHUTS_BY)
        return self._closed
