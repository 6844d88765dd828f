"""How a face looks, as properties that a viewer would name: bright teeth, a tongue, shade in a smile, lashes on a shut lid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.mouth_inside import lightness
from tests.conftest import FaceOf
from tests.examples import some
from vivant.face import FaceBox, RigFace
from vivant.motion.nonverbal import NonverbalMotion
from vivant.portrait import PortraitAnalyser
from vivant.provenance.disclosure import Disclosure
from vivant.provenance.label import LANGUAGES
from vivant.rig import canonical as c
from vivant.rig.mesh import inside
from vivant.rig.patch import luminance
from vivant.speech.prosody import Prosody
from vivant.testing import PlainFace
from vivant.types import Controls, Emotion, Float32Array, FloatArray, MotionFrame, PixelFormat, VideoFrame, arkit_weights
from vivant.visemes import VISEMES

pytestmark = pytest.mark.unit

SIDE_PX = 512
IDLE = Prosody(talking=False, stress=0, phrase_start=False, phrase_end=False, energy=0, arousal=0, valence=0)
TEETH = {
    "jawOpen": 0.25,
    **dict.fromkeys(("mouthSmileLeft", "mouthSmileRight", "mouthLowerDownLeft", "mouthLowerDownRight"), 0.5),
    **dict.fromkeys(("mouthUpperUpLeft", "mouthUpperUpRight"), 0.6),
}
SMILE = {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "cheekSquintLeft": 0.6, "cheekSquintRight": 0.6}
APPLES, FOLDS = (50, 280), (206, 426, 207, 427)
"""Landmarks on top of the cheeks, and where a smile folds the skin beside the nose and mouth."""
LID_EDGES = (145, 374)
"""The middle of the lower lids."""
STILLS = {look.name: look for look in VISEMES}
CENTRES = np.stack(np.meshgrid(np.arange(SIDE_PX) + 0.5, np.arange(SIDE_PX) + 0.5), axis=-1)


@dataclass(frozen=True)
class Look:
    """One picture of a face and where things are in it."""

    pixels: FloatArray
    """(512, 512, 3)"""
    landmarks: Float32Array

    @property
    def light(self) -> FloatArray:
        return luminance(self.pixels)

    def between_lips(self) -> NDArray[np.bool_]:
        loop = list(c.UPPER_INNER_LIP + c.LOWER_INNER_LIP[-2:0:-1])
        return inside(CENTRES.reshape(-1, 2), self.landmarks[loop, :2].astype(float)).reshape(SIDE_PX, SIDE_PX)

    def colour_at(self, landmark: int, radius_px: float = 7) -> FloatArray:
        near = ((CENTRES - self.landmarks[landmark, :2]) ** 2).sum(axis=2) < radius_px**2
        return np.asarray(self.pixels[near].mean(axis=0))

    def light_at(self, landmark: int, radius_px: float = 7) -> float:
        return float(luminance(self.colour_at(landmark, radius_px)))

    def across_lip(self, inner: tuple[int, ...], outer: tuple[int, ...]) -> FloatArray:
        """Light at twelve places from a lip's inner edge to its outer one, the mean along the lip."""
        start, end = (self.landmarks[list(loop[3:-3]), :2] for loop in (inner, outer))
        places = start + np.linspace(0.05, 0.9, 12)[:, None, None] * (end - start)
        x, y = places.astype(int).transpose(2, 0, 1)
        return np.asarray(self.light[y, x].mean(axis=1))

    def corner_height(self, corner: int) -> float:
        """Of a corner of the mouth above the line between the lips' middles and the chin, in eye distances."""
        eyes = np.linalg.norm(self.landmarks[33, :2] - self.landmarks[263, :2])
        return float((self.landmarks[1, 1] - self.landmarks[corner, 1]) / eyes)


class Sitter:
    """Draws a face and finds its features."""

    def __init__(self, face: RigFace, analyser: PortraitAnalyser) -> None:
        self._renderer, self._analyser = face.open(SIDE_PX), analyser
        self.draws = cache(lambda **weights: self.shows(arkit_weights(**weights)))

    def shows(self, weights: Float32Array) -> Look:
        pixels = np.ascontiguousarray(self._renderer.render(MotionFrame(0, 0, weights)).pixels[..., :3])
        return Look(pixels.astype(np.float64), self._analyser.faces(pixels)[0].landmarks)


