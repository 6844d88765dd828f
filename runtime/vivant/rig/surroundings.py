"""The portrait beyond the rig's square, for frames that are wider or higher than it, and on beyond its own borders."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.easing import smoothsteps
from vivant.media.images import load_image
from vivant.numeric import ndimage
from vivant.rig.crop import MAX_TEXELS_PER_PX, SIDE_PX, RigCrop
from vivant.rig.matte import FAINT, fill_holes
from vivant.types import Float32Array, UInt8Array

REACH_PX = 384.0
"""How far beyond the square, on each side, the portrait is kept."""
_QUALITY = 92
_MATTE_SHRINK = 4
BLUR_PX, BLURRED_AT_PX = 18.0, 90.0
"""What goes on beyond the portrait is its mirror image, ever softer: how soft, and how far out it is all so."""
_SOFT_SHRINK = 4
ARM_PX = 60.0
"""Radius with which a shoulder that the portrait cuts goes down beyond it."""
SEEN_PX, UNSURE_PX, GAP_PX = 56.0, 10.0, 24.0
"""How much of its outline tells how it falls; how much of a matte at the border of its picture does not count; holes in it."""
HAIR_PX, CROWN = 40.0, 0.35
"""How far hair goes on that the portrait cuts at its side; height of a crown over half its width where it cuts that."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in rig px."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True)
class Surroundings:
    """Kept with a rig as two JPEG files; decoded only for frames that are no squares."""

    box: Box
    """Where they lie; not beyond the portrait."""
    picture: bytes
    matte: bytes
    """Grey: the person."""

    @classmethod
    def around(cls, square: RigCrop, pixels: UInt8Array, person: Float32Array) -> Surroundings:
        """Out of a portrait (h, w, 3) and its person (h, w) in [0, 1]."""
        height, width = person.shape
        reach = (SIDE_PX + REACH_PX) / square.scale, REACH_PX / square.scale
        left, top = (max(0, int(start - reach[1])) for start in (square.left, square.top))
        right, bottom = min(width, round(square.left + reach[0])), min(height, round(square.top + reach[0]))
        shrink = max(1.0, 1.0 / square.scale / MAX_TEXELS_PER_PX)
        size = round((right - left) / shrink), round((bottom - top) / shrink)
        part = Image.fromarray(pixels[top:bottom, left:right]).resize(size, Image.Resampling.LANCZOS)
        grey = Image.fromarray(np.round(person[top:bottom, left:right] * 255).astype(np.uint8))
        small = grey.resize((max(64, size[0] // _MATTE_SHRINK), max(64, size[1] // _MATTE_SHRINK)), Image.Resampling.BOX)
        corners = square.to_rig(np.array([(left, top), (right, bottom)], np.float32)).ravel()
        return cls(Box(*(float(v) for v in corners)), _jpeg(part), _jpeg(small))

    @cached_property
    def person(self) -> Float32Array:
        """(h, w) the matte over all of the box, at a resolution of its own; one piece, without holes.

        A matte is worth little at the border of its picture: there it is what it is further in.
        """
        matte = (load_image(self.matte).pixels[..., 0] / np.float32(255)).astype(np.float32)
        per_px = matte.shape[1] / self.box.width
        unsure, gap = max(1, round(UNSURE_PX * per_px)), round(GAP_PX * per_px) | 1
        known = np.pad(matte[:-unsure, unsure:-unsure], ((0, unsure), (unsure, unsure)), mode="edge")
        closed = ndimage.binary_fill_holes(ndimage.grey_closing(known, size=(gap, gap), mode="nearest") > 0.4)
        pieces, _ = ndimage.label(closed)
        body = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:])) if closed.any() else closed
        near = ndimage.binary_dilation(body, iterations=unsure)
        filled = ndimage.gaussian_filter(body.astype(np.float32), 1.0)
        return np.asarray(np.maximum(smoothsteps(known, FAINT, 1.0 - FAINT) * near, filled), np.float32)

    def drawn(self, view: Box, width: int, height: int) -> tuple[UInt8Array, Float32Array]:
        """(height, width, 3) and the person's alpha (height, width) of ``view``, gone on where the portrait ends."""
        per_px = width / view.width
        box = self.box
        inner = (
            max(0, int(np.ceil((box.left - view.left) * per_px - 1e-3))),
            max(0, int(np.ceil((box.top - view.top) * per_px - 1e-3))),
            min(width, int(np.floor((box.right - view.left) * per_px + 1e-3))),
            min(height, int(np.floor((box.bottom - view.top) * per_px + 1e-3))),
        )
        part = Box(*(o + v / per_px for o, v in zip((view.left, view.top) * 2, inner, strict=True)))
        picture = self._resized(load_image(self.picture).pixels, part, inner)
        person = self._resized(np.round(self.person * 255).astype(np.uint8), part, inner).astype(np.float32) / np.float32(255)
        pads = ((inner[1], height - inner[3]), (inner[0], width - inner[2]))
        if not any(map(any, pads)):
            return picture, person
        return _gone_on(picture, person, pads, per_px)

    def _resized(self, plane: UInt8Array, part: Box, inner: tuple[int, int, int, int]) -> UInt8Array:
        rows, columns = plane.shape[:2]
        across, down = columns / self.box.width, rows / self.box.height
        box = (
            max(0.0, (part.left - self.box.left) * across),
            max(0.0, (part.top - self.box.top) * down),
            min(float(columns), (part.right - self.box.left) * across),
            min(float(rows), (part.bottom - self.box.top) * down),
        )
        size = inner[2] - inner[0], inner[3] - inner[1]
        return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC, box=box))


