"""Nonverbal motion: all but the mouth, as one vector per tick, decided by chance and by the rhythm of the voice."""

from __future__ import annotations

import numpy as np

from vivant.motion.acts import Acts
from vivant.motion.attention import Bearing, gaze_habit
from vivant.motion.expression import Expression
from vivant.motion.eyes import Gaze, Lids, in_head
from vivant.motion.head import Head
from vivant.motion.noise import Vector, follow, springs
from vivant.speech.articulation import Mouth
from vivant.speech.prosody import Prosody
from vivant.types import ARKIT_INDEX, Act, Controls

_BLINK = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]
_WIDE = [ARKIT_INDEX["eyeWideLeft"], ARKIT_INDEX["eyeWideRight"]]


class NonverbalMotion:
    """Nonverbal motion: ticks in, (61,) out.

    52 weights, yaw, pitch, roll, x, y, scale, gaze yaw and pitch, amount of mouth (as in ``types``).
    """

    SIZE = 61

    def __init__(self, seed: int) -> None:
        # One generator per part: what one part draws never shifts another.
        head, lids, gaze, expression, bearing = (
            np.random.Generator(np.random.PCG64(child)) for child in np.random.SeedSequence(seed).spawn(5)
        )
        self._head = Head(head)
        self._lids = Lids(lids)
        self._gaze = Gaze(gaze)
        self._expression = Expression(expression)
        self._bearing = Bearing(bearing)
        self._acts = Acts()
        self._framing = springs(2, 0.6)

    def act(self, act: Act) -> None:
        """Begin it with the next tick, on top of all else."""
        self._acts.start(act)

    def spoken(self, mouth: Mouth) -> Mouth:
        """All that is heard."""
        return mouth

    def step(self, prosody: Prosody, controls: Controls, mouth: Mouth | None = None) -> Vector:
        """After one tick; the rules do not look at the mouth."""
        look = self._gaze.look(gaze_habit(controls.attention, prosody.talking), controls)
        bent, tilted, lean = self._bearing.step(controls)
        (act_yaw, act_pitch, act_roll), acted = self._acts.step()
        yaw, pitch, roll, x, y = self._head.step(prosody, controls, look, (act_yaw, bent + act_pitch, tilted + act_roll))
        life = np.empty(self.SIZE)
        life[: len(ARKIT_INDEX)] = self._expression.step(prosody, controls) + acted
        life[_BLINK] = closed = self._lids.step(prosody)
        life[_WIDE] *= 1 - closed
        distance, amount = follow(self._framing, (controls.distance, controls.mouth))
        life[len(ARKIT_INDEX) :] = (yaw, pitch, roll, x, y, (1 + lean) / distance, *in_head(look, (yaw, pitch)), amount)
        return life
