"""Separates the person from the background: alpha, the person's own colours, and the background without the person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivant.easing import smoothsteps
from vivant.numeric import ndimage
from vivant.rig.patch import luminance
from vivant.rig.quilt import quilted
from vivant.types import Float32Array, UInt8Array

BAND_PX = 7.0
"""How far from its border the person's outline is refined, px of the rig's square."""
FAINT = 0.18
"""Least alpha that counts as a strand of hair outside the outline."""
LEAST_FAINT, GRAINS = 0.03, 2.5
"""On a smooth background strands are fainter: so many times the usual alpha beyond the hair, but no less than the former."""
BUSY = 0.3
"""Share of such alphas from which they are the background's own pattern."""
CLEAR, UNLIKE = (24.0, 72.0), (12.0, 60.0)
"""How unlike, of 255, person and background are where their colours tell how much of a pixel is the person, and a pixel and the
background where they do not: from nothing to wholly. Chosen by eye."""
GRAIN, STRUCTURE = 0.3, (1.5, 3.0)
"""Size of the largest grain, in bands; and by how many of 255 levels a place differs over more than that, barely and surely."""
NOTCH, MOST_PIT = 0.15, 1.0
"""How far hairs around a spot may stand apart, in bands; the largest spot within the person that is filled, in square bands."""
OPAQUE = 0.7
"""Of the band within the outline: from there on the person is opaque in any case."""
LEAST_ALPHA = 0.01
"""What is less is none; chosen."""
PATTERN = 0.5
"""Median of that share along the outline from which all of the background is a pattern, such as strokes of a pen, which a
mirror image would turn."""
MOSTLY, DARKEST = (0.35, 0.75), 1.0
"""How much of a place must be the person, smoothed over its strokes, to count as none and as all of it; and the percentile of
a pattern's brightness below which a stroke is a hair. Chosen by eye."""
QUILTED = (5.0, 6.0)
"""How far within the outline a rich background goes on at least and at most, in bands: no head moves further."""
MOST_DETAIL = 48.0
"""Of the background's texture that goes on behind the person, of 255."""


@dataclass(frozen=True)
class Layers:
    """A picture taken apart; ``foreground * alpha + plate * (1 - alpha)`` gives it back."""

    foreground: UInt8Array
    """(h, w, 3)"""
    alpha: Float32Array
    """(h, w)"""
    plate: UInt8Array
    """(h, w, 3)"""


def separate(picture: UInt8Array, person: Float32Array, band_texels: float, *, is_given: bool = False) -> Layers:
    """Split (h, w, 3) by a coarse person mask (h, w); the outline is refined within ``band_texels`` of its border.

    Minimal-alpha matting: in the band, the smallest alpha whose implied foreground is a possible colour explains every
    pixel exactly, so that the portrait at rest stays what it was and thin hair moves with the head. A mask that ``is_given``
    with the picture says itself how much of each pixel at its border is the person.
    """
    inner = _distance_from_border(person)
    near = inner > -1.8 * band_texels
    outside = near & (inner < -0.5 * band_texels)
    beyond = near & (inner < -1.2 * band_texels)
    rich = _richness(picture, beyond, near, band_texels)
    outline = np.abs(inner) < band_texels
    patterned = bool(outline.any()) and float(np.median(rich[outline])) >= PATTERN
    refined = patterned and not is_given
    strands = _strands(picture, near) if refined else np.zeros_like(near)
    own = (near & ~(outside & (rich > BUSY))) | strands
    plate = _with_grain(fill_holes(picture, ~own), picture, outside, beyond, inner, band_texels)
    plate = _going_on(plate, picture, own, inner, rich, band_texels, patterned=patterned)
    if refined:
        covering = _covering_pattern(picture, plate, inner, strands, band_texels)
    else:
        covering = _covering(picture, plate, inner, band_texels)
    alpha = person if is_given else _without_pits(covering * own, band_texels)
    alpha = np.where(alpha < LEAST_ALPHA, 0.0, alpha).astype(np.float32)
    if refined:  # what this leaves unexplained stays where it is
        _, needed = _explaining_alpha(picture, plate)
        plate = np.where((needed > alpha)[..., None], picture, plate)
    return Layers(_foreground(picture, plate, alpha), alpha, plate)


