"""The far side of a face that is turned in its portrait, where a few texels would be smeared as the head turns to the front: it
is laid over with the mirror image of the near side, lit like its own place."""

from __future__ import annotations

import numpy as np

from vivant.easing import smoothstep, smoothsteps
from vivant.numeric import ndimage
from vivant.rig import canonical as c
from vivant.rig.crop import MARGIN_PX
from vivant.rig.head import HeadFit
from vivant.rig.mesh import distance_to_polygon, inside
from vivant.rig.patch import Patch
from vivant.rig.scene_builder import TURNED_LEFT, TURNED_RIGHT, SceneBuilder
from vivant.rig.skin import Skin, unproject
from vivant.types import Float32Array, FloatArray, UInt8Array

FAR_SIDE = "far side"
"""Name of its texture."""
TURNED_DEG = (8.0, 12.0), (25.0, 32.0)
"""A portrait turned less has two halves alike; of one that is turned more, the far side is a rim whose places are guesses: from
where on and until where the mirror image is laid on, barely and in full."""
NARROWER = (1.4, 2.5)
"""How many times narrower than its mirror image a place is seen from where on that shows, and shows wholly. Chosen by eye."""
EDGE_ON = 0.2
"""Cosine of the angle between skin and view from which on it counts as seen edge on."""
CLEAR, CLEAR_EDGE = (0.03, 0.12), (0.0, 0.03)
"""How far from lids and lips, which are rarely alike on both sides, and from the outline it begins and is whole, outer-eye
distances."""
LIGHT_REACH, LIKE_REACH = 0.12, 0.04
"""Within which light is compared, outer-eye distances: more than a brow, less than a cheek; and within which what is seen."""
LIGHTER = (1.3, 1.7)
"""How many times lighter or darker than the mirror image a place is from where on that is not laid over it, and not at all: it
would be of another colour, or of something else, such as hair."""
BESIDE_NOSE = (0.2, 0.32)
"""How far beside the middle of the face it begins and is whole, outer-eye distances: the nose has shades of its own."""
STEPS = 4
"""Samples of the picture within that reach; chosen."""


def add_far_side(
    pool: SceneBuilder, skin: Skin, fit: HeadFit, picture: UInt8Array, uv: Float32Array, texels_per_px: float
) -> None:
    """Laid over the skin, whose places in the ``picture`` are ``uv`` (n, 2); invisible until the head turns to the front."""
    yaw = fit.angles_deg()[0]
    share = smoothstep(abs(yaw), *TURNED_DEG[0]) * (1.0 - smoothstep(abs(yaw), *TURNED_DEG[1]))
    shows = share * (skin.face_matrix @ _narrowness(fit, float(np.sign(yaw)))) * _clear(skin, fit.unit)
    faces = skin.triangles[(skin.triangles < skin.n_face).all(axis=1)]
    faces = faces[shows[faces].max(axis=1) > 0.0]
    if not len(faces):
        return
    laid = np.unique(faces)
    near = (skin.face_matrix @ uv[c.mirrored()[: c.N_SURFACE]])[laid]
    texels = fit.unit * texels_per_px
    light = _light(picture, uv, texels, LIGHT_REACH, uv[laid], near)
    alike = _alike(_light(picture, uv, texels, LIKE_REACH, uv[laid], near), near / texels)
    patch = Patch.around(picture, near / texels_per_px - MARGIN_PX, 2.0, texels_per_px)
    texture = pool.add_texture(FAR_SIDE, np.dstack([patch.pixels, np.full(patch.pixels.shape[:2], 255, np.uint8)]))
    colour = np.column_stack([light, np.zeros(len(laid))])
    start = pool.add_vertices(unproject(skin.points[laid]), near - (patch.x0, patch.y0), skin.head[laid], colour)
    pool.link(start + np.arange(len(laid)), laid)
    turned = TURNED_RIGHT if yaw > 0 else TURNED_LEFT
    pool.add_tints(turned, start, np.column_stack([np.zeros((len(laid), 3)), shows[laid] * alike]))
    pool.add_layer(start + np.searchsorted(laid, faces), texture)


def _narrowness(fit: HeadFit, side: float) -> FloatArray:
    """(468,) 1 where a landmark on the far side is seen much narrower than its mirror image, 0 where it is not."""
    face, other = c.canonical_face(), c.mirrored()[: c.N_SURFACE]
    facing = np.maximum(face.normals[: c.N_SURFACE] @ fit.rotation[2], EDGE_ON)
    far = smoothsteps(side * face.points[: c.N_SURFACE, 0], *BESIDE_NOSE)
    return np.asarray(far * smoothsteps(facing[other] / facing, *NARROWER), np.float64)


def _clear(skin: Skin, unit: float) -> FloatArray:
    """(n_face,) 0 at lids, lips and outline, 1 where they are far."""
    rims = [(*upper, *lower[::-1]) for upper, lower in zip(skin.upper_lids, skin.lower_lids, strict=True)]
    points = skin.points[: skin.n_face, :2]
    gaps = [distance_to_polygon(points, skin.points[list(rim), :2]) for rim in (*rims, c.OUTER_LIPS)]
    inwards = distance_to_polygon(points, skin.points[list(c.OVAL), :2])
    return np.asarray(smoothsteps(np.min(gaps, axis=0) / unit, *CLEAR) * smoothsteps(inwards / unit, *CLEAR_EDGE))


def _alike(light: FloatArray, near: FloatArray) -> FloatArray:
    """(n,) 1 where what must be made so much lighter (n, 3) is of the same thing, all around its place (n, 2)."""
    alike = 1.0 - smoothsteps(np.abs(np.log(light)).max(axis=1), *np.log(LIGHTER))
    gaps = np.linalg.norm(near[:, None] - near[None], axis=2)
    return np.asarray(np.where(gaps < LIGHT_REACH, alike, 1.0).min(axis=1))


def _light(
    picture: UInt8Array, uv: Float32Array, texels: float, reach: float, here: FloatArray, there: FloatArray
) -> FloatArray:
    """(n, 3) how much lighter the skin is at places ``here`` (n, 2) than ``there``, within a reach."""
    step = max(1, round(reach * texels / STEPS))
    small = picture[::step, ::step].astype(np.float32)
    y, x = np.indices(small.shape[:2]) * float(step)
    places = np.column_stack([x.ravel(), y.ravel()])
    oval = uv[list(c.OVAL)].astype(np.float64)
    around = ((places >= oval.min(axis=0)) & (places <= oval.max(axis=0))).all(axis=1)  # all of them would take 100 MB
    face = np.zeros(small.shape[:2], np.float32)
    face.ravel()[around] = inside(places[around], oval)
    sigma = reach * texels / step
    total = np.maximum(ndimage.gaussian_filter(face, sigma), 1e-3)
    means = [(ndimage.gaussian_filter(small[..., k] * face, sigma) / total).astype(np.float32) for k in range(3)]

    def at(places: FloatArray) -> FloatArray:
        rows = list((places[:, ::-1].T / step).astype(np.float64))
        return np.stack([ndimage.map_coordinates(mean, rows) for mean in means], axis=-1)

    return np.asarray(np.maximum(at(here), 1.0) / np.maximum(at(there), 1.0))
