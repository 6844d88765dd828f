"""Does a shut lid end in an edge? ``python -m benchmarks lids [PORTRAIT|RIG.vivant ...]``

The largest colour step on the skin between the brow and the lashes in a full blink, over the largest that the same skin has
above the crease of the open eye, and the skin below the eye. A step is the difference (CIELAB, 1976) of the mean colours of two
bands that touch, each `BAND` high, along the middle of the lid. The crease of the shut lid counts as a step, too.

And does the edge of a half-shut lid have stairs? Its line and lashes are drawn alone on white; how far their middle strays from
a smooth curve along the lid is the standard deviation in px of 512.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

import vivant
from benchmarks.report import PORTRAITS, Row, quiet, show
from vivant.face import RigFace
from vivant.rig import canonical as c
from vivant.rig.rig import Rig
from vivant.rig.skin import CAMERA_DISTANCE_PX
from vivant.types import ARKIT_INDEX, FloatArray, MotionFrame, UInt8Array, arkit_weights

SIDE_PX = 512
BAND = 0.018
"""Height of what is compared, outer-eye distances."""
MIDDLE = np.linspace(0.2, 0.8, 25)
"""Places along the lid, in shares of its width."""
CREASES = ((247, 30, 29, 27, 28, 56, 190), (414, 286, 258, 257, 259, 260, 467))
"""Landmarks of the folds above open eyes, from the image left."""
BELOW_BROW, LASHES, BELOW = 0.04, 0.05, (0.12, 0.4)
"""What is left out below the brow and above the lid's edge; and which skin below the eye is looked at: outer-eye distances."""
LEAST = 2.0
"""A step that nobody sees: half of it is the noise of a JPEG."""
TARGET = 1.5
HALF, LINES, SMOOTH = 0.5, ("lashes", "line of the lid"), 3
"""A half-shut lid; the names of its edge's textures; and the degree of a smooth curve."""
MOST_STAIRS_PX = 0.25
"""A line whose places are rounded to whole px is off by .29."""

Line = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """Largest colour steps (CIELAB) of one eye: in a blink, and of its own skin."""

    shut: float
    own: float

    @property
    def ratio(self) -> float:
        return self.shut / self.own


def measure(face: RigFace) -> list[Step]:
    """The person's right eye and the left one."""
    renderer, unit = face.open(SIDE_PX), float(face.rig.arrays["head_frame"][3])
    looks = [arkit_weights(), arkit_weights(eyeBlinkLeft=1.0, eyeBlinkRight=1.0)]
    rest, shut = (lab(renderer.render(MotionFrame(0, 0, weights)).pixels[..., :3]) for weights in looks)
    return [_step(rest, shut, face.rig, side, unit) for side in (0, 1)]


def stairs_px(face: RigFace) -> list[float]:
    """The person's right eye and the left one."""
    textures = [
        t if n in LINES else np.full_like(t, 255) for n, t in zip(face.rig.texture_names, face.rig.textures, strict=True)
    ]
    alone = RigFace(replace(face.rig, textures=tuple(textures))).open(SIDE_PX)
    weights = arkit_weights(eyeBlinkLeft=HALF, eyeBlinkRight=HALF)
    dark = 255.0 - alone.render(MotionFrame(0, 0, weights)).pixels[..., 1].astype(np.float64)
    places, middles = _places(face.rig, None), []
    for upper in c.UPPER_LIDS:
        left, right = places[[upper[0], upper[-1]], 0]
        x = np.arange(round(left + MIDDLE[0] * (right - left)), round(left + MIDDLE[-1] * (right - left)))
        top, bottom = (round(places[list(upper), 1].max() + reach * (right - left)) for reach in (-0.6, 0.6))
        here, rows = dark[top:bottom, x], np.arange(bottom - top)
        if not here.any(axis=0).all():
            return []
        height = rows @ here / here.sum(axis=0)
        middles.append(float(np.std(height - np.polyval(np.polyfit(x, height, SMOOTH), x))))
    return middles