def _jpeg(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=_QUALITY, subsampling=0)
    return data.getvalue()


Pads = tuple[tuple[int, int], tuple[int, int]]
"""Rows above and below, columns left and right."""


def _gone_on(picture: UInt8Array, person: Float32Array, pads: Pads, per_px: float) -> tuple[UInt8Array, Float32Array]:
    """The picture (h, w, 3) and the person (h, w) with borders in which both go on."""
    inside = np.pad(np.ones(person.shape, bool), pads)
    beyond = _beyond(person.shape, pads)
    soft = smoothsteps(beyond, 0.0, BLURRED_AT_PX * per_px)[..., None]
    solid = ndimage.maximum_filter(person, size=round(10 * per_px) | 1)[..., None]
    plate = picture * (1 - solid) + _small_fill(picture, solid[..., 0] < 0.05) * solid
    behind = _softened(np.pad(plate, (*pads, (0, 0)), mode="symmetric"), soft, per_px)
    body = _small_fill(picture, person > 0.9) * (1 - person[..., None]) + picture * person[..., None]
    before = _softened(np.pad(body, (*pads, (0, 0)), mode="symmetric"), soft, per_px)
    alpha = _person_gone_on(person, pads, per_px)
    mixed = behind * (1 - alpha[..., None]) + before * alpha[..., None]
    whole = np.pad(picture, (*pads, (0, 0)))
    return np.where(inside[..., None], whole, np.clip(mixed, 0, 255).round().astype(np.uint8)), alpha.astype(np.float32)


def _beyond(shape: tuple[int, ...], pads: Pads) -> Float32Array:
    """How far outside of the inner part each px lies; 0 in it."""
    rows, columns = (
        np.concatenate([np.arange(before, 0, -1), np.zeros(n), np.arange(1, after + 1)])
        for n, (before, after) in zip(shape, pads, strict=True)
    )
    return np.asarray(np.hypot(rows[:, None], columns[None]), np.float32)


