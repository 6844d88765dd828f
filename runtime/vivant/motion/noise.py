"""Smooth noise, critically damped springs and pulses: what head, eyes and brows share, all per tick of 10 ms.

Single numbers are Python's own: arrays of a few would cost ten times as much.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

TICK_S = 0.01
"""All motion is made in ticks of this length, that of the hops in which the voice is heard."""

Vector = NDArray[np.float64]
Value = TypeVar("Value", float, Vector)


class SmoothNoise:
    """Smooth noise of unit variance on ``n`` channels: white noise through three low passes at ``corner_hz``."""

    def __init__(self, rng: np.random.Generator, n: int, corner_hz: float) -> None:
        self._rng = rng
        self._corner_hz = corner_hz
        self._channels = [(0.0, 0.0, 0.0)] * n
        """What each low pass gave."""

    def step(self, pace: float = 1.0) -> list[float]:
        """(n,) after one tick; ``pace`` is how fast its time runs, so speed follows it at once and size does not."""
        gain = 1 - math.exp(-2 * math.pi * self._corner_hz * pace * TICK_S)
        # The first low pass leaves g / (2 - g) of the variance of white noise, the other two 3/8 of that.
        size = math.sqrt(8 / 3 * (2 - gain) / gain)
        white = self._rng.standard_normal(len(self._channels)).tolist()
        self._channels = [_low_passed(size * value, gain, *stages) for value, stages in zip(white, self._channels, strict=True)]
        return [smooth for _, _, smooth in self._channels]


def _low_passed(signal: float, gain: float, first: float, second: float, third: float) -> tuple[float, float, float]:
    first += gain * (signal - first)
    second += gain * (first - second)
    third += gain * (second - third)
    return first, second, third


class CriticallyDampedSpring(Generic[Value]):
    """Critically damped spring that follows a target: no overshoot, no jump in speed; begins on its first target."""

    def __init__(self, seconds: float) -> None:
        self._rate = 2.0 / seconds
        self._decay = math.exp(-self._rate * TICK_S)
        self._value: Value | None = None
        self._speed: Value | float = 0.0

    def step(self, target: Value) -> Value:
        """What follows, after one tick; half of the way is done in about 0.8 ``seconds``."""
        value = target if self._value is None else self._value
        # Exact step of x'' = -2 w x' - w^2 (x - target): stable for any w.
        away = value - target
        push = (self._speed + self._rate * away) * TICK_S
        self._value = value = target + (away + push) * self._decay
        self._speed = (self._speed - self._rate * push) * self._decay
        return value


def springs(n: int, seconds: float) -> list[CriticallyDampedSpring[float]]:
    """One for each of ``n`` numbers, for `follow`."""
    return [CriticallyDampedSpring(seconds) for _ in range(n)]


def follow(springs: Sequence[CriticallyDampedSpring[float]], targets: Iterable[float]) -> list[float]:
    """(n,) after one tick."""
    return [spring.step(target) for spring, target in zip(springs, targets, strict=True)]


class Pulses:
    """A sum of smooth bumps on ``n`` channels, each of which rises and returns to zero."""

    def __init__(self, n: int) -> None:
        self._zero = [0.0] * n
        self._running: list[tuple[int, int, int, Sequence[float]]] = []

    def __len__(self) -> int:
        """Bumps that are not over."""
        return len(self._running)

    def start(self, peak: Sequence[float], rise_s: float, fall_s: float) -> None:
        self._running.append((0, round(rise_s / TICK_S), round(fall_s / TICK_S), peak))

    def step(self) -> list[float]:
        """(n,) after one tick."""
        total = self._zero
        for age, rise, fall, peak in self._running:
            phase = age / rise if age < rise else 1 + (age - rise) / fall
            share = math.sin(math.pi / 2 * phase) ** 2
            total = [before + share * size for before, size in zip(total, peak, strict=True)]
        self._running = [(age + 1, rise, fall, peak) for age, rise, fall, peak in self._running if age < rise + fall]
        return total
