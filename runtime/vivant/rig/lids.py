"""Upper lids that close: a picture of the shut eye, made of the portrait's own skin, which unfolds as the lid goes down.

The picture lies where the shut lid will lie and is laid over the mesh there, so that nothing of it is stretched. Above the
crease it is the portrait itself, moved as the mesh moves it, and passes into the lid without an edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivant.easing import smoothsteps
from vivant.numeric import ndimage
from vivant.numeric.scattered import interpolated
from vivant.rig import canonical as c
from vivant.rig.lashes import add_lashes
from vivant.rig.light import Light
from vivant.rig.matte import fill_holes
from vivant.rig.overlays import add_overlay, steps_from
from vivant.rig.patch import Patch, luminance
from vivant.rig.scene_builder import SceneBuilder
from vivant.rig.skin import Skin
from vivant.types import ARKIT_INDEX, FloatArray, UInt8Array

REACH, CREASE, TIPS_REACH = 5, 2, 7
"""Mesh steps above the lid's edge: how far the picture reaches, where the crease lies, and how far the tips of lashes reach."""
FOLD_FROM = 0.05
"""Part of the eye's width from its corners on where the crease is one line; nearer its vertices lie one above the other."""
LEAST_LID = 0.03
"""From the crease to the edge, outer-eye distances, for they meet in the corners."""
FADES_IN = {"eyeBlink": 3.0, "eyeLookDown": 1.4}
"""Alpha of the shut lid over the weight of its shape, beyond `HIDDEN`."""
HIDDEN = 0.12
"""Of that alpha, what a lid may go down before anything is seen of it."""
MOVES_WITH_CREASE = (-0.6, -0.1)
"""Part of the way from the crease to the edge of the shut lid over which the portrait goes from moving as the mesh does to
moving with the crease as one: a fold is not stretched, the lid comes out from under it."""
CREASE_ENDS = (-0.15, 0.0)
"""Beyond the corners, outer-eye distances, less than 0 inside, from where on less of it moves so, and from where none."""
SHUT_SKIN = (-0.3, 0.2)
"""Likewise over which its pixels pass into the skin of the shut lid."""
TONE, TONE_RANK = (-0.6, 0.7), 65
"""Likewise from where to where the lid's own colour is read, and the percentile that is neither lashes nor shine."""
BROW_CLEAR, BROW_ENDS = (0.0, 0.11), 0.08
"""How far below the brow nothing is changed yet and all is, and from where skin is free of its hairs, outer-eye distances."""
BESIDE_SKIN = 0.03
"""From how far beyond the corners skin counts as that around the lid, outer-eye distances."""
OWN_TONE, OWN_TONE_FROM = 1.0, (-0.8, 0.2)
"""How much of the lid's own colour there is in its middle, over that of the skin around, and over which part of the way from
the crease to the edge it comes; chosen by eye."""
FOLD, FOLD_ENDS = (-0.07, 0.03), (0.1, 0.5)
"""How much darker and lighter than the skin the crease may be, relative, for a fold that has opened is a shallow one; and where
it ends."""
TONE_BLUR = 0.09
"""Along the lid, outer-eye distances."""
BULGE, TOWARDS_LASHES = 0.06, 0.12
"""Light in the middle of the lid, where the ball lies under it, and shade at its edge; chosen by eye."""
BESIDE = (-0.1, 0.14)
"""How far beyond the corners of the eye the picture is retouched in full, and where no longer; outer-eye distances, less than 0
inside."""
ENDS = 0.08
"""Over which it fades in from its left and right border, likewise: on the far side of a turned face the mesh steps alone over
which it does are narrow."""
STROKE = 0.05
"""Width of the widest lash, in outer-eye distances."""
CLUMP = 0.16
"""Likewise of what lashes are beyond the corners of the eye."""
STROKES_FROM, DARKER = (-0.9, -0.4), (0.04, 0.12)
"""Part of the way from the crease to the edge from where they are taken out, for long lashes reach far above it; and how much
darker than the skin they are, relative, from barely to surely."""
TIP, TIPS_BESIDE, TIPS_END, TALLEST = 0.05, (0.0, 0.05), (0.14, 0.18), 0.3
"""Width of the tips of lashes, from where to where beyond the outer corner they are taken out, and how tall such strokes are at
most, outer-eye distances: what is taller is the rim of glasses."""
TIPS_DARKER = (0.05, 0.15)
"""How much darker than around them they are, relative, from barely to surely."""
LASHES_BESIDE = (0.1, 0.2)
"""How far beyond the corners they are."""
PORES = 0.02
"""Size of what counts as the skin's own texture, likewise."""
BELOW, LIT_AS_BELOW = 0.16, 0.1
"""How far below the eye skin is looked at, likewise: beyond the lower lashes; and how much of its colour a shut lid has, which
comes out of the shade of the brow."""
MOST_PORES, NO_PORES = 3.0, 6.0
"""Over its median: no pore is deeper, and what stands out more is a hair or the rim of glasses; nothing is taken near those."""


