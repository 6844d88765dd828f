"""The rig at rest is the photo; lips that rest are shut, lids that are shut hide the eye."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.conftest import PORTRAITS, FaceOf, RigOf, portrait_path
from tests.examples import some
from vivant.face import RigFace
from vivant.media import load_image
from vivant.portrait import PortraitAnalyser
from vivant.render.renderer import RigRenderer
from vivant.rig import canonical as c
from vivant.rig.build import build_rig
from vivant.rig.crop import SIDE_PX, place_crop
from vivant.rig.mesh import inside
from vivant.rig.patch import luminance
from vivant.types import Float32Array, MotionFrame, UInt8Array, arkit_weights

pytestmark = pytest.mark.unit

SIDE = round(SIDE_PX)
CENTRES = np.stack(np.meshgrid(np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5), axis=-1).reshape(-1, 2)


class Portrait:
    """A portrait as the rig's square should show it."""

    def __init__(self, image: UInt8Array, face: RigFace, analyser: PortraitAnalyser) -> None:
        found = analyser.faces(image)[0].landmarks
        square = place_crop(found, *image.shape[1::-1])
        box = (square.left, square.top, square.left + square.side, square.top + square.side)
        self.landmarks: Float32Array = square.to_rig(found)
        self.expected: UInt8Array = np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=box))
        self.face = face

    def region(self, loop: tuple[int, ...]) -> NDArray[np.bool_]:
        """(512, 512): within the polygon of these landmarks."""
        return inside(CENTRES, self.landmarks[list(loop), :2].astype(np.float64)).reshape(SIDE, SIDE)

    def draw(self, gaze_yaw: float = 0.0, *, as_photographed: bool = False, **weights: float) -> NDArray[np.float64]:
        motion = MotionFrame(0, 0, arkit_weights(**weights), gaze=(gaze_yaw, 0.0))
        renderer = RigRenderer(self.face.rig.scene(), SIDE, SIDE, as_photographed=as_photographed)
        return renderer.render(motion).pixels[..., :3].astype(np.float64)


@pytest.fixture(scope="module", params=some(PORTRAITS))
def portrait(request: pytest.FixtureRequest, face_of: FaceOf, analyser: PortraitAnalyser) -> Portrait:
    return Portrait(load_image(portrait_path(request.param)).pixels, face_of(request.param), analyser)


@pytest.fixture(scope="module")
def open_mouthed(ada: RigFace, analyser: PortraitAnalyser, rig_of: RigOf) -> Portrait:
    """`ada` was photographed while she spoke: her mouth is open, and her teeth show."""
    weights = arkit_weights(jawOpen=0.3, mouthUpperUpLeft=0.7, mouthUpperUpRight=0.7, mouthSmileLeft=0.4, mouthSmileRight=0.4)
    drawn = ada.open(SIDE).render(MotionFrame(0, 0, weights)).pixels[..., :3]
    file = io.BytesIO()
    Image.fromarray(drawn).save(file, "PNG")
    image = load_image(file.getvalue())
    return Portrait(image.pixels, RigFace(rig_of("open_mouthed", lambda: build_rig(image, analyser))), analyser)


def test_neutral_is_the_photo(portrait: Portrait) -> None:
    difference = np.abs(portrait.draw() - portrait.expected)
    assert difference[portrait.region(c.OVAL)].mean() <= 2.0
    assert difference.mean() <= 2.0


@pytest.mark.full
def test_an_open_mouth_can_be_kept_as_photographed(open_mouthed: Portrait) -> None:
    """Teeth and all; otherwise its lips rest together, which is another picture."""
    kept = open_mouthed.draw(as_photographed=True)
    difference, mouth = np.abs(kept - open_mouthed.expected), open_mouthed.region(c.OUTER_LIPS)
    assert difference[open_mouthed.region(c.OVAL)].mean() <= 2.0
    assert difference[mouth].mean() <= 11.0  # 8 today, for the mouth's shade is laid over teeth that have it already
    assert np.abs(open_mouthed.draw() - open_mouthed.expected)[mouth].mean() > 30.0


@pytest.mark.full
def test_lips_that_were_open_come_together_and_their_own_teeth_show_again(
    open_mouthed: Portrait, analyser: PortraitAnalyser
) -> None:
    def mouth_of(pixels: NDArray[np.float64]) -> Float32Array:
        return analyser.faces(np.ascontiguousarray(pixels, np.uint8))[0].landmarks

    shut = mouth_of(open_mouthed.draw())
    gap = np.linalg.norm(shut[13, :2] - shut[14, :2]) / np.linalg.norm(shut[33, :2] - shut[263, :2])
    assert gap < 0.04
    assert any("the mouth is open" in note for note in open_mouthed.face.rig.notes)
    assert "own teeth" in open_mouthed.face.rig.texture_names
    opened = open_mouthed.draw(jawOpen=0.3, mouthUpperUpLeft=0.7, mouthUpperUpRight=0.7)
    inner = mouth_of(opened)[list(c.UPPER_INNER_LIP + c.LOWER_INNER_LIP[-2:0:-1]), :2]
    between = luminance(opened[inside(CENTRES, inner.astype(np.float64)).reshape(SIDE, SIDE)])
    assert np.percentile(between, 90) > 0.6 * luminance(open_mouthed.expected[open_mouthed.region(c.OVAL)]).mean()


def test_lips_rest_together(portrait: Portrait, analyser: PortraitAnalyser) -> None:
    found = analyser.faces(np.ascontiguousarray(portrait.draw(), np.uint8))[0].landmarks
    gap = np.linalg.norm(found[13, :2] - found[14, :2]) / np.linalg.norm(found[33, :2] - found[263, :2])
    assert gap < 0.03
    lips = portrait.face.rig.arrays["rest"][[13, 14], 1]
    assert abs(lips[1] - lips[0]) < 0.5


def test_shut_lids_hide_the_eye(portrait: Portrait) -> None:
    """Where the eyes look shows in open eyes and hardly in shut ones, whose lashes may follow a little."""
    for side in (0, 1):
        eye = portrait.region((*c.UPPER_LIDS[side], *c.LOWER_LIDS[side][-2:0:-1]))
        seen = [
            np.abs(
                portrait.draw(25, eyeBlinkLeft=shut, eyeBlinkRight=shut)
                - portrait.draw(-25, eyeBlinkLeft=shut, eyeBlinkRight=shut)
            )
            for shut in (0.0, 1.0)
        ]
        assert seen[0][eye].mean() > 20
        assert seen[1][eye].mean() < 0.2 * seen[0][eye].mean()


@pytest.mark.parametrize(("size_px", "most"), [(64, 4.5), (128, 2.0), (256, 1.1)])
def test_small_frames_are_the_large_one_averaged(ada: RigFace, size_px: int, most: float) -> None:
    rest = MotionFrame(0, 0, arkit_weights())
    large, small = (ada.open(size).render(rest).pixels[..., :3].astype(float) for size in (1024, size_px))
    step = 1024 // size_px
    averaged = large.reshape(size_px, step, size_px, step, 3).mean(axis=(1, 3))
    assert np.abs(small - averaged).mean() < most  # textures that are too fine make it 1.5 to 3 times this
