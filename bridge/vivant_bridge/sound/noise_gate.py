"""Noise gate: what of a voice is let through, with push-to-talk, mute and a level meter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivant.types import Float32Array

HOLD_S = 0.25
"""The gate stays open this long after the last loud block."""
CLOSE_BELOW_DB = 6.0
"""It opens at its threshold and begins to close this much lower."""
SILENT_DB = -90.0
"""The least that the meter shows: one step of 16 bits."""


@dataclass
class NoiseGate:
    """Noise gate, one block after the other. The fields may be changed at any time."""

    rate_hz: int
    threshold_db: float | None = -55.0
    """Root mean square in dB of full scale; None: always open."""
    muted: bool = False
    paused: bool = False
    push_to_talk: bool = False
    """Only while `talk` was called lately."""
    level_db: float = SILENT_DB
    """Of the last block, before the gate."""

    _open_for: float = 0.0
    _talk_for: float = 0.0
    _gain: float = 0.0

    @property
    def is_open(self) -> bool:
        return self._gain > 0.5

    def talk(self, seconds: float) -> None:
        """Push-to-talk: let the next seconds through. A held key calls this again and again."""
        self._talk_for = max(self._talk_for, seconds)

    def __call__(self, block: Float32Array) -> Float32Array:
        """The (n,) block as it is let through, faded where the gate opens or closes."""
        seconds = len(block) / self.rate_hz
        self.level_db = max(SILENT_DB, float(20 * np.log10(np.sqrt(np.mean(block.astype(np.float64) ** 2)) + 1e-9)))
        target = float(self._lets_through(seconds))
        if self._gain == target:
            return block if target else np.zeros_like(block)
        ramp = np.linspace(self._gain, target, len(block), dtype=np.float32)
        self._gain = target
        return block * ramp

    def _lets_through(self, seconds: float) -> bool:
        self._open_for = max(0.0, self._open_for - seconds)
        self._talk_for = max(0.0, self._talk_for - seconds)
        if self.threshold_db is not None:
            if self.level_db >= self.threshold_db - (CLOSE_BELOW_DB if self.is_open else 0.0):
                self._open_for = HOLD_S
            if self._open_for <= 0:
                return False
        return not (self.muted or self.paused) and (not self.push_to_talk or self._talk_for > 0)
