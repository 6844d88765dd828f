"""What the learned dynamics are told: the voice of the last chunk, what the face is about, and its share of eye contact."""

from __future__ import annotations

from collections import deque

import numpy as np

from vivant.motion.learned.channels import (
    CHUNK_TICKS,
    CONTACT,
    KNOWN,
    N_CONDITIONS,
    N_PACE,
    STATE,
    STATES,
    SUBFRAMES,
    VOICE,
    Array32,
)
from vivant.speech.articulation import CHANNELS, Mouth
from vivant.speech.prosody import Prosody
from vivant.types import Attention

_PER_SUBFRAME = CHUNK_TICKS // SUBFRAMES
_N_PROSODY, _SOON, _TALKING = 6, 1, 3
_STATE_INDEX = {state: i for i, state in enumerate(STATES)}


class Ears:
    """The latest chunk of a voice, tick by tick."""

    def __init__(self) -> None:
        still = np.zeros(_N_PROSODY + 2 + len(CHANNELS))
        self._ticks: deque[np.ndarray] = deque([still] * CHUNK_TICKS, maxlen=CHUNK_TICKS)

    def hear(self, prosody: Prosody, mouth: Mouth) -> None:
        """One tick."""
        p = prosody
        rhythm = (p.energy, p.soon, p.stress, float(p.talking), float(p.phrase_start), float(p.phrase_end))
        self._ticks.append(np.concatenate([(*rhythm, p.arousal, p.valence), mouth]))

    def conditions(self, state: Attention, contact: float) -> Array32:
        """(n_conditions,) at the newest tick; ``contact`` is the share of the time with the partner, 0 to 1."""
        ticks = np.stack(self._ticks).reshape(SUBFRAMES, _PER_SUBFRAME, -1)
        rhythm = ticks[:, :, :_N_PROSODY]
        # A stress or the edge of a phrase is one tick: it must not be averaged away.
        heard = np.concatenate([rhythm[:, :, :2].mean(1), rhythm[:, :, 2:].max(1)], 1).ravel()
        mood = ticks[-1, -1, _N_PROSODY : _N_PROSODY + 2]
        mouths = ticks[:, :, _N_PROSODY + 2 :]
        told = np.zeros(N_CONDITIONS, np.float32)
        told[VOICE] = np.concatenate([heard, mood, mouths.mean((0, 1)), mouths[-1, -1]])
        told[STATE.start + _STATE_INDEX[state]] = 1.0
        told[CONTACT] = contact
        told[KNOWN] = 1.0
        return told


def without(told: Array32, *parts: slice) -> Array32:
    """Conditions of which some are left out, as the network learnt to do without them."""
    rest = told.copy()
    for part in parts:
        rest[..., part] = 0.0
        rest[..., KNOWN.start + (VOICE, STATE, CONTACT).index(part)] = 0.0
    return rest


def pace(told: Array32) -> Array32:
    """(..., N_PACE) of conditions of which nothing is left out: a listener's voice is the partner's, and does not count."""
    rhythm = told[..., : SUBFRAMES * _N_PROSODY].reshape(*told.shape[:-1], SUBFRAMES, _N_PROSODY)
    own = 1 - told[..., STATE.start + _STATE_INDEX[Attention.LISTENING]]
    found = np.empty((*told.shape[:-1], N_PACE), np.float32)
    found[..., 0] = 1.0
    found[..., 1] = own * rhythm[..., -1, _TALKING]
    # Of the latest 60 ms what comes 80 ms later: the middle of the chunk that begins now.
    found[..., 2] = own * np.clip(rhythm[..., SUBFRAMES // 2 :, _SOON].mean(-1), 0, 1)
    return found
