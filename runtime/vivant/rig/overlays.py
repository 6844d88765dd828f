"""Retouched skin that fades in where the portrait's own pixels would be dragged along: lashes on a closing lid, the dark
line between the lips on an opening mouth. At rest all of it is invisible."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vivant.easing import smoothsteps
from vivant.numeric import ndimage
from vivant.rig import canonical as c
from vivant.rig.light import Light
from vivant.rig.lips import LIP_FROM, LIP_TO
from vivant.rig.matte import fill_holes
from vivant.rig.mesh import mark_open, neighbours, strip_triangles
from vivant.rig.mouth import lip_parting
from vivant.rig.patch import Patch, luminance
from vivant.rig.scene_builder import MOUTH_CLOSED, OPEN_EDGE, SceneBuilder
from vivant.rig.skin import Skin, unproject
from vivant.types import ARKIT_INDEX, FloatArray, UInt8Array

LID_FADE = {0: 1.0, 1: 0.95, 2: 0.72, 3: 0.3}
"""Strength of the retouched lid by mesh steps from its margin; the crease lies two steps up."""
LIP_FADE, EDGE, LIP_RINGS = (0.03, 0.075), 0.05, 20
"""Distance from the seam, in outer-eye distances, from which the retouched lip fades and at which it has ended; and the most
mesh steps that lie within it, in the corners."""
AROUND_CORNERS = 2.0
"""How much sooner around the corners, whose shade is the portrait's own."""
MEETING = 0.012
"""Width of the passage from one retouched lip to the other around the corners, likewise."""
LID_BLUR, LID_OWN = (0.06, 0.012), 0.6
"""Averaging along and across the lid, in outer-eye distances; and how much of the result counts against the skin around."""
STROKE = 0.05
"""Width of the widest lash or clump of lashes, in outer-eye distances."""
STROKES_FROM, ROOTS_FROM = (0.0, 0.2), (0.2, 0.65)
"""Part of the way from above the crease to the lid's edge, from and to: where single lashes lie on the skin, and where their
roots leave nothing of it."""
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
LASH_LENGTH = 0.055
"""Of the longest, in outer-eye distances; chosen by eye."""


def add_lips(pool: SceneBuilder, skin: Skin, light: Light, picture: UInt8Array, texels_per_px: float, unit: float) -> None:
    """Both lips without the line between them, growing visible as they part."""
    both = skin.points[list(skin.upper_lip + skin.lower_lip)]
    patch = Patch.around(picture, both, 0.15 * unit, texels_per_px)
    parting = ndimage.maximum_filter1d(lip_parting(skin), 3, axis=1) / (0.012 * unit)  # up to the very corners
    closes = bool(np.abs(skin.closing).max() > 0.0)
    for row, outer, shade, line in zip(
        (skin.upper_lip, skin.lower_lip), (c.UPPER_OUTER_LIP, c.LOWER_OUTER_LIP), TURNS_IN, SEAM_SHADE, strict=True
    ):
        seam = skin.points[list(row)]
        gaps = np.linalg.norm(skin.points[:, None, :2] - seam[:, :2], axis=2)
        far = set(np.flatnonzero(gaps.min(axis=1) > (LIP_FADE[1] + EDGE) * unit).tolist())
        steps = steps_from(skin, row[1:-1], far | _not_of_lip(skin, row, outer, seam), LIP_RINGS)
        tints = {drive: parting[drive, gaps[list(steps)].argmin(axis=1)] for drive in range(len(parting))}
        if closes:
            tints[MOUTH_CLOSED] = np.ones(len(steps))
        lip = _without_seam(patch, seam, skin.points[list(outer)], light, unit, shade, line * closes)
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


