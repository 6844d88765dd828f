"""The invisible mark: what it costs a picture, what it survives, and that nothing else is taken for it."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.conftest import portrait_path
from tests.examples import examples, some
from vivant.errors import InputError
from vivant.provenance.disclosure import session_id_of
from vivant.provenance.watermark_code import PRODUCT, session_pattern
from vivant.provenance.watermark_detector import detect
from vivant.render._kernel import Watermark
from vivant.types import UInt8Array

pytestmark = pytest.mark.unit

SIDE_PX = 512
SESSION = 0xC0FFEE42


@pytest.fixture(scope="module")
def portrait() -> UInt8Array:
    with Image.open(portrait_path("bram")) as image:
        return np.asarray(image.convert("RGB").resize((SIDE_PX, SIDE_PX)))


@pytest.fixture(scope="module")
def marked(portrait: UInt8Array) -> UInt8Array:
    return _marked(portrait, SESSION)


def _marked(pixels: UInt8Array, session_id: int) -> UInt8Array:
    copy = np.array(pixels, copy=True, order="C")
    Watermark(session_pattern(session_id), copy.shape[1], copy.shape[0], copy.shape[2]).apply(copy)
    return copy


def _psnr_db(before: UInt8Array, after: UInt8Array) -> float:
    return float(10 * np.log10(255**2 / np.mean((before.astype(np.float32) - after) ** 2)))


@examples(12)
@given(
    session_id=st.integers(0, 2**32 - 1),
    low=st.integers(0, 200),
    span=st.integers(0, 255),
    size=st.sampled_from([(512, 512), (64, 64), (128, 128), (96, 130), (301, 203), (720, 1280)]),
    seed=st.integers(0, 99),
)
def test_every_frame_keeps_42_db(session_id: int, low: int, span: int, size: tuple[int, int], seed: int) -> None:
    noise = np.random.default_rng(seed).integers(low, min(256, low + span + 1), (*size, 3)).astype(np.uint8)
    assert _psnr_db(noise, _marked(noise, session_id)) >= 42.0


def test_alpha_is_left_alone(portrait: UInt8Array, marked: UInt8Array) -> None:
    alpha = np.arange(SIDE_PX, dtype=np.uint16).astype(np.uint8)[None, :, None].repeat(SIDE_PX, axis=0)
    rgba = _marked(np.concatenate([portrait, alpha], axis=2), SESSION)
    np.testing.assert_array_equal(rgba[..., 3:], alpha)
    np.testing.assert_array_equal(rgba[..., :3], np.where(alpha > 0, marked, 0))  # nothing hides where nothing is seen


def test_smooth_places_get_little_and_edges_beside_them_no_more() -> None:
    wall = np.full((SIDE_PX, SIDE_PX, 3), 150, np.uint8)
    wall[:, SIDE_PX // 2 :] = 60
    delta = _marked(wall, SESSION).astype(np.float32) - wall
    assert 0.5 < float(delta.std()) < 1.1 and np.abs(delta).max() <= 4
    beside = delta[:, SIDE_PX // 2 - 16 : SIDE_PX // 2 + 16]
    assert float(beside.std()) < 1.1 * float(delta.std())


def test_a_still_picture_stays_still_and_a_moving_one_hardly_flickers(portrait: UInt8Array) -> None:
    moving = [np.roll(portrait, shift, axis=1) for shift in range(4)]
    deltas = [_marked(frame, SESSION).astype(np.int16) - frame for frame in moving]
    assert all(np.abs(b - a).mean() < 0.3 for a, b in pairwise(deltas))
    np.testing.assert_array_equal(_marked(portrait, SESSION), _marked(portrait, SESSION))


def test_it_says_its_session(marked: UInt8Array) -> None:
    found = detect([marked])
    assert found is not None
    assert (found.product, found.session_id, found.mirrored) == (PRODUCT, SESSION, False)
    assert found.side_px == pytest.approx(SIDE_PX, rel=0.01)


def _jpeg(pixels: UInt8Array) -> UInt8Array:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=50)
    return np.asarray(Image.open(file))


def _letterbox(pixels: UInt8Array) -> UInt8Array:
    screen = np.zeros((720, 1280, 3), np.uint8)
    screen[:, 280:1000] = np.asarray(Image.fromarray(pixels).resize((720, 720)))
    return screen


@pytest.mark.parametrize("attack", some(["letterbox", "mirror", "jpeg", "half", "crop"], 3))
def test_it_survives(marked: UInt8Array, attack: str) -> None:
    attacks: dict[str, Callable[[UInt8Array], UInt8Array]] = {
        "jpeg": _jpeg,
        "half": lambda pixels: np.asarray(Image.fromarray(pixels).resize((256, 256))),
        "mirror": lambda pixels: np.ascontiguousarray(pixels[:, ::-1]),
        "letterbox": _letterbox,
        "crop": lambda pixels: np.ascontiguousarray(pixels[51:461, 51:461]),
    }
    attacked = attacks[attack](marked)
    found = detect([attacked])
    assert found is not None and found.session_id == SESSION
    assert found.mirrored is (attack == "mirror")


@pytest.mark.full
@pytest.mark.parametrize("kind", some(["portrait", "small", "noise", "grey"], 2))
def test_nothing_is_found_where_nothing_is(portrait: UInt8Array, kind: str) -> None:
    clean = {
        "portrait": portrait,
        "small": np.zeros((20, 20, 3), np.uint8),
        "noise": np.random.default_rng(3).integers(0, 256, (300, 400, 3)).astype(np.uint8),
        "grey": np.full((512, 512, 3), 128, np.uint8),
    }[kind]
    assert detect([clean]) is None and detect([]) is None


def test_another_product_is_not_ours(portrait: UInt8Array) -> None:
    other = np.array(portrait, copy=True)
    Watermark(session_pattern(SESSION, product=PRODUCT ^ 1), SIDE_PX, SIDE_PX, 3).apply(other)
    assert detect([other]) is None


def test_the_seed_decides_the_session() -> None:
    assert session_id_of("a", "b", 1) == session_id_of("a", "b", 1)
    assert len({session_id_of(*inputs) for inputs in (("a", "b", 1), ("a", "b", 2), ("a", "c", 1), ("b", "b", 1))}) == 4


def test_misuse() -> None:
    for session_id, product in ((-1, 0), (2**32, 0), (0, 256)):
        with pytest.raises(InputError, match="32 bits"):
            session_pattern(session_id, product)
    with pytest.raises(ValueError, match="channels"):
        Watermark(session_pattern(1), 64, 64, 2)
    with pytest.raises(ValueError, match="pixels must be"):
        Watermark(session_pattern(1), 64, 64, 3).apply(np.zeros((64, 32, 3), np.uint8))