@dataclass(frozen=True)
class _ShutLid:
    """One shut lid within its patch, all (h, w)."""

    patch: Patch
    lidward: FloatArray
    """0 at the crease, 1 at the edge, beyond both as it goes on."""
    across: FloatArray
    """0 to 1 from the left corner of the eye in the picture to the right one."""
    beside: FloatArray
    """Beyond the corners, outer-eye distances; less than 0 inside."""
    below_brow: FloatArray
    """Outer-eye distances."""
    moved: FloatArray
    """(h, w, 3) the portrait as the mesh moves it."""
    below: UInt8Array
    """(h, w, 3) the skin below the eye, beyond the lower lashes."""


def add_lids(pool: SceneBuilder, skin: Skin, light: Light, picture: UInt8Array, texels_per_px: float, unit: float) -> None:
    """Both upper lids and the lashes that point down from them, as far as the eye closes and the picture is shaded."""
    for side, (upper, lower) in enumerate(zip(skin.upper_lids, skin.lower_lids, strict=True)):
        blink, texels = ARKIT_INDEX[f"eyeBlink{('Right', 'Left')[side]}"], unit * texels_per_px
        for reach in (TIPS_REACH, REACH):
            steps = steps_from(skin, upper, set(lower[1:-1]), reach)
            lid = _shut(skin, steps, blink, upper, c.LOWER_BROWS[side], picture, texels_per_px, unit)
            shut = _picture_of(lid, texels) if reach == REACH else _bare_beside(lid, side, texels)
            texture = pool.add_texture("bare lid" if reach == REACH else "skin beside the eye", shut)
            places = _when_shut(skin, blink)[list(steps)]
            shows = _above(lid, places, steps, reach) * light.relief
            drives = {ARKIT_INDEX[f"{shape}{('Right', 'Left')[side]}"]: gain * shows for shape, gain in FADES_IN.items()}
            add_overlay(pool, skin, steps, lid.patch, texture, drives, [upper], hidden_until=HIDDEN, places=places)
        add_lashes(pool, skin, side, lid.patch, unit, light.relief)


def _above(lid: _ShutLid, places: FloatArray, steps: dict[int, int], reach: int) -> FloatArray:
    """(n,) 1 where the picture shows: neither at its border nor below the lid."""
    x, y = np.clip(lid.patch.uv(places).astype(int), 0, np.array(lid.lidward.shape[::-1]) - 1).T
    return np.asarray((np.array(list(steps.values())) < reach) & (lid.lidward[y, x] < 1.2), float)


def _when_shut(skin: Skin, blink: int) -> FloatArray:
    """(n, 3) where the mesh lies in a full blink."""
    return np.asarray(skin.points + skin.fields[blink])


def _shut(
    skin: Skin,
    steps: dict[int, int],
    blink: int,
    upper: tuple[int, ...],
    brow: tuple[int, ...],
    picture: UInt8Array,
    texels_per_px: float,
    unit: float,
) -> _ShutLid:
    """Where everything lies in a full blink, and what the mesh alone would show there."""
    shut = _when_shut(skin, blink)
    around = list(steps)
    patch = Patch.around(picture, np.concatenate([shut[around], skin.points[around]]), 0.02 * unit, texels_per_px)
    at = patch.coordinates()
    x, y = at[..., 0], at[..., 1]
    corners = np.sort(shut[[upper[0], upper[-1]], 0])
    inner = corners + np.array((1.0, -1.0)) * FOLD_FROM * np.ptp(corners)
    fold = tuple(v for v in around if steps[v] == CREASE and inner[0] < shut[v, 0] < inner[1])
    edge, crease = _line(shut, upper, x), _line(shut, fold, x)
    lidward = (y - crease) / np.maximum(edge - crease, LEAST_LID * unit)
    moved = _moved(at, shut[around, :2], skin.points[around, :2])
    open_crease = _line(skin.points, fold, x)
    below_brow = (y - _line(shut, brow, x)) / unit
    beside = np.maximum(corners[0] - x, x - corners[1]) / unit
    follows = smoothsteps(lidward, *MOVES_WITH_CREASE) * smoothsteps(below_brow, *BROW_CLEAR)
    with_crease = follows * (1.0 - smoothsteps(beside, *CREASE_ENDS)) * (open_crease + y - crease - moved[..., 1])
    return _ShutLid(
        patch=patch,
        lidward=lidward,
        across=(x - corners[0]) / np.ptp(corners),
        beside=beside,
        below_brow=below_brow,
        moved=_sample(patch, moved + np.stack([np.zeros_like(x), with_crease], axis=-1)),
        below=_below(patch, picture, unit * texels_per_px),
    )