def _small_fill(picture: UInt8Array, known: NDArray[np.bool_]) -> Float32Array:
    """The picture with what is not known filled from around it; soft, so a small copy is enough."""
    height, width = known.shape
    size = max(2, width // _SOFT_SHRINK), max(2, height // _SOFT_SHRINK)
    small = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
    kept = np.asarray(Image.fromarray(known.astype(np.uint8) * 255).resize(size, Image.Resampling.BOX)) > 250
    filled = Image.fromarray(fill_holes(small, kept)).resize((width, height), Image.Resampling.BICUBIC)
    return np.where(known[..., None], picture, np.asarray(filled)).astype(np.float32)


def _softened(plane: Float32Array, soft: Float32Array, per_px: float) -> Float32Array:
    """Blurred where ``soft`` is 1."""
    height, width = plane.shape[:2]
    small = Image.fromarray(np.clip(plane, 0, 255).astype(np.uint8)).reduce(_SOFT_SHRINK)
    sigma = BLUR_PX * per_px / _SOFT_SHRINK
    blurred = ndimage.gaussian_filter(np.asarray(small, np.float32), (sigma, sigma, 0), mode="nearest")
    wide = np.asarray(
        Image.fromarray(np.round(blurred).astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC), np.float32
    )
    return np.asarray(plane * (1 - soft) + wide * soft, np.float32)


def _person_gone_on(person: Float32Array, pads: Pads, per_px: float) -> Float32Array:
    """(h, w) alpha with borders: shoulders go down, hair runs out, a cut crown is rounded."""
    (above, below), sides = pads
    left, right = (min(round(UNSURE_PX * per_px), person.shape[1] // 4) if side else 0 for side in sides)
    sure = person[:, left : person.shape[1] - right]
    left, right = left + sides[0], right + sides[1]
    alpha = np.pad(sure, ((above, below), (left, right)))
    rows, columns = slice(above, above + len(sure)), slice(left, left + sure.shape[1])
    alpha[rows, :left] = _side(sure, left, per_px)[:, ::-1]
    alpha[rows, columns.stop :] = _side(sure[:, ::-1], right, per_px)
    alpha[:above, columns] = _crown(sure[0], above, per_px)[::-1]
    return alpha


def _side(person: Float32Array, count: int, per_px: float) -> Float32Array:
    """(h, count) beyond column 0 of ``person``, nearest first."""
    row, away = np.arange(len(person), dtype=np.float32)[:, None], np.arange(1, count + 1, dtype=np.float32)
    shoulder, slope = _shoulder(person[:, : max(4, round(SEEN_PX * per_px))])
    outline = shoulder + slope * away + away**2 / (2 * ARM_PX * per_px)
    arm = np.clip((row - outline) / (1.0 + 0.03 * away) + 0.5, 0.0, 1.0)
    column = person[:, :1]
    hair = np.where(row < _top_of_last_run(column[:, 0] > 0.1), column, 0.0) * (1 - smoothsteps(away, 0.0, HAIR_PX * per_px))
    return np.asarray(np.maximum(arm, hair), np.float32)


def _shoulder(person: Float32Array) -> tuple[float, float]:
    """The row at which the outline of the body meets column 0, and how steeply it falls there; rows and 0 without a body."""
    height = len(person)
    tops = np.array([_top_of_last_run(column) for column in (person > 0.5).T], np.float64)
    columns = np.arange(len(tops))
    if (tops >= height).mean() > 0.5:
        return float(height), 0.0
    step, start = np.polyfit(columns[tops < height], tops[tops < height], 1)
    return float(np.clip(start, 0, height)), float(np.clip(-step, 0.1, 2.0))


def _top_of_last_run(column: NDArray[np.bool_]) -> int:
    """First row of the part that reaches the last row; the number of rows if none does."""
    outside = np.flatnonzero(~column)
    return int(outside[-1]) + 1 if len(outside) else 0


def _crown(row: Float32Array, count: int, per_px: float) -> Float32Array:
    """(count, w) above row 0, nearest first: every part that is cut there ends in half an ellipse."""
    away = np.arange(1, count + 1, dtype=np.float32)[:, None]
    alpha = np.zeros((count, len(row)), np.float32)
    pieces, n_pieces = ndimage.label(row > 0.5)
    for piece in range(1, n_pieces + 1):
        columns = np.flatnonzero(pieces == piece)
        middle, half = columns.mean(), len(columns) / 2
        across = np.clip(1 - ((np.arange(len(row)) - middle) / half) ** 2, 0.0, 1.0)
        alpha = np.maximum(alpha, np.clip(CROWN * half * np.sqrt(across) - away + 0.5, 0.0, 1.0))
    return np.asarray(alpha, np.float32)
