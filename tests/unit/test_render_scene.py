"""The kernel on its own: damaged scenes are refused, never trusted; triangles that share edges cover each pixel once."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from tests.examples import examples, some
from vivant.errors import InputError
from vivant.face import RigFace
from vivant.render._kernel import Renderer
from vivant.rig.rig import Rig
from vivant.rig.scene_builder import SceneBuilder
from vivant.types import UInt8Array

pytestmark = pytest.mark.unit

SIDE = 64
INDEX_ARRAYS = ("move_blocks", "tint_blocks", "links", "triangles", "layers", "contacts", "follower_ends", "eye_ranges")


def small_pool(points: np.ndarray[Any, Any], triangles: np.ndarray[Any, Any], rgba: tuple[int, int, int, int]) -> SceneBuilder:
    pool = SceneBuilder()
    texture = pool.add_texture("plain", np.full((4, 4, 4), rgba, np.uint8))
    pool.add_vertices(np.column_stack([points, np.zeros(len(points))]), np.full((len(points), 2), 2.0), 0.0)
    pool.add_layer(triangles, texture)
    return pool


def small_rig(pool: SceneBuilder, transparent: bool) -> Rig:
    empty: dict[str, np.ndarray[Any, Any]] = {
        "contacts": np.zeros((0, 2), np.int32),
        "follower_ends": np.zeros((0, 2), np.int32),
        "follower_weights": np.zeros((0, 1), np.float32),
        "eye_ranges": np.zeros((2, 2), np.int32),
        "eye_centres": np.zeros((2, 3), np.float32),
        "camera": np.array([SIDE / 2, SIDE / 2, 1500, SIDE], np.float32),
        "head_frame": np.array([SIDE / 2, SIDE / 2, 0, 20, 1, 1], np.float32),
        "limits": np.array([[-15, 15]] * 3 + [[-1, 1]] * 2 + [[0.5, 2]], np.float32),
    }
    return Rig(pool.arrays() | empty, tuple(pool.textures), transparent, "0" * 64)


def everything_once() -> Rig:
    """A small rig in which each array holds something."""
    corners = np.array([(8.0, 8), (8, 56), (56, 56), (56, 8)])
    pool = small_pool(corners, np.array([(0, 1, 2), (0, 2, 3)]), (200, 100, 50, 255))
    pool.add_layer(np.array([(0, 1, 2), (0, 2, 3)]), 0, 1, np.array([(-1, -1, 1), (0, -1, -1)]))
    pool.add_moves(17, 0, np.full((4, 3), 2.0))
    pool.add_tints(17, 1, np.full((2, 4), 0.5))
    pool.link(np.array([3]), np.array([0]))
    rig = small_rig(pool, True)
    contact = {
        "contacts": np.array([(0, 1)], np.int32),
        "follower_ends": np.array([(0, 0), (1, 0)], np.int32),
        "follower_weights": np.array([[-0.5], [0.5]], np.float32),
        "eye_ranges": np.array([(0, 2), (2, 2)], np.int32),
    }
    return Rig(rig.arrays | contact, rig.textures, True, rig.portrait_sha256)


def draw(rig: Rig, size_px: int = SIDE) -> UInt8Array:
    out = np.full((size_px, size_px, 4), 0xA5, np.uint8)
    pose = np.array([3, 2, 1, 0, 0, 1], np.float32) * (rig.arrays["head"].max() > 0) + np.array(
        [0, 0, 0, 0, 0, 1e-9], np.float32
    )
    Renderer(rig.scene(), size_px, size_px, True).render(
        np.full(52, 0.5, np.float32), np.zeros(2, np.float32), pose, np.full(2, 9, np.float32), pose, out
    )
    return out


def changed(rig: Rig, name: str, array: Any) -> Rig:  # noqa: ANN401
    return Rig(rig.arrays | {name: array}, rig.textures, rig.transparent, rig.portrait_sha256)


GOOD = everything_once()


def test_the_small_rig_is_sound() -> None:
    assert draw(GOOD)[32, 32, 3] == 255


@pytest.mark.parametrize("width", [200, 701, 1999])
def test_a_colour_that_fades_to_nothing_stays_nothing(width: int) -> None:
    """Steps along a long row are rounded: what they add up to must not pass zero, where it would wrap round to white."""
    pool = SceneBuilder()
    texture = pool.add_texture("white", np.full((4, 4, 4), 255, np.uint8))
    corners = np.array([(1.0, 2.0, 0.0), (1.0, 62.0, 0.0), (62.0, 61.0, 0.0), (62.0, 3.0, 0.0)])
    colours = np.array([(0.6, 0.5, 0.4, 0.9)] * 2 + [(1.0, 1.0, 1.0, 0.0)] * 2)
    pool.add_vertices(corners, np.full((4, 2), 2.0), 0.0, colours)
    pool.add_layer(np.array([(0, 1, 2), (0, 2, 3)]), texture)
    picture = draw(small_rig(pool, True), width)
    alpha = picture[..., 3].astype(int)
    assert alpha.max() > 200
    assert (np.diff(alpha[width // 4 : -width // 4], axis=1)[:, width // 16 :] <= 1).all()


@examples(300)
@given(name=st.sampled_from(INDEX_ARRAYS), data=st.data())
def test_a_wrong_index_is_refused_or_harmless(name: str, data: st.DataObject) -> None:
    array = GOOD.arrays[name].copy()
    row = data.draw(st.integers(0, len(array) - 1))
    column = data.draw(st.integers(0, array.shape[1] - 1))
    far = st.sampled_from([2**31 - 1, -(2**31), 10**6, -1, -2, -3])
    array[row, column] = data.draw(st.one_of(far, st.integers(-10, 30)))
    try:
        pixels = draw(changed(GOOD, name, array))
    except InputError as error:
        assert "built again" in str(error)
    else:
        assert pixels.shape == (SIDE, SIDE, 4)


@pytest.mark.parametrize("name", INDEX_ARRAYS)
@pytest.mark.parametrize("value", some([2**31 - 1, -3, -(2**31), 10**6], 2))
def test_an_index_far_outside_is_refused(name: str, value: int) -> None:
    for column in range(GOOD.arrays[name].shape[1]):
        array = GOOD.arrays[name].copy()
        array[0, column] = value
        if name == "layers" and column == 3:  # flags: unknown ones mean nothing
            continue
        with pytest.raises(InputError):
            changed(GOOD, name, array).scene()


@pytest.mark.parametrize("name", sorted(GOOD.arrays))
def test_arrays_of_another_shape_are_refused(name: str) -> None:
    array = GOOD.arrays[name]
    for bad in (array[..., :-1], array[None], array.tolist(), None, "x"):
        with pytest.raises(InputError):
            changed(GOOD, name, bad).scene()


@pytest.mark.parametrize("name", sorted(GOOD.arrays))
def test_an_array_that_is_missing_or_superfluous_is_refused(name: str) -> None:
    arrays = {other: array for other, array in GOOD.arrays.items() if other != name}
    for wrong in (arrays, GOOD.arrays | {f"{name}_more": GOOD.arrays[name]}):
        with pytest.raises(InputError):
            Rig(wrong, GOOD.textures, True, "").scene()


@pytest.mark.parametrize("name", ["rest", "uv", "colour", "head", "body"])
def test_vertex_arrays_have_one_length(name: str) -> None:
    with pytest.raises(InputError, match="differ in length"):
        changed(GOOD, name, GOOD.arrays[name][:-1]).scene()


FLOAT_ARRAYS = sorted(name for name, array in GOOD.arrays.items() if array.dtype == np.float32)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30, -1e30])
@pytest.mark.parametrize("name", FLOAT_ARRAYS)
def test_wild_numbers_are_refused(name: str, value: float) -> None:
    """Anywhere, and whether one of them is wild or all are."""
    whole = np.full_like(GOOD.arrays[name], value)
    for place in [slice(None), *range(whole.size)]:
        array = GOOD.arrays[name].copy()
        array.reshape(-1)[place] = whole.reshape(-1)[place]
        with pytest.raises(InputError, match=r"rig: .* must be built again"):
            changed(GOOD, name, array).scene()


@pytest.mark.parametrize("name", FLOAT_ARRAYS)
def test_wild_numbers_do_no_harm(name: str) -> None:
    for value in (6e4, -6e4, 1000.0, -3.0, 1e-42, -0.0):
        with contextlib.suppress(InputError):
            assert draw(changed(GOOD, name, np.full_like(GOOD.arrays[name], value))).shape == (SIDE, SIDE, 4)


@pytest.mark.parametrize(
    ("name", "place", "value", "why"),
    [
        ("rest", (0, 2), 751.0, "too near"),  # half the way to the camera
        ("rest", (0, 2), -751.0, "too far"),
        ("rest", (1, 0), 1025.0, "vertex"),
        ("uv", (0, 0), 8.1, "texture"),
        ("uv", (2, 1), -4.1, "texture"),
        ("colour", (0, 3), 1001.0, "colour"),
        ("tints", (0, 0), -1001.0, "tint"),
        ("moves", (3, 1), -1025.0, "move"),
        ("head", (0, 0), 1.01, "follow the head"),
        ("head", (0, 0), -0.01, "follow the head"),
        ("body", (0, 0), 1.01, "follow the body"),
        ("follower_weights", (0, 0), 4.1, "weight"),
        ("eye_centres", (1, 2), 1025.0, "eye"),
        ("camera", (2,), 0.0, "camera"),
        ("camera", (2,), -1500.0, "camera"),
        ("camera", (3,), 0.0, "camera"),
        ("head_frame", (3,), -1.0, "head"),
        ("limits", (0, 0), 16.0, "swapped"),
        ("limits", (5, 1), 17.0, "limits"),
        ("move_blocks", (0, 2), 0, "block"),
        ("layers", (0, 1), 4, "share triangles"),
    ],
)
def test_a_value_out_of_its_range_is_refused(name: str, place: tuple[int, ...], value: float, why: str) -> None:
    array = GOOD.arrays[name].copy()
    array[place] = value
    with pytest.raises(InputError, match=why):
        changed(GOOD, name, array).scene()


def test_a_rig_with_nothing_to_draw_is_refused() -> None:
    for name in ("layers", "triangles"):
        with pytest.raises(InputError):
            RigFace(Rig(GOOD.arrays | {"layers": GOOD.arrays["layers"][:0], name: GOOD.arrays[name][:0]}, (), True, ""))


def test_textures_are_checked() -> None:
    for shape in ((0, 0, 4), (1, 1, 4), (1, 4, 4), (4, 4, 3), (4, 4), (2, 16385, 4)):
        with pytest.raises(InputError):
            RigFace(Rig(GOOD.arrays, (np.zeros(shape, np.uint8),), True, ""))
    with pytest.raises(InputError):
        RigFace(Rig(GOOD.arrays, (), True, ""))


def test_small_textures_can_be_halved() -> None:
    arrays = GOOD.arrays | {"uv": np.ones_like(GOOD.arrays["uv"])}
    small = Rig(arrays, (np.full((3, 2, 4), 255, np.uint8),), True, "").halved().halved()
    assert small.textures[0].shape == (2, 2, 4) and draw(small).max() == 255


@examples(40)
@given(seed=st.integers(0, 2**32 - 1), n_points=st.integers(0, 120), size_px=st.sampled_from([SIDE, 100, 160]))
def test_shared_edges_leave_no_gap_and_no_overlap(seed: int, n_points: int, size_px: int) -> None:
    chance = np.random.default_rng(seed)
    margin = np.array([(-20.0, -20), (-20, 84), (84, 84), (84, -20)])
    points = np.concatenate([margin, chance.uniform(-4, 68, (n_points, 2))])
    triangles = Delaunay(points).simplices
    pixels = draw(small_rig(small_pool(points, chance.permutation(triangles), (255, 255, 255, 128)), True), size_px)
    assert (pixels[..., 3] == 128).all()  # a gap would be 0, an overlap 192
