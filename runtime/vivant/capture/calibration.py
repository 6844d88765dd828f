"""Calibration: a few seconds of known acts tell a person's own shape, and how far this person's brows, smile and jaw go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivant.types import ARKIT_INDEX, Float32Array

ACT_US = 2_000_000
"""Of each act; chosen: time to read the words, and to do it."""
REACTION_US = 500_000
"""Of an act's beginning, in which the last one may still show."""
PEAK = 80
"""Percentile of an act's pictures that is taken for its height."""
LEAST_PEAK = 0.25
"""Lower ones are no act: somebody looked away, or did something else."""
LEAST_GAIN, MOST_GAIN = 0.7, 1.5
"""What makes a person's fullest 1; beyond, the act was done by halves, and noise would grow. Chosen."""


@dataclass(frozen=True)
class Act:
    """What is done for one length of `ACT_US`."""

    asked: str
    """For people."""
    columns: tuple[int, ...]
    """Weights that it fills; none at rest."""


def _act(asked: str, *names: str) -> Act:
    return Act(asked, tuple(ARKIT_INDEX[name] for name in names))


ACTS = (
    _act("look at the camera, at ease, lips closed"),
    _act("smile as wide as you can", "mouthSmileLeft", "mouthSmileRight"),
    _act("open your mouth as wide as you can", "jawOpen"),
    _act("raise your brows as high as you can", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
)
"""One after the other, from the first picture of the face on; the first is rest."""
LENGTH_US = len(ACTS) * ACT_US


class Calibration:
    """Watches the acts, and scales what comes after them. Times are those since the face was first seen."""

    def __init__(self) -> None:
        self._gains = np.ones(len(ARKIT_INDEX), np.float32)
        self._heights: list[list[float]] = [[] for _ in ACTS]

    def asks(self, since_us: int) -> str:
        """What the person should do now; empty when all is done."""
        return ACTS[since_us // ACT_US].asked if since_us < LENGTH_US else ""

    def scaled(self, weights: Float32Array, since_us: int) -> Float32Array:
        """(52,) weights in which this person's fullest smile, widest mouth and highest brows are 1."""
        number, within_us = divmod(since_us, ACT_US)
        if number < len(ACTS):
            if within_us >= REACTION_US and ACTS[number].columns:
                self._watch(number, weights)
            return weights
        scaled: Float32Array = weights * self._gains
        return scaled

    def _watch(self, number: int, weights: Float32Array) -> None:
        columns, heights = list(ACTS[number].columns), self._heights[number]
        heights.append(float(weights[columns].mean()))
        peak = float(np.percentile(heights, PEAK))
        self._gains[columns] = np.clip(1 / peak, LEAST_GAIN, MOST_GAIN) if peak > LEAST_PEAK else 1.0
