"""A rectangle of the portrait's texture, retouched and used beside the original."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivant.pixels import LUMA
from vivant.rig.crop import MARGIN_PX
from vivant.types import Float32Array, FloatArray, UInt8Array


def luminance(pixels: UInt8Array | FloatArray) -> FloatArray:
    """Brightness (...,) in 0..255 of sRGB pixels (..., 3), by the weights of ITU-R BT.601."""
    return np.asarray(pixels @ np.array(LUMA))


@dataclass(frozen=True)
class Patch:
    """Pixels (h, w, 3) whose upper left texel is (x0, y0) of the whole texture."""

    x0: int
    y0: int
    pixels: UInt8Array
    texels_per_px: float

    @classmethod
    def around(cls, picture: UInt8Array, points: FloatArray, reach_px: float, texels_per_px: float) -> Patch:
        """The part of the texture that holds points (n, 2+) in rig px, and ``reach_px`` more on each side."""
        size = np.array(picture.shape[1::-1])
        low = ((points[:, :2].min(axis=0) - reach_px + MARGIN_PX) * texels_per_px).astype(int)
        high = ((points[:, :2].max(axis=0) + reach_px + MARGIN_PX) * texels_per_px).astype(int)
        low = np.clip(low, 0, size - 8)
        high = np.clip(high, low + 8, size)
        return cls(int(low[0]), int(low[1]), picture[low[1] : high[1], low[0] : high[0]], texels_per_px)

    def part(self, plane: Float32Array) -> Float32Array:
        """(h, w) of another plane of the whole texture, such as its alpha."""
        h, w = self.pixels.shape[:2]
        return plane[self.y0 : self.y0 + h, self.x0 : self.x0 + w]

    def coordinates(self) -> FloatArray:
        """(h, w, 2) rig px of each texel's centre."""
        h, w = self.pixels.shape[:2]
        x, y = np.meshgrid(np.arange(w) + self.x0 + 0.5, np.arange(h) + self.y0 + 0.5)
        return np.asarray(np.stack([x, y], axis=-1) / self.texels_per_px - MARGIN_PX)

    def uv(self, points: FloatArray) -> FloatArray:
        """Rig px (n, 2+) to texels of this patch."""
        return np.asarray((points[:, :2] + MARGIN_PX) * self.texels_per_px - (self.x0, self.y0), np.float64)
