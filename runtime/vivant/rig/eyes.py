"""Eyeballs behind the lids: the portrait's own white without the iris, and the iris as a disc that turns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vivant.rig import canonical as c
from vivant.rig.head import HeadFit
from vivant.rig.matte import fill_holes
from vivant.rig.mesh import inside
from vivant.rig.pool import Pool
from vivant.rig.skin import EYE_MARGIN, Skin, unproject
from vivant.rig.square import MARGIN_PX
from vivant.types import Float32Array, UInt8Array

RINGS = (0.0, 0.45, 0.8, 1.0, 1.12)
SPOKES = 28


@dataclass(frozen=True)
class Eyeball:
    """What the kernel turns."""

    start: int
    count: int
    centre: Float32Array


@dataclass(frozen=True)
class _Patch:
    """A rectangle of the texture around one eye, in texels."""

    x0: int
    y0: int
    pixels: UInt8Array
    texels_per_px: float

    def coordinates(self) -> NDArray[np.float64]:
        """(h, w, 2) rig px of each texel centre."""
        h, w = self.pixels.shape[:2]
        x, y = np.meshgrid(np.arange(w) + self.x0 + 0.5, np.arange(h) + self.y0 + 0.5)
        return np.stack([x, y], axis=-1) / self.texels_per_px - MARGIN_PX

    def uv(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Rig px (n, 2) to texels of this patch."""
        return np.asarray((points[:, :2] + MARGIN_PX) * self.texels_per_px - (self.x0, self.y0), np.float64)


def add_eyes(pool: Pool, skin: Skin, landmarks: Float32Array, fit: HeadFit, picture: UInt8Array, texels_per_px: float) -> list[Eyeball]:
    """Adds both eyeballs, to be drawn before the skin; returns the person's left one first, as the kernel wants them."""
    balls = [_add_eye(pool, skin, side, landmarks, fit, picture, texels_per_px) for side in (0, 1)]
    return balls[::-1]


def _add_eye(pool: Pool, skin: Skin, side: int, landmarks: Float32Array, fit: HeadFit, picture: UInt8Array, texels_per_px: float) -> Eyeball:
    contour = np.concatenate([skin.points[list(skin.upper_lids[side])], skin.points[list(skin.lower_lids[side])][-2:0:-1]])
    iris = landmarks[list(c.IRISES[side]), :2].astype(np.float64)
    centre = iris[0]
    radius = float(np.linalg.norm(iris[1:] - centre, axis=1).mean())
    patch = _cut_patch(picture, contour, texels_per_px, fit.unit)
    at = patch.coordinates()
    from_centre = np.hypot(*(at - centre).transpose(2, 0, 1))
    within = inside(at.reshape(-1, 2), contour[:, :2]).reshape(from_centre.shape)
    depth = float(contour[:, 2].mean()) - 0.02 * fit.unit

    white = _white(patch, within, from_centre > 1.16 * radius, texels_per_px * EYE_MARGIN * fit.unit)
    low, high = at[1, 1], at[-2, -2]
    corners = np.array([(low[0], low[1]), (low[0], high[1]), (high[0], high[1]), (high[0], low[1])])
    start = pool.add_vertices(unproject(np.column_stack([corners, np.full(4, depth)])), patch.uv(corners), 1.0)
    pool.add_layer(start + np.array([(0, 1, 2), (0, 2, 3)]), pool.add_texture(white))

    ball_radius = float(c.canonical_face().eyes[1 - side, 3]) * fit.unit
    return _add_iris(pool, patch, centre, radius, ball_radius, depth, _iris_texture(patch, within, from_centre, radius, texels_per_px))


def _cut_patch(picture: UInt8Array, contour: NDArray[np.float64], texels_per_px: float, unit: float) -> _Patch:
    reach = 0.10 * unit
    low = ((contour[:, :2].min(axis=0) - reach + MARGIN_PX) * texels_per_px).astype(int)
    high = ((contour[:, :2].max(axis=0) + reach + MARGIN_PX) * texels_per_px).astype(int)
    low = np.clip(low, 0, np.array(picture.shape[1::-1]) - 8)
    high = np.clip(high, low + 8, picture.shape[1::-1])
    return _Patch(int(low[0]), int(low[1]), picture[low[1] : high[1], low[0] : high[0]], texels_per_px)


def _white(patch: _Patch, within: NDArray[np.bool_], off_iris: NDArray[np.bool_], rim_texels: float) -> UInt8Array:
    """The eye without its iris. The portrait's own pixels stay in the opening and just around it; under the lids the white goes on."""
    sure = ndimage.binary_erosion(within, iterations=max(1, round(rim_texels))) & off_iris
    filled = fill_holes(patch.pixels, sure if sure.sum() > 12 else within & off_iris)
    shade = filled.astype(np.float32) * 0.86  # what comes out from under a lid lay in its shadow
    near = ndimage.distance_transform_edt(~within)
    own = np.clip(1.5 - near / max(rim_texels, 1.0), 0.0, 1.0) * off_iris
    own = ndimage.gaussian_filter(own.astype(np.float32), 0.6)[..., None]
    inner = np.where(within[..., None], filled.astype(np.float32), shade)
    colours = patch.pixels * own + inner * (1 - own)
    return np.dstack([colours.round(), np.full(within.shape, 255)]).astype(np.uint8)


def _iris_texture(patch: _Patch, within: NDArray[np.bool_], from_centre: NDArray[np.float64], radius: float, texels_per_px: float) -> UInt8Array:
    """A whole iris: what the lids hide is taken from the rest of its ring."""
    sure = ndimage.binary_erosion(within, iterations=max(1, round(1.5 * texels_per_px)))
    ring = np.minimum((from_centre * texels_per_px).astype(int), round(1.3 * radius * texels_per_px))
    colours = patch.pixels.astype(np.float32)
    for number in range(int(ring.max()) + 1):
        members = ring == number
        seen = members & sure
        if not seen.any():
            seen = (np.abs(ring - number) <= 2) & sure
        if seen.any():
            colours[members & ~within] = np.median(patch.pixels[seen], axis=0)
    soft = ndimage.gaussian_filter(colours, (0.8, 0.8, 0))
    blend = ndimage.gaussian_filter(within.astype(np.float32), 0.8)[..., None]
    colours = colours * blend + soft * (1 - blend)
    alpha = np.clip((1.12 * radius - from_centre) / (0.10 * radius), 0.0, 1.0)
    return np.dstack([colours.round(), 255 * alpha]).astype(np.uint8)


def _add_iris(pool: Pool, patch: _Patch, centre: NDArray[np.float64], radius: float, ball_radius: float, depth: float,
              texture: UInt8Array) -> Eyeball:  # fmt: skip
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
    pool.add_layer(start + np.concatenate(triangles), pool.add_texture(texture))
    return Eyeball(start, len(points), ball_centre)
