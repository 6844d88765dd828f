"""What the learned dynamics speak of: slow curves, where the eyes rest, and blinks, in chunks of 120 ms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivant.types import ARKIT_INDEX, Attention

Array32 = NDArray[np.float32]

CHUNK_TICKS = 12
"""Of 10 ms each: about four frames of a film are generated at once."""

HEAD = ("yaw", "pitch", "roll", "x", "y", "lean")
"""Degrees before the portrait's limits; shifts beyond what the angles carry along, in outer-eye distances; nearness - 1."""
FACE = (
    "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "browDownLeft", "browDownRight", "eyeWideLeft", "eyeWideRight",
    "eyeSquintLeft", "eyeSquintRight", "cheekSquintLeft", "cheekSquintRight", "mouthSmileLeft", "mouthSmileRight",
    "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight", "noseSneerLeft", "noseSneerRight",
)  # fmt: skip
"""Weights that speech itself hardly moves."""
SLOW = HEAD + FACE
N_HEAD, N_SLOW = len(HEAD), len(SLOW)
FACE_INDICES = [ARKIT_INDEX[name] for name in FACE]
MOOD = np.array([name.startswith(("cheekSquint", "mouth")) for name in FACE])
"""(19,) which weights a voice's own mood moves; an emotion that is asked for takes their place."""

N_EVENTS = 2
JUMP, BLINK = range(N_EVENTS)
"""Within a chunk: the eyes jump to another place; a blink begins."""
N_DRAWN = 2 * N_SLOW + 4
"""What flows out of noise: slow curves' values and slopes, then where the eyes jump to (yaw, pitch in degrees from the partner)
and the blink's depth and length."""
ASIDE, LIDS = slice(2 * N_SLOW, 2 * N_SLOW + 2), slice(2 * N_SLOW + 2, N_DRAWN)

GROUPS = ("head", "face", "gaze", "lids")
"""What a recording may hold or lack."""
N_PAST = N_DRAWN + N_EVENTS + len(GROUPS)

STATES = tuple(Attention)
SUBFRAMES = 4
"""In which the voice of the last chunk is described."""
N_VOICE = SUBFRAMES * 6 + 2 + 2 * 9
VOICE, STATE = slice(0, N_VOICE), slice(N_VOICE, N_VOICE + len(STATES))
CONTACT = slice(STATE.stop, STATE.stop + 1)
KNOWN = slice(CONTACT.stop, CONTACT.stop + 3)
"""Which of voice, state and eye contact are told."""
N_CONDITIONS = KNOWN.stop

N_PACE = 3
"""What decides how much may be new in a chunk: one, whether the face talks, and how loud it is about to be."""

ASIDE_SCALE_DEG = 6.0
"""One unit of where the eyes rest, for the network."""


@dataclass(frozen=True)
class Colour:
    """How the network's plain numbers become a face's: what is usual for each channel and how it moves by itself.

    A person's manner is such a colour of its own (`vivant.motion.learned.manner`).
    """

    mean: Array32
    """(n_slow,)"""
    spread: Array32
    """(n_slow, 2) standard deviations of value and slope, the slope per chunk."""
    carry: Array32
    """(N_PACE, n_slow, 2, 2) how value and slope, in spreads, go on from one chunk to the next: at rest, and what talking and
    loudness add to that."""
    surprise: Array32
    """(N_PACE, n_slow, 2) standard deviations of what is new in each chunk, in spreads, likewise."""

    def plain(self, curves: Array32) -> Array32:
        """(..., n_slow, 2) in spreads from the mean."""
        centred = curves.copy()
        centred[..., 0] -= self.mean
        return centred / self.spread

    def coloured(self, plain: Array32) -> Array32:
        """And back."""
        curves = plain * self.spread
        curves[..., 0] += self.mean
        return curves

    def carried(self, plain: Array32, pace: Array32) -> Array32:
        """(..., n_slow, 2) what is to be expected a chunk later at a pace of (..., N_PACE)."""
        later: Array32 = np.einsum("...p,pcij,...cj->...ci", pace, self.carry, plain)
        return later

    def surprises(self, pace: Array32) -> Array32:
        """(..., n_slow, 2) one standard deviation of what is new."""
        size: Array32 = np.einsum("...p,pci->...ci", pace, self.surprise)
        return size


def hermite(before: Array32, after: Array32, share: float) -> Array32:
    """(n,) between two (n, 2) of value and slope per chunk: no jump in value or speed."""
    u2, u3 = share * share, share * share * share
    start, end = 2 * u3 - 3 * u2 + 1, 3 * u2 - 2 * u3
    curve: Array32 = start * before[:, 0] + (u3 - 2 * u2 + share) * before[:, 1] + end * after[:, 0] + (u3 - u2) * after[:, 1]
    return curve
