"""Backgrounds drawn in strokes go on where the person stood."""

from __future__ import annotations

import numpy as np
import pytest

from vivant.numeric import ndimage
from vivant.rig.matte import fill_holes, separate
from vivant.rig.quilt import quilted
from vivant.types import UInt8Array

pytestmark = pytest.mark.unit

SIDE, PERIOD, HOLE = 150, 9.0, 30.0


def test_strokes_go_on_as_they_run() -> None:
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float64)
    strokes = np.where(np.sin((x + 2 * y) * 2 * np.pi / PERIOD) > 0, 220, 40).astype(np.uint8)
    picture = np.repeat(strokes[..., None], 3, axis=2)
    hole = np.hypot(x - SIDE / 2, y - SIDE / 2) < HOLE
    holed = np.where(hole[..., None], np.uint8(255), picture)
    depth = ndimage.distance_transform_edt(hole).astype(np.float32)

    def wrong(filled: UInt8Array) -> float:
        return float(np.abs(filled.astype(float) - picture)[hole].mean())

    filled = quilted(holed, ~hole, hole, depth, texels=1.0)
    assert (filled[~hole] == picture[~hole]).all()
    assert wrong(filled) < 0.2 * wrong(fill_holes(holed, ~hole))


def test_what_is_nowhere_known_is_left_as_it_was() -> None:
    picture = np.full((60, 60, 3), 90, np.uint8)
    nowhere = np.zeros((60, 60), bool)
    assert (quilted(picture, nowhere, ~nowhere, np.zeros((60, 60), np.float32), texels=1.0) == picture).all()


def test_before_strokes_a_head_is_cut_out_at_its_own_edge() -> None:
    """The outline is 3 px too wide, as networks' are; a hair beside the head is darker than the strokes behind it."""
    y, x = np.mgrid[: 2 * SIDE, : 2 * SIDE].astype(np.float64)
    far = np.hypot(x - SIDE, y - SIDE)
    uneven = 60.0 * ndimage.gaussian_filter(np.random.default_rng(3).standard_normal(x.shape), 8.0)
    strokes = np.where(np.sin((x + 2 * y) * 2 * np.pi / PERIOD + uneven) > 0, 220, 80)
    hair = (np.abs(x - 1.7 * SIDE) < 1.0) & (np.abs(y - SIDE) < 15)
    drawn = np.where(far < 0.65 * SIDE, np.where((x + y) % 4 < 3, 30, 90), np.where(hair, 20, strokes)).astype(np.uint8)
    picture = np.repeat(drawn[..., None], 3, axis=2)

    layers = separate(picture, (far < 0.65 * SIDE + 3.0).astype(np.float32), band_texels=8.0)
    assert layers.alpha[(far < 0.65 * SIDE - 3.0) | hair].min() > 0.9
    beside = (far > 0.65 * SIDE + 4.0) & (far < 0.65 * SIDE + 8.0) & ~ndimage.binary_dilation(hair, iterations=3)
    assert layers.alpha[beside].mean() < 0.05
    alpha = layers.alpha[..., None]
    assert np.abs(layers.foreground * alpha + layers.plate * (1 - alpha) - picture).mean() < 0.5
