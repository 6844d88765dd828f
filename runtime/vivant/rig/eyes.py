"""Eyeballs behind the lids: the portrait's own white without the iris, and the iris as a disc that turns."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vivant.easing import smoothsteps
from vivant.numeric import ndimage
from vivant.rig import canonical as c
from vivant.rig.head import HeadFit
from vivant.rig.light import Light
from vivant.rig.matte import fill_holes
from vivant.rig.mesh import inside, strip_triangles
from vivant.rig.patch import Patch, luminance
from vivant.rig.scene_builder import SceneBuilder
from vivant.rig.skin import EYE_MARGIN, Skin, unproject
from vivant.types import ARKIT_INDEX, Float32Array, FloatArray, UInt8Array

RINGS = (0.0, 0.45, 0.8, 1.0, 1.12)
SPOKES = 28
IRIS_CLEAR = 1.3
"""What lies further from the centre than this many iris radii is surely white; detectors see irises a little small."""
LID_SHADOW = 0.4
AT_OUTLINE = 0.04
"""How far an eye near the outline goes on under the lids, outer-eye distances: more would show beside a turned head."""
RIM = 0.024
"""How far the lid's edge and shadow reach over the eye, in outer-eye distances."""
CAST, CAST_REACH, CAST_FROM = 0.55, 0.09, 0.06
"""Shade of a lid that goes down on the eye below it: its alpha at a full blink, how far it reaches in outer-eye distances, and
the blink from which it shows. Chosen by eye."""


@dataclass(frozen=True)
class Eyeball:
    """What the kernel turns."""

    start: int
    count: int
    centre: Float32Array


def add_eyes(
    pool: SceneBuilder,
    skin: Skin,
    landmarks: Float32Array,
    fit: HeadFit,
    light: Light,
    picture: UInt8Array,
    person: Float32Array,
    texels_per_px: float,
) -> list[Eyeball]:
    """Adds both eyeballs, to be drawn before the skin; returns the person's left one first, as the kernel wants them.

    Beside the ``person``, an alpha (h, w), nothing of them shows: of a turned face the far eye is near the outline.
    """
    balls = [_add_eye(pool, skin, side, landmarks, fit, light, picture, person, texels_per_px) for side in (0, 1)]
    return balls[::-1]


def _add_eye(
    pool: SceneBuilder,
    skin: Skin,
    side: int,
    landmarks: Float32Array,
    fit: HeadFit,
    light: Light,
    picture: UInt8Array,
    person: Float32Array,
    texels_per_px: float,
) -> Eyeball:
    contour = np.concatenate([skin.points[list(skin.upper_lids[side])], skin.points[list(skin.lower_lids[side])][-2:0:-1]])
    iris = landmarks[list(c.IRISES[side]), :2].astype(np.float64)
    centre = iris[0]
    radius = float(np.linalg.norm(iris[1:] - centre, axis=1).mean())
    patch = Patch.around(picture, contour, 0.10 * fit.unit, texels_per_px)
    at = patch.coordinates()
    from_centre = np.hypot(*(at - centre).transpose(2, 0, 1))
    within = inside(at.reshape(-1, 2), contour[:, :2]).reshape(from_centre.shape)
    depth = float(contour[:, 2].mean()) - 0.02 * fit.unit

    white = _white(patch, within, from_centre > IRIS_CLEAR * radius, texels_per_px * EYE_MARGIN * fit.unit, light.relief)
    if patch.part(person).min() < 0.5:
        away = ndimage.distance_transform_edt(~within) / (texels_per_px * fit.unit)
        white[..., 3] = np.round(white[..., 3] * (1.0 - smoothsteps(away, AT_OUTLINE / 2, AT_OUTLINE)))
    low, high = at[1, 1], at[-2, -2]
    corners = np.array([(low[0], low[1]), (low[0], high[1]), (high[0], high[1]), (high[0], low[1])])
    start = pool.add_vertices(unproject(np.column_stack([corners, np.full(4, depth)])), patch.uv(corners), 1.0)
    pool.add_layer(start + np.array([(0, 1, 2), (0, 2, 3)]), pool.add_texture("white of the eye", white))

    ball_radius = float(c.canonical_face().eyes[1 - side, 3]) * fit.unit
    ball = _add_iris(
        pool, patch, centre, radius, ball_radius, depth, _iris_texture(patch, within, from_centre, radius, texels_per_px)
    )
    if light.relief > 0.0:
        _add_rims(pool, skin, side, patch, within, from_centre > IRIS_CLEAR * radius, fit.unit)
    _add_cast_shade(pool, skin, side, fit.unit, light.relief)
    return ball


