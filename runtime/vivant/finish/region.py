"""Regions: where on a face its patches lie, and what of each may be painted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
EDGE_PX = 1.5
"""Over which a mask ends at an opening; chosen by eye."""
SKULL = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 2, 98, 327)
"""Landmarks that no expression moves much: corners of eyes, nose. Patches lie still beside them, so that teeth do."""
MOUTH_SHAPES = (
    "jawOpen", "jawLeft", "jawRight", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight", "mouthRollLower",
    "mouthRollUpper", "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthPressLeft",
    "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight",
)  # fmt: skip
"""What capture sees of a mouth; of other shapes a network that learnt from a film knows nothing."""
EYE_SHAPES = (
    "eyeBlink", "eyeSquint", "eyeWide", "eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut", "browDown", "browOuterUp",
)  # fmt: skip
"""The same of an eye; a network is told those of the other eye, too."""
TURN_DEG = 20.0
"""A turn that a network is told as 1."""
LIDS = (
    (130, 247, 30, 29, 27, 28, 56, 190, 243, 112, 26, 22, 23, 24, 110, 25),
    (463, 414, 286, 258, 257, 259, 260, 467, 359, 255, 339, 254, 253, 252, 256, 341),
)
"""Landmarks around each eye: along the fold above it, and as far below it."""
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
class Spot:
    """What one patch shows, on any face."""

    size_px: tuple[int, int]
    """Width and height."""
    below: float
    """So far below its anchors lies the patch's middle, in outer-eye distances."""
    anchors: Sequence[int]
    """Landmarks by which it is seen whether another picture's patch lies as this one; its middle lies below their ends."""
    within: Sequence[int]
    """Landmarks around what may be painted."""
    reach: float
    """How far beyond them may be painted, too, in outer-eye distances; chosen by eye."""
    not_skin: Sequence[int]
    """Landmarks around what is no skin."""
    skin_px: float
    """Skin begins so far from those, px of the patch."""
    upper: Sequence[int]
    lower: Sequence[int]
    """Rows of landmarks between which it is open."""
    middle: slice
    """Of the rows, where that is measured."""
    is_open_at_rest: bool
    """What is seen through it is the portrait's own, and so is it all at rest."""
    still: float
    moved: float
    """Openings, or shares of that at rest by which it has changed, at which nothing is painted, and all that may be."""
    weights: Sequence[int]
    """Of a motion, which its network is told."""
    mirrored: bool = False
    """Its network is shown it from left to right."""


def _weights(sides: tuple[str, str]) -> list[int]:
    """Of one eye and the other."""
    own, other = ([ARKIT_INDEX[f"{name}{side}"] for name in EYE_SHAPES] for side in sides)
    return [*own, ARKIT_INDEX[f"cheekSquint{sides[0]}"], *other, ARKIT_INDEX["browInnerUp"]]


def _eye(side: int) -> Spot:
    upper, lower = c.UPPER_LIDS[side], c.LOWER_LIDS[side]
    return Spot(
        size_px=(56, 40), below=-0.02, anchors=(upper[0], upper[-1]), within=LIDS[side], reach=0.05, not_skin=LIDS[side],
        skin_px=3.0, upper=upper, lower=lower, middle=slice(2, 7), is_open_at_rest=True, still=0.1, moved=0.35,
        weights=_weights(("Left", "Right") if side else ("Right", "Left")), mirrored=side == 1,
    )  # fmt: skip


MOUTH = Spot(
    size_px=(112, 72), below=0.1, anchors=c.UPPER_OUTER_LIP, within=(*c.UPPER_INNER_LIP, *reversed(c.LOWER_INNER_LIP[1:-1])),
    reach=0.06, not_skin=c.OUTER_LIPS, skin_px=8.0, upper=c.UPPER_INNER_LIP, lower=c.LOWER_INNER_LIP, middle=slice(3, 8),
    is_open_at_rest=False, still=0.004, moved=0.03, weights=[ARKIT_INDEX[name] for name in MOUTH_SHAPES],
)  # fmt: skip
"""The opening between the lips, and their edges; its patch reaches down as the jaw goes down."""
EYES = (_eye(0), _eye(1))
"""Lids, lashes and folds of the person's right eye and of the left one, for which one network does."""
SPOTS: Mapping[str, tuple[Spot, ...]] = {"mouth": (MOUTH,), "eyes": EYES}
"""What the network of each part (`network.PARTS`) paints."""


