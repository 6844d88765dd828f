"""Lids and gaze: blinks at a human rate, fixations joined by saccades, eyes that hold their target while the head moves."""

from __future__ import annotations

import math

import numpy as np

from vivant.easing import smoothstep
from vivant.motion.attention import GazeHabit
from vivant.motion.noise import TICK_S, follow, springs
from vivant.speech.prosody import Prosody
from vivant.types import Controls

_IDLE_BLINKS_PER_S = 17 / 60
"""At rest; Bentivoglio et al. 1997."""
_TALKING_BLINKS_PER_S = 22 / 60
"""Chosen so that, with the blinks that ends of phrases bring, they come near 26 in conversation (Bentivoglio et al. 1997)."""
_GAP_SPREAD = 0.55
"""Standard deviation of the logarithm of the gaps between blinks; chosen by eye."""
_CLOSE_S, _SHUT_S, _OPEN_S = 0.06, 0.05, 0.14
"""Down, closed, up again. Chosen by eye: faster down than up."""
_BLINK_TICKS = round((_CLOSE_S + _SHUT_S + _OPEN_S) / TICK_S)
_EYE_LIMIT_DEG = 25.0
"""Each way; chosen by eye, within the 30 degrees at which the ARKit weights are full."""

_FIXATION_S = 0.52
"""Median from one saccade to the next, the smallest ones, too. Chosen: where places less than a degree apart are one fixation,
from one to the next it is then .54 s while speaking, .62 s while listening; people's .48 and .53 (Dembinsky et al. 2024)."""


class Lids:
    """Ticks in, closure of both in [0, 1] out: lids that do not move together look drugged."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._due = self._draw() * rng.uniform(0.3, 1.0)
        self._age = _BLINK_TICKS

    def step(self, prosody: Prosody) -> float:
        self._age += 1
        # Time to the next blink runs in mean gaps, so it runs faster while talking and leaps at the end of a phrase.
        self._due -= TICK_S * (_TALKING_BLINKS_PER_S if prosody.talking else _IDLE_BLINKS_PER_S)
        if prosody.phrase_end:
            self._due -= 0.2
        if self._due <= 0 and self._age > _BLINK_TICKS:
            self._due = 0.12 if self._rng.random() < 0.04 else self._draw()  # now and then a double blink
            self._age = 0
        return lid(self._age * TICK_S)

    def _draw(self) -> float:
        """A gap in units of the mean gap, less the phrase ends' share."""
        return float(self._rng.lognormal(-(_GAP_SPREAD**2) / 2, _GAP_SPREAD))


Angles = tuple[float, float]
"""(yaw, pitch) in degrees."""


class Gaze:
    """Where the eyes go: visits to the partner and away from it, in fixations joined by saccades. Ticks in.

    Visits, fixations and directions are those of 19 people in video calls (Dembinsky et al. 2024, 427 min), as
    `vivant.motion.attention` has them.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._target = springs(2, 0.08)
        self._is_away = False
        self._visit_due = rng.uniform(0.3, 1.0)
        """Left of this visit, in mean visits of the habit that rules now."""
        self._place = self._offset = self._from = self._to = (0.0, 0.0)
        self._saccade_ticks = 1
        self._age = 1
        self._fixation_ticks = 80

    def look(self, habit: GazeHabit, controls: Controls) -> Angles:
        """After one tick: where the person looks, from the camera's axis."""
        self._age += 1
        self._fixation_ticks -= 1
        if self._visit_is_over(habit, controls.eye_contact):
            self._begin_visit(habit)
        elif self._fixation_ticks <= 0:
            self._fixate()
        progress = smoothstep(self._age / self._saccade_ticks)
        (from_yaw, from_pitch), (to_yaw, to_pitch) = self._from, self._to
        self._offset = (from_yaw + (to_yaw - from_yaw) * progress, from_pitch + (to_pitch - from_pitch) * progress)
        target_yaw, target_pitch = follow(self._target, controls.gaze)
        return target_yaw + self._offset[0], target_pitch + self._offset[1]

    def _visit_is_over(self, habit: GazeHabit, eye_contact: float) -> bool:
        mean_s = habit.away_s if self._is_away else habit.partner_s(eye_contact)
        self._visit_due -= TICK_S / mean_s if mean_s > 0 else 1.0
        return self._visit_due <= 0 or (self._is_away and eye_contact >= 1)

    def _begin_visit(self, habit: GazeHabit) -> None:
        self._is_away = not self._is_away
        spread = habit.away_spread if self._is_away else habit.partner_spread
        self._visit_due = float(self._rng.lognormal(-(spread**2) / 2, spread))
        self._place = habit.draw_aside(self._rng) if self._is_away else (0.0, 0.0)
        self._fixate()

    def _fixate(self) -> None:
        aside, up = self._rng.standard_normal(2).tolist()
        if self._is_away:
            reach = (2.0, 1.5)  # about where one looks away to
        elif self._rng.random() < 0.6:
            reach = (0.35, 0.25)  # micro-saccade about the target
        else:
            reach = (1.2, 0.8)  # from one eye or the mouth of the other person to another
        yaw, pitch = self._place
        self._from, self._to = self._offset, (yaw + _within(reach[0] * aside, 4.0), pitch + _within(reach[1] * up, 3.0))
        size_deg = math.dist(self._from, self._to)
        self._saccade_ticks = max(1, round((0.021 + 0.0022 * size_deg) / TICK_S))  # the main sequence
        self._age = 0
        self._fixation_ticks = self._saccade_ticks + round(self._rng.lognormal(math.log(_FIXATION_S), 0.45) / TICK_S)


def in_head(look_deg: Angles, head_deg: Angles) -> Angles:
    """Angles of the eyes in a head that is turned so, which they turn against."""
    yaw, pitch = look_deg[0] - head_deg[0], look_deg[1] - head_deg[1]
    return _within(yaw, _EYE_LIMIT_DEG), _within(pitch, _EYE_LIMIT_DEG)


def _within(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)


def lid(age_s: float) -> float:
    """Closure ``age_s`` into a blink: fast down, a moment shut, slower up."""
    if age_s <= 0:
        return 0.0
    if age_s < _CLOSE_S:
        return math.sin(math.pi / 2 * age_s / _CLOSE_S) ** 2
    if age_s <= _CLOSE_S + _SHUT_S:
        return 1.0
    opening = min((age_s - _CLOSE_S - _SHUT_S) / _OPEN_S, 1.0)
    return (1 - opening) ** 2 * (1 + 2 * opening)
