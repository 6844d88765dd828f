"""Odd pictures: what is made of general colours is lit, printed and drawn as the portrait is; what is inside stays inside."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.conftest import portrait_path
from tests.examples import some
from vivant.face import RigFace
from vivant.media.images import PortraitImage
from vivant.portrait import PortraitAnalyser
from vivant.rig import canonical as c
from vivant.rig.build import build_rig
from vivant.rig.crop import SIDE_PX
from vivant.rig.patch import luminance
from vivant.types import FloatArray, UInt8Array
from vivant.visemes import EXPRESSIONS, POSES, VISEMES, Look

pytestmark = pytest.mark.session

SIDE = round(SIDE_PX)
LOOKS = {look.name: look for look in VISEMES + EXPRESSIONS + POSES}
Change = Callable[[FloatArray], FloatArray]
Build = Callable[..., RigFace]


@pytest.fixture(scope="module")
def build(analyser: PortraitAnalyser) -> Build:
    """The rig of any pixels (h, w, 3); of the same ones the same rig."""
    built: dict[bytes, RigFace] = {}

    def of(pixels: FloatArray | UInt8Array, alpha: UInt8Array | None = None) -> RigFace:
        shown = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
        if alpha is not None:
            return RigFace(build_rig(PortraitImage(shown, alpha, "0" * 64), analyser, transparent=True))
        key = shown.tobytes()
        if key not in built:
            built[key] = RigFace(build_rig(PortraitImage(shown, None, "0" * 64), analyser))
        return built[key]

    return of


@cache
def photo(name: str, side_px: int = 640) -> FloatArray:
    """(side, side, 3); the usual one is enough for most looks, and its rig is built in two thirds of the time."""
    with Image.open(portrait_path(name)) as picture:
        return np.asarray(picture.convert("RGB").resize((side_px, side_px), Image.Resampling.LANCZOS), np.float64)


def draw(face: RigFace, look: Look) -> FloatArray:
    """(512, 512, 3 or 4)"""
    return face.open(SIDE).render(look.frame()).pixels.astype(np.float64)


def grey(pixels: FloatArray) -> FloatArray:
    return np.repeat(luminance(pixels)[..., None], 3, axis=2)


SEPIA = np.array((1.0, 0.86, 0.62))


def test_a_grey_picture_stays_grey(build: Build) -> None:
    face = build(grey(photo("ada")))
    for look in LOOKS.values():
        red, green, blue = np.moveaxis(draw(face, look)[..., :3], 2, 0)
        assert max(np.abs(red - green).max(), np.abs(green - blue).max(), np.abs(blue - red).max()) <= 3, look.name


def test_a_sepia_picture_stays_sepia(build: Build) -> None:
    face = build(0.95 * grey(photo("lena")) * SEPIA)
    for look in LOOKS.values():
        seen = draw(face, look)[::2, ::2, :3]
        seen = seen[seen.max(axis=2) > 40]
        hue = seen / seen.max(axis=1, keepdims=True)
        assert np.abs(hue - SEPIA).max() < 0.09, look.name


LIGHTS: dict[str, Change] = {
    "blue": lambda x: x * (0.45, 0.55, 1.25),
    "dark": lambda x: x * 0.15,
    "green": lambda x: x * (0.35, 1.0, 0.4),
    "red": lambda x: x * (1.0, 0.35, 0.3),
    "warm": lambda x: x * (1.0, 0.75, 0.45),
    "darker by its curve": lambda x: 255 * (x / 255) ** 1.5 * 0.5,
}


def patch_below_lips(face: RigFace, look: Look, from_units: float, to_units: float) -> FloatArray:
    """(3,) mean colour in the middle of the mouth, so far below the line where the lips met."""
    rest = face.rig.arrays["rest"][: c.N_SURFACE, :2].astype(np.float64)
    middle, unit = rest[[13, 14]].mean(axis=0), float(np.linalg.norm(rest[33] - rest[263]))
    low, high = (middle + unit * np.array([(-0.10, from_units), (0.10, to_units)])).astype(int)
    return np.asarray(draw(face, look)[low[1] : high[1], low[0] : high[0], :3].mean(axis=(0, 1)))


@pytest.mark.parametrize("light", some(LIGHTS, 2))
def test_the_inside_of_the_mouth_is_lit_like_the_face(light: str, ada: RigFace, build: Build) -> None:
    """As if the mouth had been open when the light was changed."""
    change = LIGHTS[light]
    face = build(change(photo("ada")))
    for name, *place in (("aa", 0.05, 0.13), ("tongue out", 0.22, 0.30)):
        wanted = np.clip(change(patch_below_lips(ada, LOOKS[name], *place)), 0, 255)
        seen = patch_below_lips(face, LOOKS[name], *place)
        assert (np.abs(seen - wanted) < 12 + 0.25 * wanted).all(), (name, seen.round(), wanted.round())


def test_teeth_never_outshine_the_face(build: Build) -> None:
    face = build(LIGHTS["dark"](photo("ada")))
    smile = luminance(draw(face, LOOKS["smile, open"])[..., :3])
    points = face.rig.arrays["rest"][: c.N_SURFACE, :2]
    low, high = points[list(c.OUTER_LIPS)].min(axis=0).astype(int), points[list(c.OUTER_LIPS)].max(axis=0).astype(int)
    cheeks = luminance(draw(face, LOOKS["sil"])[..., :3])[int(points[1, 1]) - 60 : int(points[1, 1]), low[0] : high[0]]
    assert smile[low[1] - 15 : high[1] + 10, low[0] : high[0]].max() < 1.2 * cheeks.max()


def test_overexposed_skin_does_not_turn_grey(build: Build) -> None:
    """What is white for too much light is white in a shade, too."""
    face = build(np.clip(2.2 * photo("ada"), 0, 255))
    rest, frown = (draw(face, LOOKS[name])[..., :3] for name in ("sil", "smile"))
    points = face.rig.arrays["rest"][: c.N_SURFACE, :2].astype(int)
    for cheek in (50, 280):
        x, y = points[cheek]
        box = np.s_[y - 12 : y + 12, x - 12 : x + 12]
        if rest[box].min() >= 252:
            assert frown[box].min() >= 245


def test_retouched_lids_end_as_the_portraits_own_skin(face_of: Build) -> None:
    """No border above: the topmost retouched skin has the colours that lie under it."""
    rig = face_of("tomas").rig
    leader = dict(zip(*(rig.arrays["links"].T), strict=True))
    person = rig.textures[rig.texture_names.index("person")].astype(np.float64)
    for number in (k for k, name in enumerate(rig.texture_names) if name == "bare lid"):
        ((first, count, _, _),) = [layer for layer in rig.arrays["layers"] if layer[2] == number]
        vertices = np.unique(rig.arrays["triangles"][first : first + count, :3])
        places = rig.arrays["uv"][vertices].astype(int)
        inside = ((places >= 0) & (places < np.array(rig.textures[number].shape[1::-1]))).all(axis=1)
        vertices, places = vertices[inside], places[inside]
        below = rig.arrays["uv"][[leader[v] for v in vertices]].astype(int)
        lid, skin = rig.textures[number][places[:, 1], places[:, 0]].astype(np.float64), person[below[:, 1], below[:, 0]]
        difference = np.abs(lid + skin * (1.0 - lid[:, 3:] / 255.0) - skin)
        height = rig.arrays["rest"][vertices, 1]
        top = height <= np.percentile(height, 30)
        assert np.median(difference[top]) < 4.0  # hairs are finer than the places compared


@pytest.mark.parametrize("share", some([0.4, 0.7]))
def test_nothing_inside_the_head_shows_below_a_cut_out(share: float, analyser: PortraitAnalyser, build: Build) -> None:
    """One that ends softly so far down from the lower lip to the chin."""
    pixels = photo("bram", 1024)
    points = analyser.faces(pixels.astype(np.uint8))[0].landmarks
    border = points[17, 1] + share * (points[c.CHIN, 1] - points[17, 1])
    alpha = np.clip((border - np.arange(pixels.shape[0])[:, None]) / 12.0 + 0.5, 0.0, 1.0) * 255 * np.ones(pixels.shape[1])
    face = build(pixels, alpha.astype(np.uint8))
    lip, chin = face.rig.arrays["rest"][[17, c.CHIN], 1]
    for name in ("sil", "PP", "smile", "smile, open", "blink"):
        assert (draw(face, LOOKS[name])[int(lip + (share + 0.2) * (chin - lip)) :, 150:-150, 3] < 40).all(), name


def test_lips_of_an_open_mouth_close_over_their_whole_length(face_of: Build, build: Build) -> None:
    shut, laughing = face_of("bram"), Look("open", {"jawOpen": 0.5, "browInnerUp": 0.8, "mouthLowerDownLeft": 0.1})
    pixels = shut.open(1024).render(laughing.frame()).pixels[..., :3].astype(np.float64)
    seams = [darkest_share(face) for face in (build(pixels), shut)]
    assert seams[0] < seams[1] + 0.15


def darkest_share(face: RigFace) -> float:
    """Of the columns of the resting mouth, how many have something much darker than any lip between them."""
    points = face.rig.arrays["rest"][: c.N_SURFACE, :2]
    light = luminance(draw(face, LOOKS["sil"])[..., :3])
    left, right = points[[78, 308], 0].astype(int) + (6, -6)
    top, bottom = points[list(c.OUTER_LIPS), 1].min().astype(int), points[list(c.OUTER_LIPS), 1].max().astype(int)
    mouth = light[top:bottom, left:right]
    return float((mouth.min(axis=0) < 0.4 * np.median(mouth)).mean())


SKIN, IRIS = (249, 222, 206), (40, 80, 160)


def drawn_face() -> UInt8Array:
    """(900, 900, 3): a girl in flat colours whose eyes are twice as high as a person's."""
    image = Image.new("RGB", (1800, 1800), (150, 150, 155))
    ink = ImageDraw.Draw(image)
    ink.ellipse((330, 100, 1470, 1300), fill=(196, 160, 104))
    ink.rectangle((780, 1200, 1020, 1500), fill=(222, 194, 180))
    ink.polygon([(300, 1800), (560, 1440), (1240, 1440), (1500, 1800)], fill=(122, 28, 42))
    ink.polygon([(500, 520), (1300, 520), (1300, 900), (1000, 1260), (900, 1320), (800, 1260), (500, 900)], fill=SKIN)
    for x in (700, 1100):
        ink.ellipse((x - 105, 660, x + 105, 920), fill=(60, 35, 35))
        ink.ellipse((x - 100, 690, x + 100, 930), fill=(255, 255, 255))
        ink.ellipse((x - 62, 695, x + 62, 925), fill=IRIS)
        ink.ellipse((x - 30, 750, x + 30, 870), fill=(15, 15, 40))
        ink.arc((x - 110, 560, x + 110, 700), 200, 340, fill=(120, 95, 60), width=12)
    ink.line((890, 1010, 915, 1040), fill=(180, 140, 125), width=8)
    ink.line((840, 1140, 960, 1140), fill=(185, 95, 100), width=12)
    return np.asarray(image.resize((900, 900), Image.Resampling.BOX))


