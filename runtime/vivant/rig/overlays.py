"""Retouched skin that fades in where the portrait's own pixels would be dragged along, such as the dark line between the lips
on an opening mouth. At rest all of it is invisible."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.easing import smoothsteps
from vivant.numeric import ndimage
from vivant.rig import canonical as c
from vivant.rig.light import Light
from vivant.rig.lips import LIP_FROM, LIP_TO
from vivant.rig.matte import fill_holes
from vivant.rig.mesh import mark_open, neighbours
from vivant.rig.mouth import lip_parting
from vivant.rig.patch import Patch, luminance
from vivant.rig.scene_builder import MOUTH_CLOSED, OPEN_EDGE, SceneBuilder
from vivant.rig.skin import Skin, unproject
from vivant.types import FloatArray, UInt8Array

LIP_FADE, EDGE, LIP_RINGS = (0.03, 0.075), 0.05, 20
"""Distance from the seam, in outer-eye distances, from which the retouched lip fades and at which it has ended; and the most
mesh steps that lie within it, in the corners."""
AROUND_CORNERS = 1.2
"""How much sooner around the corners, whose shade is the portrait's own."""
MEETING = 0.012
"""Width of the passage from one retouched lip to the other around the corners, likewise."""
SEAM_BAND = 0.026
"""Half height of the dark line between the lips, in outer-eye distances."""
MIRROR = 0.3
"""Compression of the mirror image beside the seam; chosen by eye."""
NEAR_SEAM = (0.03, 0.05)
"""How far from the seam what is unlike the lip (teeth, the dark, shine) is replaced, in outer-eye distances: as far as the lip
itself reaches, but at least and at most so far."""
ALIKE = 0.15
"""Difference from the lip's own colour, relative, up to which a pixel is lip."""
TURNS_IN = (0.16, 0.08)
"""Light that the upper and the lower lip lose towards their inner edges, where they turn away from it."""
SEAM_SHADE = (0.5, 0.1)
"""Likewise at the very edge of lips that were open in the portrait and have no seam of their own. Chosen by eye."""
WET_EDGE = (0.15, 0.1)
"""Likewise of lips that were closed, whose edge goes over into their wet side. Chosen by eye."""
ALL_ALONG = 0.5
"""Of what parts the lips where they part most, how much takes the portrait's own line from between them everywhere: a glint of
teeth in it would stand beside the opening of a rounded mouth. Chosen by eye."""
CORNER, OWN_CORNER = (0.0, 0.03), 0.02
CORNER_FLAT = 1.5
"""How far from the mouth's corners the retouched lip is the dark that the portrait has there, and from where on not at all;
and where that is looked for; outer-eye distances. Chosen by eye."""


def add_lips(pool: SceneBuilder, skin: Skin, light: Light, picture: UInt8Array, texels_per_px: float, unit: float) -> None:
    """Both lips without the line between them, growing visible as they part."""
    both = skin.points[list(skin.upper_lip + skin.lower_lip)]
    patch = Patch.around(picture, both, 0.15 * unit, texels_per_px)
    parting = lip_parting(skin) / (0.012 * unit)
    parting = np.maximum(parting, ALL_ALONG * parting.max(axis=1, keepdims=True))
    closes = bool(np.abs(skin.closing).max() > 0.0)
    for row, outer, shade, line in zip(
        (skin.upper_lip, skin.lower_lip),
        (c.UPPER_OUTER_LIP, c.LOWER_OUTER_LIP),
        TURNS_IN,
        SEAM_SHADE if closes else WET_EDGE,
        strict=True,
    ):
        seam = skin.points[list(row)]
        gaps = np.linalg.norm(skin.points[:, None, :2] - seam[:, :2], axis=2)
        far = set(np.flatnonzero(gaps.min(axis=1) > (LIP_FADE[1] + EDGE) * unit).tolist())
        steps = steps_from(skin, row[1:-1], far | _not_of_lip(skin, row, outer, seam), LIP_RINGS)
        tints = {drive: parting[drive, gaps[list(steps)].argmin(axis=1)] for drive in range(len(parting))}
        if closes:
            tints[MOUTH_CLOSED] = np.ones(len(steps))
        lip = _without_seam(patch, seam, skin.points[list(outer)], light, unit, shade, line)
        texture = pool.add_texture(
            "lip without seam", np.dstack([lip, _near_seam(patch, seam, skin.points[list(outer)], unit)])
        )
        add_overlay(pool, skin, steps, patch, texture, tints, [row])


