"""Frames that are no squares: which part of the portrait they show, and the rig drawn into it without a seam."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vivant.easing import smoothsteps
from vivant.errors import InputError
from vivant.numeric import ndimage
from vivant.rig import canonical as c
from vivant.rig.crop import MARGIN_PX, SIDE_PX
from vivant.rig.rig import Rig
from vivant.rig.surroundings import Box, Surroundings
from vivant.size import Size
from vivant.types import Float32Array, FloatArray, UInt8Array

EYES_AT = 0.42
"""Where the eyes are in an upright frame, share of its height; in a wide one they are where the square has them."""
EYES_HIGHEST, MOST_ASIDE = 0.36, 1 / 6
"""How far the face gives way, in shares of the frame, so that the frame stays within the portrait."""
HEAD_ROOM = 1.1
"""Least width and height of a frame, in those of the head with its hair."""
CROWN_ROOM = 0.04
"""Least room above the hair, in shares of the frame, if the portrait has it."""
LEAST_HEAD, MOST_HEAD, HIGHEST_HAIR = 1.45, 2.4, 2.0
"""Width of the head with its hair, in those of the face; height of the hair, in that of the forehead."""
STILL_PX, EASED_PX = 12.0, 84.0
"""From where the portrait's still part begins: what does not move with the head, and where all does."""


@dataclass(frozen=True)
class Framed:
    """What a renderer needs."""

    rig: Rig
    """Moves like the given one, but not at its border with ``behind``."""
    view: Box
    behind: UInt8Array
    """(height, width, 4) premultiplied."""


def framed(rig: Rig, size: Size) -> Framed:
    """The rig in a frame of any size. Raises InputError for a rig that was made without its surroundings, or is damaged."""
    if rig.surroundings is None:
        raise InputError(f"this rig knows nothing beyond its square; build it again from its portrait for frames of {size} px")
    try:
        return _framed(rig, rig.surroundings, size)
    except (ValueError, IndexError) as error:
        raise InputError(f"this rig is damaged ({error}) and must be built again from its portrait") from error


def _framed(rig: Rig, around: Surroundings, size: Size) -> Framed:
    face = _seen(rig)
    view = placed(face, around, size, standing=rig.transparent)
    still = _still_part(view, around.box)
    pixels, person = around.drawn(view, *size)
    alpha = _outside(still, view, size) * person if rig.transparent else np.ones_like(person)
    behind = np.dstack([pixels * alpha[..., None], alpha * 255]).round().astype(np.uint8)
    return Framed(_eased(rig, face, still), view, behind)


def placed(face: Float32Array, around: Surroundings, size: Size, *, standing: bool) -> Box:
    """The part of the portrait that shows the face (468, 2) well; ``standing``: not beyond where the person ends below."""
    aspect = size.height / size.width
    (left, top), (right, chin) = face.min(axis=0), face.max(axis=0)
    eyes = float(face[[i for lids in (*c.UPPER_LIDS, *c.LOWER_LIDS) for i in lids], 1].mean())
    middle = float(left + right) / 2
    reach, crown = _head(around, middle, float(right - left), (float(top), eyes))
    ground = _ground(around, float(chin)) if standing else around.box.bottom

    least = max(2 * reach * aspect, float(chin) - crown) * HEAD_ROOM
    eyes_at = EYES_AT if aspect > 1 else eyes / SIDE_PX
    height = float(np.clip((ground - eyes) / (1 - eyes_at), least, max(1.0, aspect) * SIDE_PX))
    within = min(max(eyes - eyes_at * height, around.box.top), eyes - min(EYES_HIGHEST, eyes_at) * height, ground - height)
    upper = min(within, max(crown - CROWN_ROOM * height, around.box.top))
    height += within - upper
    width = height / aspect
    start = _across(middle, reach, width, around.box)
    return Box(start, upper, start + width, upper + height)


def _across(middle: float, reach: float, width: float, portrait: Box) -> float:
    """Left side of a frame around a head: in its middle, or beside it where that keeps the frame within the portrait."""
    start = middle - width / 2
    if width > portrait.width:
        return start
    aside = max(0.0, min(MOST_ASIDE * width, width / 2 - reach))
    inside = np.clip(start, portrait.left, portrait.right - width)
    return float(np.clip(inside, start - aside, start + aside))


def _seen(rig: Rig) -> Float32Array:
    """(468, 2) the face's points as the portrait shows them, rig px."""
    rest, distance = rig.arrays["rest"][: c.N_SURFACE], rig.arrays["camera"][2]
    seen: Float32Array = SIDE_PX / 2 + (rest[:, :2] - SIDE_PX / 2) * (distance / (distance - rest[:, 2:]))
    return seen


