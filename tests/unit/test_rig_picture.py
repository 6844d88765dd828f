"""From picture to rig: the square, the matte, the seam of the lips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.conftest import PORTRAITS, portrait_path
from tests.examples import examples, some
from vivant.media import load_image
from vivant.portrait import PortraitAnalyser
from vivant.rig import canonical as c
from vivant.rig.crop import FACE_SHARE, MARGIN_PX, SIDE_PX, place_crop
from vivant.rig.lips import darkest_path, mouth_gap, snap_to_seam
from vivant.rig.matte import fill_holes, separate
from vivant.types import Float32Array, UInt8Array

pytestmark = pytest.mark.unit


def face_at(x: float, y: float, width: float) -> Float32Array:
    """The average head's landmarks, seen from the front, ``width`` wide around (x, y)."""
    points = c.canonical_face().points[:, :2] * (1, -1)
    low, high = points[:468].min(axis=0), points[:468].max(axis=0)
    return np.asarray((points - (low + high) / 2) * (width / (high - low)[0]) + (x, y), np.float32)


@examples(100)
@given(width=st.integers(64, 1500), height=st.integers(64, 1500), data=st.data())
def test_the_square_stays_in_the_picture_and_holds_the_face(width: int, height: int, data: st.DataObject) -> None:
    face_width = data.draw(st.floats(30, max(31, min(width, height) * 0.7)))
    x, y = data.draw(st.floats(0, width)), data.draw(st.floats(0, height))
    landmarks = face_at(x, y, face_width)
    square = place_crop(landmarks, width, height)
    assert square.left >= 0 and square.top >= 0
    assert square.left + square.side <= width + 1e-3 and square.top + square.side <= height + 1e-3
    assert square.side == pytest.approx(min(face_width / FACE_SHARE, width, height), rel=1e-4)
    inside = (landmarks[:468] >= 0).all(axis=1) & (landmarks[:468] < (width, height)).all(axis=1)
    rig = square.to_rig(landmarks[:468])
    if inside.all() and square.side > np.ptp(landmarks[:, 1]) / 0.75:
        assert rig.min() >= -1 and rig.max() <= SIDE_PX + 1


@pytest.mark.parametrize("size", [(201, 333), (640, 90), (91, 640), (517, 517)])
@pytest.mark.parametrize("at", [(0.0, 0.0), (1.0, 1.0), (0.5, 0.5)])
def test_cutting_near_a_border_repeats_it(size: tuple[int, int], at: tuple[float, float]) -> None:
    width, height = size
    picture = np.random.default_rng(0).integers(100, 156, (height, width, 3), np.uint8)
    square = place_crop(face_at(at[0] * width, at[1] * height, 40), width, height)
    side = round((SIDE_PX + 2 * MARGIN_PX) * square.texels_per_px)
    cut = square.cut(picture)
    assert cut.shape == (side, side, 3)
    assert abs(float(cut.mean()) - 128) < 6  # black padding would show
    plane = square.cut(np.ones((height, width), np.float32))
    np.testing.assert_allclose(plane, 1, atol=1e-3)


def test_texels_point_at_what_was_cut() -> None:
    """A white dot in the picture is found where `to_rig` and `to_texels` say."""
    picture = np.zeros((300, 401, 3), np.uint8)
    picture[140:143, 200:203] = 255
    square = place_crop(face_at(190, 150, 80), 401, 300)
    texel = square.to_texels(square.to_rig(np.array([[201.5, 141.5, 0.0]], np.float32)))[0]
    light = square.cut(picture)[..., 0].astype(float)
    y, x = (float((axis * light).sum() / light.sum()) + 0.5 for axis in np.indices(light.shape))
    assert np.hypot(x - texel[0], y - texel[1]) < 0.5


def photo(name: str, side: int) -> UInt8Array:
    with Image.open(portrait_path(name)) as image:
        return np.asarray(image.convert("RGB").resize((side, side)))