def _strands(picture: UInt8Array, near: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(h, w) hairs near a drawn head: strokes darker than the pattern has any where it is far from it."""
    light = luminance(picture)
    darkest = np.percentile(light[~near], DARKEST) if not near.all() else 0.0
    return np.asarray(near & ndimage.binary_dilation(near & (light < darkest)))


def _covering(picture: UInt8Array, plate: UInt8Array, inner: Float32Array, band_texels: float) -> Float32Array:
    """(h, w) how much of each pixel is the person; inside the outline all of it."""
    _, needed = _explaining_alpha(picture, plate)
    within = np.clip(inner / (OPAQUE * band_texels), 0.0, 1.0)
    unmixed = _unmixed(picture, plate, fill_holes(picture, inner > band_texels)) * (inner > -0.8 * band_texels)
    return np.asarray(np.maximum(np.maximum(unmixed, within), needed), np.float32)


def _covering_pattern(
    picture: UInt8Array, plate: UInt8Array, inner: Float32Array, strands: NDArray[np.bool_], band_texels: float
) -> Float32Array:
    """The same before a pattern. Its single strokes say nothing, what counts is how dark they make a place: or a rim of the
    pattern would turn with the head."""
    over = (GRAIN * band_texels,) * 2 + (0.0,)
    seen, behind = (ndimage.gaussian_filter(p.astype(np.float32), over).round().astype(np.uint8) for p in (picture, plate))
    unmixed = _unmixed(seen, behind, fill_holes(seen, inner > band_texels)) * (inner > -0.8 * band_texels)
    _, needed = _explaining_alpha(picture, plate)
    within = np.clip(inner / (OPAQUE * band_texels), 0.0, 1.0)
    strokes = np.where(strands, 1.0, needed * (inner > 0.0))
    return np.asarray(np.maximum(np.maximum(smoothsteps(unmixed, *MOSTLY), within), strokes), np.float32)


def _without_pits(alpha: Float32Array, band_texels: float) -> Float32Array:
    """(h, w) opaque where small spots within the person look like the background, as light between hairs does: from a head that
    turns they would look out as holes."""
    solid = ndimage.binary_closing(alpha > 0.5, iterations=max(1, round(NOTCH * band_texels)))
    pits, count = ndimage.label(ndimage.binary_fill_holes(solid) & (alpha <= 0.5))
    sizes = ndimage.sum_labels(pits > 0, pits, range(1, count + 1))
    small = 1 + np.flatnonzero(sizes <= MOST_PIT * band_texels**2)
    return np.where(np.isin(pits, small), np.float32(1.0), alpha)


def _with_grain(
    plate: UInt8Array,
    picture: UInt8Array,
    outside: NDArray[np.bool_],
    beyond: NDArray[np.bool_],
    inner: Float32Array,
    band_texels: float,
) -> UInt8Array:
    """The plate (h, w, 3) with what differs faintly from a smooth background: that is its grain, not hair, so it stays where it
    is, and gives way to the filled part gradually. What is darker or lighter over more than a grain is hair, however faint."""
    _, needed = _explaining_alpha(picture, plate)
    usual = _mean_around(needed, beyond, band_texels)
    faint = np.clip(GRAINS * usual, LEAST_FAINT, FAINT)
    apart = np.abs(ndimage.gaussian_filter(luminance(picture) - luminance(plate), GRAIN * band_texels))
    share = smoothsteps(-inner, 0.5 * band_texels, 1.5 * band_texels) * (1.0 - smoothsteps(apart, *STRUCTURE))
    grain = np.where(outside & (needed < faint), share, 0.0)[..., None]
    return np.asarray((plate * (1 - grain) + picture * grain).round(), np.uint8)


def _unmixed(picture: UInt8Array, plate: UInt8Array, body: UInt8Array) -> Float32Array:
    """(h, w) how much of each pixel is the person, between the colours behind and within. What is no mixture of them is the
    person's too, such as a collar; and where they are alike, whatever is unlike the plate."""
    towards = body.astype(np.float32) - plate
    difference = picture.astype(np.float32) - plate
    share = np.clip((difference * towards).sum(axis=2) / np.maximum((towards**2).sum(axis=2), 1.0), 0.0, 1.0)
    other = smoothsteps(_largest(np.abs(difference - share[..., None] * towards)), *UNLIKE)
    clear = smoothsteps(_largest(np.abs(towards)), *CLEAR)
    unlike = smoothsteps(_largest(np.abs(difference)), *UNLIKE)
    return np.asarray(np.maximum(other, clear * share + (1 - clear) * unlike), np.float32)


def _going_on(
    plate: UInt8Array,
    picture: UInt8Array,
    own: NDArray[np.bool_],
    inner: Float32Array,
    rich: Float32Array,
    band_texels: float,
    *,
    patterned: bool,
) -> UInt8Array:
    """The plate (h, w, 3) under the person with the background's own texture mirrored at the outline, a pattern quilted."""
    smooth = np.stack([_mean_around(picture[..., k].astype(np.float32), ~own, band_texels) for k in range(3)], axis=-1)
    places = zip(_nearest(~own), np.indices(own.shape), own.shape, strict=True)
    mirrored = tuple(np.clip(2 * at - here, 0, length - 1) for at, here, length in places)
    there = (own & ~own[mirrored]).astype(np.float32)
    under = there * smoothsteps(inner, OPAQUE * band_texels, (1.0 + OPAQUE) * band_texels)
    detail = np.clip(picture[mirrored] - smooth[mirrored], -MOST_DETAIL, MOST_DETAIL)
    as_it_is = (there * smoothsteps(rich, BUSY / 2, BUSY))[..., None]
    mixed = (1.0 - as_it_is) * (plate + under[..., None] * detail) + as_it_is * picture[mirrored]
    gone_on = np.asarray(np.clip(mixed, 0, 255).round(), np.uint8)
    if not patterned:
        return gone_on
    whole = own * (1.0 - smoothsteps(inner / band_texels, *QUILTED))
    quilt = quilted(gone_on, ~own, whole > 0.0, inner, band_texels / BAND_PX)
    return np.asarray((gone_on * (1.0 - whole[..., None]) + quilt * whole[..., None]).round(), np.uint8)


def _nearest(where: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(2, h, w) row and column of the nearest of those pixels, or one beside it: down the slope of the distance to them."""
    distance = ndimage.distance_transform_edt(~where)
    slope = np.array(np.gradient(distance))
    steepness = np.maximum(np.hypot(*slope), 1e-6)
    return np.asarray(np.rint(np.indices(where.shape) - distance * slope / steepness), np.int32)


def _mean_around(values: Float32Array, where: NDArray[np.bool_], reach: float) -> Float32Array:
    """(h, w) mean of the values ``where`` they count, within reach."""
    weight = where.astype(np.float32)
    total = np.maximum(ndimage.gaussian_filter(weight, reach), 1e-3)
    return np.asarray(ndimage.gaussian_filter(values * weight, reach) / total, np.float32)


def _explaining_alpha(picture: UInt8Array, plate: UInt8Array) -> tuple[Float32Array, Float32Array]:
    """Per pixel the largest difference of a channel, and the least alpha for which some foreground colour explains it."""
    difference = picture.astype(np.float32) - plate
    room = np.where(difference > 0, 255.0 - plate, plate.astype(np.float32))
    return _largest(np.abs(difference)), _largest(np.abs(difference) / np.maximum(room, 1.0))


def _largest(channels: Float32Array) -> Float32Array:
    """Of (h, w, 3) the largest channel (h, w); several times as fast as `max` along a short last axis."""
    return np.maximum(np.maximum(channels[..., 0], channels[..., 1]), channels[..., 2])


def _richness(picture: UInt8Array, beyond: NDArray[np.bool_], near: NDArray[np.bool_], band_texels: float) -> Float32Array:
    """(h, w) share of the background that is as unlike a smooth one as hair is; above `BUSY` it cannot be told from hair.

    It shows ``beyond`` the outline: nearer, rich colours may be the person's own that the outline misses.
    """
    _, needed = _explaining_alpha(picture, fill_holes(picture, ~near))
    return _mean_around((needed >= FAINT).astype(np.float32), beyond, band_texels)


def _distance_from_border(person: Float32Array) -> Float32Array:
    """Signed distance (h, w) in texels to the border of the person's largest piece, positive inside."""
    smooth = ndimage.gaussian_filter(person, person.shape[0] / 256)  # the networks' own resolution
    solid = ndimage.binary_fill_holes(smooth > 0.5)
    labels, count = ndimage.label(solid)
    if count > 1:  # keep the largest piece
        sizes = ndimage.sum_labels(solid, labels, range(1, count + 1))
        solid = labels == 1 + int(np.argmax(sizes))
    return np.asarray(ndimage.distance_transform_edt(solid) - ndimage.distance_transform_edt(~solid), np.float32)


def _foreground(picture: UInt8Array, plate: UInt8Array, alpha: Float32Array) -> UInt8Array:
    a = np.maximum(alpha, 1e-3)[..., None]
    colours = np.clip((picture - (1 - a) * plate) / a, 0, 255)
    return np.where(alpha[..., None] > 0.0, colours, picture).round().astype(np.uint8)


def fill_holes(picture: UInt8Array, known: NDArray[np.bool_]) -> UInt8Array:
    """The picture (h, w, 3) with everything not ``known`` filled smoothly from around it (pull-push pyramid).

    Gortler et al., The Lumigraph, 1996, section 3.4.
    """
    if not known.any():
        return np.broadcast_to(picture.reshape(-1, 3).mean(axis=0), picture.shape).astype(np.uint8)
    filled = _pull_push(picture.astype(np.float32), known.astype(np.float32))
    return np.where(known[..., None], picture, np.clip(filled, 0, 255)).round().astype(np.uint8)


def _pull_push(colours: Float32Array, weight: Float32Array) -> Float32Array:
    height, width = weight.shape
    if min(height, width) <= 2 or bool((weight > 0).all()):
        total = weight.sum()
        mean = (colours * weight[..., None]).sum(axis=(0, 1)) / max(float(total), 1e-6)
        return np.where(weight[..., None] > 0, colours, mean)
    padded_c = np.pad(colours * weight[..., None], ((0, height % 2), (0, width % 2), (0, 0)))
    padded_w = np.pad(weight, ((0, height % 2), (0, width % 2)))
    sum_c = padded_c.reshape(padded_c.shape[0] // 2, 2, -1, 2, 3).sum(axis=(1, 3))
    sum_w = padded_w.reshape(padded_w.shape[0] // 2, 2, -1, 2).sum(axis=(1, 3))
    coarse = _pull_push(sum_c / np.maximum(sum_w, 1e-6)[..., None], np.minimum(sum_w, 1.0))
    zoomed = coarse.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    smooth = ndimage.uniform_filter(zoomed, size=(3, 3, 1), mode="nearest")
    blend = np.minimum(weight, 1.0)[..., None]
    return np.asarray(colours * blend + smooth * (1 - blend), np.float32)