@dataclass(frozen=True)
class Region:
    """A spot of one face: where its patch lies, and what of it may be painted."""

    spot: Spot
    rest: Float32Array
    """(468, 2) landmarks of the rig at rest, any px."""

    @cached_property
    def unit_px(self) -> float:
        """Outer-eye distance, px of ``rest``."""
        return float(np.linalg.norm(self.rest[c.LEFT_OUTER_EYE] - self.rest[c.RIGHT_OUTER_EYE]))

    @cached_property
    def _on_rest(self) -> Similarity:
        """Patch to face at rest: as level as the eyes."""
        points, spot = as_complex(self.rest), self.spot
        along = (points[c.LEFT_OUTER_EYE] - points[c.RIGHT_OUTER_EYE]) / self.unit_px
        turn = along * self.unit_px / PX_PER_UNIT
        middle = points[[spot.anchors[0], spot.anchors[-1]]].mean() + 1j * along * spot.below * self.unit_px
        return Similarity(complex(turn), complex(middle - turn * complex(*spot.size_px) / 2))

    @cached_property
    def _open_at_rest(self) -> float:
        return max(self._opening(self.rest, self._on_rest), 1e-3)

    def place(self, points: FloatArray) -> Similarity:
        """Patch to picture, for the landmarks (468 or more, 2 or more) of the face in that picture."""
        skull = list(SKULL)
        return Similarity.between(as_complex(self.rest[skull]), as_complex(points[skull])).after(self._on_rest)

    def mask(self, points: FloatArray, place: Similarity) -> Float32Array | None:
        """(height, width) how far each px may be painted, 0 to 1; None while that is nothing."""
        strength = self.strength(points, place)
        if strength == 0.0:
            return None
        mask = self.filled(points, place, self.spot.within, self.spot.reach * PX_PER_UNIT) * np.float32(strength)
        if self.spot.is_open_at_rest:
            opening = (*self.spot.upper, *reversed(self.spot.lower[1:-1]))
            mask *= 1 - self.filled(points, place, opening, EDGE_PX)
        return mask

    def filled(self, points: FloatArray, place: Similarity, row: Sequence[int], reach_px: float) -> Float32Array:
        """(height, width): 1 within a row of landmarks, falling to 0 at that distance from it."""
        mask = np.empty(self.spot.size_px[::-1], np.float32)
        outline = place.back(as_complex(points[list(row)]))
        patch_mask(np.stack([outline.real, outline.imag], 1).astype(np.float32), reach_px, mask)
        return mask

    def strength(self, points: FloatArray, place: Similarity) -> float:
        """How much of what may be painted is, 0 to 1."""
        measured = self._opening(points, place)
        if self.spot.is_open_at_rest:
            measured = abs(1.0 - measured / self._open_at_rest)
        return float(smoothstep(measured, self.spot.still, self.spot.moved))

    def _opening(self, points: FloatArray, place: Similarity) -> float:
        """Mean gap, outer-eye distances; rows that cross in the numbers are shut."""
        upper, lower = (
            place.back(as_complex(points[list(row[self.spot.middle])])).imag for row in (self.spot.upper, self.spot.lower)
        )
        return float(np.maximum(lower - upper, 0.0).mean()) / PX_PER_UNIT

    def told(self, motion: MotionFrame) -> Float32Array:
        """(`network.N_MOTION`,) what the network is told of a motion: some of its weights, and how the head is turned."""
        pose, hand = motion.pose, -1.0 if self.spot.mirrored else 1.0
        turns = np.array((hand * pose.yaw_deg, pose.pitch_deg, hand * pose.roll_deg)) / TURN_DEG
        return np.concatenate([np.clip(motion.weights[list(self.spot.weights)], 0, 1), turns]).astype(np.float32)


def regions(part: str, rest: Float32Array) -> tuple[Region, ...]:
    """Of one face, what the network of a part paints."""
    return tuple(Region(spot, rest) for spot in SPOTS[part])
