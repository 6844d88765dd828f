"""From landmarks to pose and weights: one bounded least squares on the measured fields; the person is learnt meanwhile."""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from vivant.capture.rest import Rest
from vivant.numeric.nonnegative import nonnegative_minimum
from vivant.portrait import DetectedFace
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
_COLUMNS = [ARKIT_INDEX[name] for name in SOLVED]
CAMERA = 7.0
"""Distance of the camera in outer-eye distances: 64 cm, a webcam's. From 5 to 11 nothing below changes by more than .02."""
USUAL_ERROR, LEAST_ERROR = 0.012, 0.004
"""Expected error of a landmark, outer-eye distances, that counts once, and the least that is believed; chosen by
`benchmarks.capture`. What a hand hides or the dark blurs has a larger one, and counts less."""
CHIN_TRUST = 2.5
"""How much more the outline of the chin counts than other points: bone alone moves it, and lips that move by themselves were
taken for a jaw. From 2 to 4 jaws follow better, and nods by less; chosen by `benchmarks.capture`, on other portraits too."""
SHOWN = {"brow": 0.47, "jawOpen": 0.93, "eyeBlink": 0.86}
"""Share of a shape's movement that the landmarks of our network show, by the beginning of its name; `benchmarks.capture`."""
RIDGE, LIPS_RIDGE, HOLD, FIRST_RIDGE, REST_RIDGE = 2e-3, 1e-2, 4e-3, 1e-2, 1e2
"""Pull of each weight towards zero, of those of the mouth but for smiles, whose fields are much alike; towards the last frame;
towards zero while the person is learnt at first, and while she is known to rest, but for blinks. `benchmarks.capture`."""
ROUNDS, FIRST_ROUNDS = 1, 8
"""Of Gauss and Newton for a picture: a second one from the last picture's solution changes nothing."""
MOST_STEPS = 1000
"""Of the bounded solution; from the last picture's it takes two or three."""
FIRM = 1e-6
"""Added to every diagonal that is inverted, so that no face makes it singular."""
MOST = 1.5
"""Of a weight before what is rest for this person is taken off."""
POINT_VARIANCE, FRAME_INFORMATION = 0.01, 0.2
"""Of a landmark, squared outer-eye distances; and how much a frame adds to what the ones before said, for they repeat it."""
SHOWS = 0.02
"""Weight from which on a shape may be what the person's own shape is taken for."""
_BLINKS = np.array([name.startswith("eyeBlink") for name in SOLVED])
_RIDGE = np.array([LIPS_RIDGE if name.startswith(("jaw", "mouth")) and "Smile" not in name else RIDGE for name in SOLVED])
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
    """How a head lies in the picture: canonical frame to px, y up."""

    rotation: Floats
    unit_px: float
    """Outer-eye distance, seen from the front, where the canonical origin lies."""
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


class View:
    """What a camera sees of points (n, 3) of the view's frame: a pinhole, `CAMERA` before the canonical origin."""

    def __init__(self, points: Floats) -> None:
        self._points = points
        self._nearness = CAMERA / (CAMERA - points[:, 2:])
        self.flat: Floats = self._nearness * points[:, :2]
        """(n, 2)"""

    def moved(self, by: Floats) -> Floats:
        """(2 n, k) how that answers to displacements (k n, 3), the points' after one another."""
        by = by.reshape(-1, len(self._points), 3)
        columns: Floats = self._nearness * (by[..., :2] + self.flat * (by[..., 2:] / CAMERA))
        return columns.reshape(len(by), -1).T

    def placed(self) -> Floats:
        """(2 n, 6) and to a turn about x, y, z, to the logarithm of the size and to shifts."""
        x, y, z = self._points.T
        zero = np.zeros(len(x))
        turns = np.array([(zero, -z, y), (z, zero, -x), (-y, x, zero)]).transpose(0, 2, 1)
        return np.column_stack([self.moved(turns), self.flat.ravel(), np.tile(np.eye(2), (len(x), 1))])


class Person:
    """The neutral face of one person: the average head, moved along the modes in which people differ."""

    def __init__(self) -> None:
        modes = identity_modes()[:, : c.N_SURFACE].astype(np.float64)
        self._modes = modes
        self.modes = modes[:, POINTS].reshape(-1, 3)
        """(modes * points, 3)"""
        self.information = np.eye(len(modes))
        """(modes, modes) inverse covariance of the scores."""
        self._scores = np.zeros(len(modes))
        self._average = c.canonical_face().points[: c.N_SURFACE].astype(np.float64)
        self._update()

    def learn(self, step: Floats, information: Floats) -> None:
        """Move the scores, by what one more frame said."""
        self._scores = self._scores + step
        self.information = self.information + information
        self._update()

    def _update(self) -> None:
        neutral = self._average + np.tensordot(self._scores, self._modes, 1)
        self.neutral: Floats = neutral[POINTS]
        """(points, 3)"""
        self.lid_ratio = {side: _lid_ratio(neutral, side, k) for k, side in enumerate(("Right", "Left"))}
        ratio = [self.lid_ratio[_side(name)] if name.startswith("eye") else 1.0 for name in SOLVED]
        self.fields: Floats = (_fields()[_COLUMNS] * np.array(ratio)[:, None, None]).reshape(-1, 3)
        """(shapes * points, 3) with lids that travel as far as this person's do."""


class Learning(IntEnum):
    """What a picture is to the `Person`."""

    NOTHING = 0
    A_FACE = 1
    """With some expression."""
    A_RESTING_FACE = 2
    """All that shows is the person's own, but for blinks."""


