"""Acts: a nod, a shake, a tilt, a thinking look, a laugh, once, on top of whatever the face is doing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vivant.motion.noise import TICK_S, Pulses, Vector
from vivant.types import Act, arkit_weights

Pulse = tuple[float, tuple[float, float, float, float, float], float, float]
"""(when it begins in s, (yaw, pitch, roll in degrees, smile, thought) at its peak, rise and fall in s)."""

ACTS: Mapping[Act, tuple[Pulse, ...]] = {
    Act.NOD: (
        (0.00, (0, -6.5, 0, 0, 0), 0.20, 0.26),
        (0.30, (0, 1.2, 0, 0, 0), 0.14, 0.16),
        (0.44, (0, -4.5, 0, 0, 0), 0.20, 0.34),
    ),
    Act.SHAKE: (
        (0.00, (5.5, 0, 0, 0, 0), 0.18, 0.20),
        (0.24, (-8.0, -0.8, 0, 0, 0), 0.20, 0.22),
        (0.52, (7.0, -0.8, 0, 0, 0), 0.20, 0.22),
        (0.80, (-4.5, 0, 0, 0, 0), 0.18, 0.34),
    ),
    Act.TILT: ((0.00, (1.0, 0.5, 6.5, 0, 0), 0.45, 0.9),),
    Act.THINK: ((0.00, (-4.0, 4.5, -2.5, 0, 1.0), 0.5, 0.9), (0.55, (-3.5, 4.0, -2.0, 0, 0.9), 0.5, 0.9)),
    Act.LAUGH: (
        (0.00, (0, 1.5, 1.5, 1.0, 0), 0.25, 1.5),
        *((0.10 + 0.21 * bob, (0.3 * (-1) ** bob, -3.4 + 0.4 * bob, 0, 0.12, 0), 0.09, 0.12) for bob in range(5)),
    ),
}
"""Shapes after acted ones (Pollen Robotics' recorded heads: yes, no, inquiring, thoughtful, laughing), at people's own speed:
a nod has 1.6 beats a second, a laugh bobs five times. Sizes chosen by eye, within what a portrait turns well."""

MOST_PULSES = 48
"""At a time: eight laughs. Chosen: head and face are at their limits long before, and each costs time."""

_SMILE = arkit_weights(
    mouthSmileLeft=0.55, mouthSmileRight=0.55, cheekSquintLeft=0.5, cheekSquintRight=0.5, eyeSquintLeft=0.25,
    eyeSquintRight=0.25, jawOpen=0.10,
)  # fmt: skip
_THOUGHT = arkit_weights(
    browDownLeft=0.20, browDownRight=0.30, eyeSquintLeft=0.15, eyeSquintRight=0.15, mouthPressLeft=0.18, mouthPressRight=0.18
)
_FACE = np.stack([_SMILE, _THOUGHT]).astype(np.float64)
"""(2, 52); chosen by eye."""
_STILL = np.zeros(_FACE.shape[1])


class Acts:
    """Ticks in, ((yaw, pitch, roll) in degrees, (52,) weights) out. Acts that are begun while others run add to them,
    up to `MOST_PULSES`; further ones are left out."""

    def __init__(self) -> None:
        self._pulses = Pulses(5)
        self._due: list[tuple[int, Pulse]] = []
        """Pulses to come, each with the ticks until then."""

    def start(self, act: Act) -> None:
        if len(self._due) + len(self._pulses) < MOST_PULSES:
            self._due += [(round(pulse[0] / TICK_S), pulse) for pulse in ACTS[act]]

    def step(self) -> tuple[tuple[float, float, float], Vector]:
        """After one tick."""
        for ticks, (_, peak, rise_s, fall_s) in self._due:
            if ticks == 0:
                self._pulses.start(peak, rise_s, fall_s)
        self._due = [(ticks - 1, pulse) for ticks, pulse in self._due if ticks > 0]
        yaw, pitch, roll, smile, thought = self._pulses.step()
        weights: Vector = np.array((smile, thought)) @ _FACE if smile or thought else _STILL
        return (yaw, pitch, roll), weights
