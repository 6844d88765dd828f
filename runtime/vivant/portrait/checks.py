"""What is wrong with a face that was found: cut off by the border, hidden, or none that has a mouth where people have it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vivant.errors import PortraitError
from vivant.numeric import ndimage
from vivant.portrait.analyser import LABELS, Cutout, DetectedFace, PortraitAnalyser
from vivant.portrait.choice import CLEAR
from vivant.rig import canonical as c
from vivant.types import Float32Array, UInt8Array

MOST_OUTSIDE, TOUCHES = 0.18, 0.01
"""Shares of the points of the skin that lie beyond the border: no rig is built; it is said."""
MOST_WANDER, MOST_WANDER_OFF_SKIN = 0.0155, 0.012
"""By which share of the face's size the points of the mouth may differ between looks; less where no bare skin is around them.
People .001 to .008, drawings to .015; a mouth guessed on a muzzle .016 and more, on the collar below a chin .015."""
LEAST_SKIN = 0.85
"""Share of the outline of the lips, lips and skin together, from which the mouth lies on bare skin."""
LEAST_LIPS = 0.27
"""Share of the outline of the lips that has to look like a mouth; the lowest of a person, under a beard, is .31."""
LEAST_EYES, MOST_GLASSES = 0.05, 0.4
"""Shares of the outline of an eye: in which one eyeball shows; and behind dark glasses, of both."""
VEILED = 0.0072
"""`DetectedFace.doubt` from which eyes that do not show are hidden, not closed or in the dark."""
MOST_OBJECT = 0.08
"""Share of the oval of the face that may be hidden by something: of people .01, of masks .02 to .5."""
EDGE_LEVELS, EDGE_SHARE, EDGE_EXCESS = 6, 0.85, 0.2
"""A straight line: at least this share of a row changes by so many levels, and so much more of it than of the rows around."""
_FINE = 4
"""Labels are compared with outlines at this multiple of their own resolution."""

_LIPS = sorted({*c.OUTER_LIPS, *c.UPPER_INNER_LIP, *c.LOWER_INNER_LIP})
_EYES = [tuple(upper) + tuple(reversed(lower)) for upper, lower in zip(c.UPPER_LIDS, c.LOWER_LIDS, strict=True)]
_NEEDED = sorted({*_LIPS, *_EYES[0], *_EYES[1]})
_SHIFTS = ((0.04, 0.0, 1.0), (-0.04, 0.0, 1.0), (0.0, 0.05, 1.0), (0.0, -0.05, 1.0), (0.0, 0.0, 0.9), (0.0, 0.0, 1.12))
"""Right and down in shares of the face's size, and scale, of the squares for `mouth_wander`."""


def require_whole(face: DetectedFace, width: int, height: int) -> list[str]:
    """Notes of a face at the border of its picture; raises PortraitError when too much of it lies beyond."""
    x, y = face.landmarks[: c.N_SURFACE, 0], face.landmarks[: c.N_SURFACE, 1]
    beyond = {"left": x < 0, "right": x > width, "upper": y < 0, "lower": y > height}
    edge = max(beyond, key=lambda name: float(beyond[name].mean()))
    outside = np.any(list(beyond.values()), axis=0)
    if outside[_NEEDED].any() or outside.mean() > MOST_OUTSIDE:
        raise PortraitError(f"the face is cut off by the {edge} edge of the picture; use a portrait that shows all of it")
    if outside.mean() > TOUCHES:
        return [f"the {edge} edge of the picture cuts the face; a portrait with some room around it moves better"]
    return []


