"""Separates the person from the background: alpha, the person's own colours, and the background without the person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivant.easing import smoothsteps
from vivant.numeric import ndimage
from vivant.types import Float32Array, UInt8Array

FAINT = 0.18
"""Least alpha that counts as a strand of hair outside the outline."""
BUSY = 0.3
"""Share of such alphas from which they are the background's own pattern."""


@dataclass(frozen=True)
class Layers:
    """A picture taken apart; ``foreground * alpha + plate * (1 - alpha)`` gives it back."""

    foreground: UInt8Array
    """(h, w, 3)"""
    alpha: Float32Array
    """(h, w)"""
    plate: UInt8Array
    """(h, w, 3)"""


def separate(picture: UInt8Array, person: Float32Array, band_texels: float) -> Layers:
    """Split (h, w, 3) by a coarse person mask (h, w); the outline is refined within ``band_texels`` of its border.

    Minimal-alpha matting: in the band, the smallest alpha whose implied foreground is a possible colour explains every
    pixel exactly, so that the portrait at rest stays what it was and thin hair moves with the head.
    """
    inner = _distance_from_border(person)
    near = inner > -1.8 * band_texels
    outside = near & (inner < -0.5 * band_texels)
    own = near & ~_busy(picture, outside, near, band_texels)
    plate = fill_holes(picture, ~own)
    # What differs faintly from a smooth background is its grain, not hair: it stays where it is, and gives way to the filled
    # part gradually.
    _, needed = _explaining_alpha(picture, plate)
    grain = np.where(outside & (needed < FAINT), smoothsteps(-inner, 0.5 * band_texels, 1.5 * band_texels), 0.0)[..., None]
    plate = (plate * (1 - grain) + picture * grain).round().astype(np.uint8)
    difference, needed = _explaining_alpha(picture, plate)
    # A person before a background of another colour is opaque where the colour says so, not only where it must be; inside the
    # outline in any case.
    contrast = smoothsteps(difference, 12.0, 60.0) * (inner > -0.8 * band_texels)
    within = np.clip(0.5 + inner / (0.7 * band_texels), 0.0, 1.0) * (inner > 0)
    alpha = (np.maximum(np.maximum(contrast, within), needed) * own).astype(np.float32)
    alpha[alpha < 0.01] = 0.0
    return Layers(_foreground(picture, plate, alpha), alpha, plate)


def _explaining_alpha(picture: UInt8Array, plate: UInt8Array) -> tuple[Float32Array, Float32Array]:
    """Per pixel the largest difference of a channel, and the least alpha for which some foreground colour explains it."""
    difference = picture.astype(np.float32) - plate
    room = np.where(difference > 0, 255.0 - plate, plate.astype(np.float32))
    return _largest(np.abs(difference)), _largest(np.abs(difference) / np.maximum(room, 1.0))


def _largest(channels: Float32Array) -> Float32Array:
    """Of (h, w, 3) the largest channel (h, w); several times as fast as `max` along a short last axis."""
    return np.maximum(np.maximum(channels[..., 0], channels[..., 1]), channels[..., 2])


def _busy(picture: UInt8Array, outside: NDArray[np.bool_], near: NDArray[np.bool_], band_texels: float) -> NDArray[np.bool_]:
    """Which pixels outside the outline lie before a background too rich to be told from hair; they stay where they are."""
    _, needed = _explaining_alpha(picture, fill_holes(picture, ~near))
    strong = (outside & (needed >= FAINT)).astype(np.float32)
    everything = np.maximum(ndimage.gaussian_filter(outside.astype(np.float32), band_texels), 1e-3)
    return np.asarray(outside & (ndimage.gaussian_filter(strong, band_texels) / everything > BUSY))


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
