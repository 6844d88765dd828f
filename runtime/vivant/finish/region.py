"""Regions: where on a face its patches lie, and what of each may be painted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vivant.easing import smoothstep
from vivant.render._kernel import patch_mask
from vivant.rig import canonical as c
from vivant.types import ARKIT_INDEX, Float32Array, FloatArray, MotionFrame

PX_PER_UNIT = 120.0
"""Patch px in an outer-eye distance: about those of a frame of 512 px."""
SKULL = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 2, 98, 327)
"""Landmarks that no expression moves much: corners of eyes, nose. Patches lie still beside them, so that teeth do."""
MOUTH_PX = (112, 72)
"""Width and height of a patch."""
BELOW_LIPS = 0.1
"""So far below the lips' corners lies the middle of the mouth's patch, in outer-eye distances: the jaw goes down."""
LIP_REACH, LID_REACH = 0.06, 0.04
"""How far beyond the opening may be painted, in outer-eye distances; chosen by eye."""
SHUT, PARTED = 0.004, 0.03
"""Mean gap of the lips, in outer-eye distances, at which nothing is painted, and all that may be."""
OPEN_LIDS, MOVED_LIDS = 0.1, 0.35
"""The same of lids: by how much of their opening at rest they have come down."""
MOUTH_SHAPES = (
    "jawOpen", "jawLeft", "jawRight", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight", "mouthRollLower",
    "mouthRollUpper", "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthPressLeft",
    "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight",
)  # fmt: skip
"""What capture sees of a mouth; of other shapes a network that learnt from a film knows nothing."""
_MOUTH_WEIGHTS = [ARKIT_INDEX[name] for name in MOUTH_SHAPES]
TURN_DEG = 20.0
"""A turn that a network is told as 1."""
INNER_LIPS = (*c.UPPER_INNER_LIP, *reversed(c.LOWER_INNER_LIP[1:-1]))
Complexes = NDArray[np.complex128]


@dataclass(frozen=True)
class Similarity:
    """Similarity of the plane, of points as complex numbers: z to ``turn * z + shift``."""

    turn: complex
    shift: complex

    @classmethod
    def between(cls, points: Complexes, others: Complexes) -> Similarity:
        """The nearest one (least squares)."""
        here, there = points - points.mean(), others - others.mean()
        turn = complex(np.vdot(here, there) / max(np.vdot(here, here).real, 1e-9))
        return cls(turn, complex(others.mean() - turn * points.mean()))

    def after(self, first: Similarity) -> Similarity:
        return Similarity(self.turn * first.turn, self.turn * first.shift + self.shift)

    def back(self, points: Complexes) -> Complexes:
        out: Complexes = (points - self.shift) / self.turn
        return out

    def numbers(self) -> Float32Array:
        """(4,) as the kernel takes a place."""
        return np.array((self.turn.real, self.turn.imag, self.shift.real, self.shift.imag), np.float32)


def as_complex(points: FloatArray) -> Complexes:
    """(n,) of points (n, 2 or more)."""
    return np.asarray(points[:, 0] + 1j * points[:, 1], np.complex128)


@dataclass(frozen=True)
class MouthRegion:
    """Mouth of one face: where its patch lies on the face at rest."""

    rest: Float32Array
    """(468, 2) landmarks of the rig at rest, any px."""
    size_px = MOUTH_PX

    @cached_property
    def unit_px(self) -> float:
        """Outer-eye distance, px of ``rest``."""
        return float(np.linalg.norm(self.rest[c.LEFT_OUTER_EYE] - self.rest[c.RIGHT_OUTER_EYE]))

    @cached_property
    def _on_rest(self) -> Similarity:
        """Patch to face at rest: as level as the eyes."""
        points = as_complex(self.rest)
        along = (points[c.LEFT_OUTER_EYE] - points[c.RIGHT_OUTER_EYE]) / self.unit_px
        turn = along * self.unit_px / PX_PER_UNIT
        middle = points[[c.MOUTH_RIGHT, c.MOUTH_LEFT]].mean() + 1j * along * BELOW_LIPS * self.unit_px
        return Similarity(complex(turn), complex(middle - turn * complex(*self.size_px) / 2))

    def place(self, points: FloatArray) -> Similarity:
        """Patch to picture, for the landmarks (468 or more, 2 or more) of the face in that picture."""
        skull = list(SKULL)
        return Similarity.between(as_complex(self.rest[skull]), as_complex(points[skull])).after(self._on_rest)

    def outline(self, points: FloatArray, place: Similarity, row: Sequence[int] = INNER_LIPS) -> Float32Array:
        """(n, 2) a row of landmarks, px of the patch; the inner lips, between which the mouth is seen."""
        return as_points(place.back(as_complex(points[list(row)])))

    def mask(self, points: FloatArray, place: Similarity) -> Float32Array | None:
        """(height, width) how far each px may be painted, 0 to 1; None while the lips are shut."""
        outline = self.outline(points, place)
        strength = smoothstep(gap_of(outline), SHUT, PARTED)
        if strength == 0.0:
            return None
        mask = np.empty(self.size_px[::-1], np.float32)
        patch_mask(outline, LIP_REACH * PX_PER_UNIT, mask)
        return mask * np.float32(strength)


def gap_of(inner_lips: Float32Array) -> float:
    """Mean gap between the lips, outer-eye distances, of their outline in a patch; lips that cross in the numbers are shut."""
    n = len(c.UPPER_INNER_LIP)
    upper, lower = inner_lips[:n, 1], np.append(inner_lips[n - 1 :, 1], inner_lips[0, 1])[::-1]
    middle = slice(3, 8)
    return float(np.maximum(lower[middle] - upper[middle], 0.0).mean()) / PX_PER_UNIT


def as_points(numbers: Complexes) -> Float32Array:
    return np.stack([numbers.real, numbers.imag], 1).astype(np.float32)


def motion_vector(motion: MotionFrame) -> Float32Array:
    """(`network.N_MOTION`,) of a motion: what capture sees of a mouth, and how the head is turned."""
    turns = (motion.pose.yaw_deg, motion.pose.pitch_deg, motion.pose.roll_deg)
    return np.concatenate([np.clip(motion.weights[_MOUTH_WEIGHTS], 0, 1), np.array(turns, np.float32) / TURN_DEG]).astype(
        np.float32
    )
