"""Which face of a picture is taken: turned pictures, small faces in wide ones, several faces, transparency."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.conftest import PORTRAITS, portrait_path
from tests.examples import some
from vivant.errors import InputError, PortraitError
from vivant.face import open_portrait
from vivant.media.images import PortraitImage
from vivant.portrait import PortraitAnalyser
from vivant.portrait.choice import choose_face
from vivant.rig import canonical as c
from vivant.types import UInt8Array

pytestmark = pytest.mark.unit


def portrait(name: str, side: int = 512) -> Image.Image:
    image = Image.open(portrait_path(name)).convert("RGB")
    image.thumbnail((side, side))
    return image


def as_portrait(image: Image.Image) -> PortraitImage:
    return PortraitImage(np.asarray(image), None, "")


def screenshot(face: Image.Image, width: int, height: int, at: tuple[int, int]) -> Image.Image:
    """A face in a desktop of windows with text."""
    rng = np.random.default_rng(4)
    canvas = Image.new("RGB", (width, height), (43, 46, 52))
    for _ in range(12):
        left, top = int(rng.integers(0, width)), int(rng.integers(0, height))
        window = Image.new(
            "RGB", (int(rng.integers(200, 700)), int(rng.integers(150, 500))), tuple(rng.integers(30, 240, 3).tolist())
        )
        bars = np.asarray(window).copy()
        bars[20::18, 10:-10] = 90
        canvas.paste(Image.fromarray(bars), (left, top))
    canvas.paste(face, at)
    return canvas


@pytest.mark.full
@pytest.mark.parametrize("name", some(PORTRAITS))
@pytest.mark.parametrize("turn", some([(90, "to the left"), (180, "by 180 degrees"), (270, "to the right")]))
def test_a_turned_picture_is_turned_back(analyser: PortraitAnalyser, name: str, turn: tuple[int, str]) -> None:
    clockwise_deg, words = turn
    upright = portrait(name)
    straight = choose_face(as_portrait(upright), analyser)
    turned = choose_face(as_portrait(upright.rotate(-clockwise_deg, expand=True)), analyser)
    assert straight.notes == ()
    assert turned.notes == (f"the picture was turned {words}, so that the face is upright",)
    np.testing.assert_array_equal(turned.image.pixels, np.asarray(upright))
    np.testing.assert_array_equal(turned.face.landmarks, straight.face.landmarks)


@pytest.mark.full
@pytest.mark.parametrize("clockwise_deg", [-70, 150, 60, 115])
def test_what_is_tilted_far_comes_out_tilted_little(analyser: PortraitAnalyser, clockwise_deg: int) -> None:
    tilted = portrait("walter").rotate(-clockwise_deg, expand=True, fillcolor=(120, 120, 120))
    choice = choose_face(as_portrait(tilted), analyser)
    assert len(choice.notes) == 1 and abs(choice.face.pose.roll_deg) <= 45
    mouth, brow = choice.face.landmarks[c.CHIN, 1], choice.face.landmarks[c.FOREHEAD, 1]
    assert mouth > brow


@pytest.mark.full
def test_the_transparency_is_turned_along(analyser: PortraitAnalyser) -> None:
    upright = portrait("ada")
    alpha = np.zeros(upright.size[::-1], np.uint8)
    alpha[20:] = 255
    lying = PortraitImage(np.ascontiguousarray(np.rot90(np.asarray(upright))), np.ascontiguousarray(np.rot90(alpha)), "")
    choice = choose_face(lying, analyser)
    assert choice.image.alpha is not None
    np.testing.assert_array_equal(choice.image.alpha, alpha)


@pytest.mark.parametrize("name", some(["ada", "bram"]))
@pytest.mark.parametrize("screen", some([(2400, 1350, 70), (1350, 2400, 90), (3840, 1080, 100)]))
def test_small_faces_in_wide_pictures(analyser: PortraitAnalyser, name: str, screen: tuple[int, int, int]) -> None:
    width, height, face_px = screen
    small = portrait(name, round(3.2 * face_px))
    picture = screenshot(small, width, height, at=(width - 500, height - 600))
    choice = choose_face(as_portrait(picture), analyser)
    x, y = choice.face.landmarks[c.NOSE_TIP, :2] - (width - 500, height - 600)
    assert 0 < x < small.width and 0 < y < small.height
    assert choice.face.width_px == pytest.approx(face_px, rel=0.15)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(4))
def test_nobody_in_a_wide_picture(analyser: PortraitAnalyser, seed: int) -> None:
    rng = np.random.default_rng(seed)
    blobs = Image.fromarray(rng.integers(0, 256, (30 * (seed + 1), 40 * (seed + 1), 3), dtype=np.uint8))
    picture = screenshot(blobs.resize((600, 500), Image.Resampling.BICUBIC), 2400, 1350, (300, 300))
    with pytest.raises(PortraitError, match=r"no face was found.*turn the picture.*crop a wide one"):
        choose_face(as_portrait(picture), analyser)


def two_people() -> PortraitImage:
    canvas = Image.new("RGB", (900, 560), (128, 128, 128))
    canvas.paste(portrait("ada", 512), (360, 30))
    canvas.paste(portrait("bram", 330), (10, 200))
    return as_portrait(canvas)


@pytest.mark.full
def test_a_number_chooses_the_face(analyser: PortraitAnalyser) -> None:
    picture = two_people()
    first, second = choose_face(picture, analyser), choose_face(picture, analyser, 2)
    assert first.notes == ("2 faces were found; the largest is used; --face 2 takes the next",)
    assert second.notes == ("2 faces were found; number 2 by size is used",)
    assert first.face.landmarks[:, 0].min() > 360 > second.face.landmarks[:, 0].max()
    with pytest.raises(PortraitError, match="2 faces were found in this image, but face 3 was asked for"):
        choose_face(picture, analyser, 3)
    with pytest.raises(InputError, match="counted from 1, the largest, got 0"):
        choose_face(picture, analyser, 0)


@pytest.mark.full
def test_each_face_has_a_rig_of_its_own_in_the_cache(
    analyser: PortraitAnalyser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("people") / "two.png"
    Image.fromarray(two_people().pixels).save(path)
    faces = [open_portrait(path, face=number, analyser=analyser) for number in (1, 2, 2)]
    assert [face.notes[0].split("; ")[1] for face in faces] == ["the largest is used", *["number 2 by size is used"] * 2]
    assert faces[0].rig.arrays["head_frame"].tolist() != faces[1].rig.arrays["head_frame"].tolist()
    assert faces[1].rig.arrays["head_frame"].tolist() == faces[2].rig.arrays["head_frame"].tolist()
    faces[1].rig.save(path.with_suffix(".vivant"))
    with pytest.raises(InputError, match="a rig holds one face, but face 2 was asked for"):
        open_portrait(path.with_suffix(".vivant"), face=2)


@pytest.mark.parametrize("opaque", ["nowhere", "hardly", "only beside the face"])
def test_transparency_without_the_face_is_none(analyser: PortraitAnalyser, opaque: str) -> None:
    image = as_portrait(portrait("ada"))
    alpha: UInt8Array = np.zeros(image.pixels.shape[:2], np.uint8)
    if opaque == "hardly":
        alpha[:] = 3
    elif opaque == "only beside the face":
        alpha[:, :120] = 255
    choice = choose_face(replace(image, alpha=alpha), analyser)
    assert choice.image.alpha is None
    assert choice.notes == ("the transparency of this picture leaves out the face and is ignored",)
