"""How a portrait is lit and coloured, and what the general colours of mouth and shade therefore look like in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivant.easing import smoothstep, smoothsteps
from vivant.numeric import ndimage
from vivant.rig import canonical as c
from vivant.rig.mesh import inside
from vivant.rig.patch import Patch, luminance
from vivant.types import Float32Array, FloatArray, UInt8Array

USUAL_WHITE, USUAL_SKIN = np.array([165.0, 148.0, 139.0]), np.array([195.0, 150.0, 123.0])
"""The white of an eye and the lighter skin in ordinary portraits, sRGB; between dark and fair people the geometric mean of both
keeps within a fifth of theirs, which is what makes it a measure of the light."""
LEAST_WHITE = 0.5
"""Of the lighter skin: eyes behind dark glasses say nothing of the light."""
ODDNESS = (0.20, 0.45), (0.14, 0.32)
"""Logarithms of brightness, and of the cast, up to which the atlas's colours stay as they are, and from which they follow the
portrait in full."""
DIMMER = 0.1
"""In odd light, rather too dark by this than too bright: teeth that glow are noticed first."""
USUAL_BLACK, MOST_HAZE = 65.0, 120.0
ONE_COLOUR, COLOURS = 0.012, 0.019
"""Relative chroma beside the greys' own, upper quartile of the face: up to here a picture is printed in one colour (grey,
sepia, cyanotype), from here on it has colours. JPEG's noise stays below the former, the palest faces above the latter."""
FLAT, SHADED = 0.05, 0.30
"""Lower quartile of the slope of the skin's brightness, relative, per outer-eye distance: flat colour, and any lit skin."""
CLIPPED = 250.0
"""From here on a brightness may be anything above: it tells nothing about the light."""
LINED, STROKE = 0.12, 0.025
"""Mean contrast of fine strokes in the skin, relative, from which a picture counts as drawn with a pen: such have .19, oil on
canvas and wrinkles up to .07; and the width of what is fine, outer-eye distances."""
INK, PAPER = 150.0, 200.0
"""A pen has no greys: general colours darker than the former become ink, those lighter than the latter paper."""
N_TONES = 40
"""Steps of brightness over which the colours of a print are compared; chosen."""


@dataclass(frozen=True, slots=True)
class Light:
    """What the portrait's light and printing make of colours. Immutable."""

    gain: FloatArray
    """(3,) factor per channel; 1 in ordinary light."""
    haze: FloatArray
    """(3,) what black looks like beyond the usual, 0..255."""
    colourful: float
    """1 for pictures with colours of their own, 0 for those printed in one."""
    tones: FloatArray
    """(n, 4) ascending brightness and the colour that it has in this picture, 0..255."""
    skin: FloatArray
    """(3,) median colour of the skin."""
    relief: float
    """1 where skin is shaded, 0 where it is flat colour."""
    lined: bool
    """Drawn in strokes of a pen."""

    def on(self, colours: UInt8Array | FloatArray) -> FloatArray:
        """General colours (..., 3) in 0..255 as this portrait would show them."""
        lit = self.haze + (1.0 - self.haze / 255.0) * self.gain * (_inked(colours) if self.lined else colours)
        lit = np.maximum(lit, self.tones[1, 1:]) if self.lined else lit  # no ink is blacker than the picture's own
        brightness = luminance(lit)
        toned = np.stack([np.interp(brightness, self.tones[:, 0], self.tones[:, 1 + k]) for k in range(3)], axis=-1)
        colours = np.maximum(toned + self.colourful * (lit - toned), 0.0)
        return np.asarray(colours / max(float(colours.max()) / 255.0, 1.0))  # what is too bright keeps its hue and its relief

    def on_texture(self, rgba: UInt8Array) -> UInt8Array:
        """The same for a texture (h, w, 4)."""
        return np.dstack([self.on(rgba[..., :3]).round().astype(np.uint8), rgba[..., 3]])

    def hued(self, factors: FloatArray) -> FloatArray:
        """Shade (..., 3) whose hue counts only where there are colours."""
        grey = factors.mean(axis=-1, keepdims=True)
        return np.asarray(grey + self.colourful * (factors - grey))

    def over_skin(self, colour: FloatArray, bounds: tuple[float, float]) -> float:
        """Factor that keeps a general ``colour`` (3,), as seen in this portrait, within two shares of the skin's brightness."""
        seen, skin = float(luminance(self.on(colour))), float(luminance(self.skin))
        return float(np.clip(seen, bounds[0] * skin, bounds[1] * skin)) / max(seen, 1.0)

    def unlit(self, colours: UInt8Array | FloatArray) -> FloatArray:
        """The portrait's own colours (..., 3) as ordinary light would show them."""
        return np.asarray((colours - self.haze) / np.maximum((1.0 - self.haze / 255.0) * self.gain, 1e-3))


def _inked(colours: UInt8Array | FloatArray) -> FloatArray:
    """General colours (..., 3) as nearly black or white."""
    return np.asarray(np.repeat(255.0 * smoothsteps(luminance(colours), INK, PAPER)[..., None], 3, axis=-1))


