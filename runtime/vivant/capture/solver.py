"""From landmarks to pose and weights: one bounded least squares on the measured fields; the person is learnt meanwhile."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from vivant.numeric.nonnegative import nonnegative_minimum
from vivant.rig import canonical as c
from vivant.types import ARKIT_INDEX, ARKIT_NAMES, EYE_LOOK_FULL_DEG, Float32Array

Floats = NDArray[np.float64]


def both(*names: str) -> tuple[str, ...]:
    """Names with Left and with Right behind."""
    return tuple(name + side for name in names for side in ("Left", "Right"))


SOLVED = (
    "jawOpen", "jawLeft", "jawRight", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight", "mouthRollLower",
    "mouthRollUpper", "browInnerUp",
    *both("eyeBlink", "eyeWide", "mouthSmile", "mouthStretch", "mouthPress", "mouthLowerDown", "mouthUpperUp", "browDown",
          "browOuterUp"),
)  # fmt: skip
"""The shapes that landmarks tell apart; the others move the same points, only less."""
LIPS = tuple(sorted({*c.OUTER_LIPS, *c.UPPER_INNER_LIP, *c.LOWER_INNER_LIP}))
LIDS = tuple(sorted({i for row in (*c.UPPER_LIDS, *c.LOWER_LIDS) for i in row}))
BROWS = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55, 336, 296, 334, 293, 300, 276, 283, 282, 295, 285)
_TELLING = sorted({*LIPS, *LIDS, *BROWS, *c.OVAL})
POINTS = np.array([*_TELLING, *sorted(set(range(c.N_SURFACE)).difference(_TELLING))[::3]])
"""What is looked at: all points of lips, lids, brows and outline, and every third of the rest."""
TRUST = ((LIPS, 4.0), (LIDS, 3.0), (BROWS, 3.0))
"""How much more these points count than the rest of the skin: there the shapes differ."""
SHOWN = {"brow": 0.47, "jawOpen": 0.9}
"""Share of a shape's movement that the landmarks of our network show, by the beginning of its name; `benchmarks.capture`."""
RIDGE, HOLD, FIRST_RIDGE = 2e-3, 2e-3, 1e-2
"""Pull of each weight towards zero, towards the last frame, and towards zero while the person is learnt at first."""
ROUNDS, FIRST_ROUNDS = 2, 8
MOST_STEPS = 1000
"""Of the bounded solution; it takes some forty."""
FIRM = 1e-6
"""Added to every diagonal that is inverted, so that no face makes it singular."""
MOST = 1.5
"""Of a weight before what is rest for this person is taken off."""
POINT_VARIANCE, FRAME_INFORMATION = 0.01, 0.2
"""Of a landmark, squared outer-eye distances; and how much a frame adds to what the ones before said, for they repeat it."""
SHOWS = 0.02
"""Weight from which on a shape may be what the person's own shape is taken for."""
LEAST_LID, MOST_LID = 0.5, 1.6
"""Of an eye's opening over the average one; as in the rig."""


@cache
def identity_modes() -> Float32Array:
    """(modes, 478, 3) how the faces of people differ, each by one standard deviation, outer-eye distances (see NOTICE)."""
    raw = files("vivant.capture").joinpath("data", "identity.npz").read_bytes()
    with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
        return np.asarray(archive["modes"], np.float32)


@dataclass
class Placement:
    """How a head lies in the picture: canonical frame to px, y up (scaled orthography)."""

    rotation: Floats
    unit_px: float
    """Outer-eye distance, seen from the front."""
    origin_px: Floats
    """(2,) where the canonical origin lies."""

    def move(self, step: Floats) -> None:
        """By (turn about x, y, z; log scale; shift in units), small ones."""
        self.rotation = _turn(step[:3]) @ self.rotation
        self.origin_px = self.origin_px + step[4:6] * self.unit_px
        self.unit_px *= float(np.exp(step[3]))

    def angles_deg(self) -> tuple[float, float, float]:
        """(yaw, pitch, roll), one after the other about the head's own axes, as `vivant.avatars.Quaternion.of_pose`."""
        forward, level = self.rotation[:, 2], self.rotation[1]
        yaw, roll = np.arctan2(forward[0], forward[2]), np.arctan2(-level[0], level[1])
        return float(np.degrees(yaw)), float(np.degrees(np.arcsin(np.clip(forward[1], -1, 1)))), float(np.degrees(roll))


