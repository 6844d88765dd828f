"""Face crops: jittered boxes, flips and photometric changes, and the points in the crop."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.analyser.data import Bytes, Face, Floats
from training.analyser.points import mirror

SIDE = 192
"""Width and height of a crop, px."""
MARGIN = 1.3
"""Side of the crop relative to the longer side of the box of the surface points."""


@dataclass(frozen=True)
class Jitter:
    """How far a crop strays from the box: standard deviations."""

    scale: float
    """Of the logarithm."""
    shift: float
    """Share of the side."""
    roll: float
    """Degrees."""


TRAINED = Jitter(0.12, 0.05, 14.0)
JUDGED = Jitter(0.06, 0.025, 0.0)
"""About what a face detector leaves."""


@dataclass(frozen=True)
class Crop:
    """What the network sees, and the truth."""

    image: Bytes
    """(SIDE, SIDE, 3) sRGB."""
    points: Floats
    """(478, 2) px of the crop."""
    visible: NDArray[np.bool_]
    """(478,) seen and inside the crop."""
    unit: float
    """Outer-eye distance, px of the crop."""


def placement(box: Floats, jitter: Jitter, rng: np.random.Generator) -> tuple[Floats, float]:
    """(2, 3) map from picture px to crop px, and its scale."""
    side = MARGIN * float(max(box[2] - box[0], box[3] - box[1])) * float(np.exp(rng.normal(0, jitter.scale)))
    middle = 0.5 * (box[:2] + box[2:]) + rng.normal(0, jitter.shift, 2) * side
    angle, scale = np.radians(rng.normal(0, jitter.roll)), SIDE / side
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn, SIDE / 2 - turn @ middle]).astype(np.float32), scale


def cut(face: Face, jitter: Jitter, rng: np.random.Generator) -> Crop:
    """Crop a face; what lies outside the picture is one of its colours."""
    way, scale = placement(face.box, jitter, rng)
    by_index = way.astype(np.float64)
    by_index[:, 2] += by_index[:, :2] @ (0.5, 0.5) - 0.5  # OpenCV counts from the middle of the first pixel
    fill = [float(v) for v in face.image[0, 0]]
    image = cv2.warpAffine(np.asarray(face.image), by_index, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderValue=fill)
    points = (face.points @ way[:, :2].T + way[:, 2]).astype(np.float32)
    inside = ((points >= 0) & (points < SIDE)).all(1)
    return Crop(np.asarray(image, np.uint8), points, face.visible & inside, face.unit * scale)


def flipped(crop: Crop) -> Crop:
    """The mirror image, with left and right points exchanged."""
    other = mirror()
    points = crop.points[other].copy()
    points[:, 0] = SIDE - points[:, 0]
    return Crop(np.ascontiguousarray(crop.image[:, ::-1]), points, crop.visible[other], crop.unit)


def relit(image: Bytes, rng: np.random.Generator) -> Bytes:
    """Gamma, gain and tint, grey, softness, noise and a patch of colour."""
    levels = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    tint = np.exp(rng.normal(0, 0.15) + rng.normal(0, 0.06, 3)).astype(np.float32)
    table = (levels ** float(np.exp(rng.normal(0, 0.25)))) * tint + float(rng.normal(0, 0.04))
    out = np.stack([np.clip(table[:, k] * 255, 0, 255)[image[..., k]] for k in range(3)], -1).astype(np.float32)
    if rng.random() < 0.12:
        out = np.repeat(out.mean(2, keepdims=True), 3, 2)
    if rng.random() < 0.25:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 1.8))), np.float32)
    if rng.random() < 0.4:
        out = out + rng.standard_normal(out.shape, np.float32) * float(rng.uniform(1, 12))
    if rng.random() < 0.15:
        (x, y), (w, h) = rng.integers(0, SIDE, 2), rng.integers(8, SIDE // 3, 2)
        out[y : y + h, x : x + w] = rng.uniform(0, 255, 3)
    return np.clip(out, 0, 255).astype(np.uint8)


def training_crop(face: Face, rng: np.random.Generator) -> Crop:
    """One crop to learn from."""
    crop = cut(face, TRAINED, rng)
    crop = flipped(crop) if rng.random() < 0.5 else crop
    return Crop(relit(crop.image, rng), crop.points, crop.visible, crop.unit)


def judged_crop(face: Face, index: int) -> Crop:
    """One crop to be measured on; always the same for an index."""
    return cut(face, JUDGED, np.random.default_rng([7, index]))