def _below(patch: Patch, picture: UInt8Array, texels: float) -> UInt8Array:
    height, width = patch.pixels.shape[:2]
    top = min(patch.y0 + round(height / 2 + BELOW * texels), len(picture) - height)
    return picture[top : top + height, patch.x0 : patch.x0 + width]


def _line(points: FloatArray, row: tuple[int, ...], x: FloatArray) -> FloatArray:
    """Height of a row of vertices over places x."""
    chosen = points[list(row)]
    order = np.argsort(chosen[:, 0])
    return np.asarray(np.interp(x, chosen[order, 0], chosen[order, 1]))


def _moved(at: FloatArray, now: FloatArray, before: FloatArray) -> FloatArray:
    """(h, w, 2): where lay what lies at places (h, w, 2) after vertices have gone from ``before`` (n, 2) to ``now``."""
    return at + interpolated(now, before - now, at)


def _sample(patch: Patch, places: FloatArray) -> FloatArray:
    """Colours (h, w, 3) of the patch at places (h, w, 2) in rig px."""
    rows = (patch.uv(places.reshape(-1, 2)) - 0.5)[:, ::-1].T.reshape(2, *places.shape[:2])
    colours = patch.pixels.astype(np.float32)
    return np.stack([ndimage.map_coordinates(colours[..., k], list(rows)) for k in range(3)], axis=-1)


def _picture_of(lid: _ShutLid, texels: float) -> UInt8Array:
    """(h, w, 4): the shut lid and what is around it."""
    calm, strokes = _without_strokes(lid, texels)
    clear = smoothsteps(lid.below_brow, *BROW_CLEAR)
    here = (1.0 - smoothsteps(lid.beside, *BESIDE)) * clear
    taken_out = (1.0 - smoothsteps(lid.beside, *LASHES_BESIDE)) * clear * strokes * smoothsteps(lid.lidward, *STROKES_FROM)
    own = lid.moved + taken_out[..., None] * (calm - lid.moved)
    share = (here * smoothsteps(lid.lidward, *SHUT_SKIN))[..., None]
    bare = _bare(lid, own, calm, texels)
    columns = np.arange(here.shape[1]) + 0.5
    ends = smoothsteps(np.minimum(columns, columns[::-1]) / texels, 0.0, ENDS)
    alpha = np.broadcast_to(255.0 * ends, here.shape)
    return np.dstack([np.clip(own + share * (bare - own), 0, 255), alpha]).round().astype(np.uint8)


def _bare_beside(lid: _ShutLid, side: int, texels: float) -> UInt8Array:
    """(h, w, 4) skin in the place of thin dark strokes beyond the outer corner: the tips of lashes. Transparent elsewhere."""
    light = luminance(lid.moved)
    width = max(3, round(TIP * texels))
    darker = 1.0 - light / np.maximum(ndimage.grey_closing(light, (width, width)), 1.0)
    near = ndimage.maximum_filter(smoothsteps(darker, *TIPS_DARKER), 5)
    outer = (lid.beside > 0.0) & ((lid.across < 0.5) == (side == 0))
    strokes, count = ndimage.label(outer & (near > 0.3) & (lid.below_brow > 0.3 * BROW_CLEAR[1]))
    first, last = np.full(count + 1, len(light)), np.zeros(count + 1, int)
    rows = np.broadcast_to(np.arange(len(light))[:, None], light.shape)
    np.minimum.at(first, strokes, rows)
    np.maximum.at(last, strokes, rows)
    tips = (strokes > 0) & (last - first < TALLEST * texels)[strokes]
    bare = fill_holes(np.clip(lid.moved, 0, 255).round().astype(np.uint8), ~tips)
    share = (
        smoothsteps(lid.beside, *TIPS_BESIDE)
        * (1.0 - smoothsteps(lid.beside, *TIPS_END))
        * smoothsteps(lid.below_brow, *BROW_CLEAR)
    )
    alpha = share * ndimage.gaussian_filter(tips.astype(np.float64), 0.006 * texels)
    return np.dstack([bare, 255 * alpha]).round().astype(np.uint8)


