"""One-Euro filters: still when nothing moves, without lag when it does (Casiez, Roussel and Vogel, CHI 2012)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SPEED_CUTOFF_HZ = 8.0
"""Of the speed that decides; lower, and the filter notices a blink when it is over."""


class OneEuro:
    """Filters a vector whose channels share their settings; times need not be evenly spaced."""

    def __init__(self, least_hz: float, per_speed: float) -> None:
        """Cut-off at rest, and what it gains per unit of speed (channel units a second)."""
        self._least_hz, self._per_speed = least_hz, per_speed
        self._value: NDArray[np.float64] | None = None
        self._raw = self._speed = np.zeros(0)
        self._last_us = 0

    def __call__(self, value: NDArray[np.floating], pts_us: int) -> NDArray[np.float64]:
        """The filtered value at a later time than the last."""
        raw = np.asarray(value, np.float64)
        if self._value is None:
            self._value, self._raw, self._speed = raw, raw, np.zeros_like(raw)
        else:
            step_s = max(1, pts_us - self._last_us) / 1e6
            speed = (raw - self._raw) / step_s
            self._speed = self._speed + _share(np.asarray(SPEED_CUTOFF_HZ), step_s) * (speed - self._speed)
            cutoff_hz = self._least_hz + self._per_speed * np.abs(self._speed)
            self._value = self._value + _share(cutoff_hz, step_s) * (raw - self._value)
            self._raw = raw
        self._last_us = pts_us
        return self._value


def _share(cutoff_hz: NDArray[np.float64], step_s: float) -> NDArray[np.float64]:
    turn = 2 * np.pi * cutoff_hz * step_s
    share: NDArray[np.float64] = turn / (turn + 1)
    return share