def _near_seam(patch: Patch, seam: FloatArray, outer: FloatArray, unit: float) -> UInt8Array:
    """(h, w) alpha of the retouched lip: 1 at the seam, fading away from it and, sooner, around its corners."""
    at = patch.coordinates()
    before = _before(at, seam, outer) / unit
    beside = np.maximum(np.maximum(seam[0, 0] - at[..., 0], at[..., 0] - seam[-1, 0]), 0.0) / unit
    alpha = 1.0 - smoothsteps(np.hypot(AROUND_CORNERS * beside, before), *LIP_FADE)
    ends = np.minimum(beside, MEETING)  # within the mouth at the other lip, beyond its corners before the seam's line
    return np.asarray(np.round(255 * alpha * smoothsteps((before - ends) / MEETING + 1.0)), np.uint8)


def _before(at: FloatArray, seam: FloatArray, outer: FloatArray) -> FloatArray:
    """(h, w) px from places (h, w, 2) to the seam, positive on the lip's own side."""
    own = np.sign(seam[:, 1].mean() - outer[:, 1].mean())  # 1 for the upper lip
    return np.asarray(own * (np.interp(at[..., 0], seam[:, 0], seam[:, 1]) - at[..., 1]))


def _not_of_lip(skin: Skin, row: tuple[int, ...], outer: tuple[int, ...], seam: FloatArray) -> set[int]:
    """Vertices on the other side of the seam; around its corners a lip has no end."""
    x, y = skin.points[:, 0], skin.points[:, 1]
    own = np.sign(seam[:, 1].mean() - skin.points[list(outer), 1].mean())
    across = (own * (np.interp(x, seam[:, 0], seam[:, 1]) - y) < 0.0) & (x > seam[0, 0]) & (x < seam[-1, 0])
    return set(np.flatnonzero(across).tolist()) | set(skin.upper_lip + skin.lower_lip) - set(row)


def steps_from(skin: Skin, start: tuple[int, ...], blocked: set[int], most: int) -> dict[int, int]:
    """Face vertices within ``most`` edges of the start row, with their distance; never through ``blocked``."""
    edges = skin.triangles[:, [0, 1, 1, 2, 2, 0, 1, 0, 2, 1, 0, 2]].reshape(-1, 2)
    steps, front = dict.fromkeys(start, 0), list(start)
    for step in range(1, most + 1):
        reached = np.unique(edges[np.isin(edges[:, 0], front), 1])
        front = [int(v) for v in reached if v not in steps and v not in blocked and v < skin.n_face]
        steps.update(dict.fromkeys(front, step))
    return steps


def add_overlay(
    pool: SceneBuilder,
    skin: Skin,
    steps: dict[int, int],
    patch: Patch,
    texture: int,
    strengths: dict[int, FloatArray],
    rows: list[tuple[int, ...]],
    hidden_until: float = 0.0,
    places: FloatArray | None = None,
) -> None:
    """A copy of the mesh over the given vertices that follows it; ``strengths`` is alpha per drive and vertex, ``places``
    (n, 2+) where its pixels are in the patch, if not where the vertices themselves are."""
    leaders = np.array(list(steps))
    number = np.full(len(skin.points), -1)
    number[leaders] = np.arange(len(leaders))
    triangles = number[skin.triangles]
    triangles = triangles[(triangles >= 0).all(axis=1)].astype(np.int32)
    points = skin.points[leaders]
    colour = np.column_stack([np.ones((len(leaders), 3)), np.full(len(leaders), -hidden_until)])
    start = pool.add_vertices(unproject(points), patch.uv(points if places is None else places), skin.head[leaders], colour)
    pool.link(start + np.arange(len(leaders)), leaders)
    for drive, alpha in strengths.items():
        pool.add_tints(drive, start, np.column_stack([np.zeros((len(leaders), 3)), alpha]))
    loops = [tuple(int(v) for v in number[list(row)] if v >= 0) for row in rows]
    pool.add_layer(start + triangles, texture, 0, mark_open(triangles, neighbours(triangles), loops, OPEN_EDGE))


