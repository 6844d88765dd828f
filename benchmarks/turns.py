"""What goes wrong when a head turns? ``python -m benchmarks turns [--limits] [PORTRAIT OR RIG ...]``

Turned by +-22 degrees of yaw and +-15 of pitch, each picture is drawn again with every texel of the person coloured by its own
place. From that follows, in px of 512:

* holes: no person where person is all around;
* torn: pieces of the sheet of less than 40 px whose neighbours in the picture are not their neighbours in the portrait:
  specks and threads at the far cheek;
* doubled: lines in what the head has left bare, stronger than the background's own: the person's outline once more, a ghost;
* rims: places on the outline that are lighter or darker than both sides of it, beyond those of the portrait at rest.

``--limits`` lets rigs of an older state turn as far.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.report import PORTRAITS, Row, quiet, show
from vivant.face import open_portrait
from vivant.render.renderer import RigRenderer
from vivant.rig.far_side import FAR_SIDE
from vivant.rig.patch import luminance
from vivant.rig.rig import BACKGROUND, Rig
from vivant.types import MotionFrame, Pose, UInt8Array, arkit_weights

SIZE_PX = 512
POSES = {"yaw": (Pose(yaw_deg=-22), Pose(yaw_deg=22)), "pitch": (Pose(pitch_deg=-15), Pose(pitch_deg=15))}
REACHES = {"yaw": "+-22", "pitch": "+-15"}
REACH_DEG = np.array([(-22, 22), (-15, 15)], np.float32)
FRINGE_PX = 6
"""Of hair, between whose strands the background shows."""
BLENDED_PX, TORN_PX, JUMP_LEVELS = 2, 40, 4
"""Smoothed edges mix two places; a larger piece is torn that is smaller than the second. Neighbours whose places differ by
more, of 255 across the texture, are of two pieces."""
BARE_PX, CLEAR_PX, FAR_PX = 24, 8, 40
"""How far around its old place a head has left the background bare; how far from its new one that is looked at; from where the
background is its own."""
LINE_PX, LINE_LEVELS, MORE = (2.0, 9.0), 2.0, 1.5
"""How fine and how wide a line is; by how many of 255 levels it differs from around it at least, and over the 99.5th percentile
of what the background itself does."""
STRAY = 0.02
"""Share of the outline that may look like a rim by chance, as single bright hairs do."""
RIM_LEVELS, BESIDE_PX = 24.0, 4.0
"""How much lighter or darker a rim is than both sides, and how far beside it these are looked at."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Faults:
    """In px."""

    holes: int = 0
    torn: int = 0
    doubled: int = 0
    rims: int = 0

    def __add__(self, other: Faults) -> Faults:
        return Faults(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __str__(self) -> str:
        return f"{self.holes} holes, {self.torn} torn, {self.doubled} doubled, {self.rims} rims"


def faults(rig: Rig) -> dict[str, Faults]:
    """Of yaw and of pitch, both ways together."""
    looker = _Looker(rig)
    return {axis: sum((looker.faults(pose) for pose in poses), Faults()) for axis, poses in POSES.items()}


def reaching(rig: Rig) -> Rig:
    """The rig with limits that let it turn that far."""
    limits = rig.arrays["limits"].copy()
    limits[:2] = REACH_DEG
    return replace(rig, arrays=rig.arrays | {"limits": limits})


class _Looker:
    """Draws a rig, and the places of its texels."""

    def __init__(self, rig: Rig) -> None:
        self._picture = RigRenderer(rig.scene(), SIZE_PX, SIZE_PX)
        self._places = RigRenderer(_coded(rig).scene(), SIZE_PX, SIZE_PX)
        self._rest = self._drawn(Pose())
        _, alpha = self._rest
        self._was = alpha > 0.02
        self._inner = alpha > 0.5
        self._rims = _rims(*self._rest)

    def _drawn(self, pose: Pose) -> tuple[UInt8Array, NDArray[np.float32]]:
        motion = MotionFrame(0, 0, arkit_weights(), pose=pose)
        picture = self._picture.render(motion).pixels[..., :3].copy()
        return picture, self._places.render(motion).pixels[..., 3].astype(np.float32) / np.float32(255)

    def faults(self, pose: Pose) -> Faults:
        picture, alpha = self._drawn(pose)
        places = self._places.render(MotionFrame(0, 0, arkit_weights(), pose=pose)).pixels.copy()
        return Faults(
            holes=_n_holes(alpha) - min(_n_holes(alpha), _n_holes(self._rest[1])),
            torn=_n_torn(places),
            doubled=self._n_doubled(picture, alpha),
            rims=max(0, round(_rims(picture, alpha) - self._rims - STRAY * (self._was & ~self._inner).sum())),
        )

    def _n_doubled(self, picture: UInt8Array, alpha: NDArray[np.float32]) -> int:
        near = ndimage.binary_dilation(self._was, iterations=BARE_PX)
        far = ~ndimage.binary_dilation(self._was, iterations=FAR_PX)
        now = ndimage.binary_fill_holes(alpha > 0.02)
        bare = near & ~ndimage.binary_dilation(now, iterations=CLEAR_PX)
        lines = np.abs(_lines(picture, ~now))
        least = max(LINE_LEVELS, MORE * float(np.percentile(lines[far], 99.5)) if far.any() else LINE_LEVELS)
        own = ndimage.binary_dilation((np.abs(_lines(self._rest[0], ~self._was)) > least) & ~self._was, iterations=2)
        return int((bare & ~own & (lines > least)).sum())


def _lines(picture: UInt8Array, where: Mask) -> NDArray[np.float64]:
    """What is lighter or darker than around it, among the px ``where`` the background shows."""
    light = luminance(picture).astype(np.float64) * where

    def mean(reach_px: float) -> NDArray[np.float64]:
        weight = np.maximum(ndimage.gaussian_filter(where.astype(np.float64), reach_px), 1e-3)
        return np.asarray(ndimage.gaussian_filter(light, reach_px) / weight)

    return mean(LINE_PX[0]) - mean(LINE_PX[1])


def _coded(rig: Rig) -> Rig:
    """The person alone, in whose texels red and green are their place; blue is all else, such as eyes. The mirror image over a
    far cheek is no piece of the sheet: it is left out, so that it hides no tear."""
    textures = []
    for name, texture in zip(rig.texture_names, rig.textures, strict=True):
        height, width = texture.shape[:2]
        down, across = np.mgrid[:height, :width] * (255 / np.array((height, width)))[:, None, None]
        place = (across, down, np.zeros_like(down)) if name == "person" else (0 * down, 0 * down, 255 + 0 * down)
        alpha = texture[..., 3] * np.uint8(name not in (BACKGROUND, FAR_SIDE))
        code = np.stack(place, axis=-1) * (alpha[..., None] / 255.0)
        textures.append(np.dstack([np.round(code).astype(np.uint8), alpha]))
    return replace(rig, textures=tuple(textures), transparent=True)


def _n_holes(alpha: NDArray[np.float32]) -> int:
    solid = alpha > 0.5
    filled = ndimage.binary_fill_holes(solid)
    return int((ndimage.binary_erosion(filled, iterations=FRINGE_PX) & ~solid).sum())


def _n_torn(places: UInt8Array) -> int:
    """Of pieces within which places change little from px to px, those that are small."""
    solid, code = (places[..., 3] > 250) & (places[..., 2] < 128), places[..., :2].astype(np.int16)
    grid = np.zeros(
        (2 * SIZE_PX - 1, 2 * SIZE_PX - 1), bool
    )  # px at even places, between them whether neighbours belong together
    grid[::2, ::2] = solid
    grid[::2, 1::2] = solid[:, 1:] & solid[:, :-1] & (np.abs(np.diff(code, axis=1)).max(axis=2) <= JUMP_LEVELS)
    grid[1::2, ::2] = solid[1:] & solid[:-1] & (np.abs(np.diff(code, axis=0)).max(axis=2) <= JUMP_LEVELS)
    pieces, _ = ndimage.label(grid)
    sizes = np.bincount(pieces[::2, ::2].ravel())
    sizes[0] = 0
    edge = ndimage.binary_dilation(~solid, iterations=FRINGE_PX)  # the fringe of the hair, and of the eyes
    inner = np.unique(pieces[::2, ::2][solid & ~edge])
    return int(sum(sizes[piece] for piece in inner if BLENDED_PX < sizes[piece] < TORN_PX))


def _rims(picture: UInt8Array, alpha: NDArray[np.float32]) -> int:
    """Px of the outline that are lighter or darker than both sides."""
    light = luminance(picture).astype(np.float64)
    soft = ndimage.gaussian_filter(alpha.astype(np.float64), 2.0)
    y, x = np.nonzero((alpha > 0.05) & (alpha < 0.95) & (soft > 0.2) & (soft < 0.8))
    down, across = (ndimage.sobel(soft, axis)[y, x] for axis in (0, 1))
    length = np.maximum(np.hypot(down, across), 1e-9)
    sides = [
        ndimage.map_coordinates(
            light, (y + s * BESIDE_PX * down / length, x + s * BESIDE_PX * across / length), order=1, mode="nearest"
        )
        for s in (-1, 1)
    ]
    at = light[y, x]
    return int(((at > np.maximum(*sides) + RIM_LEVELS) | (at < np.minimum(*sides) - RIM_LEVELS)).sum())


def rows(paths: Sequence[Path], *, reach: bool = False) -> list[Row]:
    """Two lines per portrait."""
    found: list[Row] = []
    for path in paths:
        rig = open_portrait(path).rig
        for axis, seen in faults(reaching(rig) if reach else rig).items():
            found.append(Row(f"{axis} {REACHES[axis]}, {path.stem}", "none", str(seen)))
    return found


def main(words: Sequence[str]) -> None:
    paths = [Path(word) for word in words if word != "--limits"] or list(PORTRAITS)
    with quiet():
        lines = rows(paths, reach="--limits" in words)
    show(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