@pytest.fixture(scope="module")
def sitter(ada: RigFace, analyser: PortraitAnalyser) -> Sitter:
    return Sitter(ada, analyser)


def test_teeth_are_bright_and_what_lies_behind_them_is_dark_and_red(sitter: Sitter) -> None:
    look = sitter.draws(**TEETH)
    mouth = look.light[look.between_lips()]
    bright, dark = np.percentile(mouth, (90, 10))
    assert bright > 2.6 * dark
    red, green, blue = look.pixels[look.between_lips() & (look.light < np.percentile(mouth, 30))].mean(axis=0)
    assert red > 1.5 * green and green > blue


@pytest.mark.parametrize("name", some(["ada", "bram", "noor", "tomas"]))
def test_teeth_in_a_smile_are_about_as_light_as_the_cheeks(name: str, face_of: FaceOf, analyser: PortraitAnalyser) -> None:
    """As people's are, in L* of CIELAB; and gums and the dark are not."""
    look = Sitter(face_of(name), analyser).draws(**TEETH)
    over_cheeks = lightness(look.pixels[look.between_lips()]) / lightness(look.colour_at(APPLES[0]))
    assert 0.9 < np.percentile(over_cheeks, 90) < 1.25
    assert np.percentile(over_cheeks, 5) < 0.75


@pytest.mark.parametrize("name", some(["ada", "bram", "noor", "tomas"]))
@pytest.mark.parametrize("viseme", ["aa", "E"])
def test_upper_incisors_show_and_end_in_the_upper_half(
    name: str, viseme: str, face_of: FaceOf, analyser: PortraitAnalyser
) -> None:
    face = face_of(name)
    look = Sitter(face, analyser).draws(**STILLS[viseme].weights)
    x, top = look.landmarks[13, :2]
    bottom = look.landmarks[14, 1]
    column = np.s_[round(top) - 2 : round(bottom) - 2, round(x) - 12 : round(x) + 13]
    grey = 1.0 - np.ptp(look.pixels[column], axis=2) / look.pixels[column].max(axis=2)
    teeth = (look.light[column] > 0.6 * look.light_at(APPLES[0])) & (grey > 0.6)
    seen = np.flatnonzero(teeth.mean(axis=1) > 0.5)
    assert len(seen) >= 2
    assert seen.max() < 0.6 * teeth.shape[0]


