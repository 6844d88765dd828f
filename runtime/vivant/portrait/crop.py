"""Crops: squares that are cut out of a picture for the networks; training cuts the same ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from vivant.rig.canonical import LEFT_OUTER_EYE, N_SURFACE, RIGHT_OUTER_EYE
from vivant.types import Float32Array, UInt8Array

FACE_MARGIN = 1.3
"""Side of the face's square relative to the longer side of the box of the surface points, both upright."""
PERSON_MARGIN = 3.2
"""Side of the person's square relative to the longer side of that box, over its aspect of 1.25."""


@dataclass(frozen=True, slots=True)
class Crop:
    """Crop: a square in a picture, turned with the face."""

    x: float
    """Centre, px of the picture (pixel centres at .5, y down)."""
    y: float
    side: float
    """px of the picture"""
    roll_deg: float = 0.0
    """Clockwise turn of the square as seen; the cut is upright in it."""

    def matrix(self, size: int) -> Float32Array:
        """(2, 3) map from px of the picture to px of a cut of ``size``."""
        turn, scale = np.radians(self.roll_deg), size / self.side
        linear = scale * np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
        return np.column_stack([linear, size / 2 - linear @ (self.x, self.y)]).astype(np.float32)

    def inside(self, points: Float32Array, size: int) -> Float32Array:
        """Points (n, 2 or 3) of the picture in px of the cut; heights scale along."""
        return _mapped(points, self.matrix(size), size / self.side)

    def outside(self, points: Float32Array, size: int) -> Float32Array:
        """Points (n, 2 or 3) of a cut of ``size`` in px of the picture."""
        matrix = self.matrix(size).astype(np.float64)
        back = np.linalg.inv(matrix[:, :2])
        return _mapped(points, np.column_stack([back, -back @ matrix[:, 2]]), self.side / size)


def face_frame(points: Float32Array) -> Crop:
    """The upright square around a face from its points (478, 2 or 3)."""
    along = points[LEFT_OUTER_EYE, :2] - points[RIGHT_OUTER_EYE, :2]
    roll = np.arctan2(along[1], along[0])
    turn = np.array([(np.cos(roll), np.sin(roll)), (-np.sin(roll), np.cos(roll))], np.float32)
    upright = points[:N_SURFACE, :2] @ turn.T
    low, high = upright.min(axis=0), upright.max(axis=0)
    x, y = turn.T @ (0.5 * (low + high))
    return Crop(float(x), float(y), FACE_MARGIN * float((high - low).max()), float(np.degrees(roll)))


def person_frame(face: Crop) -> Crop:
    """The square around head and shoulders, never turned, from the square of the face."""
    side = PERSON_MARGIN * face.side / (FACE_MARGIN * 1.25)
    return Crop(face.x, face.y + 0.04 * side, side)


def cut(pixels: UInt8Array, frame: Crop, size: int) -> UInt8Array:
    """The square (size, size, 3) of a picture (h, w, 3), smoothed when it shrinks; black outside the picture."""
    shrink = max(1, int(frame.side / size))
    turn = np.radians(frame.roll_deg)
    reach = int(0.5 * frame.side * (abs(np.cos(turn)) + abs(np.sin(turn)))) + 2 * shrink + 2
    left, top = (max(0, int(v) - reach) // shrink * shrink for v in (frame.x, frame.y))
    right, bottom = (max(0, int(v) + reach) for v in (frame.x, frame.y))
    part = pixels[top:bottom, left:right]  # only what is needed: pictures can be large
    if part.size == 0:
        return np.zeros((size, size, 3), np.uint8)
    picture = Image.fromarray(part)
    if shrink > 1:
        picture = picture.reduce(shrink)
        frame = Crop((frame.x - left) / shrink, (frame.y - top) / shrink, frame.side / shrink, frame.roll_deg)
        left = top = 0
    matrix = frame.matrix(size).astype(np.float64)
    back = np.linalg.inv(matrix[:, :2])
    rows = np.column_stack([back, -back @ matrix[:, 2] - (left, top)])
    return np.asarray(picture.transform((size, size), Image.Transform.AFFINE, tuple(rows.ravel()), Image.Resampling.BILINEAR))


def _mapped(points: Float32Array, matrix: Float32Array, scale: float) -> Float32Array:
    out = points.astype(np.float32).copy()
    out[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    out[:, 2:] *= scale
    return out
