"""What shows when the lips part: cavity, teeth, tongue, the inner side of the lips and the shadow of the upper one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.easing import smoothsteps
from vivant.rig import canonical as c
from vivant.rig.crop import MARGIN_PX
from vivant.rig.head import HeadFit
from vivant.rig.light import USUAL_SKIN, Light
from vivant.rig.matte import Layers
from vivant.rig.mesh import strip_triangles
from vivant.rig.patch import luminance
from vivant.rig.scene_builder import SORTED, TONGUE_UP, SceneBuilder
from vivant.rig.skin import Skin, unproject
from vivant.rig.teeth import find_own_teeth
from vivant.types import ARKIT_INDEX, Float32Array, FloatArray, UInt8Array

FLAT_TEXELS = 8
"""Side of a texture of one colour."""
ENAMEL_RGB = np.array((226.0, 216.0, 199.0))
"""Of the front teeth in our atlas."""
TEETH_OVER_SKIN = (1.0, 1.45)
"""Brightness of the upper front teeth over the skin's, from and to; chosen so that what is seen of them, in the shade of the
lips, is about as light over the cheeks as in films of people (benchmarks/mouth_inside.py)."""
LOWER_TEETH_LIGHT, TONGUE_LIGHT = 0.72, 0.78
"""Factors: of the upper teeth's light, for the lower ones stand in their shade; of the tongue's own colour."""
LOWER_ENDS = (0.55, 0.85)
"""Part of the lower arch's half width over which its teeth sink into the dark: those behind are seen edge on, as a wire, in a
portrait that is turned. Chosen by eye."""
AS_SKIN = 0.5
"""How far teeth and tongue go with the hue of the skin's own, as an exponent, for light in a mouth comes from there too: teeth
are grey on brown skin, and a rosy tongue is lilac on yellow one. Chosen by eye."""
CAVITY_LIGHT = 0.7, 1.35
"""Factors on the dark of the mouth below the palate and above the floor, which light from the front reaches; chosen by eye."""
SIDES_SHADE, TONGUE_DEPTH = 0.55, 0.25
"""How far the tongue falls into shade at its sides; and how much of its depth counts: all of it would take it out of the middle
of a turned mouth, whose lips do not go around the teeth either."""
TEETH_DOWN = 0.021
"""Outer-eye distances by which teeth and tongue lie lower than on the scanned head, whose upper lip sinks with the jaw: 2 to
3.5 mm of the incisors show below a lip at rest (Vig and Brundo, The kinetics of anterior tooth display, 1978)."""
OPEN_SHARE = 0.42
"""Where the teeth of a mouth that is open in the portrait are thought to meet: this share of the gap below its upper lip, which
stays where it is when a jaw drops. Chosen by eye."""
SHADE_RGB = (52, 20, 15)
"""Shade inside a mouth is red: light comes through the cheeks and back from the gums. Grey shade makes grey teeth."""
CORNER_SHADE, MIDDLE_SHADE, CORNERS_FROM = 0.9, 0.04, 1.0
"""Alpha of the shade at the corners and in the middle; exponent of the passage between them."""
NARROW_SHADE, NARROW_GAP = 0.85, 0.06
"""Alpha of the shade between lips that have just parted, and the gap in outer-eye distances at which it is gone: hardly any
light falls through a slit. Chosen by eye: without it the first thing that shows is a white line."""
LIP_SHADES, SHADE_SHARE = ((0.78, 0.06), (0.60, 0.06)), 0.55
"""Shade of the upper and of the lower lip on what lies behind: alpha at the lip, and its reach in outer-eye distances; but at
most this share of the opening, so that teeth between lips that hardly part are not grey."""
LINED_SHADE = 0.35
"""How much of all shade there is between the lips of a pen drawing, which shades with strokes. Chosen by eye."""
SOLID, ALWAYS_CLEAR = 0.98, 9.0
"""Alpha from which the portrait hides what lies behind it; what is taken off the alpha of teeth that it would not hide."""
DRAWN_UP = 0.10
"""How far the skin around the mouth moves up, in outer-eye distances."""
UNDER_LIPS_PX = 2.0
"""How far what spans the opening reaches under the lips."""
TIP_FROM_V = 0.42
"""From here on (texture v) the tongue may cover the lip; what lies further back stays inside."""
TONGUE_LIFTS = 0.03
"""Outer-eye distances by which the tongue lies higher than on the scanned head: in an open mouth its back shows above the lower
lip. Chosen by eye."""
THROAT_V, SIDES_END = (0.05, 0.5), (0.75, 1.0)
"""Part of the tongue over which it comes out of the dark of the throat, texture v; and over which it sinks into that at its
sides, shares of its half width. Chosen by eye."""
THROAT_DOWN = (-0.035, -0.003)
"""Likewise, outer-eye distances below the middle of the mouth: into a head that looks down one sees more of the tongue's back,
and it is as dark as in one that looks ahead. Chosen by eye."""
TONGUE_RESTS, TONGUE_SINKS = 0.22, 0.05
"""Share of its height that the tongue loses at rest (the atlas has it against the palate) and with the jaw open."""
N_FRONT = 198
"""Vertices of an arch's front. The lower arch's biting surfaces follow in the atlas; at our size they only make noise."""


@dataclass(frozen=True)
class MouthPlace:
    """Lays canonical points around the mouth over this portrait's mouth, and the atlas's colours into its light."""

    fit: HeadFit
    light: Light
    solid: NDArray[np.bool_]
    """(h, w) of the whole texture: where the portrait is opaque, so that something can lie behind it."""
    texels_per_px: float
    scale: float
    canonical_centre: Float32Array
    centre: Float32Array

    def place(self, points: Float32Array) -> Float32Array:
        """Canonical (n, 3) to rig px (n, 3), as seen by the camera."""
        return (self.centre + self.scale * self.fit.direction(points - self.canonical_centre)).astype(np.float32)

    def hidden(self, points: Float32Array) -> NDArray[np.bool_]:
        """Which points (n, 3) in rig px lie behind something, and still do when the skin is drawn up in a smile."""
        solid = np.ones(len(points), bool)
        for down in (0.0, DRAWN_UP * self.fit.unit):
            texels = ((points[:, :2] + (0.0, down) + MARGIN_PX) * self.texels_per_px).astype(int)
            x, y = np.clip(texels, 0, np.array(self.solid.shape[::-1]) - 1).T
            solid &= self.solid[y, x]
        return solid

    def lowered(self, by_px: float) -> MouthPlace:
        """The same, further down the image."""
        return replace(self, centre=self.centre + np.array((0.0, by_px, 0.0), np.float32))

    def move(self, displacement: Float32Array) -> Float32Array:
        """Canonical displacements to rig px."""
        return np.asarray(self.scale * self.fit.direction(displacement), np.float32)


def place_mouth(skin: Skin, fit: HeadFit, light: Light, layers: Layers, texels_per_px: float) -> MouthPlace:
    """From the portrait's lip corners and the middles of its lips."""
    face = c.canonical_face()
    above, below = (skin.points[row[len(row) // 2]] for row in (skin.upper_lip, skin.lower_lip))
    seam = above + OPEN_SHARE * (below - above)
    width = np.linalg.norm(skin.points[c.MOUTH_LEFT, :2] - skin.points[c.MOUTH_RIGHT, :2])
    usual = fit.unit * np.linalg.norm(face.points[c.MOUTH_LEFT] - face.points[c.MOUTH_RIGHT])
    scale = float(np.clip(width / usual, 0.8, 1.25))
    centre = (seam + (0.0, TEETH_DOWN * fit.unit, 0.0)).astype(np.float32)
    return MouthPlace(fit, light, layers.alpha > SOLID, texels_per_px, scale, face.points[[13, 14]].mean(axis=0), centre)


def add_mouth(
    pool: SceneBuilder,
    skin: Skin,
    fit: HeadFit,
    light: Light,
    skin_uv: FloatArray,
    face_texture: int,
    layers: Layers,
    texels_per_px: float,
) -> None:
    """Adds everything inside the mouth, back to front, to be drawn before the skin."""
    place = place_mouth(skin, fit, light, layers, texels_per_px)
    atlas = c.mouth_atlas()
    own = find_own_teeth(skin, fit, layers.foreground, texels_per_px, light)
    upper_place, bright = place, light.over_skin(ENAMEL_RGB, TEETH_OVER_SKIN)
    if own is not None and own.edge_y is not None:
        upper_place, bright = place.lowered(own.edge_y - _incisal_edge_y(place)), own.light
    enamel = bright * _as_skin(light)
    _add_cavity(pool, skin, light.on(atlas.cavity_rgb))
    tongue = _add_tongue(pool, place.lowered(-TONGUE_LIFTS * fit.unit))
    front = _front_of(atlas.lower)
    seen = 1.0 - smoothsteps(np.abs(front.vertices[:, 0]) / np.abs(front.vertices[:, 0]).max(), *LOWER_ENDS)
    lower = _add_part(pool, place, "lower teeth", front, light=LOWER_TEETH_LIGHT * enamel, alpha=seen)
    _add_part(pool, upper_place, "upper teeth", atlas.upper, light=enamel)
    for name, moves in _jaw_moves(atlas.lower.vertices[:N_FRONT]).items():
        pool.add_moves(ARKIT_INDEX[name], lower, place.move(moves))
    _move_tongue(pool, place, tongue)
    _add_shade(pool, skin, fit, light)
    if own is not None:
        own.add(pool)  # their own shade is in the picture
    for upper in (True, False):
        _add_inner_lip(pool, skin, fit, light, skin_uv, face_texture, upper)


def _add_tongue(pool: SceneBuilder, place: MouthPlace) -> int:
    tongue = c.mouth_atlas().tongue
    lying = _drawn_forward(tongue.vertices + _flattened(tongue.vertices, TONGUE_RESTS))
    across = 2.0 * np.abs(tongue.uv[:, 0] - 0.5)
    light = TONGUE_LIGHT * (1.0 - SIDES_SHADE * across**3)[:, None] * _as_skin(place.light)
    down = (place.place(lying)[:, 1] - place.centre[1]) / place.fit.unit
    out = smoothsteps(tongue.uv[:, 1], *THROAT_V) * (1.0 - smoothsteps(across, *SIDES_END))
    seen = out * smoothsteps(down, *THROAT_DOWN)
    start = _add_part(pool, place, "tongue", replace(tongue, vertices=lying), light=light, alpha=seen, flags=SORTED)
    pool.add_tints(ARKIT_INDEX["tongueOut"], start, np.column_stack([np.zeros((len(out), 3)), out - seen]))
    return start


def _as_skin(light: Light) -> FloatArray:
    """(3,) factor that takes general colours towards the hue of the skin's own."""
    return _hue(light.hued((_hue(light.unlit(light.skin)) / _hue(USUAL_SKIN)) ** AS_SKIN))


def _hue(colour: FloatArray) -> FloatArray:
    """(3,) a colour at brightness 1."""
    return np.asarray(colour / np.maximum(luminance(colour), 1e-3))


def _front_of(part: c.MouthPart) -> c.MouthPart:
    front = part.triangles[(part.triangles < N_FRONT).all(axis=1)]
    return replace(part, vertices=part.vertices[:N_FRONT], uv=part.uv[:N_FRONT], triangles=front)


def _flattened(vertices: Float32Array, share: float) -> Float32Array:
    """Displacement (n, 3) that takes ``share`` of the height above the lowest point away."""
    sunk = np.zeros_like(vertices)
    sunk[:, 1] = share * (vertices[:, 1].min() - vertices[:, 1])
    return sunk


def _drawn_forward(vertices: Float32Array) -> Float32Array:
    """The same (n, 3), less deep behind its foremost point."""
    front = vertices[:, 2].max()
    return np.column_stack([vertices[:, :2], front + TONGUE_DEPTH * (vertices[:, 2] - front)]).astype(np.float32)


def _incisal_edge_y(place: MouthPlace) -> float:
    """Rig px of the middle of the upper arch's lower edge, where the atlas puts it."""
    upper = c.mouth_atlas().upper.vertices
    front = upper[np.abs(upper[:, 0]) < 0.05]
    return float(place.place(front)[:, 1].max())


def add_tongue_out(pool: SceneBuilder, skin: Skin, fit: HeadFit, light: Light, layers: Layers, texels_per_px: float) -> None:
    """The tip of the tongue once more, to be drawn over the lower lip when it is put out."""
    tongue, out = c.mouth_atlas().tongue, ARKIT_INDEX["tongueOut"]
    place = place_mouth(skin, fit, light, layers, texels_per_px)
    start = _add_part(pool, place, "tongue put out", tongue, light=0.9, alpha=-1.5, flags=SORTED)
    _move_tongue(pool, place, start)
    tip = np.clip((tongue.uv[:, 1] - TIP_FROM_V) / 0.12, 0.0, 1.0)
    pool.add_tints(out, start, np.column_stack([np.zeros((len(tip), 3)), 3.5 * tip]))


def _move_tongue(pool: SceneBuilder, place: MouthPlace, start: int) -> None:
    atlas = c.mouth_atlas()
    moves = _jaw_moves(atlas.tongue.vertices)
    moves["jawOpen"] += _flattened(atlas.tongue.vertices, TONGUE_SINKS)  # it lies down in the floor of an open mouth
    for name, displacement in moves.items():
        pool.add_moves(ARKIT_INDEX[name], start, place.move(displacement))
    pool.add_moves(ARKIT_INDEX["tongueOut"], start, place.move(atlas.tongue_out))
    pool.add_moves(TONGUE_UP, start, place.move(atlas.tongue_up))


def _add_cavity(pool: SceneBuilder, skin: Skin, rgb: FloatArray) -> None:
    """The dark behind teeth and tongue: it spans the opening from lip to lip, so that nothing of it shows anywhere else."""
    count, starts = len(skin.upper_lip), []
    texture = _flat_texture(pool, "cavity", rgb)
    for (row, under), lit in zip(_under_lips(skin), CAVITY_LIGHT, strict=True):
        points, colour = skin.points[list(row)] + (0.0, under, 0.0), np.tile((lit, lit, lit, 1.0), (count, 1))
        starts.append(pool.add_vertices(unproject(points), np.full((count, 2), FLAT_TEXELS / 2), 1.0, colour))
        pool.link(starts[-1] + np.arange(count), np.asarray(row))
    pool.add_layer(strip_triangles(starts[0], starts[1], count), texture)


def _flat_texture(pool: SceneBuilder, name: str, rgb: FloatArray) -> int:
    return pool.add_texture(name, np.full((FLAT_TEXELS, FLAT_TEXELS, 4), (*rgb.round(), 255), np.uint8))


def _add_part(
    pool: SceneBuilder,
    place: MouthPlace,
    name: str,
    part: c.MouthPart,
    light: float | FloatArray,
    alpha: float | FloatArray = 1.0,
    flags: int = 0,
) -> int:
    seen = place.place(part.vertices)
    texture = place.light.on_texture(_shrunk(part.texture, float(np.ptp(seen[:, 0])), float(np.ptp(part.uv[:, 0]))))
    start = pool.add_vertices(
        unproject(seen), part.uv * texture.shape[1::-1], 1.0, _colours(light, alpha - ALWAYS_CLEAR * ~place.hidden(seen))
    )
    pool.add_layer(start + part.triangles, pool.add_texture(name, texture), flags)
    return start


def _colours(light: float | FloatArray, alpha: FloatArray) -> FloatArray:
    """(n, 4) of one factor for all or of one a vertex and channel (n, 3)."""
    return np.column_stack([np.broadcast_to(light, (len(alpha), 3)), alpha])


def _shrunk(texture: UInt8Array, width_px: float, width_uv: float) -> UInt8Array:
    """The texture at about two texels per px, averaged with premultiplied alpha, so that it does not sparkle."""
    scale = min(1.0, 2.0 * width_px / (width_uv * texture.shape[1]))
    size = (max(8, round(texture.shape[1] * scale)), max(8, round(texture.shape[0] * scale)))
    small = np.asarray(Image.fromarray(texture, "RGBA").convert("RGBa").resize(size, Image.Resampling.BOX), np.uint8)
    return np.asarray(Image.fromarray(small, "RGBa").convert("RGBA"))


def _jaw_moves(vertices: Float32Array) -> dict[str, Float32Array]:
    """Displacements (n, 3) of whatever hangs on the jaw bone, canonical units."""
    face = c.canonical_face()
    angle = np.radians(face.jaw_open_deg)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    arm = vertices - face.jaw_hinge
    opened = arm @ turn.T - arm + face.jaw_open_shift

    def all_by(shift: Float32Array) -> Float32Array:
        return np.broadcast_to(shift, vertices.shape).astype(np.float32)

    return {
        "jawOpen": opened.astype(np.float32),
        "jawForward": all_by(face.jaw_forward),
        "jawLeft": all_by(face.jaw_left),
        "jawRight": all_by(face.jaw_right),
    }


def lip_parting(skin: Skin) -> FloatArray:
    """(52, n) px by which each shape parts the lips at each pair of inner-lip vertices; 0 where it brings them together."""
    return np.maximum(_parting(skin), 0.0)


def _parting(skin: Skin) -> FloatArray:
    """The same, less than 0 where it brings them together."""
    fields = skin.fields[:, :, 1]
    return fields[:, list(skin.lower_lip)] - fields[:, list(skin.upper_lip)]


def _add_shade(pool: SceneBuilder, skin: Skin, fit: HeadFit, light: Light) -> None:
    """The mouth's own shade over teeth and tongue: in its corners, and under both lips."""
    centre, strength = np.sin(np.linspace(0, np.pi, len(skin.upper_lip))), LINED_SHADE if light.lined else 1.0
    overall = CORNER_SHADE + (MIDDLE_SHADE - CORNER_SHADE) * (1.0 - (1.0 - centre) ** CORNERS_FROM)
    texture = _flat_texture(pool, "shade", light.on(np.array(SHADE_RGB)))
    upper, lower = (_add_row(pool, skin, fit, row, down, strength * overall) for row, down in _under_lips(skin))
    pool.add_layer(strip_triangles(upper, lower, len(centre)), texture)
    _add_narrow_shade(pool, skin, fit, texture, strength)
    for (row, under), (alpha, reach), inwards in zip(_under_lips(skin), LIP_SHADES, (1.0, -1.0), strict=True):
        at_lip = _add_row(pool, skin, fit, row, under, strength * alpha * centre**0.7)
        ends = _add_row(pool, skin, fit, row, 0.0, 0.0 * centre)
        for drive, gap in enumerate(lip_parting(skin)):
            down = inwards * np.minimum(SHADE_SHARE * gap, reach * fit.unit)
            pool.add_moves(drive, ends, down[:, None] * (0.0, 1.0, 0.0))
        pool.add_layer(strip_triangles(at_lip, ends, len(centre)), texture)


def _add_narrow_shade(pool: SceneBuilder, skin: Skin, fit: HeadFit, texture: int, strength: float) -> None:
    """The dark of a slit: over all that lies between the lips, and the fainter the farther they part."""
    alpha = np.full(len(skin.upper_lip), strength * NARROW_SHADE)
    parted = _parting(skin) / (NARROW_GAP * fit.unit)
    upper, lower = (_add_row(pool, skin, fit, row, down, alpha) for row, down in _under_lips(skin))
    for drive, gap in enumerate(parted):
        for start in (upper, lower):
            pool.add_tints(drive, start, (-alpha * gap)[:, None] * (0.0, 0.0, 0.0, 1.0))
    pool.add_layer(strip_triangles(upper, lower, len(alpha)), texture)


def _under_lips(skin: Skin) -> tuple[tuple[tuple[int, ...], float], ...]:
    """Upper and lower inner-lip vertices, and how far below them (px) lies what spans the opening."""
    return (skin.upper_lip, -UNDER_LIPS_PX), (skin.lower_lip, UNDER_LIPS_PX)


def _add_row(pool: SceneBuilder, skin: Skin, fit: HeadFit, row: tuple[int, ...], down: float, alpha: FloatArray) -> int:
    """Vertices of shade that follow a row of the skin's, ``down`` px below it."""
    points = skin.points[list(row)] + (0, down, -0.02 * fit.unit)
    colour = np.column_stack([np.ones((len(row), 3)), alpha])
    start = pool.add_vertices(unproject(points), np.full((len(row), 2), FLAT_TEXELS / 2), 1.0, colour)
    pool.link(start + np.arange(len(row)), np.asarray(row))
    return start


def _add_inner_lip(
    pool: SceneBuilder, skin: Skin, fit: HeadFit, light: Light, skin_uv: FloatArray, texture: int, upper: bool
) -> None:
    """The wet side of a lip: rolls out of the seam as far as the lips part; the lip's own colour, darkening inwards."""
    lip = skin.upper_lip if upper else skin.lower_lip
    row, count = skin.points[list(lip)], len(lip)
    inwards = 1.0 if upper else -1.0
    colour_at = _lip_texels(skin, skin_uv, upper)
    shade = ((0.66, 1.0), (0.42, 1.0), (0.18, 0.0)) if upper else ((0.95, 1.0), (0.62, 1.0), (0.28, 0.0))
    roll = (-0.02, 0.05, 0.09) if upper else (-0.02, 0.10, 0.17)
    parting, wet = lip_parting(skin), light.hued(np.array((1.0, 0.94, 0.94)))
    starts = []
    for (brightness, alpha), part in zip(shade, roll, strict=True):
        points = row - (0, inwards * 1.5, 0.01 * fit.unit)
        colour = np.tile((*brightness * wet, alpha), (count, 1))
        start = pool.add_vertices(unproject(points), colour_at, 1.0, colour)
        pool.link(start + np.arange(count), np.asarray(lip))
        for drive in range(len(parting)):
            moves = np.zeros((count, 3))
            moves[:, 1] = inwards * part * np.minimum(parting[drive], 0.35 * fit.unit)
            pool.add_moves(drive, start, moves)
        starts.append(start)
    for first, second in pairwise(starts):
        above, below = (first, second) if upper else (second, first)
        pool.add_layer(strip_triangles(above, below, count), texture)


def _lip_texels(skin: Skin, skin_uv: FloatArray, upper: bool) -> FloatArray:
    """Where, per inner-lip vertex, the texture shows the middle of the same lip."""
    lip = skin.upper_lip if upper else skin.lower_lip
    loop = list(c.OUTER_LIPS[10:] + c.OUTER_LIPS[:1]) if upper else list(c.OUTER_LIPS[:11])
    outer = skin_uv[loop][np.argsort(skin_uv[loop][:, 0])]
    inner = skin_uv[list(lip)]
    share = 0.30
    x = inner[:, 0] + 0.12 * (inner[:, 0].mean() - inner[:, 0])
    y = np.interp(x, outer[:, 0], outer[:, 1])
    return np.column_stack([x, inner[:, 1] * (1 - share) + y * share])
