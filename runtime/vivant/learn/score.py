"""Score: how far a painted mouth is from the person's own, inside the lips."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.types import Float32Array, UInt8Array

_TO_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
_D65 = np.array([0.95047, 1.0, 1.08883])


def lab(rgb: UInt8Array) -> Float32Array:
    """CIELAB (..., 3) of sRGB pixels (..., 3) under D65, by CIE 15 and IEC 61966-2-1."""
    share = rgb.astype(np.float32) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = linear @ (_TO_XYZ.T / _D65)
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1).astype(np.float32)


def error(painted: UInt8Array, truth: UInt8Array, inside: NDArray[np.bool_]) -> float:
    """Mean absolute CIELAB error, of L, a and b alike, over what lies inside the lips; patches (n, h, w, 3)."""
    if not inside.any():
        return float("nan")
    return float(np.abs(lab(painted[inside]) - lab(truth[inside])).mean())


def sharpness(patches: UInt8Array, inside: NDArray[np.bool_]) -> float:
    """Mean step of lightness (L*) from a px to the next, to the right and down, inside the lips."""
    light = lab(patches)[..., 0]
    across, down = np.abs(np.diff(light, axis=2)), np.abs(np.diff(light, axis=1))
    within = inside[:, :, 1:] & inside[:, :, :-1], inside[:, 1:] & inside[:, :-1]
    return float(np.concatenate([across[within[0]], down[within[1]]]).mean())
