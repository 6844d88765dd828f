"""Crop of the rig: the square of the portrait that it shows, and the portrait's pixels in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from vivant.rig.canonical import N_SURFACE
from vivant.types import Float32Array, UInt8Array

SIDE_PX = 512.0
"""Side of the rig's square. All lengths of a rig are in these px, whatever size is rendered."""
MARGIN_PX = 40.0
"""What the texture holds beyond the square on each side, for when the head moves."""
FACE_SHARE = 0.40
"""Width of the face oval in the square."""
FACE_CENTRE_Y = 0.46
"""Height of the face's middle in the square, from above; chosen by eye."""
MAX_TEXELS_PER_PX = 2.0
"""Of a large picture, as much is kept as a face at 1024 px shows."""


@dataclass(frozen=True)
class RigCrop:
    """Crop: where the rig's square lies in the portrait."""

    left: float
    top: float
    side: float
    """Portrait px."""

    @property
    def scale(self) -> float:
        """Rig px per portrait px."""
        return SIDE_PX / self.side

    @property
    def texels_per_px(self) -> float:
        """Texture resolution: the portrait's own, within reason."""
        return float(np.clip(1.0 / self.scale, 1.0, MAX_TEXELS_PER_PX))

    def to_rig(self, points: Float32Array) -> Float32Array:
        """Portrait coordinates (n, 2 or 3) to rig px."""
        moved = points.astype(np.float32).copy()
        moved[:, :2] -= (self.left, self.top)
        return moved * np.float32(self.scale)

    def to_texels(self, points: Float32Array) -> Float32Array:
        """Rig px (n, 2+) to texels of the texture that `cut` makes."""
        return ((points[:, :2] + MARGIN_PX) * self.texels_per_px).astype(np.float32)

    def cut(self, plane: UInt8Array | Float32Array) -> UInt8Array | Float32Array:
        """The square with its margin out of a picture-sized plane (h, w[, c]), at texture resolution; borders repeat."""
        size = round((SIDE_PX + 2 * MARGIN_PX) * self.texels_per_px)
        margin = MARGIN_PX / self.scale
        box = (self.left - margin, self.top - margin, self.left + self.side + margin, self.top + self.side + margin)
        height, width = plane.shape[:2]
        pads = [max(0, int(np.ceil(p))) for p in (-box[1], box[3] - height, -box[0], box[2] - width)]
        padded = np.pad(plane, ((pads[0], pads[1]), (pads[2], pads[3]), *(((0, 0),) * (plane.ndim - 2))), mode="edge")
        shifted = (box[0] + pads[2], box[1] + pads[0], box[2] + pads[2], box[3] + pads[0])
        resized = Image.fromarray(padded).resize((size, size), Image.Resampling.LANCZOS, box=shifted)
        return np.asarray(resized)


def place_crop(landmarks: Float32Array, width: int, height: int) -> RigCrop:
    """The square around a face, inside the picture as far as the picture allows."""
    low, high = landmarks[:N_SURFACE, :2].min(axis=0), landmarks[:N_SURFACE, :2].max(axis=0)
    side = min(float(high[0] - low[0]) / FACE_SHARE, float(min(width, height)))
    centre_x, centre_y = (low + high) / 2
    left = float(np.clip(centre_x - side / 2, 0, width - side))
    top = float(np.clip(centre_y - side * FACE_CENTRE_Y, 0, height - side))
    return RigCrop(left, top, side)