def _step(rest: FloatArray, shut: FloatArray, rig: Rig, side: int, unit: float) -> Step:
    open_places = _places(rig, None)
    shut_places = _places(rig, ARKIT_INDEX[f"eyeBlink{('Right', 'Left')[side]}"])
    ends = open_places[[c.UPPER_LIDS[side][0], c.UPPER_LIDS[side][-1]], 0]
    x = ends[0] + MIDDLE * (ends[1] - ends[0])

    def line(places: FloatArray, row: Sequence[int]) -> Line:
        return np.asarray(np.interp(x, *places[list(row), :2].T))

    edge = line(shut_places, c.UPPER_LIDS[side]) - LASHES * unit
    crease = line(open_places, CREASES[side]) - LASHES * unit
    brow, brow_shut = (line(places, c.LOWER_BROWS[side]) + BELOW_BROW * unit for places in (open_places, shut_places))
    lower = line(open_places, c.LOWER_LIDS[side])
    own = [_steps(rest, x, brow, crease, unit), _steps(rest, x, lower + BELOW[0] * unit, lower + BELOW[1] * unit, unit)]
    return Step(_largest(_steps(shut, x, brow_shut, edge, unit)), max(*(_largest(steps) for steps in own), LEAST))


def _largest(steps: FloatArray) -> float:
    """Over the height of each column; the median of the columns."""
    return float(np.median(steps.max(axis=0))) if len(steps) else 0.0


def _steps(picture: FloatArray, x: Line, top: Line, bottom: Line, unit: float) -> FloatArray:
    """(rows, columns): colour steps between two heights, in rows from the lower one up to the higher."""
    band = BAND * unit
    count = max(0, int((bottom - top - 2 * band).min()))
    rows = bottom - band - np.arange(count)[:, None]
    columns = np.broadcast_to(x, rows.shape)
    means = ndimage.gaussian_filter1d(ndimage.uniform_filter1d(picture, max(1, round(band)), axis=0), 0.5 * band, axis=1)
    above, below = (
        np.stack([ndimage.map_coordinates(means[..., k], [rows + shift, columns], order=1) for k in range(3)], axis=-1)
        for shift in (-band / 2, band / 2)
    )
    return np.asarray(np.linalg.norm(above - below, axis=-1))


def _places(rig: Rig, drive: int | None) -> FloatArray:
    """(468, 2) where the frame shows the landmarks, at rest or at full weight of a shape."""
    places = rig.arrays["rest"][: c.N_SURFACE].astype(np.float64)
    for number, start, count, offset in rig.arrays["move_blocks"].tolist():
        if number == drive and start < c.N_SURFACE:
            end = min(start + count, c.N_SURFACE)
            places[start:end] += rig.arrays["moves"][offset : offset + end - start]
    middle = rig.arrays["camera"][:2]
    seen = middle + (places[:, :2] - middle) * (CAMERA_DISTANCE_PX / (CAMERA_DISTANCE_PX - places[:, 2:]))
    return np.asarray(seen * SIDE_PX / float(rig.arrays["camera"][3]))


def lab(rgb: UInt8Array) -> FloatArray:
    """CIELAB (..., 3) of sRGB pixels (..., 3) under D65, by CIE 15 and IEC 61966-2-1."""
    encoded = rgb.astype(np.float64) / 255.0
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    share = linear @ to_xyz.T / to_xyz.sum(axis=1)
    f = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def rows(paths: Sequence[Path] = PORTRAITS) -> list[Row]:
    """One line a portrait or rig file, and the worst."""
    faces = {path.stem: _open(path) for path in paths}
    found = {name: measure(face) for name, face in faces.items()}
    lines = [
        Row(
            f"lids in a blink, colour step over the skin's own, {name}",
            f"<= {TARGET}",
            " / ".join(f"{eye.ratio:.2f} ({eye.shut:.1f} : {eye.own:.1f})" for eye in eyes),
        )
        for name, eyes in found.items()
    ]
    worst = [max(eye.ratio for eye in eyes) for eyes in found.values()]
    within = sum(ratio <= TARGET for ratio in worst)
    lines.append(Row("worst eye; faces within the target", f"<= {TARGET}", f"{max(worst):.2f}; {within} of {len(worst)}"))
    return lines + [
        Row(f"edge of a half-shut lid off a smooth curve, px, {name}", f"<= {MOST_STAIRS_PX}", _join(off))
        for name, face in faces.items()
        if (off := stairs_px(face))
    ]


def _join(values: Sequence[float]) -> str:
    return " / ".join(f"{value:.2f}" for value in values)


def _open(path: Path) -> RigFace:
    return RigFace(Rig.load(path)) if path.suffix == ".vivant" else vivant.open_portrait(path)


def main(words: Sequence[str]) -> None:
    """Command line."""
    with quiet():
        found = rows([Path(word) for word in words] or PORTRAITS)
    show(found)