def measure_light(picture: UInt8Array, landmarks: Float32Array, unit: float, texels_per_px: float) -> Light:
    """The light on the face whose landmarks (478, 2+) are given in rig px."""
    patch = Patch.around(picture, landmarks[list(c.OVAL)], 0.0, texels_per_px)
    step = max(1, round(texels_per_px))
    unit_cells = unit * texels_per_px / step
    colours = ndimage.gaussian_filter(patch.pixels[::step, ::step].astype(np.float32), (0.01 * unit_cells,) * 2 + (0,))
    at = patch.coordinates()[::step, ::step]
    face, white, skin = _regions(at, landmarks)
    upper = at[..., 1] < np.median(at[skin][:, 1])  # a mask over half a face makes no drawing of it
    tones, colourful = _tones(colours, face, unit_cells)
    return Light(
        gain=_gain(colours, white, skin, colourful),
        haze=np.clip(_mean_of(colours, face, 0, 1) - USUAL_BLACK, 0.0, MOST_HAZE),
        colourful=colourful,
        tones=tones,
        skin=np.asarray(np.median(colours[skin], axis=0), np.float64),
        lined=_is_lined(luminance(patch.pixels[::step, ::step]), skin, unit_cells),
        relief=_relief(colours, skin, unit_cells) or max(_relief(colours, skin & half, unit_cells) for half in (upper, ~upper)),
    )


def _regions(at: FloatArray, landmarks: Float32Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """(h, w) of the face, of the whites of its eyes, and of its skin without eyes and mouth."""

    def within(loop: tuple[int, ...]) -> NDArray[np.bool_]:
        return inside(at.reshape(-1, 2), landmarks[list(loop), :2].astype(np.float64)).reshape(at.shape[:2])

    face = within(c.OVAL)
    skin, white = face & ~within(c.OUTER_LIPS), np.zeros_like(face)
    for upper, lower, iris in zip(c.UPPER_LIDS, c.LOWER_LIDS, c.IRISES, strict=True):
        eye = within((*upper, *lower[-2:0:-1]))
        centre, *rim = landmarks[list(iris), :2]
        radius = float(np.linalg.norm(np.array(rim) - centre, axis=1).mean())
        white |= eye & (np.hypot(*(at - centre).transpose(2, 0, 1)) > 1.3 * radius)
        skin &= ~eye
    return face, white, skin


def _mean_of(colours: FloatArray, mask: NDArray[np.bool_], low: float, high: float) -> FloatArray:
    """(3,) mean colour of the masked pixels between two percentiles of their brightness."""
    chosen = colours[mask]
    brightness = luminance(chosen)
    least, most = np.percentile(brightness, (low, high))
    return np.asarray(chosen[(brightness >= least) & (brightness <= most)].mean(axis=0), np.float64)


def _gain(colours: FloatArray, white: NDArray[np.bool_], skin: NDArray[np.bool_], colourful: float) -> FloatArray:
    """(3,) from the whites of the eyes and the lighter skin. A picture in one colour has brightness alone."""
    lighter = _mean_of(colours, skin, 85, 100)
    eyes = np.maximum(_mean_of(colours, white, 60, 100), LEAST_WHITE * lighter) if white.sum() > 8 else LEAST_WHITE * lighter
    gain = np.sqrt(np.maximum(eyes * lighter, 1.0) / (USUAL_WHITE * USUAL_SKIN))
    brightness = float(luminance(gain))
    level, cast = np.log(brightness), colourful * np.log(gain / brightness)
    odd_level, odd_cast = (smoothstep(float(np.abs(x).max()), *ODDNESS[k]) for k, x in enumerate((level, cast)))
    return np.asarray(np.exp(level * odd_level + cast * odd_cast) * (1.0 - DIMMER * max(odd_level, odd_cast)))


def _tones(colours: FloatArray, face: NDArray[np.bool_], unit_cells: float) -> tuple[FloatArray, float]:
    """The colour of each brightness in the face, ascending; and how much colour there is beside it."""
    seen = colours[face].astype(np.float64)
    order = np.array_split(np.argsort(luminance(seen)), N_TONES)
    tones = np.array([(luminance(np.median(seen[group], axis=0)), *np.median(seen[group], axis=0)) for group in order])
    tones = np.vstack([np.zeros(4), tones, 255.0 / max(tones[-1, 0], 1.0) * tones[-1]])
    brightness = luminance(colours)
    beside = colours - np.stack([np.interp(brightness, tones[:, 0], tones[:, 1 + k]) for k in range(3)], axis=-1)
    beside = beside / (seen.mean(axis=0) / luminance(seen).mean()) * face[..., None]
    blur = (0.07 * unit_cells,) * 2  # far beyond the blocks of a JPEG, below the size of lips and cheeks
    near = np.maximum(ndimage.gaussian_filter(face.astype(np.float32), blur), 0.01)[..., None]
    smooth = np.abs(ndimage.gaussian_filter(beside, (*blur, 0)) / near)[face].max(axis=1)
    return tones, smoothstep(float(np.percentile(smooth, 75) / luminance(seen).mean()), ONE_COLOUR, COLOURS)


def _is_lined(brightness: FloatArray, skin: NDArray[np.bool_], unit_cells: float) -> bool:
    strokes = np.abs(brightness - ndimage.gaussian_filter(brightness, STROKE * unit_cells))[skin]
    return bool(strokes.mean() > LINED * brightness[skin].mean())


def _relief(colours: FloatArray, skin: NDArray[np.bool_], unit_cells: float) -> float:
    brightness = luminance(colours)
    slope = unit_cells * ndimage.gaussian_gradient_magnitude(brightness, 0.02 * unit_cells)
    told = skin & (brightness < CLIPPED)
    if told.sum() < 0.1 * skin.sum():
        return 0.0
    return smoothstep(float(np.percentile(slope[told], 25) / max(np.median(brightness[told]), 1.0)), FLAT, SHADED)
