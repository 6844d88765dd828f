"""What goes wrong when a head turns? ``python -m benchmarks.turns [--limits] [PORTRAIT OR RIG ...]``

Turned by +-22 degrees of yaw and +-15 of pitch, each picture is drawn again with every texel of the person coloured by its own
place. From that follows, in px of 512:

* holes: no person where person is all around;
* torn: pieces of the sheet of less than 40 px whose neighbours in the picture are not their neighbours in the portrait:
  specks and threads at the far cheek;
* doubled: edges in what the head has left bare, sharper than the background's own: the person's outline once more, a ghost;
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
from vivant.rig.patch import luminance
from vivant.rig.rig import BACKGROUND, Rig
from vivant.types import MotionFrame, Pose, UInt8Array, arkit_weights

SIZE_PX = 512
POSES = {"yaw": (Pose(yaw_deg=-22), Pose(yaw_deg=22)), "pitch": (Pose(pitch_deg=-15), Pose(pitch_deg=15))}
REACHES = {"yaw": "+-22", "pitch": "+-15"}
REACH_DEG = np.array([(-22, 22), (-15, 15)], np.float32)
TORN_PX, JUMP_LEVELS = 40, 4
"""A piece smaller than that is torn; neighbours whose places differ by more, of 255 across the texture, are of two pieces."""
BARE_PX, FAR_PX = 24, 40
"""How far around its old place a head has left the background bare; from where the background is its own."""
SHARP, SHARPER = 6.0, 1.5
"""Least slope of brightness of an edge, levels per px, and over the 99.5th percentile of the background's own."""
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
        return picture, self._places.render(motion).pixels[..., 3].astype(np.float32) / 255

    def faults(self, pose: Pose) -> Faults:
        picture, alpha = self._drawn(pose)
        places = self._places.render(MotionFrame(0, 0, arkit_weights(), pose=pose)).pixels.copy()
        return Faults(
            holes=_n_holes(alpha) - min(_n_holes(alpha), _n_holes(self._rest[1])),
            torn=_n_torn(places),
            doubled=self._n_doubled(picture, alpha),
            rims=max(0, _rims(picture, alpha) - self._rims),
        )

    def _n_doubled(self, picture: UInt8Array, alpha: NDArray[np.float32]) -> int:
        near = ndimage.binary_dilation(self._was, iterations=BARE_PX)
        far = ~ndimage.binary_dilation(self._was, iterations=FAR_PX)
        bare = near & ~ndimage.binary_dilation(alpha > 0.02, iterations=3)
        slope = _slope(picture)
        sharp = max(SHARP, SHARPER * float(np.percentile(slope[far], 99.5)) if far.any() else SHARP)
        own = ndimage.binary_dilation((_slope(self._rest[0]) > sharp) & ~self._was, iterations=2)  # the portrait's own
        return int((bare & ~own & (slope > sharp)).sum())


def _slope(picture: UInt8Array) -> NDArray[np.float64]:
    return np.asarray(ndimage.gaussian_gradient_magnitude(luminance(picture).astype(np.float64), 1.0))


def _coded(rig: Rig) -> Rig:
    """The person alone, in whose texels red and green are their place."""
    person = rig.texture_names.index("person")
    textures = [np.zeros_like(texture) for texture in rig.textures]
    height, width = rig.textures[person].shape[:2]
    alpha = rig.textures[person][..., 3]
    across, down = np.meshgrid(np.arange(width) * (255 / width), np.arange(height) * (255 / height))
    code = np.stack([across, down, np.zeros_like(across)], axis=-1) * (alpha[..., None] / 255.0)
    textures[person] = np.dstack([np.round(code).astype(np.uint8), alpha])
    if BACKGROUND in rig.texture_names:
        textures[rig.texture_names.index(BACKGROUND)][:] = 0
    return replace(rig, textures=tuple(textures), transparent=True)


def _n_holes(alpha: NDArray[np.float32]) -> int:
    solid = alpha > 0.5
    return int((ndimage.binary_fill_holes(solid) & ~solid).sum())


def _n_torn(places: UInt8Array) -> int:
    """Of pieces within which places change little from px to px, those that are small."""
    solid, code = places[..., 3] > 250, places[..., :2].astype(np.int16)
    grid = np.zeros(
        (2 * SIZE_PX - 1, 2 * SIZE_PX - 1), bool
    )  # px at even places, between them whether neighbours belong together
    grid[::2, ::2] = solid
    grid[::2, 1::2] = solid[:, 1:] & solid[:, :-1] & (np.abs(np.diff(code, axis=1)).max(axis=2) <= JUMP_LEVELS)
    grid[1::2, ::2] = solid[1:] & solid[:-1] & (np.abs(np.diff(code, axis=0)).max(axis=2) <= JUMP_LEVELS)
    pieces, _ = ndimage.label(grid)
    sizes = np.bincount(pieces[::2, ::2].ravel())
    sizes[0] = 0
    edge = ndimage.binary_dilation(~solid, iterations=3)  # the hair's own fringe
    inner = np.unique(pieces[::2, ::2][solid & ~edge])
    return int(sum(sizes[piece] for piece in inner if 0 < sizes[piece] < TORN_PX))


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
    rigs = {path.stem: open_portrait(path).rig for path in paths}
    found = {name: faults(reaching(rig) if reach else rig) for name, rig in rigs.items()}
    return [
        Row(f"{axis} {REACHES[axis]}, {name}", "none", str(seen)) for name, both in found.items() for axis, seen in both.items()
    ]


def main(words: Sequence[str]) -> None:
    paths = [Path(word) for word in words if word != "--limits"] or list(PORTRAITS)
    with quiet():
        lines = rows(paths, reach="--limits" in words)
    show(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