def _bare(lid: _ShutLid, own: FloatArray, calm: FloatArray, texels: float) -> FloatArray:
    """(h, w, 3): skin over the ball of the eye. It goes on from above the crease and from beyond the corners, and turns to the
    lid's own colour towards its middle; the crease stays as a shallow fold in it."""
    blur = (PORES * texels,) * 2 + (0,)
    around = (lid.below_brow > BROW_ENDS) & ((lid.lidward < 0.5 * sum(SHUT_SKIN)) | (lid.beside > BESIDE_SKIN))
    skin = ndimage.gaussian_filter(fill_holes(own.round().astype(np.uint8), around).astype(np.float32), blur)
    middle = np.sin(np.pi * np.clip(lid.across, 0.0, 1.0))
    share = OWN_TONE * middle * smoothsteps(lid.lidward, *OWN_TONE_FROM)
    skin = skin + share[..., None] * (_tone(lid, calm, texels) - skin)
    depth = luminance(ndimage.gaussian_filter(own, blur)) / np.maximum(luminance(skin), 1.0) - 1.0
    fold = np.clip(depth, *FOLD) * (1.0 - smoothsteps(lid.lidward, *FOLD_ENDS))
    bulge = middle * np.sin(np.pi * np.clip(lid.lidward, 0.0, 1.0))
    light = 1.0 + fold + BULGE * bulge - TOWARDS_LASHES * np.clip(lid.lidward, 0.0, 1.2) ** 3
    return np.asarray(skin * (light * (1.0 + _pores(lid.below, texels)))[..., None])


def _without_strokes(lid: _ShutLid, texels: float) -> tuple[FloatArray, FloatArray]:
    """(h, w, 3) without thin dark strokes across the lid, and (h, w) where such were: creases, folds and make-up lie along it
    and stay. Beyond the corners lashes lie in all directions."""
    width, clump = (max(3, round(size * texels)) for size in (STROKE, CLUMP))
    closed = ndimage.grey_closing(lid.moved, (1, width, 1))
    beyond = smoothsteps(lid.beside, -0.5 * STROKE, 0.5 * STROKE)[..., None]
    closed = closed + beyond * (np.maximum(closed, ndimage.grey_closing(lid.moved, (clump, clump, 1))) - closed)
    calm = np.asarray(ndimage.gaussian_filter(closed, (0.004 * texels, 0.5 * STROKE * texels, 0)))
    darker = 1.0 - luminance(lid.moved) / np.maximum(luminance(calm), 1.0)
    near = ndimage.maximum_filter(smoothsteps(darker, *DARKER), 3)
    bare = (near < 0.1) & ((lid.beside > BESIDE_SKIN) | (lid.lidward < 0.0))
    filled = fill_holes(np.clip(lid.moved, 0, 255).round().astype(np.uint8), bare).astype(np.float32)
    calm = calm + beyond * (np.minimum(calm, ndimage.gaussian_filter(filled, (0.02 * texels, 0.02 * texels, 0))) - calm)
    return np.asarray(calm), np.asarray(ndimage.gaussian_filter(near, 0.006 * texels))


def _tone(lid: _ShutLid, calm: FloatArray, texels: float) -> FloatArray:
    """(1, w, 3): colour of the lid along it, with its make-up and without its lashes."""
    counts = (lid.lidward > TONE[0]) & (lid.lidward < TONE[1])
    brightness = np.where(counts, luminance(calm), np.nan)
    columns = np.flatnonzero(counts.any(axis=0))
    limit = np.full(counts.shape[1], np.inf)
    limit[columns] = np.nanpercentile(brightness[:, columns], TONE_RANK, axis=0)
    chosen = (counts & (brightness >= limit)).astype(np.float32)
    weight = ndimage.gaussian_filter1d(chosen.sum(axis=0).astype(np.float64), TONE_BLUR * texels, axis=0, mode="nearest")
    total = ndimage.gaussian_filter1d((calm * chosen[..., None]).sum(axis=0), TONE_BLUR * texels, axis=0, mode="nearest")
    tone = total / np.maximum(weight, 1e-3)[:, None]
    below = ndimage.gaussian_filter1d(np.median(lid.below, axis=0), TONE_BLUR * texels, axis=0, mode="nearest")
    return np.asarray(tone + LIT_AS_BELOW * (below - tone))[None]


def _pores(below: UInt8Array, texels: float) -> FloatArray:
    """(h, w): the texture of the skin below the eye, relative, without hairs and rims of glasses."""
    light = luminance(below)
    smooth = ndimage.gaussian_filter(light, PORES * texels)
    fine = (light - smooth) / np.maximum(smooth, 16.0)
    usual = float(np.median(np.abs(fine)))
    beside = 2 * round(2 * PORES * texels) + 1
    alien = ndimage.maximum_filter((np.abs(fine) > NO_PORES * usual).astype(np.float64), beside)
    skin = 1.0 - ndimage.gaussian_filter(alien, 0.5 * PORES * texels)
    return np.asarray(skin * np.clip(fine, -MOST_PORES * usual, MOST_PORES * usual))