def add_lids(pool: SceneBuilder, skin: Skin, light: Light, picture: UInt8Array, texels_per_px: float, unit: float) -> None:
    """Upper lids without lashes, and lashes that point down, both as far as the eye closes and the picture is shaded: ink on
    paper goes down as it is."""
    for side, (upper, lower) in enumerate(zip(skin.upper_lids, skin.lower_lids, strict=True)):
        blink, down = (ARKIT_INDEX[f"{shape}{('Right', 'Left')[side]}"] for shape in ("eyeBlink", "eyeLookDown"))
        steps = steps_from(skin, upper[1:-1], set(lower), 4)
        region = skin.points[list(steps)]
        patch = Patch.around(picture, np.concatenate([region, skin.points[list(lower)]]), 0.08 * unit, texels_per_px)
        texture = pool.add_texture("bare lid", _bare_lid(patch, skin, steps, lower, unit))
        edge = skin.points[list(upper), 0]
        beyond = np.maximum(np.maximum(edge.min() - region[:, 0], region[:, 0] - edge.max()), 0.0)
        strength = np.array([LID_FADE.get(s, 0.0) for s in steps.values()]) * np.clip(1.0 - beyond / (0.09 * unit), 0.0, 1.0)
        strength *= light.relief
        add_overlay(
            pool, skin, steps, patch, texture, {blink: 2.4 * strength, down: 0.9 * strength}, [upper], hidden_until=0.12
        )
        _add_lashes(pool, skin, side, blink, patch, unit, light.relief)


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
) -> None:
    """A copy of the mesh over the given vertices that follows it; ``strengths`` is alpha per drive and vertex."""
    leaders = np.array(list(steps))
    number = np.full(len(skin.points), -1)
    number[leaders] = np.arange(len(leaders))
    triangles = number[skin.triangles]
    triangles = triangles[(triangles >= 0).all(axis=1)].astype(np.int32)
    points = skin.points[leaders]
    colour = np.column_stack([np.ones((len(leaders), 3)), np.full(len(leaders), -hidden_until)])
    start = pool.add_vertices(unproject(points), patch.uv(points), skin.head[leaders], colour)
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
    turned = np.clip(1.0 - before / band, 0.0, 1.0)[..., None]
    turned_in: UInt8Array = (
        np.clip(filled * (1.0 - light.relief * (shade * turned**1.5 + line * turned**4)), 0, 255).round().astype(np.uint8)
    )
    return turned_in


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


def _bare_lid(patch: Patch, skin: Skin, steps: dict[int, int], lower: tuple[int, ...], unit: float) -> UInt8Array:
    """The lid without lashes. Higher up it keeps the portrait's skin and crease; at their roots it becomes smooth skin in its
    own shade, lightened by the skin around."""
    margin = sorted((skin.points[v] for v, s in steps.items() if s == 0), key=lambda p: p[0])
    top = sorted((skin.points[v] for v, s in steps.items() if s == 3), key=lambda p: p[0])
    bottom = skin.points[list(lower)]
    at = patch.coordinates()
    x, y = at[..., 0], at[..., 1]
    roof = np.interp(x, [p[0] for p in top], [p[1] for p in top])
    edge = np.interp(x, [p[0] for p in margin], [p[1] for p in margin])
    floor = np.interp(x, bottom[:, 0], bottom[:, 1]) + 0.07 * unit
    beside = 0.06 * unit
    hidden = (y > roof) & (y < floor) & (x > bottom[:, 0].min() - beside) & (x < bottom[:, 0].max() + beside)
    # Long lashes and brows may reach above the roof: only the lighter half of what is left counts as skin.
    brightness = luminance(patch.pixels)
    known = ~hidden & (brightness > np.percentile(brightness[~hidden], 35))
    around = fill_holes(patch.pixels, known).astype(np.float32)
    calm = _without_strokes(patch, unit)
    above = (y < edge).astype(np.float32)[..., None]
    blur = (LID_BLUR[1] * unit * patch.texels_per_px, LID_BLUR[0] * unit * patch.texels_per_px, 0)
    own = ndimage.gaussian_filter(calm * above, blur) / np.maximum(ndimage.gaussian_filter(above, blur), 0.02)
    bare = LID_OWN * own + (1 - LID_OWN) * ndimage.gaussian_filter(around, (1.5 * patch.texels_per_px,) * 2 + (0,))
    # The ball under the lid catches light in its middle and falls into shade towards the lashes.
    lidward = np.clip((y - roof) / np.maximum(edge - roof, 1.0), 0.0, 1.0)
    across = np.clip((x - bottom[:, 0].min()) / np.ptp(bottom[:, 0]), 0.0, 1.0)
    bulge = np.sin(np.pi * lidward) * np.sin(np.pi * across)
    shade = 0.98 + 0.09 * bulge - 0.10 * lidward**3
    lid = patch.pixels + smoothsteps(lidward, *STROKES_FROM)[..., None] * (calm - patch.pixels)
    lid += smoothsteps(lidward, *ROOTS_FROM)[..., None] * (bare * shade[..., None] - lid)
    return np.dstack([np.clip(lid, 0, 255), np.full(x.shape, 255.0)]).round().astype(np.uint8)


