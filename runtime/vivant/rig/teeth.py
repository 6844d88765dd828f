"""The teeth that an open-mouthed portrait shows: kept as a picture that is fixed to the skull."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivant.numeric import ndimage
from vivant.rig.head import HeadFit
from vivant.rig.light import Light
from vivant.rig.mesh import inside
from vivant.rig.patch import Patch, luminance
from vivant.rig.scene_builder import MOUTH_CLOSED, SceneBuilder
from vivant.rig.skin import UPPER_SHARE, Skin, unproject
from vivant.types import FloatArray, UInt8Array

CROWN = 0.115
"""Height of an upper front tooth, in outer-eye distances: what shows below it belongs to the lower jaw."""
LEAST_SHARE = 0.12
"""Of the open mouth that must be bright before it counts as teeth."""
SHOWS = 0.045
"""How far upper teeth reach below the line where closed lips meet, in outer-eye distances; see TEETH_DOWN in rig/mouth.py."""
LIPS_TEXELS, LEAST_RED = 6, 0.06
"""Width of the strip around an open mouth that is surely lip; and the redness below which nothing counts as red."""
USUAL_TOOTH_LUMINANCE = 205.0
"""Of the front teeth in our atlas, of 255."""


@dataclass(frozen=True)
class OwnTeeth:
    """What lies between the lips in the portrait."""

    patch: Patch
    opening: NDArray[np.bool_]
    """(h, w) of the patch: between the lips."""
    teeth: FloatArray
    """(h, w) in [0, 1]: upper teeth."""
    edge_y: float | None
    """Rig px of the upper teeth's lower edge, in the middle, once the lips have been closed; None where none are seen."""
    sinks_px: float
    """How much further down it lies then: closing draws the upper lip down, and teeth must show below it in speech."""
    light: float
    """How bright they are beside the atlas's."""
    depth: float

    def add(self, pool: SceneBuilder) -> None:
        """Two copies: all of it while the mouth is as photographed, the upper teeth alone once the lips have been closed."""
        whole = self.opening.astype(np.float64)
        for alpha, at_rest, closed, down in ((whole, 1.0, -1.0, 0.0), (self.teeth, 0.0, 1.0, self.sinks_px)):
            rgba = np.dstack([self.patch.pixels, np.round(255 * alpha).astype(np.uint8)])
            low, high = self.patch.coordinates()[0, 0], self.patch.coordinates()[-1, -1]
            corners = np.array([(low[0], low[1]), (low[0], high[1]), (high[0], high[1]), (high[0], low[1])])
            points = unproject(np.column_stack([corners + (0.0, down), np.full(4, self.depth)]))
            start = pool.add_vertices(points, self.patch.uv(corners), 1.0, (1.0, 1.0, 1.0, at_rest))
            pool.add_tints(MOUTH_CLOSED, start, np.tile((0.0, 0.0, 0.0, closed), (4, 1)))
            pool.add_layer(start + np.array([(0, 1, 2), (0, 2, 3)]), pool.add_texture("own teeth", rgba))


def find_own_teeth(skin: Skin, fit: HeadFit, picture: UInt8Array, texels_per_px: float, light: Light) -> OwnTeeth | None:
    """The mouth's inside in texture ``picture``, or None if the lips are closed."""
    upper, lower = skin.points[list(skin.upper_lip)], skin.points[list(skin.lower_lip)]
    if not np.abs(skin.closing).max() > 0.0:
        return None
    contour = np.concatenate([upper, lower[-2:0:-1]])
    patch = Patch.around(picture, contour, 0.02 * fit.unit, texels_per_px)
    at = patch.coordinates()
    within = inside(at.reshape(-1, 2), contour[:, :2]).reshape(at.shape[:2])
    opening = ndimage.binary_dilation(within, iterations=2)
    colours = light.unlit(patch.pixels)
    brightness = luminance(colours)
    pale = 1.0 - np.ptp(colours, axis=2) / np.maximum(colours.max(axis=2), 1.0) > 0.6
    lips = colours[~opening & ndimage.binary_dilation(opening, iterations=LIPS_TEXELS)]
    pale &= _redness(colours) < max(0.5 * float(np.median(_redness(lips))), LEAST_RED)
    bright = within & pale & (brightness > 0.75 * np.percentile(brightness[within], 90))
    edge_y = float(upper[len(upper) // 2, 1] + CROWN * fit.unit)
    if bright.sum() < LEAST_SHARE * within.sum():
        return OwnTeeth(patch, opening, np.zeros(within.shape), None, 0.0, 1.0, float(upper[:, 2].mean()))
    bright = ndimage.binary_fill_holes(ndimage.binary_closing(bright, iterations=2)) & within
    middle = np.abs(at[..., 0] - upper[:, 0].mean()) < 0.2 * np.ptp(upper[:, 0])
    edge_y = min(edge_y, float(np.percentile(at[..., 1][bright & middle], 97))) if (bright & middle).any() else edge_y
    above = np.clip((edge_y + 1.0 - at[..., 1]) / 2.0, 0.0, 1.0)
    teeth = ndimage.gaussian_filter(bright.astype(np.float64), 0.7) * above
    beside_atlas = float(np.clip(brightness[bright].mean() / USUAL_TOOTH_LUMINANCE, 0.5, 1.1))
    middles = upper[len(upper) // 2, 1], lower[len(lower) // 2, 1]
    least = middles[0] + UPPER_SHARE * (middles[1] - middles[0]) + SHOWS * fit.unit
    sinks = max(0.0, float(least) - edge_y)
    return OwnTeeth(patch, opening, teeth, edge_y + sinks, sinks, beside_atlas, float(upper[:, 2].mean()))


def _redness(colours: FloatArray) -> FloatArray:
    """(...,) how much more red than green colours (..., 3) are: teeth may be yellow, lips and gums are red."""
    return np.asarray((colours[..., 0] - colours[..., 1]) / np.maximum(colours[..., 0], 1.0))