class FaceSolver:
    """Pose and weights of one person, frame after frame. One thread at a time."""

    def __init__(self) -> None:
        self.person = Person()
        self.placement: Placement | None = None
        self.weights = np.zeros(len(SOLVED))
        self.rest = Rest(SOLVED)
        self._below = np.zeros(len(SOLVED))
        self._frames = 0

    def solve(self, face: DetectedFace, pts_us: int, gaze_pitch_deg: float, learning: Learning) -> Float32Array:
        """(52,) weights, 0 to `MOST`, of a face, beside its rest; lids follow a gaze that goes up and down."""
        seen = face.landmarks[POINTS, :2].astype(np.float64) * (1, -1)
        first = self.placement is None
        if self.placement is None:
            unit = float(np.linalg.norm(face.landmarks[c.LEFT_OUTER_EYE] - face.landmarks[c.RIGHT_OUTER_EYE]))
            self.placement = Placement(np.eye(3), unit, seen.mean(axis=0))
        error = np.maximum(face.error_px[POINTS] / self.placement.unit_px, LEAST_ERROR)
        trust = np.repeat(_trust() * USUAL_ERROR / error, 2)[:, None]
        lids = _lids_of_gaze(gaze_pitch_deg)
        for _ in range(FIRST_ROUNDS if first else ROUNDS):
            self._round(self.placement, seen, trust, lids, learning)
        self.rest.follow(self.weights + self._below, pts_us)
        self._frames += 1
        out = np.zeros(len(ARKIT_NAMES), np.float32)
        out[_COLUMNS] = self.weights
        return out

    def lose(self) -> None:
        """The head may be anywhere when it is seen again; the person stays the same."""
        self.placement = None

    def _round(self, placement: Placement, seen: Floats, trust: Floats, lids: Floats, learning: Learning) -> None:
        """One step of Gauss and Newton."""
        person, turn = self.person, placement.rotation.T
        moved = ((self.rest.weights + self.weights) @ person.fields.reshape(len(SOLVED), -1)).reshape(-1, 3)
        view = View((person.neutral + lids + moved) @ turn)
        free = [view.placed(), view.moved(person.modes @ turn)] if learning else [view.placed()]
        others = np.concatenate(free, axis=1) * trust
        shapes = view.moved(person.fields @ turn) * trust
        gap = ((seen - placement.origin_px) / placement.unit_px - view.flat).reshape(-1, 1) * trust
        step = self._step(others, shapes, gap.ravel() + shapes @ self.weights, learning)
        placement.move(step[:6])
        if learning:
            person.learn(step[6:], self._information(others, shapes))

    def _step(self, others: Floats, shapes: Floats, target: Floats, learning: Learning) -> Floats:
        """Sets the weights; returns the step of everything unbounded, which is eliminated first (Schur complement)."""
        normal = others.T @ others + FIRM * np.eye(others.shape[1])
        if learning:
            normal[6:, 6:] += POINT_VARIANCE * self.person.information
        cross, right = others.T @ shapes, others.T @ target
        hold = HOLD if self._frames else 0.0
        ridge = (_RIDGE, FIRST_RIDGE, np.where(_BLINKS, FIRST_RIDGE, REST_RIDGE))[learning]
        without = np.linalg.solve(normal, np.column_stack([cross, right]))
        left = shapes.T @ shapes - cross.T @ without[:, :-1] + (ridge + hold) * np.eye(len(self.weights))
        wanted = shapes.T @ target - cross.T @ without[:, -1] + hold * self.weights
        self.weights = np.minimum(nonnegative_minimum(left, wanted, MOST_STEPS, self.weights), MOST)
        bound = np.where(self.weights > 0, 0.0, wanted - left @ self.weights)
        self._below = np.minimum(bound / np.diag(left), 0.0)
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


@cache
def _trust() -> Floats:
    """(points,) beside the network's expected error."""
    points = c.canonical_face().points
    chin = [i for i in c.OVAL if points[i, 1] < points[c.LOWER_INNER_LIP[len(c.LOWER_INNER_LIP) // 2], 1]]
    trust: Floats = np.where(np.isin(POINTS, chin), CHIN_TRUST, 1.0)
    return trust


@cache
def _fields() -> Floats:
    """(52, points, 3) as our network shows them."""
    shown = [next((share for start, share in SHOWN.items() if name.startswith(start)), 1.0) for name in ARKIT_NAMES]
    fields: Floats = c.canonical_face().fields[:, POINTS] * np.array(shown)[:, None, None]
    return fields


def _lids_of_gaze(pitch_deg: float) -> Floats:
    """(points, 3) lids follow the eyes up and down."""
    way = "Up" if pitch_deg > 0 else "Down"
    left, right = (_fields()[ARKIT_INDEX[name]] for name in both(f"eyeLook{way}"))
    lids: Floats = (left + right) * min(1.0, abs(pitch_deg) / EYE_LOOK_FULL_DEG)
    return lids


def _lid_ratio(neutral: Floats, side: str, eye: int) -> float:
    """How far an eye is open, beside what the measured blink closes; ``neutral`` (points of the mesh, 3)."""
    upper, lower = list(c.UPPER_LIDS[eye][1:-1]), list(c.LOWER_LIDS[eye][1:-1])
    blink = c.canonical_face().fields[ARKIT_INDEX[f"eyeBlink{side}"]]
    opening = neutral[upper, 1].mean() - neutral[lower, 1].mean()
    measured = blink[lower, 1].mean() - blink[upper, 1].mean()
    return float(np.clip(opening / measured, LEAST_LID, MOST_LID))


def _side(name: str) -> str:
    return "Left" if name.endswith("Left") else "Right"


def _turn(vector: Floats) -> Floats:
    """Rotation about a vector by its length (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    x, y, z = vector / max(angle, 1e-12)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turned: Floats = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return turned