def _without_strokes(patch: Patch, unit: float) -> FloatArray:
    """The picture (h, w, 3) without thin dark strokes across the lid: creases, folds and make-up lie along it and stay."""
    texels = unit * patch.texels_per_px
    closed = ndimage.grey_closing(patch.pixels, (1, max(3, round(STROKE * texels)), 1)).astype(np.float32)
    return np.asarray(ndimage.gaussian_filter(closed, (0.004 * texels, 0.5 * STROKE * texels, 0)))


def _add_lashes(pool: SceneBuilder, skin: Skin, side: int, blink: int, patch: Patch, unit: float, strength: float) -> None:
    """The line of lashes along a closing lid, in the colour of the open lid's own, longest towards the temple."""
    upper = skin.upper_lids[side]
    row, count = skin.points[list(upper)], len(upper)
    x, y = np.clip(patch.uv(row).astype(int), 0, np.array(patch.pixels.shape[1::-1]) - 1).T
    picture = _lash_texture(0.6 * np.percentile(patch.pixels[y, x], 20, axis=0))
    texture = pool.add_texture("lashes", picture)
    length = np.cumsum(np.concatenate([[0.0], np.linalg.norm(np.diff(row[:, :2], axis=0), axis=1)]))
    along = length / length[-1]
    templewards, sign = (along, 1.0) if side else (1.0 - along, -1.0)  # rows run from the image left
    reach = LASH_LENGTH * unit * (0.35 + 0.65 * np.sin(np.pi * (0.15 + 0.8 * templewards)))
    visible = np.clip(np.sin(np.pi * along) * 2.5, 0.0, 1.0)
    starts = []
    for part, v in ((-0.25, 0.0), (1.0, 1.0)):
        uv = np.column_stack([along * (picture.shape[1] - 4) + 2, np.full(count, 2 + v * (picture.shape[0] - 4))])
        colour = np.column_stack([np.ones((count, 3)), np.full(count, -0.08)])
        start = pool.add_vertices(unproject(row + np.array((0.0, 0.0, 1.0))), uv, 1.0, colour)
        pool.link(start + np.arange(count), np.asarray(upper))
        pool.add_moves(
            blink,
            start,
            part * reach[:, None] * np.column_stack([0.35 * sign * (templewards - 0.4), np.ones(count), np.zeros(count)]),
        )
        pool.add_tints(blink, start, np.column_stack([np.zeros((count, 3)), 2.0 * strength * visible]))
        starts.append(start)
    pool.add_layer(strip_triangles(starts[0], starts[1], count), texture)


def _lash_texture(colour: FloatArray) -> UInt8Array:
    """A lid line from which tapering lashes hang, 256 x 32, drawn large and averaged down."""
    width, height, zoom = 256, 32, 4
    picture = Image.new("L", (width * zoom, height * zoom), 0)
    draw = ImageDraw.Draw(picture)
    chance = np.random.default_rng(7)
    base = 0.22 * height * zoom
    draw.rectangle((0, base - 0.06 * height * zoom, width * zoom, base + 0.05 * height * zoom), fill=200)
    for x in np.arange(4, width - 4, 3.4):
        lean = (x / width - 0.5) * 26 + chance.normal(0, 4)
        length = height * zoom * (0.45 + 0.3 * chance.random())
        steps = np.linspace(0, 1, 9)
        path = [((x + lean * t * t) * zoom, base + length * t) for t in steps]
        for (a, b), t in zip(pairwise(path), steps, strict=False):
            draw.line((a, b), fill=int(225 * (1 - 0.75 * t)), width=max(1, round((1.9 * (1 - t) + 0.3) * zoom)))
    alpha = np.asarray(picture.resize((width, height), Image.Resampling.BOX))
    rgb = np.broadcast_to(np.round(colour).astype(np.uint8), (height, width, 3))
    return np.dstack([rgb, alpha])