def _head(around: Surroundings, middle: float, width: float, rows: tuple[float, float]) -> tuple[float, float]:
    """How far the head with its hair reaches from its middle, seen down to the eyes, and where its top is."""
    box, person = around.box, around.person
    down, across = len(person) / box.height, person.shape[1] / box.width
    x = box.left + (np.arange(person.shape[1]) + 0.5) / across
    near = np.abs(x - middle) < MOST_HEAD / 2 * width
    solid = (person > 0.5)[: max(1, int((rows[1] - box.top) * down))] & near
    far = float(np.abs(x[solid.any(axis=0)] - middle).max(initial=0.0))
    filled = np.flatnonzero(solid.any(axis=1))
    crown = min(rows[0], box.top + float(filled[0]) / down) if len(filled) else rows[0]
    highest = rows[0] - HIGHEST_HAIR * (rows[1] - rows[0])
    return float(np.clip(far, LEAST_HEAD / 2 * width, MOST_HEAD / 2 * width)), max(crown, highest)


def _ground(around: Surroundings, chin: float) -> float:
    """The row at which the person ends: where the outline last changes, for below it a matte only goes straight on."""
    box, solid = around.box, around.person > 0.5
    last = solid[-1]
    edges = ndimage.binary_dilation(np.diff(last, append=last[-1]), iterations=4) if last.any() else np.ones_like(last)
    lowest = box.top + np.flatnonzero((solid != last)[:, edges].any(axis=1)).max(initial=-1) / len(solid) * box.height
    return float(lowest) if edges.any() and lowest > chin + 0.1 * SIDE_PX else box.bottom


def _still_part(view: Box, portrait: Box) -> Box:
    """Beyond this the frame shows the still picture; a side that the frame does not show beyond the square lies far away."""
    low, high, far = -MARGIN_PX + 2.0, SIDE_PX + MARGIN_PX - 2.0, 1e6
    return Box(
        max(low, portrait.left) if view.left < 0 else -far,
        max(low, portrait.top) if view.top < 0 else -far,
        min(high, portrait.right) if view.right > SIDE_PX else far,
        min(high, portrait.bottom) if view.bottom > SIDE_PX else far,
    )


def _outside(still: Box, view: Box, size: Size) -> Float32Array:
    """(height, width) 1 beyond the moving part and a little within, where both show the same."""
    x = view.left + (np.arange(size.width) + 0.5) * view.width / size.width
    y = view.top + (np.arange(size.height) + 0.5) * view.height / size.height
    return (_depth(x, y, still) < 1.0).astype(np.float32)


def _depth(x: FloatArray, y: FloatArray, box: Box) -> Float32Array:
    """(len(y), len(x)) how far inside of the box each place of a grid lies; negative outside."""
    across, down = np.minimum(x - box.left, box.right - x), np.minimum(y - box.top, box.bottom - y)
    return np.asarray(np.minimum(across[None], down[:, None]), np.float32)


def _eased(rig: Rig, face: Float32Array, still: Box) -> Rig:
    """The rig that moves the less, the nearer to the still part, but for the face, and whose textures end there."""
    x, y = rig.arrays["rest"][:, 0], rig.arrays["rest"][:, 1]
    (left, top), (right, bottom) = face.min(axis=0), face.max(axis=0)
    share = np.ones(len(x), np.float32)
    for away, room in (
        (x - still.left, left - still.left),
        (still.right - x, still.right - right),
        (y - still.top, top - still.top),
        (still.bottom - y, still.bottom - bottom),
    ):
        eased = min(EASED_PX, float(room))
        if eased > 1.0:
            share *= smoothsteps(away.astype(np.float32), min(STILL_PX, eased / 2), eased)
    slowed = {name: rig.arrays[name] * share[:, None] for name in ("head", "body")}
    return replace(rig, arrays=rig.arrays | slowed, textures=_ended(rig, still))


def _ended(rig: Rig, still: Box) -> tuple[UInt8Array, ...]:
    """Its textures, of which person and background end at the still part."""
    textures, person = list(rig.textures), rig.texture_names.index("person")
    cover = textures[person].astype(np.uint16)
    x, y = ((np.arange(n) + 0.5) / rig.texels_per_px - MARGIN_PX for n in cover.shape[1::-1])
    depth = _depth(x, y, still)[..., None]
    textures[person] = np.where(depth < 0, 0, cover).astype(np.uint8)
    if not rig.transparent:  # the background shows the person too where nothing moves, so that nothing else can shine through
        plate = rig.texture_names.index("background")
        whole = cover + (textures[plate] * (255 - cover[..., 3:]) + 127) // 255
        textures[plate] = np.where(depth < 0, 0, np.where(depth < STILL_PX, whole, textures[plate])).astype(np.uint8)
    return tuple(textures)
