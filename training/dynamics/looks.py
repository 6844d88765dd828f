"""Where people look who talk over a video call: fixations of 19 people (Dembinsky et al., ETRA 2024; Apache-2.0), as degrees
from their partner, and as the eyes of our rules' head."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.motion.attention import LISTENING, SPEAKING, GazeHabit
from vivant.motion.eyes import Gaze
from vivant.motion.noise import TICK_S
from vivant.types import Controls

SCREEN_PX, SCREEN_CM, DISTANCE_CM = (2250, 1500), (63.7, 43.9), 67.5
SAMPLE_S = 0.0111
NEAR_DEG, FAR_SHARE, FARTHEST_DEG = 5.0, 1 / 3, 17.0
"""What is nearer is kept as it is; beyond it a third, no farther than a portrait's eyes turn well: their median of 20 degrees
becomes 10, as in the rules."""
LONGEST_S = 1.5
"""Of a fixation with the gap in tracking after it."""
SAME_DEG = 1.0
"""Fixations that are no farther apart are one: that is the unrest of eye and tracker. With this the median from one to the next
is .48 s while speaking and .53 s while listening; without it .29 s."""
LEAST_S = 60.0
"""Of a label, for a person to be followed in it."""


@dataclass(frozen=True)
class Looks:
    """One person's fixations under one label: (n,) seconds until the next begins, (n, 2) degrees to the left and up."""

    lasts_s: NDArray[np.float64]
    where_deg: NDArray[np.float64]

    @property
    def contact(self) -> float:
        """Share of the time with the partner."""
        near = np.hypot(*self.where_deg.T) <= NEAR_DEG
        return float(self.lasts_s[near].sum() / self.lasts_s.sum())


@dataclass(frozen=True)
class Onlooker:
    """One person."""

    speaking: Looks
    listening: Looks


def onlookers(path: Path) -> list[Onlooker]:
    """Everybody who spoke and listened long enough, from ``fixations.npz``."""
    with np.load(path, allow_pickle=False) as file:
        table = {name: file[name] for name in file.files}
    labels = [str(label).upper() for label in table["labels"]]
    people = []
    for person in np.unique(table["participant"]):
        rows = {name: table[name][table["participant"] == person] for name in table if name != "labels"}
        where = _degrees(rows["x_px"], rows["y_px"])
        listens = rows["label"] == next(i for i, label in enumerate(labels) if label.startswith("LISTEN"))
        speaks = rows["label"] == next(i for i, label in enumerate(labels) if label.startswith("SPEAK"))
        where = _compressed(where - np.median(where[listens], axis=0))
        looks = [_looks(rows, where, chosen) for chosen in (speaks, listens)]
        if all(look.lasts_s.sum() >= LEAST_S for look in looks):
            people.append(Onlooker(*looks))
    return people


def _degrees(x_px: NDArray[Any], y_px: NDArray[Any]) -> NDArray[np.float64]:
    """To the person's own left and up: what is right on the screen is right of who looks at it."""
    x_cm = (x_px / SCREEN_PX[0] - 0.5) * SCREEN_CM[0]
    y_cm = (y_px / SCREEN_PX[1] - 0.5) * SCREEN_CM[1]
    return np.degrees(np.arctan2(np.stack([-x_cm, -y_cm], 1), DISTANCE_CM))


def _compressed(where_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    reach = np.hypot(*where_deg.T)
    wanted = np.minimum(np.where(reach > NEAR_DEG, NEAR_DEG + FAR_SHARE * (reach - NEAR_DEG), reach), FARTHEST_DEG)
    scaled: NDArray[np.float64] = where_deg * (wanted / np.maximum(reach, 1e-9))[:, None]
    return scaled


def _looks(rows: dict[str, NDArray[Any]], where: NDArray[np.float64], chosen: NDArray[np.bool_]) -> Looks:
    starts = rows["start"][chosen].astype(np.float64) * SAMPLE_S
    order = np.argsort(starts, kind="stable")
    lasts = np.clip(np.diff(starts[order], append=starts[order][-1:] + 0.3), 0.05, LONGEST_S)
    return _merged(lasts, where[chosen][order])


def _merged(lasts_s: NDArray[np.float64], where_deg: NDArray[np.float64]) -> Looks:
    """Fixations that are one place, as one."""
    places: list[NDArray[np.float64]] = []
    lasting: list[float] = []
    for lasts, where in zip(lasts_s.tolist(), where_deg, strict=True):
        if places and np.hypot(*(where - places[-1])) < SAME_DEG:
            lasting[-1] += lasts
        else:
            places.append(where)
            lasting.append(lasts)
    return Looks(np.array(lasting), np.array(places))


class RecordedGaze:
    """In the place of `vivant.motion.eyes.Gaze`: the eyes of one of them, where the habit is to speak or to listen."""

    def __init__(self, person: Onlooker, rules: Gaze, rng: np.random.Generator) -> None:
        self._person, self._rules, self._rng = person, rules, rng
        self._looks: Looks | None = None
        self._at, self._left_s = 0, 0.0
        self._from = self._to = (0.0, 0.0)
        self._age, self._ticks = 1, 1
        self.jumped = False
        """Whether the eyes began to leave in the latest tick, and to where: `target`."""

    @property
    def target(self) -> tuple[float, float]:
        return self._to

    def look(self, habit: GazeHabit, controls: Controls) -> tuple[float, float]:
        self._age += 1
        looks = {id(SPEAKING): self._person.speaking, id(LISTENING): self._person.listening}.get(id(habit))
        place = self._rules.look(habit, controls)
        if looks is None:
            self._looks = None
            self.jumped = self._rules._age == 0
            self._from, self._to, self._age, self._ticks = place, self._rules._to, self._rules._age, self._rules._saccade_ticks
            return place
        self._follow(looks)
        share = min(max(self._age / self._ticks, 0.0), 1.0)
        share = share * share * (3 - 2 * share)
        return self._from[0] + share * (self._to[0] - self._from[0]), self._from[1] + share * (self._to[1] - self._from[1])

    def _follow(self, looks: Looks) -> None:
        if looks is not self._looks:
            self._looks, self._at, self._left_s = looks, int(self._rng.integers(len(looks.lasts_s))), 0.1
        self._left_s -= TICK_S
        self.jumped = self._left_s <= 0
        if self.jumped:
            self._at = (self._at + 1) % len(looks.lasts_s)
            self._left_s = float(looks.lasts_s[self._at])
            self._from, self._to = self._to, tuple(looks.where_deg[self._at].tolist())
            self._ticks = max(1, round((0.021 + 0.0022 * math.dist(self._from, self._to)) / TICK_S))
            self._age = 0
