"""How bright is what shows between the lips? ``python -m benchmarks.mouth_inside [PORTRAIT...]``

The bundled voice on each portrait; all frames whose lips are parted by 3 % of the outer-eye distance or more. The lightness (L*
of CIELAB, 1976) of what the lips let through over the cheeks'. Which pixels these are, the rig itself says: it is drawn once
more with white for everything inside the mouth and black for everything else.

The targets are what seven people in films have (46 s, their own sound).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import vivant
from benchmarks.report import PORTRAITS, Row, quiet, show, voice
from vivant.rig.rig import Rig
from vivant.types import AudioChunk, Controls, FloatArray, MotionFrame, UInt8Array

SIDE_PX, SECONDS, EVERY = 512, 16, 2
PAINTED = ("ada_painting", "walter_painting", "sana_ink")
"""Bundled portraits that are no photographs."""
INSIDE = ("cavity", "tongue", "upper teeth", "lower teeth", "own teeth", "shade")
"""Textures of what lies behind the lips."""
PARTED = 0.03
"""Least height of the opening, in outer-eye distances."""
CHEEKS = (50, 280)
CHEEK_PX = 7.0
AS_TEETH = 0.75
"""Lightness over the cheeks' from which a pixel counts as bright as teeth."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What showed between the lips in all parted frames, over the cheeks."""

    median: float
    p90: float
    teeth_share: float
    parted_share: float


def lightness(rgb: UInt8Array | FloatArray) -> FloatArray:
    """L* (...,) in 0..100 of sRGB pixels (..., 3), by CIE 15 and IEC 61966-2-1."""
    c = rgb.astype(np.float64) / 255.0
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    y = linear @ np.array((0.2126, 0.7152, 0.0722))
    return np.asarray(np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, y * 24389 / 27))


def mask_rig(rig: Rig) -> Rig:
    """The same rig in white for the inside of the mouth and black for everything else."""
    textures = []
    for name, texture in zip(rig.texture_names, rig.textures, strict=True):
        flat = np.zeros_like(texture)
        flat[..., :3] = texture[..., 3:] * (name in INSIDE)
        flat[..., 3] = texture[..., 3]
        textures.append(flat)
    return replace(rig, textures=tuple(textures))


def motion() -> list[MotionFrame]:
    """What the bundled voice makes of a mouth, the head at rest."""
    samples, rate_hz = voice()
    state = vivant.ArticulatoryMotion().open(Fraction(25), seed=1)
    frames = state.push(AudioChunk(samples[: SECONDS * rate_hz], rate_hz), Controls()) + state.flush(Controls())
    return [MotionFrame(f.index, f.pts_us, f.weights, f.tongue) for f in frames[::EVERY]]


def measure(face: vivant.RigFace, frames: Sequence[MotionFrame]) -> Inside:
    """Of one portrait."""
    seen, mask = face.open(SIDE_PX), vivant.RigFace(mask_rig(face.rig)).open(SIDE_PX)
    rest, unit = face.rig.arrays["rest"], float(face.rig.arrays["head_frame"][3])
    shares = [
        lightness(pixels[inside]) / _cheeks(pixels, rest[list(CHEEKS), :2])
        for pixels, inside in (
            (seen.render(frame).pixels[..., :3], mask.render(frame).pixels[..., 0] > 100) for frame in frames
        )
        if inside.sum(axis=0).max() >= PARTED * unit
    ]
    every = np.concatenate(shares)
    return Inside(
        float(np.median(every)), float(np.percentile(every, 90)), float((every > AS_TEETH).mean()), len(shares) / len(frames)
    )


def _cheeks(pixels: UInt8Array, places: FloatArray) -> float:
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] + 0.5
    near: NDArray[np.bool_] = (np.hypot(x - places[:, None, None, 0], y - places[:, None, None, 1]) < CHEEK_PX).any(axis=0)
    return float(lightness(pixels[near]).mean())


def rows(paths: Sequence[Path] = PORTRAITS) -> list[Row]:
    """One line a portrait, and the median of the photographs."""
    frames = motion()
    found = {path.stem: measure(vivant.open_portrait(path), frames) for path in paths}
    photographs = [inside for name, inside in found.items() if name not in PAINTED]
    names = ("median", "p90", "teeth_share", "parted_share")
    middle = Inside(*(float(np.median([getattr(inside, name) for inside in photographs])) for name in names))
    target = "median .36-.74, 90th .9-1.2, bright .09-.49"
    return [
        Row(
            f"inside of the lips over the cheeks (L*), {name}",
            target,
            f"median {i.median:.2f}, 90th {i.p90:.2f}, bright {i.teeth_share:.2f} (parted {i.parted_share:.2f})",
        )
        for name, i in [*found.items(), ("median of the photographs", middle)]
    ]


if __name__ == "__main__":
    with quiet():
        found = rows([Path(name) for name in sys.argv[1:]] or PORTRAITS)
    show(found)
