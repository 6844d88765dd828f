"""Portrait in, rig out: the whole way, read from top to bottom."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vivant.errors import PortraitError
from vivant.media.images import PortraitImage
from vivant.portrait.analyser import PortraitAnalyser
from vivant.portrait.checks import require_mouth, require_whole
from vivant.portrait.choice import choose_face
from vivant.rig import canonical as c
from vivant.rig.calibrate import calibrated
from vivant.rig.crop import MARGIN_PX, SIDE_PX, RigCrop, place_crop
from vivant.rig.drawn import add_drawn_lids, fit_drawn_eyes
from vivant.rig.eyes import Eyeball, add_eyes
from vivant.rig.far_side import add_far_side
from vivant.rig.head import HeadFit, axis_depth, fit_head
from vivant.rig.lids import add_lids
from vivant.rig.light import Light, measure_light
from vivant.rig.lips import cut_inside_lips, mouth_gap, snap_to_seam
from vivant.rig.matte import BAND_PX, Layers, separate
from vivant.rig.mouth import add_mouth, add_tongue_out
from vivant.rig.overlays import add_lips
from vivant.rig.patch import luminance
from vivant.rig.rig import Rig
from vivant.rig.scene_builder import MOUTH_CLOSED, SORTED, STATIC, SceneBuilder
from vivant.rig.shading import add_shading
from vivant.rig.skin import CAMERA_DISTANCE_PX, Skin, build_skin, unproject
from vivant.rig.surroundings import Surroundings
from vivant.types import Float32Array, FloatArray, UInt8Array

Progress = Callable[[str], None]

BUILDER_VERSION = 25
"""Raised whenever the same portrait gives another rig, so that kept rigs are built anew."""

MOST_HIDDEN = 0.01
"""Share of a picture that may be transparent without a word."""
MOST_SOURCE_YAW_DEG, MOST_SOURCE_PITCH_DEG = 45.0, 25.0
YAW_LIMIT_DEG, PITCH_LIMIT_DEG, ROLL_LIMIT_DEG = 22.0, 15.0, 12.0
LEAST_YAW_DEG, LEAST_PITCH_DEG = 10.0, 6.0
"""How far a head turns whose portrait is turned itself."""
FREE_DEG, GIVES_WAY = 4.0, 0.35
"""A portrait that is turned so far turns as one from the front; how much less for each degree more. Chosen by eye."""
STILL_PX = 0.05
"""A vertex that no shape moves further than this, and that follows neither head nor body, is drawn once and for all."""
_SHOWS_HIDDEN = (
    "what the transparent parts of this picture hide shows in front of its own background; --background transparent"
    " or a colour keeps it hidden"
)
_OPEN_MOUTH = "the mouth is open in this portrait; its lips are brought together for speech, a closed mouth gives better ones"
_UNCLEAR_EYES = "this is drawn in flat colours and its eyes have no clear border; they may not close over all their height"


def build_rig(
    image: PortraitImage,
    analyser: PortraitAnalyser,
    *,
    name: str = "",
    face_number: int = 1,
    transparent: bool = False,
    progress: Progress = lambda _: None,
) -> Rig:
    """Make a portrait animatable. Raises PortraitError when it shows no face that the rig can move.

    ``face_number`` counts faces from the largest.
    """
    progress("looking for the face")
    choice = choose_face(image, analyser, face_number)
    image, face, notes = choice.image, choice.face, [*image.notes, *choice.notes]
    height, width = image.pixels.shape[:2]
    notes += require_whole(face, width, height)
    square = place_crop(face.landmarks, width, height)
    landmarks = square.to_rig(face.landmarks)
    fit = fit_head(landmarks)
    _require_frontal(fit)

    progress("separating person and background")
    cutout = analyser.cutout(image.pixels, face)
    notes += require_mouth(image.pixels, face, cutout, analyser)
    picture = np.asarray(square.cut(image.pixels), np.uint8)
    own = None if image.alpha is None else (image.alpha / np.float32(255)).astype(np.float32)
    if own is not None and not transparent and (own < 0.5).mean() > MOST_HIDDEN:
        notes.append(_SHOWS_HIDDEN)
    outline = cutout.person(width, height) if own is None else own
    person = np.asarray(square.cut(outline), np.float32)
    layers = separate(picture, person, BAND_PX * square.texels_per_px, is_given=own is not None)

    progress("finding how this face moves")
    landmarks = snap_to_seam(landmarks, luminance(picture), square.texels_per_px)
    if mouth_gap(landmarks) > 0.0:
        notes.append(_OPEN_MOUTH)
        landmarks = cut_inside_lips(landmarks, picture, square.texels_per_px)
    light = measure_light(picture, landmarks, fit.unit, square.texels_per_px)
    drawn = fit_drawn_eyes(landmarks, picture, light.skin, fit.unit, square.texels_per_px) if light.relief == 0.0 else None
    if light.relief == 0.0 and drawn is None:
        notes.append(_UNCLEAR_EYES)
    landmarks = landmarks if drawn is None else drawn
    skin = build_skin(landmarks, fit)

    progress("assembling the layers")
    pool, eyes = _assemble(skin, landmarks, fit, light, layers, picture, square, transparent, drawn is not None)
    arrays = pool.arrays() | _contacts(skin) | _frame(skin, fit, eyes)
    around = Surroundings.around(square, image.pixels, outline)
    textures, texture_names = tuple(pool.textures), tuple(pool.texture_names)
    rig = Rig(arrays, textures, transparent, image.sha256, name, tuple(notes), texture_names, around, analyser.name)
    progress("measuring how far it turns")
    return calibrated(rig, analyser)


def _require_frontal(fit: HeadFit) -> None:
    yaw, pitch, _ = fit.angles_deg()
    if abs(yaw) > MOST_SOURCE_YAW_DEG or abs(pitch) > MOST_SOURCE_PITCH_DEG:
        raise PortraitError(
            f"the head is turned {abs(yaw):.0f} degrees sideways and {abs(pitch):.0f} up or down; use a portrait that faces the"
            f" camera within {MOST_SOURCE_YAW_DEG:.0f} and {MOST_SOURCE_PITCH_DEG:.0f} degrees"
        )


def _assemble(
    skin: Skin,
    landmarks: Float32Array,
    fit: HeadFit,
    light: Light,
    layers: Layers,
    picture: UInt8Array,
    square: RigCrop,
    transparent: bool,
    drawn: bool,
) -> tuple[SceneBuilder, list[Eyeball]]:
    """All layers, back to front."""
    pool = SceneBuilder()
    texels = square.texels_per_px
    uv = square.to_texels(skin.points.astype(np.float32))
    # first, so that the skin's own numbers are the pool's
    pool.add_vertices(unproject(skin.points), uv, skin.head, body=skin.body, round=skin.round)
    for drive in range(len(skin.fields)):
        pool.add_moves(drive, 0, skin.fields[drive])
    pool.add_moves(MOUTH_CLOSED, 0, skin.closing)
    add_shading(pool, skin, fit, light, picture, uv)
    if not transparent:
        _add_plate(pool, layers.plate, square)
    person = pool.add_texture("person", np.dstack([layers.foreground, np.round(layers.alpha * 255).astype(np.uint8)]))
    shows, moves = _visible_triangles(skin, uv, layers.alpha), _moving_triangles(skin)
    _add_skin_layer(pool, skin, person, shows & ~moves, STATIC)
    add_mouth(pool, skin, fit, light, uv, person, layers, texels)
    eyes = add_eyes(pool, skin, landmarks, fit, light, picture, layers.alpha, texels)
    _add_skin_layer(pool, skin, person, shows & moves, SORTED)
    add_far_side(pool, skin, fit, layers.foreground, uv, texels)
    add_lips(pool, skin, light, layers.foreground, texels, fit.unit)
    add_tongue_out(pool, skin, fit, light, layers, texels)
    if drawn:
        add_drawn_lids(pool, skin, light.skin, layers.foreground, texels, fit.unit)
    else:
        add_lids(pool, skin, light, layers.foreground, texels, fit.unit)
    return pool, eyes


def _add_plate(pool: SceneBuilder, plate: UInt8Array, square: RigCrop) -> None:
    low, high = -MARGIN_PX, SIDE_PX + MARGIN_PX
    corners = np.array([(low, low, 0.0), (low, high, 0.0), (high, high, 0.0), (high, low, 0.0)], np.float32)
    texture = pool.add_texture("background", np.dstack([plate, np.full(plate.shape[:2], 255, np.uint8)]))
    start = pool.add_vertices(corners, square.to_texels(corners), 0.0)
    pool.add_layer(start + np.array([(0, 1, 2), (0, 2, 3)]), texture, STATIC)


def _visible_triangles(skin: Skin, uv: Float32Array, alpha: Float32Array) -> NDArray[np.bool_]:
    """Triangles under which the person is not wholly transparent."""
    corners = uv[skin.triangles]
    low = np.clip(corners.min(axis=1).astype(int) - 1, 0, np.array(alpha.shape[::-1]) - 1)
    high = np.clip(corners.max(axis=1).astype(int) + 2, 1, alpha.shape[::-1])
    covered = np.zeros((alpha.shape[0] + 1, alpha.shape[1] + 1))
    covered[1:, 1:] = (alpha > 0).cumsum(axis=0).cumsum(axis=1)
    count = (
        covered[high[:, 1], high[:, 0]]
        - covered[low[:, 1], high[:, 0]]
        - covered[high[:, 1], low[:, 0]]
        + covered[low[:, 1], low[:, 0]]
    )
    return np.asarray(count > 0)


def _moving_triangles(skin: Skin) -> NDArray[np.bool_]:
    follows = (skin.head > 0) | (skin.body > 0)  # an open mouth closes within the head
    moving = follows | (np.abs(skin.fields).max(axis=(0, 2)) > STILL_PX)
    return np.asarray(moving[skin.triangles].any(axis=1))


def _add_skin_layer(pool: SceneBuilder, skin: Skin, texture: int, chosen: NDArray[np.bool_], flags: int) -> None:
    order = np.flatnonzero(chosen)
    order = order[np.argsort(_along_a_curve(skin.points[skin.triangles[order], :2].mean(axis=1)), kind="stable")]
    number = np.full(len(skin.triangles) + 1, -2)
    number[order] = np.arange(len(order))
    across = skin.neighbours[order]
    pool.add_layer(skin.triangles[order], texture, flags, np.where(across >= 0, number[across], across))


def _along_a_curve(points: FloatArray) -> NDArray[np.int64]:
    """(n,) places of points (n, 2) on a Morton curve through the square: near on the curve is near in the texture."""
    cells = np.clip((points + MARGIN_PX) / 4.0, 0, 255).astype(np.int64)
    place = np.zeros(len(points), np.int64)
    for bit in range(8):
        for axis in (0, 1):
            place |= (cells[:, axis] >> bit & 1) << (2 * bit + axis)
    return place


def _contacts(skin: Skin) -> dict[str, NDArray[np.generic]]:
    """Lips and lids may touch but not cross; what lies near them follows."""
    pairs = [pair for upper, lower in _facing(skin) for pair in zip(upper[1:-1], lower[1:-1], strict=True)]
    contacts = np.array(pairs, np.int32)
    ends, weights = [], []
    for column, sign in ((0, -0.5), (1, 0.5)):
        for number, vertex in enumerate(contacts[:, column]):
            ends.append((vertex, number))
            weights.append(sign)
    return {
        "contacts": contacts,
        "follower_ends": np.array(ends, np.int32),
        "follower_weights": np.array(weights, np.float32)[:, None],
    }


def _facing(skin: Skin) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return [(skin.upper_lip, skin.lower_lip), *zip(skin.upper_lids, skin.lower_lids, strict=True)]


def _frame(skin: Skin, fit: HeadFit, eyes: list[Eyeball]) -> dict[str, NDArray[np.generic]]:
    ears = skin.points[[c.RIGHT_EAR, c.LEFT_EAR]].mean(axis=0)
    jaw = skin.points[[c.RIGHT_JAW, c.LEFT_JAW]].mean(axis=0)
    pivot = (ears[0], 0.4 * ears[1] + 0.6 * jaw[1], axis_depth(skin.points, fit.unit))
    yaw, pitch, _ = fit.angles_deg()
    limits = [
        _limit(YAW_LIMIT_DEG, LEAST_YAW_DEG, yaw),
        _limit(PITCH_LIMIT_DEG, LEAST_PITCH_DEG, pitch),
        (-ROLL_LIMIT_DEG, ROLL_LIMIT_DEG),
        (-0.12, 0.12),
        (-0.10, 0.10),
        (0.9, 1.12),
    ]
    return {
        "eye_ranges": np.array([(eye.start, eye.count) for eye in eyes], np.int32),
        "eye_centres": np.array([eye.centre for eye in eyes], np.float32),
        "camera": np.array([SIDE_PX / 2, SIDE_PX / 2, CAMERA_DISTANCE_PX, SIDE_PX], np.float32),
        "head_frame": np.array([*pivot, fit.unit, 1.0, 1.0], np.float32),
        "limits": np.array(limits, np.float32),
    }


def _limit(most_deg: float, least_deg: float, source_deg: float) -> tuple[float, float]:
    """How far the head may turn: less either way when the portrait is turned, and least the same way on."""
    way = max(least_deg, most_deg - GIVES_WAY * max(0.0, abs(source_deg) - FREE_DEG))
    onwards = max(least_deg, min(way, most_deg + FREE_DEG - abs(source_deg)))
    return (-way, onwards) if source_deg > 0 else (-onwards, way)