def require_mouth(pixels: UInt8Array, face: DetectedFace, cutout: Cutout, analyser: PortraitAnalyser) -> list[str]:
    """Notes of what hides the face, or that it is hardly one; raises PortraitError when nobody can say where its mouth is."""
    lips = _share(cutout, face, c.OUTER_LIPS, "lips", "inner mouth", "teeth", "tongue")
    mouth_hidden, doubtful = lips < LEAST_LIPS, face.doubt > CLEAR
    on_skin = lips + _share(cutout, face, c.OUTER_LIPS, "skin") > LEAST_SKIN
    most = MOST_WANDER if on_skin else MOST_WANDER_OFF_SKIN
    if (mouth_hidden or doubtful) and mouth_wander(pixels, face, analyser) > most:
        raise PortraitError(
            "it cannot be told where the mouth of this face is: something lies over it, or it is not a person's; use a portrait"
            " of a person whose whole face shows"
        )
    notes = []
    if mouth_hidden:
        notes.append(
            "no lips can be made out where the mouth should be: something lies over it, or this is no person or a plain"
            " drawing; a mouth is drawn there"
        )
    if _eyes_hidden(face, cutout):
        notes.append("something lies over the eyes; lids that close are drawn over it")
    if _share(cutout, face, c.OVAL, "object") > MOST_OBJECT or crossed(pixels, face):
        notes.append("something lies over the face, such as a line, a hand or a mask; it will move with the skin")
    if doubtful and not notes:
        notes.append("this hardly looks like a person's face; animals and such drawings do not move well")
    return notes


def mouth_wander(pixels: UInt8Array, face: DetectedFace, analyser: PortraitAnalyser) -> float:
    """How far the points of the mouth lie apart in several looks, as a share of the face's size; infinite when it is lost."""
    looks = []
    centre = face.landmarks[:, :2].mean(axis=0)
    for right, down, scale in _SHIFTS:
        landmarks = face.landmarks * np.float32(scale)
        landmarks[:, :2] += (1 - scale) * centre + face.size_px * np.array((right, down), np.float32)
        look = analyser.follow(pixels, replace(face, landmarks=landmarks))
        if look is None:
            return float("inf")
        looks.append(look.landmarks[_LIPS, :2])
    points = np.array(looks)
    return float(np.linalg.norm(points - points.mean(axis=0), axis=2).mean() / face.size_px)


def crossed(pixels: UInt8Array, face: DetectedFace) -> bool:
    """Whether a straight line of the picture, as of a player or a caption, runs across the face between lids and chin."""
    points = face.landmarks[: c.N_SURFACE, :2]
    rows = (points[_EYES[0], 1].min(), points[c.CHIN, 1] + 0.12 * np.ptp(points[:, 0]))
    columns = (points[c.RIGHT_OUTER_EYE, 0], points[c.LEFT_OUTER_EYE, 0])
    return _has_line(pixels, points, rows) or _has_line(pixels.transpose(1, 0, 2), points[:, ::-1], columns)


def _has_line(pixels: UInt8Array, points: Float32Array, rows: tuple[float, float]) -> bool:
    """Whether one of the ``rows`` changes all along the width of the face and beyond."""
    reach = 0.15 * float(np.ptp(points[:, 0]))
    left, right = max(0, int(points[:, 0].min() - reach)), min(pixels.shape[1], int(points[:, 0].max() + reach))
    step = max(1, (right - left) // 400)
    top, bottom = max(2 * step, int(rows[0])), min(pixels.shape[0] - 2 * step, int(rows[1]))
    part = pixels[top:bottom:step, left:right:step].astype(np.int16)
    if min(part.shape[:2]) < 8:
        return False
    share = (np.abs(part[2:] - part[:-2]).max(axis=2) > EDGE_LEVELS).mean(axis=1)
    usual = ndimage.median_filter(share, size=max(41, len(share) // 3), mode="nearest")
    return bool(((share >= EDGE_SHARE) & (share - usual >= EDGE_EXCESS)).any())


def _eyes_hidden(face: DetectedFace, cutout: Cutout) -> bool:
    if any(_share(cutout, face, eye, "eyeball", "iris") >= LEAST_EYES for eye in _EYES):
        return False
    return face.doubt > VEILED or sum(_share(cutout, face, eye, "glasses") for eye in _EYES) > 2 * MOST_GLASSES


def _share(cutout: Cutout, face: DetectedFace, outline: tuple[int, ...], *labels: str) -> float:
    """Of the pixels within an outline of landmarks, those with one of the labels."""
    side = _FINE * len(cutout.labels)
    inside = Image.new("1", (side, side))
    points = cutout.frame.inside(face.landmarks[list(outline)], side)
    ImageDraw.Draw(inside).polygon([(float(x), float(y)) for x, y, _ in points], fill=1, outline=1)
    rows, columns = np.nonzero(np.asarray(inside))
    found: NDArray[np.bool_] = np.isin(cutout.labels[rows // _FINE, columns // _FINE], [LABELS.index(name) for name in labels])
    return float(found.mean()) if found.size else 0.0
