"""Faces that are cut off, covered, or none: what is refused, what is said, and that people are neither."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from tests.conftest import portrait_path
from tests.examples import some
from vivant.commands.options import BUNDLED
from vivant.errors import PortraitError
from vivant.media.images import PortraitImage
from vivant.portrait import PortraitAnalyser
from vivant.portrait.checks import require_mouth, require_whole
from vivant.portrait.choice import choose_face
from vivant.rig import canonical as c
from vivant.rig.build import build_rig
from vivant.types import Float32Array

pytestmark = pytest.mark.unit

MOUTH, EYES, COVERED = "no lips can be made out", "something lies over the eyes", "something lies over the face"
NAMES = ("ada", "tomas", "lena")
PointsOf = Callable[[str], Float32Array]


def portrait(name: str, side: int = 600) -> Image.Image:
    image = Image.open(portrait_path(name)).convert("RGB")
    image.thumbnail((side, side))
    return image


@pytest.fixture(scope="module")
def points_of(analyser: PortraitAnalyser) -> PointsOf:
    """(478, 2) landmarks of a bundled portrait, found once."""
    return cache(lambda name: analyser.faces(np.asarray(portrait(name)))[0].landmarks[:, :2])


def notes_of(image: Image.Image, analyser: PortraitAnalyser) -> str:
    """Everything that is said of a picture, or the refusal."""
    try:
        choice = choose_face(PortraitImage(np.asarray(image), None, ""), analyser)
        pixels, face = choice.image.pixels, choice.face
        notes = require_whole(face, pixels.shape[1], pixels.shape[0])
        notes += require_mouth(pixels, face, analyser.cutout(pixels, face), analyser)
    except PortraitError as error:
        return f"refused: {error}"
    return "; ".join([*choice.notes, *notes])


@pytest.mark.full
@pytest.mark.parametrize("name", some(BUNDLED))
def test_nothing_is_said_of_people_in_photographs_and_paintings(name: str, analyser: PortraitAnalyser) -> None:
    assert notes_of(portrait(name), analyser) == ""
    assert notes_of(portrait(name).convert("L").convert("RGB"), analyser) == ""
    assert notes_of(portrait(name, 260).filter(ImageFilter.GaussianBlur(0.8)), analyser) == ""


@pytest.mark.full
@pytest.mark.parametrize("name", some(NAMES))
@pytest.mark.parametrize("edge", some(["left", "lower", "right", "upper"]))
@pytest.mark.parametrize("missing", some([0.15, 0.5, 0.35, 0.65], 2))
def test_a_face_that_the_border_cuts(
    name: str, edge: str, missing: float, points_of: PointsOf, analyser: PortraitAnalyser
) -> None:
    """Refused or said, from a seventh of the face on; the more so with half of it."""
    whole = portrait(name)
    points = points_of(name)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    across, down = missing * (right - left), missing * (bottom - top)
    box = {
        "left": (left + across, 0, whole.width, whole.height),
        "right": (0, 0, right - across, whole.height),
        "upper": (0, top + down, whole.width, whole.height),
        "lower": (0, 0, whole.width, bottom - down),
    }[edge]
    said = notes_of(whole.crop(box), analyser)
    assert said.startswith("refused") if missing >= 0.5 else said, (edge, missing)


@pytest.mark.full
@pytest.mark.parametrize("edge", [(0.0, 0.18, 1.0, 1.0), (0.12, 0.0, 1.0, 1.0)])
def test_a_rig_is_built_of_what_is_cut_little(
    edge: tuple[float, float, float, float], points_of: PointsOf, analyser: PortraitAnalyser
) -> None:
    whole = portrait("tomas")
    (left, top), (right, bottom) = (points := points_of("tomas")).min(axis=0), points.max(axis=0)
    x, y = (left + edge[0] * (right - left) if edge[0] else 0), (top + edge[1] * (bottom - top) if edge[1] else 0)
    rig = build_rig(PortraitImage(np.asarray(whole.crop((int(x), int(y), *whole.size))), None, ""), analyser)
    assert any("edge of the picture cuts the face" in note for note in rig.notes)


CLOTHS = [(150, 190, 215), (205, 160, 135), (238, 238, 236), (25, 25, 28), (170, 30, 40)]
"""Blue, like skin, white, black, red."""


def masked(image: Image.Image, points: Float32Array, colour: tuple[int, int, int]) -> Image.Image:
    """Cloth over nose, mouth and chin."""
    lower = points[[n for n in c.OVAL if points[n, 1] > points[c.NOSE_TIP, 1] - 20]]
    centre = lower.mean(axis=0)
    around = lower[np.argsort(np.arctan2(*(lower - centre).T[::-1]))]
    ImageDraw.Draw(image).polygon([tuple(p) for p in (centre + 1.04 * (around - centre)).tolist()], fill=colour)
    return image.filter(ImageFilter.GaussianBlur(0.7))


@pytest.mark.full
@pytest.mark.parametrize("name", some(NAMES))
@pytest.mark.parametrize("colour", some(CLOTHS))
def test_a_mask_is_said(name: str, colour: tuple[int, int, int], points_of: PointsOf, analyser: PortraitAnalyser) -> None:
    image = portrait(name)
    said = notes_of(masked(image, points_of(name), colour), analyser)
    assert MOUTH in said or said.startswith("refused: it cannot be told where the mouth")


@pytest.mark.parametrize("name", some(NAMES))
@pytest.mark.full
@pytest.mark.parametrize("upright", [True, False])
def test_a_hand_before_the_mouth_is_said(name: str, upright: bool, points_of: PointsOf, analyser: PortraitAnalyser) -> None:
    image = portrait(name)
    points = points_of(name)
    width, (x, y) = np.ptp(points[:, 0]), points[[13, 14]].mean(axis=0)
    skin = tuple(np.asarray(image)[int(points[50, 1]), int(points[50, 0])].tolist())
    draw = ImageDraw.Draw(image)
    for finger in (-1.5, -0.5, 0.5, 1.5):
        dx, dy = (finger * 0.13 * width, 0) if upright else (0, finger * 0.12 * width)
        along, across = 0.4 * width, 0.075 * width
        reach = (across, along) if upright else (along, across)
        box = (x + dx - reach[0], y + dy - reach[1], x + dx + reach[0], y + dy + reach[1])
        draw.ellipse(box, fill=skin, outline=tuple(3 * v // 4 for v in skin), width=2)
    said = notes_of(image.filter(ImageFilter.GaussianBlur(0.8)), analyser)
    assert MOUTH in said or said.startswith("refused: it cannot be told where the mouth")


@pytest.mark.parametrize("name", some(NAMES))
def test_a_microphone_before_the_mouth_is_said(name: str, points_of: PointsOf, analyser: PortraitAnalyser) -> None:
    image = portrait(name)
    points = points_of(name)
    radius, (x, y) = 0.16 * np.ptp(points[:, 0]), points[[13, 14]].mean(axis=0)
    draw = ImageDraw.Draw(image)
    draw.polygon([(x - radius / 2, y), (x + radius / 2, y), (x + radius, image.height), (x, image.height)], fill=(30, 30, 32))
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(60, 60, 62))
    assert MOUTH in notes_of(image, analyser)


@pytest.mark.parametrize("name", some(NAMES))
@pytest.mark.parametrize("kind", ["dark glasses", "goggles"])
def test_what_hides_the_eyes_is_said(name: str, kind: str, points_of: PointsOf, analyser: PortraitAnalyser) -> None:
    image = portrait(name)
    points = points_of(name)
    width, draw = float(np.ptp(points[:, 0])), ImageDraw.Draw(image)
    eyes = [points[[outer, inner]].mean(axis=0) for outer, inner in ((33, 133), (263, 362))]
    if kind == "goggles":
        (x, y) = np.mean(eyes, axis=0)
        draw.rounded_rectangle(
            (x - width * 0.48, y - width * 0.2, x + width * 0.48, y + width * 0.2), width * 0.1, (200, 140, 60)
        )
    else:
        for x, y in eyes:
            draw.ellipse((x - width * 0.2, y - width * 0.14, x + width * 0.2, y + width * 0.16), fill=(15, 15, 18))
        draw.line([tuple(eye) for eye in eyes], fill=(15, 15, 18), width=int(width * 0.03))
    assert EYES in notes_of(image, analyser)


@pytest.mark.parametrize("name", some(NAMES))
@pytest.mark.parametrize("where", some(["mouth", "upright", "border", "chin", "nose", "bar"], 2))
def test_a_straight_line_over_the_face_is_said(name: str, where: str, points_of: PointsOf, analyser: PortraitAnalyser) -> None:
    image = portrait(name)
    points = points_of(name)
    width, mouth, chin = np.ptp(points[:, 0]), points[[13, 14], 1].mean(), points[c.CHIN, 1]
    rows = {
        "chin": (0.4 * mouth + 0.6 * chin, 0.02, (225, 30, 30)),
        "mouth": (mouth, 0.02, (240, 240, 240)),
        "nose": (points[c.NOSE_TIP, 1], 0.02, (30, 200, 30)),
        "bar": (0.5 * (mouth + chin), 0.12, (20, 20, 20)),
        "border": (chin + 0.03 * width, 5.0, (0, 0, 0)),
    }
    draw = ImageDraw.Draw(image)
    if where == "upright":
        x = points[c.NOSE_TIP, 0] + 0.1 * width
        draw.rectangle((x, 0, x + max(3, 0.02 * width), image.height), fill=(255, 255, 0))
    else:
        y, height, colour = rows[where]
        draw.rectangle((0, y, image.width, y + max(3, height * width)), fill=colour)
    assert COVERED in notes_of(image, analyser)


def animal(coat: tuple[int, int, int], kind: str) -> Image.Image:
    """A drawn head of a dog or a cat with a coat of hair."""
    image = Image.new("RGB", (500, 500), (180, 200, 190))
    draw = ImageDraw.Draw(image)

    def disc(x: float, y: float, rx: float, ry: float, colour: tuple[int, ...]) -> None:
        draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=colour)

    for side in (-1, 1):
        if kind == "dog":
            disc(250 + 140 * side, 230, 60, 130, tuple(7 * v // 10 for v in coat))
        else:
            draw.polygon([(250 + 130 * side, 180), (250 + 140 * side, 40), (250 + 30 * side, 120)], fill=coat)
    disc(250, 240, 150, 155, coat)
    for side in (-1, 1):
        disc(250 + 68 * side, 210, 24, 24, (40, 25, 10) if kind == "dog" else (150, 190, 60))
        disc(250 + 68 * side, 210, 9 if kind == "dog" else 6, 15, (5, 5, 5))
    if kind == "dog":
        disc(250, 320, 80, 75, tuple(min(255, 5 * v // 4 + 15) for v in coat))
    disc(250, 285, 28, 20, (25, 15, 15))
    for left in (200, 250):
        draw.arc((left, 300, left + 50, 345), 10, 170, fill=(30, 20, 20), width=4)
    grain = np.random.default_rng(0).normal(0, 9, (500, 500, 1))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))


@pytest.mark.parametrize("kind", some(["dog", "cat"]))
@pytest.mark.parametrize("coat", some([(170, 120, 70), (235, 225, 210), (60, 50, 45), (225, 150, 80)]))
def test_animals_are_refused_or_said(kind: str, coat: tuple[int, int, int], analyser: PortraitAnalyser) -> None:
    assert notes_of(animal(coat, kind), analyser)


@pytest.mark.parametrize("nose", some([True, False]))
def test_a_plain_drawing_is_taken_and_said(nose: bool, analyser: PortraitAnalyser) -> None:
    image = Image.new("RGB", (500, 500), (200, 220, 255))
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 70, 400, 430), fill=(245, 205, 170))
    draw.pieslice((100, 60, 400, 360), 180, 360, fill=(100, 60, 30))
    draw.pieslice((115, 130, 385, 400), 180, 360, fill=(245, 205, 170))
    for x in (190, 310):
        draw.ellipse((x - 21, 225, x + 21, 255), fill=(250, 250, 248), outline=(30, 20, 20))
        draw.ellipse((x - 14, 226, x + 14, 254), fill=(60, 90, 140))
        draw.ellipse((x - 7, 233, x + 7, 247), fill=(5, 5, 5))
    if nose:
        draw.line([(250, 250), (238, 300), (262, 300)], fill=(200, 150, 120), width=4)
    draw.arc((190, 290, 310, 370), 20, 160, fill=(150, 50, 50), width=6)
    said = notes_of(image, analyser)
    assert said and not said.startswith("refused")
