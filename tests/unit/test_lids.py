"""Lids that close: they keep the portrait's skin, end without an edge, move together and take light from the eye under them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.lids import MOST_STAIRS_PX, TARGET, measure, stairs_px
from tests.conftest import FaceOf
from tests.examples import some
from vivant.face import RigFace
from vivant.rig import canonical as c
from vivant.rig.patch import luminance
from vivant.types import FloatArray, MotionFrame, arkit_weights

pytestmark = pytest.mark.unit

SIDE = 512


def blinking(face: RigFace, closed: float) -> FloatArray:
    """(512, 512, 3)"""
    weights = arkit_weights(eyeBlinkLeft=closed, eyeBlinkRight=closed)
    return face.open(SIDE).render(MotionFrame(0, 0, weights)).pixels[..., :3].astype(np.float64)


@pytest.mark.parametrize("name", some(["noor", "amara", "lena", "tomas"]))
def test_a_shut_lid_has_no_edge(name: str, face_of: FaceOf) -> None:
    assert max(eye.ratio for eye in measure(face_of(name))) <= TARGET


def test_a_flat_patch_would_be_noticed(ada: RigFace) -> None:
    """What lids once were: below the crease one colour, a little darker than the skin."""
    names, textures = ada.rig.texture_names, [texture.copy() for texture in ada.rig.textures]
    for number in (k for k, name in enumerate(names) if name == "bare lid"):
        below = textures[number][len(textures[number]) // 2 :, :, :3]
        below[:] = (0.8 * below.mean(axis=(0, 1))).astype(np.uint8)
    assert max(eye.ratio for eye in measure(RigFace(replace(ada.rig, textures=tuple(textures))))) > 1.5 * TARGET


def test_a_lid_that_goes_down_shades_the_eye(ada: RigFace) -> None:
    light = [luminance(blinking(ada, closed)) for closed in (0.0, 0.5)]
    points = ada.rig.arrays["rest"][: c.N_SURFACE, :2]
    for upper, lower in zip(c.UPPER_LIDS, c.LOWER_LIDS, strict=True):
        top, bottom = (points[list(row[1:-1]), 1].mean() for row in (upper, lower))
        y = round(0.3 * top + 0.7 * bottom)
        left, right = (round(x) for x in points[[upper[0], upper[-1]], 0])
        row = np.s_[y, left + 6 : right - 6]
        white = light[0][row] > np.percentile(light[0][row], 60)
        assert light[1][row][white].mean() < 0.93 * light[0][row][white].mean()


@pytest.mark.parametrize("name", some(["ada", "noor"]))
def test_the_edge_of_a_half_shut_lid_has_no_stairs(name: str, face_of: FaceOf) -> None:
    """What it once was, lashes in more texels than are shown, was off by .45 and .33 px."""
    assert max(stairs_px(face_of(name))) <= MOST_STAIRS_PX


def test_no_tips_of_lashes_stay_beside_a_shut_eye(face_of: FaceOf) -> None:
    face = face_of("noor")
    points, unit = face.rig.arrays["rest"], float(face.rig.arrays["head_frame"][3])
    x, y = points[c.RIGHT_OUTER_EYE, :2] - unit * np.array((0.08, 0.06))
    beside = luminance(blinking(face, 1.0))[round(y - 0.05 * unit) : round(y + 0.05 * unit), round(x - 0.05 * unit) : round(x)]
    assert beside.min() > 0.6 * np.median(beside)
