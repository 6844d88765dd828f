"""What is rest for one person: brows that sit high, lids that hang, lips that press or lie to one side are no expression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FIRST_US = 1_000_000
"""The mean of the first second is rest at first."""
FALL_S, RISE_S = 1.0, 30.0
"""How soon rest follows a face that goes below it, and one that stays above; a brow that is raised for long is raised."""
RESTING = (
    "brow", "eyeBlink", "mouthPress", "mouthLowerDown", "mouthUpperUp", "mouthClose", "mouthRoll", "mouthLeft", "mouthRight",
    "jawLeft", "jawRight",
)  # fmt: skip
"""Beginnings of the names of shapes in which faces at rest differ. The average face's lips are apart by a little: what closes
somebody's at rest would keep them closer, on another portrait, than the jaw says. A smile that never ends stays one."""


class Rest:
    """Weights of the shapes that a person's face always shows; below 0 where it shows less than the average face."""

    def __init__(self, names: Sequence[str]) -> None:
        self.weights = np.zeros(len(names))
        """(names,)"""
        self._rests = np.array([name.startswith(RESTING) for name in names])
        self._began_us = self._last_us = 0
        self._frames = 0

    def follow(self, own: NDArray[np.float64], pts_us: int) -> None:
        """``own`` (names,) is how far the face is from its rest, below 0 too."""
        if not self._frames:
            self._began_us = self._last_us = pts_us
        step_s = (pts_us - self._last_us) / 1e6
        share = 1 - np.exp(-step_s / np.where(own < 0, FALL_S, RISE_S))
        if pts_us - self._began_us < FIRST_US:
            share = np.maximum(share, 1 / (self._frames + 1))
        self.weights = self.weights + np.where(self._rests, share * own, 0.0)
        self._last_us, self._frames = pts_us, self._frames + 1