class Person:
    """The neutral face of one person: the average head, moved along the modes in which people differ."""

    def __init__(self) -> None:
        self._modes = identity_modes()[:, : c.N_SURFACE].astype(np.float64)
        n = len(self._modes)
        self._scores, self._information = np.zeros(n), np.eye(n)
        self._average = c.canonical_face().points[: c.N_SURFACE].astype(np.float64)
        self._update()

    @property
    def modes(self) -> Floats:
        """(modes, points, 3)"""
        return self._modes[:, POINTS]

    @property
    def information(self) -> Floats:
        """(modes, modes) inverse covariance of the scores."""
        return self._information

    def learn(self, step: Floats) -> None:
        """Move the scores."""
        self._scores = self._scores + step
        self._update()

    def remember(self, information: Floats) -> None:
        """What one more frame said."""
        self._information = self._information + information

    def _update(self) -> None:
        self.neutral = self._average + np.tensordot(self._scores, self._modes, 1)
        self.lid_ratio = {side: self._lid_ratio(side, k) for k, side in enumerate(("Right", "Left"))}

    def _lid_ratio(self, side: str, eye: int) -> float:
        """How far this eye is open, beside what the measured blink closes."""
        upper, lower = list(c.UPPER_LIDS[eye][1:-1]), list(c.LOWER_LIDS[eye][1:-1])
        blink = c.canonical_face().fields[ARKIT_INDEX[f"eyeBlink{side}"]]
        opening = self.neutral[upper, 1].mean() - self.neutral[lower, 1].mean()
        measured = blink[lower, 1].mean() - blink[upper, 1].mean()
        return float(np.clip(opening / measured, LEAST_LID, MOST_LID))


