"""A head that is never still and never hurried: posture, sway, breathing, and beats on stressed syllables."""

from __future__ import annotations

import math

import numpy as np

from vivant.motion.noise import TICK_S, CriticallyDampedSpring, Pulses, SmoothNoise, follow, springs
from vivant.speech.prosody import Prosody
from vivant.types import Controls

LIMIT_DEG = (15.0, 10.0, 10.0)
"""How far a layered portrait turns well (yaw, pitch, roll); approached softly."""

_SWAY_DEG = (3.4, 1.7, 1.7)
"""Standard deviations of yaw, pitch and roll, to which those of posture add. Chosen by eye, so that both together stay somewhat
below what a face tracker measured on seven people who talk to a camera: 6.4, 2.9 and 3.8."""
_POSTURE_DEG = np.array([2.8, 1.4, 1.8])
"""Likewise."""
_IDLE_SHARE = 0.2
"""Of the sway while nobody talks; chosen by eye."""
GAZE_SHARE = 0.3
"""The part of a gaze shift that the head makes; the eyes do the rest."""
_CHIN_UP_DEG = 1.2
"""While talking; chosen so that nods, which only go down, leave the head level on average."""
_BREATH_S = 4.2
"""Of one breath at rest; chosen by eye."""


class Head:
    """Ticks in, (yaw, pitch, roll in degrees, x, y in eye distances) out."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._sway = SmoothNoise(rng, 5, 1.1)
        self._posture_target = [0.0, 0.0, 0.0]
        self._posture_ticks = 0
        self._posture = springs(3, 0.6)
        self._beats = Pulses(3)
        self._effort: CriticallyDampedSpring[float] = CriticallyDampedSpring(0.7)
        self._control = springs(3, 0.5)
        self._breath = rng.uniform(0, 2 * math.pi)

    def step(
        self, prosody: Prosody, controls: Controls, look_deg: tuple[float, float], meant_deg: tuple[float, float, float]
    ) -> tuple[float, float, float, float, float]:
        """After one tick. ``look_deg`` is where the eyes go, and the head a part of the way; ``meant_deg`` (yaw, pitch, roll)
        comes on top of its own motion."""
        self._choose_posture(prosody)
        if prosody.stress > 0:
            self._beat(prosody.stress)
        effort = self._effort.step(1.0 + 0.3 * prosody.arousal if prosody.talking else _IDLE_SHARE)
        # People move with their voice: time runs faster for the head on loud syllables.
        *sway, sway_x, sway_y = self._sway.step(0.55 + 1.4 * prosody.energy)
        gaze_yaw, gaze_pitch, amount = follow(self._control, (*_turned_to(look_deg, controls), controls.head_motion))
        self._breath += 2 * math.pi * TICK_S / _BREATH_S
        breath = math.sin(self._breath)
        parts = zip(sway, _SWAY_DEG, follow(self._posture, self._posture_target), self._beats.step(), strict=True)
        own = [effort * swung * size + posture + beat for swung, size, posture, beat in parts]
        own[1] += 0.25 * breath + _CHIN_UP_DEG * (effort - _IDLE_SHARE)  # nods only go down
        yaw, pitch, roll = (
            limit * math.tanh((amount * angle + GAZE_SHARE * gaze + meant) / limit)
            for angle, gaze, meant, limit in zip(own, (gaze_yaw, gaze_pitch, 0.0), meant_deg, LIMIT_DEG, strict=True)
        )
        x, y = carried(yaw, pitch, roll)
        x += amount * 0.012 * effort * sway_x
        y += amount * (0.008 * effort * sway_y + 0.004 * breath)
        return yaw, pitch, roll, x, y

    def _choose_posture(self, prosody: Prosody) -> None:
        self._posture_ticks -= 1
        if self._posture_ticks > 0 and not (prosody.phrase_start and self._rng.random() < 0.7):
            return
        scale = 1.0 if prosody.talking else 0.4
        seconds = self._rng.lognormal(math.log(1.1 if prosody.talking else 3.5), 0.4)
        self._posture_ticks = round(seconds / TICK_S)
        self._posture_target = (scale * _POSTURE_DEG * np.clip(self._rng.standard_normal(3), -1.8, 1.8)).tolist()

    def _beat(self, stress: float) -> None:
        """A nod whose fastest moment falls on the middle of the syllable."""
        size = 0.4 + stress
        down, side, tilt = self._rng.normal([-1.9, 0.0, 0.0], [1.2, 2.0, 1.2]).tolist()
        self._beats.start([size * side, size * down, size * tilt], rise_s=0.2, fall_s=0.5)


def carried(yaw_deg: float, pitch_deg: float, roll_deg: float) -> tuple[float, float]:
    """(x, y) in eye distances: the neck turns about a point below and behind the face, so angles carry the face along."""
    return 0.010 * yaw_deg + 0.012 * roll_deg, 0.008 * pitch_deg


def _turned_to(look_deg: tuple[float, float], controls: Controls) -> list[float]:
    """What the head turns to: the gaze that was asked for, and by its amount of motion the looks aside from it."""
    return [asked + controls.head_motion * (look - asked) for look, asked in zip(look_deg, controls.gaze, strict=True)]
