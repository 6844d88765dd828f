"""The opening of the mouth and what is in it, in rendered pixels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.mouth_inside import mask_rig
from tests.conftest import FaceOf
from vivant.face import RigFace
from vivant.rig.patch import luminance
from vivant.types import FloatArray
from vivant.visemes import EXPRESSIONS, VISEMES, Look

pytestmark = pytest.mark.unit

SIDE = 512
LOOKS = {look.name: look for look in VISEMES + EXPRESSIONS}
OPEN = ("aa", "E", "oh")


def seen(face: RigFace, look: Look) -> tuple[FloatArray, NDArray[np.bool_]]:
    """(512, 512) brightness, and where the inside of the mouth shows."""
    pixels, mask = (one.open(SIDE).render(look.frame()).pixels for one in (face, RigFace(mask_rig(face.rig))))
    return luminance(pixels[..., :3]), mask[..., 0] > 128


@pytest.mark.parametrize("name", OPEN)
def test_an_open_mouth_is_no_box(ada: RigFace, name: str) -> None:
    """It narrows towards its corners: over its outer tenths it is lower than an ellipse's, and its lower edge nowhere level."""
    _, inside = seen(ada, LOOKS[name])
    heights = inside.sum(axis=0)[inside.any(axis=0)].astype(float) / inside.sum(axis=0).max()
    tenth = max(2, len(heights) // 10)
    assert max(heights[:tenth].mean(), heights[-tenth:].mean()) < 0.41
    lowest = np.array([np.flatnonzero(column).max() for column in inside.T if column.any()])
    level = max(len(run) for run in np.split(lowest, np.flatnonzero(np.diff(lowest)) + 1))
    assert level < 0.45 * len(lowest)


@pytest.mark.parametrize("name", OPEN)
@pytest.mark.parametrize("portrait", ["ada", "sana_ink"])
def test_no_lonely_bright_pixel_lies_in_the_opening(face_of: FaceOf, portrait: str, name: str) -> None:
    light, inside = seen(face_of(portrait), LOOKS[name])
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    lonely = ndimage.binary_erosion(inside, iterations=2) & (light > ndimage.maximum_filter(light, footprint=ring) + 40.0)
    assert not lonely.any()


@pytest.mark.parametrize("name", ["aa", "E"])
def test_upper_teeth_end_in_the_upper_half_and_fade_towards_the_corners(ada: RigFace, name: str) -> None:
    light, inside = seen(ada, LOOKS[name])
    columns = np.flatnonzero(inside.any(axis=0))
    middle = (columns > np.percentile(columns, 40)) & (columns < np.percentile(columns, 60))
    first, last = np.flatnonzero(inside[:, columns[middle]].any(axis=1))[[0, -1]]
    rows = np.array([light[first : last + 1, x] for x in columns[middle]]).mean(axis=0)
    dark = np.flatnonzero(rows < 0.6 * rows[: len(rows) // 2].max())
    below = dark[dark > rows[: len(rows) // 2].argmax()]
    assert below.size and below[0] <= len(rows) / 2
    brightest = np.array([light[inside[:, x], x].max() for x in columns])
    tenth = max(2, len(columns) // 10)
    assert max(brightest[:tenth].mean(), brightest[-tenth:].mean()) < 0.42 * brightest[middle].mean()


def test_a_pen_drawing_has_ink_and_paper_between_its_lips(face_of: FaceOf) -> None:
    light, inside = seen(face_of("sana_ink"), LOOKS["oh"])
    within = light[ndimage.binary_erosion(inside, iterations=2)]
    ink, paper = (within < 70.0).mean(), (within > 190.0).mean()
    assert ink + paper > 0.85 and min(ink, paper) > 0.02


def test_a_retouched_lip_ends_softly(ada: RigFace) -> None:
    """Its texture is clear all around, so that no border of its mesh shows: nothing is sewn at the corners."""
    rig = ada.rig
    lips = [texture for name, texture in zip(rig.texture_names, rig.textures, strict=True) if name == "lip without seam"]
    for alpha in (texture[..., 3] for texture in lips):
        assert max(alpha[0].max(), alpha[-1].max(), alpha[:, 0].max(), alpha[:, -1].max()) == 0
        assert alpha.max() == 255
    assert len(lips) == 2
