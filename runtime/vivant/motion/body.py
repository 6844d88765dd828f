"""A body below the head: it follows by a small share, a moment later, and breathes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from vivant.motion.noise import Vector
from vivant.types import MotionFrame, Pose

SHARE = np.array((0.10, 0.06, 0.10, 0.18, 0.13, 0.30))
"""Of the head's yaw, pitch, roll, x, y and nearness, how much the shoulders take over. Chosen by eye."""
CARRIED_PER_DEG = 0.014
"""How far a degree of yaw carries the face sideways beyond `Pose.x`, outer-eye distances: it lies before the neck's axis."""
DELAY_S = 0.17
"""By which the shoulders follow slow motion. Chosen by eye."""
BREATH_S, BREATH_Y = 4.2, 0.016
"""Of one breath at rest, as the head's; and how far it lifts the shoulders either way, outer-eye distances. Chosen by eye."""


class Body:
    """Body of one stream: what comes out depends on the frames' times and heads alone, whatever the frame rate."""

    def __init__(self, seed: int) -> None:
        """``seed`` decides where in a breath it begins, so that two faces never breathe in unison."""
        self._phase = float(np.random.default_rng(seed).uniform(0.0, 2 * math.pi))
        self._rate = 2.0 / DELAY_S
        self._pts_us: int | None = None
        self._target = self._value = self._speed = np.zeros(len(SHARE))

    def follow(self, frame: MotionFrame) -> MotionFrame:
        """The frame with its body; one that has a body of its own keeps it. Times ascend."""
        if frame.body is not None:
            return frame
        turned = self._followed(_meant(frame.pose), frame.pts_us)
        breath = math.sin(self._phase + 2 * math.pi * frame.pts_us / (1e6 * BREATH_S))
        # In the precision in which motion travels, so that it is the same to the bit on both sides of a wire.
        yaw, pitch, roll, x, y, nearer = (turned + (0, 0, 0, 0, BREATH_Y * breath, 1)).astype(np.float32).tolist()
        return replace(frame, body=Pose(yaw, pitch, roll, x, y, nearer))

    def _followed(self, target: Vector, pts_us: int) -> Vector:
        """Critically damped towards what moves in a straight line since the last frame: exact, however long ago that was."""
        if self._pts_us is None:
            self._value = target
        else:
            seconds = max(pts_us - self._pts_us, 1) / 1e6
            slope = (target - self._target) / seconds
            lag = slope * DELAY_S
            away, faster = self._value - (self._target - lag), self._speed - slope
            push, decay = (faster + self._rate * away) * seconds, math.exp(-self._rate * seconds)
            self._value = target - lag + (away + push) * decay
            self._speed = slope + (faster - self._rate * push) * decay
        self._target, self._pts_us = target, pts_us
        return self._value


def _meant(head: Pose) -> Vector:
    """(6,) where the body ends up below a head that stays so."""
    x = head.x + CARRIED_PER_DEG * head.yaw_deg
    return SHARE * (head.yaw_deg, head.pitch_deg, head.roll_deg, x, head.y, head.scale - 1.0)
