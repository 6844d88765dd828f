"""Squares cut out of pictures, and the way there and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivant.portrait.crop import FACE_MARGIN, Crop, cut, face_frame, person_frame
from vivant.rig.canonical import canonical_face, mirrored
from vivant.types import Float32Array

pytestmark = pytest.mark.unit

FRAMES = st.builds(Crop, st.floats(-200, 900), st.floats(-200, 900), st.floats(8, 1500), st.floats(-170, 170))


def head(roll_deg: float = 0.0, scale: float = 100.0) -> Float32Array:
    """The average face in a picture, tilted clockwise as seen."""
    turn = np.radians(roll_deg)
    points = canonical_face().points * (scale, -scale, scale)
    x, y = points[:, 0], points[:, 1]
    tilted = np.column_stack([np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y, points[:, 2]])
    return (tilted + (300, 250, 0)).astype(np.float32)


@given(frame=FRAMES, size=st.sampled_from([64, 192, 256]), seed=st.integers(0, 1000))
def test_there_and_back(frame: Crop, size: int, seed: int) -> None:
    points = np.random.default_rng(seed).uniform(-100, 900, (5, 3)).astype(np.float32)
    back = frame.outside(frame.inside(points, size), size)
    np.testing.assert_allclose(back, points, atol=0.02)


@given(frame=FRAMES)
def test_the_centre_is_in_the_middle(frame: Crop) -> None:
    centre = frame.inside(np.array([(frame.x, frame.y, 1.0)], np.float32), 100)[0]
    np.testing.assert_allclose(centre, (50, 50, 100 / frame.side), rtol=1e-3, atol=0.01)


@pytest.mark.parametrize("roll_deg", [-40.0, 0.0, 7.0, 90.0])
def test_a_face_is_upright_in_its_square(roll_deg: float) -> None:
    frame = face_frame(head(roll_deg))
    assert frame.roll_deg == pytest.approx(roll_deg, abs=0.5)
    assert frame.side == pytest.approx(face_frame(head()).side, rel=1e-3)
    inside = frame.inside(head(roll_deg), 100)
    np.testing.assert_allclose(inside, face_frame(head()).inside(head(), 100), atol=0.6)
    low, high = inside[:468, :2].min(axis=0), inside[:468, :2].max(axis=0)
    assert max(high - low) == pytest.approx(100 / FACE_MARGIN, abs=0.5)
    np.testing.assert_allclose((low + high) / 2, 50, atol=0.5)


def test_the_person_is_never_tilted_and_wider_than_the_face() -> None:
    face = face_frame(head(20.0))
    person = person_frame(face)
    assert person.roll_deg == 0 and person.side > 1.8 * face.side


@pytest.mark.parametrize("side", [30.0, 100.0, 700.0])
@pytest.mark.parametrize("roll_deg", [0.0, 33.0])
def test_what_is_cut_lies_where_points_say(side: float, roll_deg: float) -> None:
    """A white disc in a picture is found in the cut where `inside` puts its centre, at any scale."""
    y, x = np.mgrid[:800, :900] + 0.5
    radius = side / 12
    disc = np.clip(radius + 0.5 - np.hypot(x - 411.3, y - 377.8), 0, 1)
    picture = np.repeat((255 * disc).astype(np.uint8)[..., None], 3, 2)
    frame = Crop(400 + side / 9, 380 - side / 11, side, roll_deg)
    light = cut(picture, frame, 96)[..., 0].astype(float)
    found = [float((axis * light).sum() / light.sum()) + 0.5 for axis in np.indices(light.shape)[::-1]]
    wanted = frame.inside(np.array([(411.3, 377.8)], np.float32), 96)[0]
    np.testing.assert_allclose(found, wanted, atol=0.35)


@pytest.mark.parametrize("frame", [Crop(-5000, 10, 100), Crop(10, 9000, 4000), Crop(5, 5, 2.0)])
def test_squares_may_lie_anywhere(frame: Crop) -> None:
    picture = np.full((40, 50, 3), 200, np.uint8)
    out = cut(picture, frame, 64)
    assert out.shape == (64, 64, 3)
    assert out.max() == (200 if frame.side < 3 else 0)


def test_the_mirror_exchanges_the_sides() -> None:
    other = mirrored()
    assert (other[other] == np.arange(478)).all()
    assert other[33] == 263 and other[468] == 473 and other[1] == 1
