"""Smooth noise, critically damped springs and pulses: what head, eyes and brows share, all per tick of 10 ms."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

TICK_S = 0.01
"""All motion is made in ticks of this length, that of the hops in which the voice is heard."""

Vector = NDArray[np.float64]


class SmoothNoise:
    """Smooth noise of unit variance on ``n`` channels: white noise through three low passes at ``corner_hz``."""

    def __init__(self, rng: np.random.Generator, n: int, corner_hz: float) -> None:
        self._rng = rng
        self._corner_hz = corner_hz
        self._stages = np.zeros((3, n))

    def step(self, pace: float = 1.0) -> Vector:
        """(n,) after one tick; ``pace`` is how fast its time runs, so speed follows it at once and size does not."""
        gain = 1 - math.exp(-2 * math.pi * self._corner_hz * pace * TICK_S)
        # The first low pass leaves g / (2 - g) of the variance of white noise, the other two 3/8 of that.
        signal = math.sqrt(8 / 3 * (2 - gain) / gain) * self._rng.standard_normal(self._stages.shape[1])
        for stage in self._stages:
            stage += gain * (signal - stage)
            signal = stage
        return signal.copy()


class CriticallyDampedSpring:
    """Critically damped spring that follows a target: no overshoot, no jump in speed; begins on its first target."""

    def __init__(self, seconds: float) -> None:
        self._rate = 2.0 / seconds
        self._value: Vector | None = None
        self._speed: Vector | float = 0.0

    def step(self, target: Vector) -> Vector:
        """(n,) after one tick; half of the way is done in about 0.8 ``seconds``."""
        if self._value is None:
            self._value = target.astype(np.float64)
        # Exact step of x'' = -2 w x' - w^2 (x - target): stable for any w.
        decay = math.exp(-self._rate * TICK_S)
        away = self._value - target
        push = (self._speed + self._rate * away) * TICK_S
        self._value = target + (away + push) * decay
        self._speed = (self._speed - self._rate * push) * decay
        return self._value


class Pulses:
    """A sum of smooth bumps, each a vector that rises and returns to zero."""

    def __init__(self, n: int) -> None:
        self._zero = np.zeros(n)
        self._running: list[tuple[int, int, int, Vector]] = []

    def start(self, peak: Vector, rise_s: float, fall_s: float) -> None:
        self._running.append((0, round(rise_s / TICK_S), round(fall_s / TICK_S), peak))

    def step(self) -> Vector:
        total = self._zero.copy()
        for age, rise, fall, peak in self._running:
            phase = age / rise if age < rise else 1 + (age - rise) / fall
            total += peak * math.sin(math.pi / 2 * phase) ** 2
        self._running = [(age + 1, rise, fall, peak) for age, rise, fall, peak in self._running if age < rise + fall]
        return total