@pytest.mark.parametrize("name", some(["amara", "ada"]))
def test_lips_that_have_just_parted_show_no_white_line(name: str, face_of: FaceOf, analyser: PortraitAnalyser) -> None:
    parted = ("jawOpen", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight")
    slit = Sitter(face_of(name), analyser).draws(**dict.fromkeys(parted, 0.03))
    left, right = slit.landmarks[[82, 312], 0].astype(int)
    seam = int(slit.landmarks[[13, 14], 1].mean())
    white = slit.pixels[:, left:right].mean(axis=1).min(axis=1)  # of each row; what is red has little of it
    assert white[seam - 1 : seam + 2].max() < 0.95 * white[seam + 2 : seam + 6].max()


def test_what_stuck_between_the_lips_does_not_stay_on_them(sitter: Sitter) -> None:
    """A strip of bluish teeth lies in the seam of this portrait, up to the corners."""
    look = sitter.draws(**STILLS["aa"].weights)
    (left, top), (right, bottom) = (f(look.landmarks[list(c.OUTER_LIPS), :2], axis=0).astype(int) for f in (np.min, np.max))
    mouth = look.pixels[top - 4 : bottom + 4, left - 10 : right + 10]
    bluish = (mouth[..., 2] > 0.95 * mouth[..., 0]) & (mouth.max(axis=2) > 60)
    assert bluish.sum() < 10


@pytest.mark.parametrize("name", some(["bram", "walter_painting"]))
def test_the_skin_of_lips_is_not_folded(name: str, face_of: FaceOf) -> None:
    """A seam that was found beyond what the landmarks call lip would turn triangles over, which show as notches."""
    rig = face_of(name).rig
    layers = [layer for layer in rig.arrays["layers"] if rig.texture_names[layer[2]] == "person"]
    first, count = max(layers, key=lambda layer: int(layer[1]))[:2]
    lips = rig.arrays["rest"][list(c.OUTER_LIPS), :2]
    corners = rig.arrays["rest"][rig.arrays["triangles"][first : first + count, :3], :2]
    on_lips = ((corners > lips.min(axis=0)) & (corners < lips.max(axis=0))).all(axis=(1, 2))
    (ax, ay), (bx, by) = (corners[on_lips, k].T - corners[on_lips, 0].T for k in (1, 2))
    assert on_lips.sum() > 300
    assert (ax * by - ay * bx > 0.02).mean() < 0.02


def test_lips_throw_shade_on_teeth_and_most_in_the_corners(sitter: Sitter) -> None:
    look = sitter.draws(**TEETH)
    left, right = look.landmarks[[c.UPPER_INNER_LIP[0], c.UPPER_INNER_LIP[-1]], 0]
    along = np.abs((CENTRES[..., 0] - left) / (right - left) - 0.5)
    middle, beside = (
        np.percentile(look.light[look.between_lips() & (along >= low) & (along < high)], 85)
        for low, high in ((0, 0.15), (0.2, 0.38))
    )
    assert beside < 0.9 * middle
    assert beside > 0.5 * middle


def test_the_upper_lip_throws_shade_on_the_teeth_under_it(sitter: Sitter) -> None:
    look = sitter.draws(**TEETH)
    x, lip = look.landmarks[13, :2].astype(int)
    downwards = look.light[lip + 1 : lip + 16, x - 14 : x + 15].mean(axis=1)
    assert 0.6 * downwards.max() < downwards[:4].mean() < 0.87 * downwards.max()


def test_no_dark_line_stays_on_lips_that_part(sitter: Sitter) -> None:
    look = sitter.draws(jawOpen=0.15)
    for inner, outer in ((c.UPPER_INNER_LIP, c.UPPER_OUTER_LIP), (c.LOWER_INNER_LIP, c.LOWER_OUTER_LIP)):
        across = look.across_lip(inner, outer)
        assert across[0] > 0.85 * across[5]


def test_a_tongue_that_is_put_out_covers_the_lower_lip(sitter: Sitter) -> None:
    without, out = sitter.draws(jawOpen=0.5), sitter.draws(jawOpen=0.5, tongueOut=1.0)
    x, y = without.landmarks[17, :2].astype(int)
    lip = np.s_[y - 2 : y + 6, x - 8 : x + 8]
    assert np.abs(out.pixels[lip] - without.pixels[lip]).mean() > 8
    red, green, blue = out.pixels[lip].mean(axis=(0, 1))
    assert red > 1.3 * green and red > 1.3 * blue


def test_a_smile_lifts_the_cheeks_into_the_light_and_folds_the_skin(sitter: Sitter) -> None:
    rest, smile = sitter.draws(), sitter.draws(**SMILE)
    brighter = {landmark: smile.light_at(landmark) - rest.light_at(landmark) for landmark in APPLES + FOLDS}
    assert all(brighter[apple] > 4 for apple in APPLES)
    assert all(brighter[fold] < -8 for fold in FOLDS)


def test_a_shut_lid_is_smooth_and_ends_in_dark_lashes(sitter: Sitter) -> None:
    look = sitter.draws(eyeBlinkLeft=1.0, eyeBlinkRight=1.0)
    downwards = []
    for edge in LID_EDGES:
        x, y = look.landmarks[edge, :2].astype(int)
        downwards.append(look.light[y - 28 : y + 10, x - 4 : x + 5].mean(axis=1))
    light = np.mean(downwards, axis=0)
    lashes = int(np.argmin(light[10:])) + 10
    lid = light[:lashes].max()
    assert light[lashes] < 0.55 * lid
    assert light[lashes - 5] > 0.75 * lid, "lashes of the open eye are not dragged down with the lid"


def emotion(of: Emotion) -> Float32Array:
    """(52,) after three seconds."""
    life = NonverbalMotion(0)
    rows = [life.step(IDLE, Controls(emotion=of)) for _ in range(300)]
    weights = rows[-1][:52].astype(np.float32)
    weights[:2] = arkit_weights()[:2]
    return np.clip(weights, 0, 1)


def test_a_happy_face_visibly_smiles(sitter: Sitter) -> None:
    neutral, happy = (sitter.shows(emotion(of)) for of in (Emotion.NEUTRAL, Emotion.HAPPY))
    for corner in (c.MOUTH_LEFT, c.MOUTH_RIGHT):
        assert happy.corner_height(corner) - neutral.corner_height(corner) > 0.03


def test_contempt_lifts_the_persons_left_corner_alone(sitter: Sitter) -> None:
    neutral, contempt = (sitter.shows(emotion(of)) for of in (Emotion.NEUTRAL, Emotion.CONTEMPT))
    left, right = sorted((c.MOUTH_LEFT, c.MOUTH_RIGHT), key=lambda corner: -neutral.landmarks[corner, 0])  # the viewer's right
    assert contempt.corner_height(left) - neutral.corner_height(left) > 0.02
    assert abs(contempt.corner_height(right) - neutral.corner_height(right)) < 0.01


def test_the_head_makes_a_part_of_every_gaze_shift() -> None:
    life = NonverbalMotion(3)
    rows = np.array([life.step(IDLE, Controls(gaze=(20.0, -10.0), head_motion=0.0)) for _ in range(1000)])[-200:]
    yaw_deg, pitch_deg = rows[:, 52:54].mean(axis=0)
    assert 4 < yaw_deg < 10 and -6 < pitch_deg < -2


@pytest.mark.full
def test_eyes_glance_aside_now_and_then() -> None:
    life = NonverbalMotion(3)
    rows = np.array([life.step(IDLE, Controls()) for _ in range(6_000)])
    aside_deg = np.abs(rows[:, 58] + rows[:, 52])
    assert aside_deg.max() > 4 and 0.005 < (aside_deg > 3).mean() < 0.1


def labelled(face: RigFace | PlainFace, language: str, pts_us: int) -> NDArray[np.bool_]:
    """(512, 512): where the label is."""
    finisher = Disclosure.for_face(face, 7, language=language)
    pixels = np.full((SIDE_PX, SIDE_PX, 4), 128, np.uint8)
    pixels[..., 3] = 255
    done = finisher.finish(VideoFrame(0, pts_us, pixels, PixelFormat.RGBA)).pixels.astype(int)
    return np.asarray(np.abs(done[..., :3] - 128).max(axis=2) > 20)


def within(box: FaceBox) -> NDArray[np.bool_]:
    left, top, right, bottom = box
    x, y = CENTRES[..., 0] / SIDE_PX, CENTRES[..., 1] / SIDE_PX
    return np.asarray((x > left) & (x < right) & (y > top) & (y < bottom))


@pytest.mark.full
@pytest.mark.parametrize("pts_us", some([0, 4_000_000]))
@pytest.mark.parametrize(
    "box",
    some([(0.3, 0.15, 0.7, 0.95), (0.1, 0.0, 0.9, 0.88), (0.5, 0.0, 1.0, 0.6), (0.0, 0.0, 0.5, 0.85), (0.5, 0.3, 1.0, 1.0)], 2),
)
def test_the_label_never_covers_the_face(box: FaceBox, pts_us: int) -> None:
    face = PlainFace()
    face.face_box = box  # type: ignore[assignment]
    for language in LANGUAGES:
        label = labelled(face, language, pts_us)
        assert 40 < label.sum() < 0.05 * label.size
        assert not (label & within(box)).any()


def test_the_label_never_covers_a_rigs_face(ada: RigFace) -> None:
    assert not (labelled(ada, "pl", 0) & within(ada.face_box)).any()