def outline(analyser: PortraitAnalyser, picture: UInt8Array) -> Float32Array:
    return analyser.cutout(picture, analyser.faces(picture)[0]).person(*picture.shape[1::-1])


@pytest.mark.parametrize("name", some(PORTRAITS, 2))
def test_foreground_over_plate_is_the_picture(analyser: PortraitAnalyser, name: str) -> None:
    picture = photo(name, 320)
    layers = separate(picture, outline(analyser, picture), band_texels=8.0)
    alpha = layers.alpha[..., None]
    error = np.abs(layers.foreground * alpha + layers.plate * (1 - alpha) - picture)
    assert error[layers.alpha > 0].max() <= 2
    assert error.mean() < 0.1 and error.max() <= 6  # an alpha below 0.02 counts as none
    assert 0.2 < layers.alpha.mean() < 0.9
    assert layers.alpha.min() >= 0 and layers.alpha.max() <= 1
    assert (layers.alpha[0, [0, -1]] == 0).all()


@examples(30)
@given(seed=st.integers(0, 2**32 - 1), radius=st.floats(4, 60))
def test_any_picture_comes_back_whatever_the_mask(seed: int, radius: float) -> None:
    chance = np.random.default_rng(seed)
    picture = chance.integers(0, 256, (48, 63, 3), np.uint8)
    y, x = np.mgrid[:48, :63]
    person = (np.hypot(x - 31, y - 24) < radius).astype(np.float32)
    layers = separate(picture, person, band_texels=5.0)
    alpha = layers.alpha[..., None]
    near = layers.alpha > 0
    error = np.abs(layers.foreground * alpha + layers.plate * (1 - alpha) - picture)
    assert error[near].max(initial=0.0) <= 2
    assert error.max(initial=0.0) <= 6


def test_holes_are_filled_from_around() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, :] = (np.arange(64) * 2)[None, :, None]
    known = np.ones((64, 64), bool)
    known[20:40, 20:40] = False
    filled = fill_holes(np.where(known[..., None], picture, np.uint8(255)), known)
    assert (filled[known] == picture[known]).all()
    assert np.abs(filled.astype(int) - picture).max() < 16
    assert (fill_holes(picture, np.zeros((64, 64), bool)) == picture.reshape(-1, 3).mean(axis=0).astype(np.uint8)).all()


@examples(50)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_darkest_path_is_found(seed: int) -> None:
    chance = np.random.default_rng(seed)
    rows, columns = 31, 80
    path = np.clip(15 + np.cumsum(chance.integers(-1, 2, columns)), 0, rows - 1)
    luminance = chance.uniform(120, 160, (rows, columns)).astype(np.float32)
    luminance[path, np.arange(columns)] = 40
    found = darkest_path(luminance)
    assert (found == path).mean() > 0.95
    assert np.abs(np.diff(found)).max() <= 1


def test_a_closed_mouth_snaps_to_its_dark_line_and_an_open_one_stays() -> None:
    landmarks = face_at(256, 240, 200)
    upper, lower = list(c.UPPER_INNER_LIP), list(c.LOWER_INNER_LIP)
    landmarks[upper, 1] = landmarks[lower, 1] = landmarks[upper, 1].mean()
    seam = float(landmarks[upper, 1].mean()) + 2.0
    side = round(SIDE_PX + 2 * MARGIN_PX)
    luminance = np.full((side, side), 150, np.float32)
    luminance[round(seam + MARGIN_PX)] = 40
    closed = snap_to_seam(landmarks, luminance, 1.0)
    assert mouth_gap(closed) == 0
    assert np.abs(closed[upper[1:-1], 1] - seam).max() < 1.5
    landmarks[lower[1:-1], 1] += 30
    assert snap_to_seam(landmarks, luminance, 1.0) is landmarks
    assert mouth_gap(landmarks) > 0.3


def test_bundled_portraits_load() -> None:
    for name in PORTRAITS:
        assert load_image(portrait_path(name)).pixels.shape[2] == 3