def _add_rims(
    pool: SceneBuilder, skin: Skin, side: int, patch: Patch, within: NDArray[np.bool_], off_iris: NDArray[np.bool_], unit: float
) -> None:
    """The lids' wet edge with its shadow on the eye: a strip of the portrait that goes with the lid and fades over the eye."""
    # The iris itself must not go with the lid: where it lay, the strip is only a shadow.
    iris = np.asarray(ndimage.gaussian_filter((within & ~off_iris).astype(np.float32), 1.0), np.float32)[..., None]
    shadow = 0.35 * np.percentile(patch.pixels[within], 10, axis=0)
    colours = patch.pixels * (1 - iris) + shadow * iris
    opacity = 255 * (1 - (1 - LID_SHADOW) * iris)
    texture = pool.add_texture("rim of the lids", np.dstack([colours, opacity]).round().astype(np.uint8))
    for row, inwards in ((skin.upper_lids[side], 1.0), (skin.lower_lids[side], -1.0)):
        count, starts = len(row), []
        for reach, alpha in ((-0.004, 1.0), (0.008, 0.9), (RIM, 0.0)):
            points = skin.points[list(row)] + (0.0, inwards * reach * unit, -1.0)
            starts.append(pool.add_vertices(unproject(points), patch.uv(points), 1.0, (1.0, 1.0, 1.0, alpha)))
            pool.link(starts[-1] + np.arange(count), np.asarray(row))
        for first, second in pairwise(starts):
            above, below = (first, second) if inwards > 0 else (second, first)
            pool.add_layer(strip_triangles(above, below, count), texture)


def _add_cast_shade(pool: SceneBuilder, skin: Skin, side: int, unit: float, relief: float) -> None:
    """A lid that goes down takes light from the eye under it; without that a half-shut eye is a stripe of white."""
    texture = pool.add_texture("shade of the lid", np.full((4, 4, 4), (0, 0, 0, 255), np.uint8))
    row, blink = skin.upper_lids[side], ARKIT_INDEX[f"eyeBlink{('Right', 'Left')[side]}"]
    count, starts = len(row), []
    for reach, share in ((-0.01, 1.0), (0.25 * CAST_REACH, 0.8), (CAST_REACH, 0.0)):
        points = skin.points[list(row)] + (0.0, reach * unit, -1.0)
        alpha = relief * share * CAST
        colour = (1.0, 1.0, 1.0, -CAST_FROM * alpha)
        starts.append(pool.add_vertices(unproject(points), np.full((count, 2), 2.0), 1.0, colour))
        pool.link(starts[-1] + np.arange(count), np.asarray(row))
        pool.add_tints(blink, starts[-1], np.tile((0.0, 0.0, 0.0, (1.0 + CAST_FROM) * alpha), (count, 1)))
    for above, below in pairwise(starts):
        pool.add_layer(strip_triangles(above, below, count), texture)


