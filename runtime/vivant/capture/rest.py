"""What is rest for one person: brows that sit high, lids that hang, lips that press are no expression."""

from __future__ import annotations

import numpy as np

from vivant.types import ARKIT_NAMES, Float32Array

FIRST_US = 1_000_000
"""The mean of the first second is rest at first."""
FALL_S, RISE_S = 0.3, 30.0
"""How soon rest follows a face that goes below it, and one that stays above; a brow that is raised for long is raised."""
RESTING = ("brow", "eyeBlink", "mouthPress", "mouthLowerDown", "mouthUpperUp")
"""Beginnings of the names of shapes in which faces at rest differ. A smile that never ends stays one."""
_COLUMNS = [i for i, name in enumerate(ARKIT_NAMES) if name.startswith(RESTING)]


class Rest:
    """Takes off what a person's face always shows."""

    def __init__(self) -> None:
        self._rest = np.zeros(len(_COLUMNS))
        self._began_us = self._last_us = 0
        self._frames = 0

    def take_off(self, weights: Float32Array, pts_us: int) -> Float32Array:
        """(52,) weights in [0, 1], 0 where this person is at rest."""
        here = weights[_COLUMNS].astype(np.float64)
        if not self._frames:
            self._began_us = self._last_us = pts_us
        if pts_us - self._began_us < FIRST_US:
            self._rest += (here - self._rest) / (self._frames + 1)
        step_s = (pts_us - self._last_us) / 1e6
        share = 1 - np.exp(-step_s / np.where(here < self._rest, FALL_S, RISE_S))
        self._rest += share * (here - self._rest)
        self._last_us, self._frames = pts_us, self._frames + 1
        out = weights.copy()
        out[_COLUMNS] = here - self._rest
        return np.clip(out, 0.0, 1.0)