class FaceSolver:
    """Pose and weights of one person, frame after frame. One thread at a time."""

    def __init__(self) -> None:
        self.person = Person()
        self.placement: Placement | None = None
        self.weights = np.zeros(len(SOLVED))
        self._columns = [ARKIT_INDEX[name] for name in SOLVED]
        self._fields = c.canonical_face().fields[:, POINTS] * _shown()[:, None, None]
        trust = np.ones(c.N_SURFACE)
        for points, more in TRUST:
            trust[list(points)] = more
        self._row_weights = np.repeat(np.sqrt(trust[POINTS]), 2)[:, None]
        self._frames = 0

    def solve(self, landmarks: Float32Array, gaze_pitch_deg: float, *, learning: bool) -> Float32Array:
        """(52,) weights, 0 to `MOST`, of landmarks (478, 3), px, y down; ``learning`` moves the `person` too."""
        seen = landmarks[POINTS, :2].astype(np.float64) * (1, -1)
        first = self.placement is None
        if self.placement is None:
            unit = float(np.linalg.norm(landmarks[c.LEFT_OUTER_EYE] - landmarks[c.RIGHT_OUTER_EYE]))
            self.placement = Placement(np.eye(3), unit, seen.mean(axis=0))
        for _ in range(FIRST_ROUNDS if first else ROUNDS):
            self._round(self.placement, seen, gaze_pitch_deg, learning)
        self._frames += 1
        out = np.zeros(len(ARKIT_NAMES), np.float32)
        out[self._columns] = self.weights
        return out

    def lose(self) -> None:
        """The head may be anywhere when it is seen again; the person stays the same."""
        self.placement = None

    def _round(self, placement: Placement, seen: Floats, gaze_pitch_deg: float, learning: bool) -> None:
        fields = self._own_fields()
        rest = self.person.neutral[POINTS] + self._lids_of_gaze(gaze_pitch_deg)
        shape = rest + np.tensordot(self.weights, fields, 1)
        free = [_pose_columns(shape @ placement.rotation.T)]
        if learning:
            free.append(_turned(placement, self.person.modes))
        others = np.concatenate(free, axis=1) * self._row_weights
        shapes = _turned(placement, fields) * self._row_weights
        gap = ((seen - placement.origin_px) / placement.unit_px - rest @ placement.rotation[:2].T).reshape(-1, 1)
        target = (gap * self._row_weights).ravel()
        step = self._step(others, shapes, target, learning)
        placement.move(step[:6])
        if learning:
            self.person.learn(step[6:])
            self.person.remember(self._information(others, shapes))

    def _step(self, others: Floats, shapes: Floats, target: Floats, learning: bool) -> Floats:
        """Sets the weights; returns the step of everything unbounded, which is eliminated first (Schur complement)."""
        normal = others.T @ others + FIRM * np.eye(others.shape[1])
        if learning:
            normal[6:, 6:] += POINT_VARIANCE * self.person.information
        cross, right = others.T @ shapes, others.T @ target
        hold = HOLD if self._frames else 0.0
        ridge = FIRST_RIDGE if learning else RIDGE
        without = np.linalg.solve(normal, np.column_stack([cross, right]))
        left = shapes.T @ shapes - cross.T @ without[:, :-1] + (ridge + hold) * np.eye(len(self.weights))
        wanted = shapes.T @ target - cross.T @ without[:, -1] + hold * self.weights
        self.weights = np.minimum(nonnegative_minimum(left, wanted, MOST_STEPS), MOST)
        step: Floats = without[:, -1] - without[:, :-1] @ self.weights
        return step

    def _information(self, others: Floats, shapes: Floats) -> Floats:
        """Of this frame on the person's scores, less what pose and the shapes that show may be instead."""
        modes = others[:, 6:]
        may_be = np.concatenate([others[:, :6], shapes[:, self.weights > SHOWS]], axis=1)
        shared = may_be.T @ modes
        explained = shared.T @ np.linalg.solve(may_be.T @ may_be + FIRM * np.eye(may_be.shape[1]), shared)
        rounds = ROUNDS if self._frames else FIRST_ROUNDS
        out: Floats = (modes.T @ modes - explained) * FRAME_INFORMATION / (POINT_VARIANCE * rounds)
        return out

    def _own_fields(self) -> Floats:
        """(shapes, points, 3) with lids that travel as far as this person's do."""
        ratio = [self.person.lid_ratio[_side(name)] if name.startswith("eye") else 1.0 for name in SOLVED]
        own: Floats = self._fields[self._columns] * np.array(ratio)[:, None, None]
        return own

    def _lids_of_gaze(self, pitch_deg: float) -> Floats:
        """Lids follow the eyes up and down."""
        way = "Up" if pitch_deg > 0 else "Down"
        left, right = (self._fields[ARKIT_INDEX[name]] for name in both(f"eyeLook{way}"))
        lids: Floats = (left + right) * min(1.0, abs(pitch_deg) / EYE_LOOK_FULL_DEG)
        return lids


def _shown() -> Floats:
    """(52,) from `SHOWN`."""
    return np.array([next((share for start, share in SHOWN.items() if name.startswith(start)), 1.0) for name in ARKIT_NAMES])


def _side(name: str) -> str:
    return "Left" if name.endswith("Left") else "Right"


def _turned(placement: Placement, fields: Floats) -> Floats:
    """Displacements (n, points, 3) as columns (2 points, n) of the picture's frame."""
    columns: Floats = (fields @ placement.rotation[:2].T).reshape(len(fields), -1).T
    return columns


def _pose_columns(points: Floats) -> Floats:
    """(2 points, 6) how turned points (n, 3) answer to a turn about x, y, z, to scale and to shifts."""
    x, y, z = points.T
    zero, one = np.zeros(len(points)), np.ones(len(points))
    rows = np.array([[zero, z, -y, x, one, zero], [-z, zero, x, y, zero, one]])
    return rows.transpose(2, 0, 1).reshape(-1, 6)


def _turn(vector: Floats) -> Floats:
    """Rotation about a vector by its length (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    x, y, z = vector / max(angle, 1e-12)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turned: Floats = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return turned