def test_drawn_eyes_close_over_all_their_height_and_flat_colour_stays_flat(build: Build) -> None:
    face = build(drawn_face())
    iris, skin = (np.array(colour, np.float64) for colour in (IRIS, SKIN))
    open_eyes, shut_eyes, smile = (draw(face, LOOKS[name])[..., :3] for name in ("sil", "blink", "smile"))
    seen = [int((np.abs(frame - iris).max(axis=2) < 40).sum()) for frame in (open_eyes, shut_eyes)]
    assert seen[0] > 500 and seen[1] < 0.03 * seen[0]
    assert (np.abs(smile - skin).max(axis=2) < 4).sum() > 0.9 * (np.abs(open_eyes - skin).max(axis=2) < 4).sum()
    assert not [note for note in face.rig.notes if "eyes" in note]


def test_a_photograph_with_a_mask_is_no_drawing(build: Build, analyser: PortraitAnalyser) -> None:
    """Of the plain cloth over half the face nothing follows for the eyes above it."""
    image = Image.fromarray(photo("amara").astype(np.uint8))
    points = analyser.faces(np.asarray(image))[0].landmarks[: c.N_SURFACE, :2]
    (left, _), (right, chin), nose = points.min(axis=0), points.max(axis=0), points[1, 1]
    across = 0.06 * (right - left)
    ImageDraw.Draw(image).ellipse((left + across, nose - across, right - across, chin + across), fill=(230, 150, 180))
    face = build(np.asarray(image))
    assert any("something lies over" in note for note in face.notes)
    assert not any("drawn in flat colours" in note for note in face.notes)


@pytest.mark.parametrize("case", some([(60, False, True), (60, True, False), (0, False, False)], 2))
def test_what_transparent_parts_hide_is_said_where_it_shows(case: tuple[int, bool, bool], analyser: PortraitAnalyser) -> None:
    transparent_rows, transparent, said = case
    pixels = photo("ada").astype(np.uint8)
    alpha = np.full(pixels.shape[:2], 255, np.uint8)
    alpha[:transparent_rows] = 0
    rig = build_rig(PortraitImage(pixels, alpha, "0" * 64), analyser, transparent=transparent)
    assert any("transparent parts" in note for note in rig.notes) == said


def test_a_frame_of_an_ordinary_portrait_has_its_usual_mouth(ada: RigFace) -> None:
    """In ordinary light the atlas's colours are left alone."""
    cavity = ada.rig.textures[ada.rig.texture_names.index("cavity")][0, 0, :3]
    np.testing.assert_array_equal(cavity, c.mouth_atlas().cavity_rgb)
