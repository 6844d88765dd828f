"""Jitter buffer: whatever a source delivers, whenever it does, becomes one block per tick of our clock."""

from __future__ import annotations

import numpy as np

from vivant.types import Float32Array
from vivant_bridge.sound.resample import Resampler

FLOOR_S, MOST_FLOOR_S = 0.004, 0.04
"""What should be left in store at the least moment of a second: more after a gap, and less again by and by."""
RAISE_S, LOWER_S = 0.004, 0.0001
"""Of that floor, after a gap and in each second without one; chosen: soon safe, slowly bold."""
TOO_MUCH_S = 0.06
"""More left in store than this is thrown away at once; less is read up by and by."""
WINDOW_S = 1.0
"""Over which the least store is watched; chosen longer than sound cards pause between bursts."""
MOST_DRIFT = 0.005
"""Of the reading speed; chosen: half a percent is a twelfth of a semitone, which nobody hears in speech."""


class JitterBuffer:
    """Jitter buffer with a resampler. A sound card's clock is never ours: the store would run full or dry in minutes.

    So its lowest level in each second is watched, and reading goes up to half a percent faster or slower until it is
    where it should be. That keeps the delay as small as the source's own bursts allow.
    """

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.gaps = 0
        """Times that a source which had been heard delivered too little."""
        self._in_hz = 0
        self._flowing = False
        self._drift = 0.0
        self._lowest: int | None = None
        self._since = 0
        """Samples given out since the window began."""
        self._held = 0.0
        self._floor_s = FLOOR_S

    @property
    def held_us(self) -> int:
        """How long a sample waits here, on average."""
        return round(1e6 * self._held / self.rate_hz)

    def push(self, samples: Float32Array, in_hz: int) -> None:
        """Take (n,) samples as they have arrived; a new rate forgets the old sound."""
        if in_hz != self._in_hz:
            self._in_hz, self._resampler, self._flowing, self._lowest = in_hz, Resampler(in_hz, self.rate_hz), False, None
        self._resampler.push(samples)

    def block(self, n: int) -> Float32Array:
        """The next (n,) samples at ``rate_hz``; silence where the source has none."""
        if not self._in_hz:
            return np.zeros(n, np.float32)
        ready = self._resampler.ready
        if not self._flowing and ready < n + self._floor_s * self.rate_hz:
            return np.zeros(n, np.float32)
        self._flowing = ready * (1 - MOST_DRIFT) > n
        if not self._flowing:
            self.gaps += 1
            self._floor_s = min(MOST_FLOOR_S, self._floor_s + RAISE_S)
        heard = self._resampler.pull(min(n, int(ready * (1 - MOST_DRIFT))), self._drift)
        self._watch(max(0, ready - n), n)
        return heard if len(heard) == n else np.pad(heard, (0, n - len(heard)))

    def _watch(self, left: int, n: int) -> None:
        self._held += 0.02 * (left + n - self._held)
        self._lowest = left if self._lowest is None else min(left, self._lowest)
        self._since += n
        if self._since < WINDOW_S * self.rate_hz:
            return
        self._floor_s = max(FLOOR_S, self._floor_s - LOWER_S)
        excess = self._lowest / self.rate_hz - self._floor_s
        self._drift = float(np.clip(excess / (2 * WINDOW_S), -MOST_DRIFT, MOST_DRIFT))
        if excess > TOO_MUCH_S:
            self._resampler.skip(round(excess * self.rate_hz))
            self._drift = 0.0
        self._lowest, self._since = None, 0