def _without_seam(
    patch: Patch, seam: FloatArray, outer: FloatArray, light: Light, unit: float, shade: float, line: float
) -> UInt8Array:
    """One lip alone (h, w, 3): from a little before the seam on, pixels are a compressed mirror image of the lip before
    that, without anything that is unlike the lip, and ``shade`` darker towards the edge, ``line`` at it."""
    at = patch.coordinates()
    middle = np.interp(at[..., 0], seam[:, 0], seam[:, 1])
    own = float(np.sign(seam[:, 1].mean() - outer[:, 1].mean()))  # 1 for the upper lip
    before = own * (middle - at[..., 1])
    across = (at[..., 0] - seam[:, 0].mean()) / (np.ptp(seam[:, 0]) / 2)
    band = SEAM_BAND * unit * np.sqrt(np.clip(1.0 - across**2, 0.05, 1.0))  # lips grow thin towards their corners
    shift = -own * np.maximum((1.0 + MIRROR) * (band - before), 0.0) * patch.texels_per_px
    rows, columns = np.indices(before.shape).astype(np.float64)
    mirrored = np.stack(
        [
            ndimage.map_coordinates(patch.pixels[..., k].astype(np.float32), [rows + shift, np.asarray(columns)])
            for k in range(3)
        ],
        axis=-1,
    )
    order = np.argsort(outer[:, 0])
    thickness = own * (middle - np.interp(at[..., 0], outer[order, 0], outer[order, 1]))
    lip = (np.abs(across) < 1.0) & (before > LIP_FROM * thickness) & (before < LIP_TO * thickness)
    tone = _lip_tone(patch, lip)
    near = (np.abs(across) < 1.15) & (before < np.clip(LIP_TO * thickness, NEAR_SEAM[0] * unit, NEAR_SEAM[1] * unit))
    alien = near & ndimage.binary_dilation(near & ~_alike(mirrored, tone)) & (not light.lined)
    filled = fill_holes(np.clip(mirrored, 0, 255).astype(np.uint8), ~alien).astype(np.float64)
    soft = ndimage.gaussian_filter(alien.astype(np.float64), 1.0)[..., None]
    filled = mirrored + np.clip(2.0 * soft, 0.0, 1.0) * (ndimage.gaussian_filter(filled, (1.0, 1.0, 0)) - mirrored)
    filled = np.asarray(filled if light.lined else _into_corners(filled, tone, patch, seam, unit))
    turned = np.clip(1.0 - before / band, 0.0, 1.0)[..., None]
    turned_in: UInt8Array = (
        np.clip(filled * (1.0 - light.relief * (shade * turned**1.5 + line * turned**2.5)), 0, 255).round().astype(np.uint8)
    )
    return turned_in


def _into_corners(lip: FloatArray, tone: FloatArray, patch: Patch, seam: FloatArray, unit: float) -> FloatArray:
    """The retouched ``lip`` (h, w, 3), which ends in its own ``tone`` (w, 3), as dark as the portrait's corners are."""
    at = patch.coordinates()
    for end in seam[[0, -1], :2]:
        away = np.linalg.norm((at - end) * (1.0, CORNER_FLAT), axis=2) / unit
        own = tone[np.abs(at[0, :, 0] - end[0]).argmin()]
        dark = own * min(1.0, float(np.median(luminance(patch.pixels[away < OWN_CORNER]))) / float(luminance(own)))
        lip = lip + (1.0 - smoothsteps(away, *CORNER))[..., None] * (dark - lip)
    return lip


def _lip_tone(patch: Patch, lip: NDArray[np.bool_]) -> FloatArray:
    """(w, 3): mean colour of the lip in each column of the patch, smooth along it."""
    count = lip.sum(axis=0)
    known = np.flatnonzero(count)
    if not known.size:
        return np.asarray(patch.pixels.mean(axis=0))
    means = (patch.pixels * lip[..., None]).sum(axis=0)[known] / count[known, None]
    tone = np.stack([np.interp(np.arange(lip.shape[1]), known, means[:, k]) for k in range(3)], axis=-1)
    return np.asarray(ndimage.gaussian_filter1d(tone, 0.03 * lip.shape[1], axis=0, mode="nearest"))


def _alike(seen: FloatArray, colour: FloatArray) -> NDArray[np.bool_]:
    """(h, w): where ``seen`` (h, w, 3) is the ``colour`` (w, 3) of its column, or nearly."""
    return np.asarray(np.abs(seen - colour).max(axis=2) < ALIKE * colour.max(axis=-1))