def _white(patch: Patch, within: NDArray[np.bool_], off_iris: NDArray[np.bool_], rim_texels: float, shade: float) -> UInt8Array:
    """The eye without its iris: as portrayed well inside the opening; under the lids the white goes on, in shadow."""
    sure = ndimage.binary_erosion(within, iterations=max(1, round(1.6 * rim_texels))) & off_iris
    bright = _brighter_half(patch.pixels, sure if sure.sum() > 12 else within & off_iris)
    filled = ndimage.gaussian_filter(fill_holes(patch.pixels, bright).astype(np.float32), (1.0, 1.0, 0))
    beyond = ndimage.distance_transform_edt(~within)[..., None] / max(rim_texels, 1.0)
    filled *= 1.0 - shade * (0.03 + 0.30 * np.clip(beyond / 5.0, 0.0, 1.0))
    own = ndimage.gaussian_filter(sure.astype(np.float32), 0.7)[..., None]
    colours = patch.pixels * own + filled * (1 - own)
    return np.dstack([colours.round(), np.full(within.shape, 255)]).astype(np.uint8)


def _brighter_half(pixels: UInt8Array, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of the masked pixels those that are not lashes, lid or the rim of the iris."""
    brightness = luminance(pixels)
    return np.asarray(mask & (brightness >= np.percentile(brightness[mask], 45))) if mask.any() else mask


def _iris_texture(
    patch: Patch, within: NDArray[np.bool_], from_centre: FloatArray, radius: float, texels_per_px: float
) -> UInt8Array:
    """A whole iris: what the lids hide is taken from the rest of its ring."""
    sure = ndimage.binary_erosion(within, iterations=max(1, round(2.8 * texels_per_px)))
    ring = np.minimum((from_centre * texels_per_px).astype(int), round(1.3 * radius * texels_per_px))
    colours: FloatArray = patch.pixels.astype(np.float32)
    for number in range(int(ring.max()) + 1):
        members = ring == number
        seen = members & sure
        if not seen.any():
            seen = (np.abs(ring - number) <= 2) & sure
        if seen.any():
            colours[members & ~sure] = np.median(patch.pixels[seen], axis=0)
    soft = np.asarray(ndimage.gaussian_filter(colours, (0.8, 0.8, 0)), np.float32)
    blend = np.asarray(ndimage.gaussian_filter(sure.astype(np.float32), 0.8), np.float32)[..., None]
    mixed = np.asarray(colours * blend + soft * (1 - blend), np.float32)
    edge = np.clip((1.12 * radius - from_centre) / (0.10 * radius), 0.0, 1.0)
    return np.dstack([mixed.round(), 255 * edge]).astype(np.uint8)


def _add_iris(
    pool: SceneBuilder, patch: Patch, centre: FloatArray, radius: float, ball_radius: float, depth: float, texture: UInt8Array
) -> Eyeball:
    angles = np.linspace(0, 2 * np.pi, SPOKES, endpoint=False)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    flat = np.concatenate([[centre], *(centre + ring * radius * circle for ring in RINGS[1:])])
    sag = np.sqrt(np.maximum(ball_radius**2 - ((flat - centre) ** 2).sum(axis=1), 1.0))
    points = unproject(np.column_stack([flat, depth + sag - sag[0]]))
    ball_centre = unproject(np.array([[*centre, depth - sag[0]]]))[0]
    ball_centre[:2] = points[0, :2]
    start = pool.add_vertices(points, patch.uv(flat), 1.0)
    k, nxt = np.arange(SPOKES), (np.arange(SPOKES) + 1) % SPOKES
    triangles = [np.column_stack([np.zeros(SPOKES, int), 1 + k, 1 + nxt])]
    for ring in range(len(RINGS) - 2):
        a, b = 1 + ring * SPOKES, 1 + (ring + 1) * SPOKES
        triangles += [np.column_stack([a + k, b + k, b + nxt]), np.column_stack([a + k, b + nxt, a + nxt])]
    pool.add_layer(start + np.concatenate(triangles), pool.add_texture("iris", texture))
    return Eyeball(start, len(points), ball_centre)
