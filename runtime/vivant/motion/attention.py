"""Attention: what a face is about (speaking, listening, thinking, at work), as habits of its gaze, head and brows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from vivant.motion.noise import TICK_S, Pulses, Vector, follow, springs
from vivant.types import ARKIT_INDEX, NATURAL_EYE_CONTACT, Attention, Controls, arkit_weights

MAX_ASIDE_DEG = 17.0
"""How far away from the partner; chosen by eye: people look 20 degrees away (median, with their heads), where a portrait's eyes
are all white."""
_MEDIAN_ASIDE_DEG, _ASIDE_SPREAD = 10.0, 0.3
"""Of the distance, and of its logarithm; chosen by eye, beyond the 5 degrees from which the measured ones count as away."""


@dataclass(frozen=True)
class GazeHabit:
    """How long visits last, and where to one looks away. Means in seconds; spreads of their logarithms."""

    partner: float
    away_s: float
    partner_spread: float
    away_spread: float
    left: float = 0.54
    right: float = 0.32
    up: float = 0.50
    down: float = 0.22
    """Shares of the time away, left and right of the person's own; measured while people speak."""

    def partner_s(self, eye_contact: float) -> float:
        """Of a visit to the partner, so that the time with it has its share while speaking; infinite for all of the time."""
        odds = eye_contact / (1 - eye_contact) if eye_contact < 1 else math.inf
        return self.partner * odds * (1 - NATURAL_EYE_CONTACT) / NATURAL_EYE_CONTACT

    def draw_aside(self, rng: np.random.Generator) -> tuple[float, float]:
        """(yaw, pitch) in degrees from the partner, to the person's left and up."""
        side = float(rng.choice([1, -1, 0], p=_shares(self.left, self.right)))
        height = float(rng.choice([1, -1, 0], p=_shares(self.up, self.down)))
        if side == height == 0:
            side = 1.0
        reach = min(float(rng.lognormal(math.log(_MEDIAN_ASIDE_DEG), _ASIDE_SPREAD)), MAX_ASIDE_DEG)
        tilt = rng.uniform(0.35, 0.65) if side and height else 0.5
        yaw, pitch = side * math.cos(tilt * math.pi / 2), height * math.sin(tilt * math.pi / 2)
        size = math.hypot(yaw, pitch)
        return reach * yaw / size, reach * pitch / size


def _shares(one: float, other: float) -> list[float]:
    return [one, other, max(0.0, 1 - one - other)]


SPEAKING = GazeHabit(2.3, 1.74, 1.0, 1.1)
"""Dembinsky et al. 2024: away 41 % of the time (of 19 people 7 to 82 %); visits .94 s away, 1.33 s with the partner."""
LISTENING = GazeHabit(10.3, 0.89, 1.5, 0.85)
"""Likewise: away 6 % of the time, .62 s and 3.1 s."""
THINKING = GazeHabit(0.7, 2.2, 0.5, 0.5, left=0.45, right=0.35, up=0.75, down=0.1)
"""Chosen by eye: who looks for words looks away and up."""
WORKING = GazeHabit(0.9, 4.0, 0.4, 0.5, left=0.3, right=0.2, up=0.0, down=0.95)
"""Chosen by eye: at something on the table, with a glance back."""

_HABITS = {
    Attention.SPEAKING: SPEAKING,
    Attention.LISTENING: LISTENING,
    Attention.THINKING: THINKING,
    Attention.WORKING: WORKING,
}


def _weights(**weights: float) -> Vector:
    return arkit_weights(**weights).astype(np.float64)


def gaze_habit(attention: Attention, talking: bool) -> GazeHabit:
    """Of what the face is about; where nobody says, of who speaks."""
    return _HABITS.get(attention) or (SPEAKING if talking else LISTENING)


@dataclass(frozen=True)
class Posture:
    """What is held: pitch and roll in degrees, a lean as a change of scale, (52,) weights that `Expression` adds."""

    pitch: float = 0.0
    roll: float = 0.0
    lean: float = 0.0
    weights: Vector = field(default_factory=lambda: np.zeros(len(ARKIT_INDEX)))


POSTURES = {
    Attention.AUTO: Posture(),
    Attention.SPEAKING: Posture(),
    Attention.LISTENING: Posture(-0.8, 2.2, 0.015, _weights(browInnerUp=0.10, mouthSmileLeft=0.06, mouthSmileRight=0.06)),
    Attention.THINKING: Posture(
        1.5, -2.5, -0.01, _weights(browDownLeft=0.16, browDownRight=0.22, eyeSquintLeft=0.12, eyeSquintRight=0.12)
    ),
    Attention.WORKING: Posture(-3.0, 0.0, 0.0, _weights(browDownLeft=0.08, browDownRight=0.08)),
}
"""Chosen by eye."""
_NOD_S, _NOD_SPREAD = 5.0, 0.6
"""Median between a listener's nods, and the spread of its logarithm; chosen by eye."""
_NOD_DEG = (1.6, 3.4)
"""Least and most; chosen by eye."""


class Bearing:
    """How the head is held by what the face is about, and a listener's nods. Ticks in."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._head = springs(3, 0.6)
        self._nods = Pulses(1)
        self._nod_due_s = 2.0

    def step(self, controls: Controls) -> tuple[float, float, float]:
        """(pitch and roll in degrees, change of scale) after one tick."""
        held = POSTURES[controls.attention]
        if controls.attention is Attention.LISTENING:
            self._nod()
        pitch, roll, lean = follow(self._head, (held.pitch, held.roll, held.lean))
        amount = controls.head_motion
        return amount * (pitch + self._nods.step()[0]), amount * roll, lean

    def _nod(self) -> None:
        self._nod_due_s -= TICK_S
        if self._nod_due_s <= 0:
            self._nod_due_s = float(self._rng.lognormal(math.log(_NOD_S), _NOD_SPREAD))
            self._nods.start([-self._rng.uniform(*_NOD_DEG)], rise_s=0.22, fall_s=0.4)
