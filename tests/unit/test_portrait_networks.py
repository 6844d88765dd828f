"""The portrait analyser that ships: what it finds, and that it says so when it finds nothing."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from tests.conftest import PORTRAITS, portrait_path
from tests.examples import some
from vivant.errors import UnavailableError
from vivant.media import load_image
from vivant.portrait import DetectedFace, PortraitAnalyser, Provider, default_analyser
from vivant.providers import load_network
from vivant.rig import canonical as c
from vivant.types import ARKIT_INDEX, UInt8Array

pytestmark = pytest.mark.unit


def pixels_of(name: str, side: int = 512) -> UInt8Array:
    image = Image.fromarray(load_image(portrait_path(name)).pixels)
    image.thumbnail((side, side))
    return np.asarray(image)


def rolled(pixels: UInt8Array, clockwise_deg: float) -> UInt8Array:
    return np.asarray(Image.fromarray(pixels).rotate(-clockwise_deg, Image.Resampling.BICUBIC, fillcolor=(90, 90, 90)))


def eye_distance(face: DetectedFace) -> float:
    return float(np.linalg.norm(face.landmarks[c.LEFT_OUTER_EYE] - face.landmarks[c.RIGHT_OUTER_EYE]))


def gap(a: DetectedFace, b: DetectedFace) -> float:
    """Mean distance of the landmarks in % of the outer-eye distance."""
    return float(100 * np.linalg.norm(a.landmarks[:, :2] - b.landmarks[:, :2], axis=1).mean() / eye_distance(a))


@pytest.mark.parametrize("name", some(PORTRAITS, 2))
def test_one_face_looking_at_the_camera(analyser: PortraitAnalyser, name: str) -> None:
    (face,) = analyser.faces(pixels_of(name))
    assert abs(face.pose.yaw_deg) < 8 and abs(face.pose.pitch_deg) < 10 and abs(face.pose.roll_deg) < 5
    assert np.abs(face.gaze_deg).max() < 15
    assert face.seen[list(c.OUTER_LIPS)].min() > 0.5
    assert 0 < face.error_px.mean() < 0.03 * eye_distance(face)
    assert face.weights.shape == (52,) and face.weights.min() >= 0 and face.weights.max() <= 1
    assert max(face.weights[ARKIT_INDEX[f"eyeBlink{side}"]] for side in ("Left", "Right")) < 0.6


@pytest.mark.parametrize("side", some([96, 1024, 200]))
def test_size_hardly_matters(analyser: PortraitAnalyser, side: int) -> None:
    (small,), (large,) = analyser.faces(pixels_of("noor", side)), analyser.faces(pixels_of("noor", 512))
    scaled = small.landmarks * (pixels_of("noor", 512).shape[0] / pixels_of("noor", side).shape[0])
    error = np.linalg.norm(scaled[:, :2] - large.landmarks[:, :2], axis=1).mean()
    assert error < (0.03 if side < 128 else 0.02) * eye_distance(large)


@pytest.mark.parametrize("clockwise_deg", some([-30, 15]))
def test_a_tilted_head(analyser: PortraitAnalyser, clockwise_deg: float) -> None:
    (straight,), (tilted,) = analyser.faces(pixels_of("bram")), analyser.faces(rolled(pixels_of("bram"), clockwise_deg))
    assert tilted.pose.roll_deg - straight.pose.roll_deg == pytest.approx(clockwise_deg, abs=4)
    turn, yaw, pitch = np.radians(clockwise_deg), straight.pose.yaw_deg, straight.pose.pitch_deg
    # Where it faces turns with the picture.
    assert tilted.pose.yaw_deg == pytest.approx(yaw * np.cos(turn) + pitch * np.sin(turn), abs=2)
    assert tilted.pose.pitch_deg == pytest.approx(pitch * np.cos(turn) - yaw * np.sin(turn), abs=2)


def test_the_mirror_image(analyser: PortraitAnalyser) -> None:
    picture = pixels_of("tomas")
    (face,), (other,) = analyser.faces(picture), analyser.faces(np.ascontiguousarray(picture[:, ::-1]))
    assert other.landmarks[c.LEFT_OUTER_EYE, 0] == pytest.approx(
        picture.shape[1] - face.landmarks[c.RIGHT_OUTER_EYE, 0], abs=0.05 * eye_distance(face)
    )
    assert other.pose.yaw_deg == pytest.approx(-face.pose.yaw_deg, abs=4)


def test_two_people_largest_first(analyser: PortraitAnalyser) -> None:
    large, small = pixels_of("ada", 512), pixels_of("bram", 256)
    picture = np.full((600, 900, 3), 128, np.uint8)
    picture[40 : 40 + large.shape[0], 300 : 300 + large.shape[1]] = large
    picture[300 : 300 + small.shape[0], 20 : 20 + small.shape[1]] = small
    first, second = analyser.faces(picture)
    assert first.width_px > second.width_px
    assert first.landmarks[:, 0].mean() > 300 > second.landmarks[:, 0].mean()


@pytest.mark.parametrize("kind", some(["noise", "tiny", "black", "ramp", "board"], 2))
def test_nobody_there(analyser: PortraitAnalyser, kind: str) -> None:
    y, x = np.mgrid[:300, :400]
    pictures = {
        "black": np.zeros((300, 400, 3)),
        "noise": np.random.default_rng(1).uniform(0, 255, (300, 400, 3)),
        "ramp": np.repeat((x / 400 * 255)[..., None], 3, 2),
        "board": np.repeat((((x // 40 + y // 40) % 2) * 255)[..., None], 3, 2),
        "tiny": np.zeros((1, 3, 3)),
    }
    assert analyser.faces(pictures[kind].astype(np.uint8)) == []


def test_following_a_moving_face(analyser: PortraitAnalyser) -> None:
    picture = pixels_of("ada")
    (face,) = analyser.faces(picture)
    moved = np.roll(picture, (3, 6), axis=(0, 1))
    followed = analyser.follow(moved, face)
    assert followed is not None
    shift = (followed.landmarks - face.landmarks)[:, :2].mean(axis=0)
    np.testing.assert_allclose(shift, (6, 3), atol=0.02 * eye_distance(face))
    assert analyser.follow(np.zeros_like(picture), face) is None


@pytest.mark.parametrize("name", some(PORTRAITS, 2))
def test_the_person_is_cut_out(analyser: PortraitAnalyser, name: str) -> None:
    picture = pixels_of(name)
    (face,) = analyser.faces(picture)
    cutout = analyser.cutout(picture, face)
    plane = cutout.person(picture.shape[1], picture.shape[0])
    assert plane.shape == picture.shape[:2] and plane.min() >= 0 and plane.max() <= 1
    x, y = face.landmarks[c.NOSE_TIP, :2].astype(int)
    assert plane[y - 20 : y + 20, x - 20 : x + 20].min() > 0.9
    assert plane[2:40, [2, -3]].mean() < 0.15  # the upper corners of the bundled portraits are background
    third = picture.shape[1] // 3
    assert plane[-10:, third:-third].min() > 0.8  # clothes go on to the lower edge, whatever is printed on them
    labels = cutout.labels[cutout.matte > 0.9]
    assert (labels == 0).mean() < 0.05


@pytest.mark.full
def test_threads_share_one(analyser: PortraitAnalyser) -> None:
    two = PORTRAITS[:2]
    names = [*two, *two]
    alone = {name: analyser.faces(pixels_of(name))[0] for name in two}
    with ThreadPoolExecutor(4) as pool:
        for name, faces in zip(names, pool.map(lambda name: analyser.faces(pixels_of(name)), names), strict=True):
            assert gap(faces[0], alone[name]) == 0.0


def test_providers_are_said_honestly() -> None:
    assert default_analyser(Provider.CPU).provider == "cpu"
    with pytest.raises(UnavailableError, match="provider tensorrt"):
        default_analyser(Provider.TENSORRT)


def test_without_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UnavailableError, match="vivant setup --no-gpu"):
        default_analyser()


def test_a_silent_fall_back_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime runs on the CPU by itself when a graphics card's libraries are missing."""
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    with pytest.raises(UnavailableError, match="does not start here"):
        default_analyser(Provider.CUDA)


def test_a_broken_network_says_so() -> None:
    with pytest.raises(UnavailableError, match="does not start here"):
        load_network(b"not a network", Provider.CPU)
