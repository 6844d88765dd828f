"""The teacher: our own rules over natural voices, in every state, with the eyes and lids of recorded people in their head."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from training.dynamics.looks import Onlooker, RecordedGaze
from vivant.motion.eyes import Gaze, Lids
from vivant.motion.head import LIMIT_DEG, carried
from vivant.motion.learned.channels import FACE_INDICES, N_SLOW
from vivant.motion.learned.recorded import Clip, Heard, Lived, clip_of, told_of
from vivant.motion.nonverbal import NonverbalMotion
from vivant.speech.prosody import Prosody
from vivant.types import ARKIT_INDEX, Attention, Controls

STATES = (Attention.AUTO, Attention.SPEAKING, Attention.LISTENING, Attention.THINKING, Attention.WORKING)
SHARES = (0.45, 0.2, 0.2, 0.1, 0.05)
STATE_S = (6.0, 25.0)
"""How long a state lasts; chosen."""
NODS, NOD_DEG = 0.55, (2.0, 4.5)
"""Of a listener at the ends of the partner's phrases: how often, least and most; chosen by eye: people answer pauses with nods
(Ward and Tsukahara 2000)."""

PARTIAL = 0.15
"""Of blinks that do not shut the eye, with the depths and lengths of recorded people who were asked for such; chosen."""


@dataclass
class SeenLids:
    """In the place of `vivant.motion.eyes.Lids`: blinks as events, while the lids stay open for all else."""

    lids: Lids
    begins: bool = False

    def step(self, prosody: Prosody) -> float:
        self.lids.step(prosody)
        self.begins = self.lids._age == 0
        return 0.0


class Teacher:
    """One pupil's model: a person's eyes, our rules' head, brows and lids."""

    def __init__(self, person: Onlooker, blinks: NDArray[np.float64], seed: int) -> None:
        """``blinks`` are (n, 2) depths and lengths of partial ones."""
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._life = NonverbalMotion(seed)
        self._eyes = RecordedGaze(person, self._life._gaze, self._rng)
        self._lids = SeenLids(self._life._lids)
        self._life._gaze = cast(Gaze, self._eyes)
        self._life._lids = cast(Lids, self._lids)
        self._contact = person.speaking.contact
        self._partial = blinks

    def live(self, heard: Heard) -> Clip:
        """A conversation, heard and lived through."""
        states = self._states(len(heard.prosody))
        rows = [self._step(prosody, state) for prosody, state in zip(heard.prosody, states, strict=True)]
        slow, aside, jumps, blinks = (np.array(part) for part in zip(*rows, strict=True))
        lids = np.ones((len(rows), 2))
        partial = blinks & (self._rng.random(len(rows)) < PARTIAL)
        lids[partial] = self._partial[self._rng.integers(len(self._partial), size=int(partial.sum()))]
        lived = Lived(slow, aside, jumps, blinks, lids, known=np.ones(4, np.float32))
        return clip_of(told_of(heard, states, self._contact), lived)

    def _states(self, n_ticks: int) -> list[Attention]:
        states: list[Attention] = []
        while len(states) < n_ticks:
            state = STATES[int(self._rng.choice(len(STATES), p=SHARES))]
            states += [state] * round(100 * self._rng.uniform(*STATE_S))
        return states[:n_ticks]

    def _step(self, prosody: Prosody, state: Attention) -> tuple[np.ndarray, tuple[float, float], bool, bool]:
        if state is Attention.LISTENING:  # the voice is the partner's: no beats, but nods
            if prosody.phrase_end and self._rng.random() < NODS:
                self._life._bearing._nods.start([-self._rng.uniform(*NOD_DEG)], rise_s=0.22, fall_s=0.4)
            prosody = replace(prosody, talking=False, stress=0.0, energy=0.0, arousal=0.0, valence=0.0)
        row = self._life.step(prosody, Controls(attention=state))
        return own_of(row), self._eyes.target, self._eyes.jumped, self._lids.begins


def own_of(row: np.ndarray) -> np.ndarray:
    """(n_slow,) of a row of `NonverbalMotion`: before limits, and without what the angles carry along."""
    yaw, pitch, roll, x, y, scale = row[len(ARKIT_INDEX) : len(ARKIT_INDEX) + 6]
    limits = np.array(LIMIT_DEG)
    turned = limits * np.arctanh(np.clip(np.array([yaw, pitch, roll]) / limits, -0.999, 0.999))
    along_x, along_y = carried(yaw, pitch, roll)
    own = np.array([*turned, x - along_x, y - along_y, scale - 1, *row[FACE_INDICES]])
    assert own.shape == (N_SLOW,)
    return own
