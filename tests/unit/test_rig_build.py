"""Which faces a rig is built for, and what is said of the others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from tests.conftest import portrait_path
from vivant.errors import PortraitError
from vivant.face import RigFace
from vivant.media import load_image
from vivant.portrait import PortraitAnalyser
from vivant.portrait.analyser import Cutout, DetectedFace
from vivant.rig import canonical as c
from vivant.rig.build import build_rig
from vivant.rig.rig import Rig
from vivant.types import MotionFrame, Pose, UInt8Array, arkit_weights

pytestmark = pytest.mark.unit

WHOLE = load_image(portrait_path("bram"))
IMAGE = replace(WHOLE, pixels=np.ascontiguousarray(WHOLE.pixels[::2, ::2]))
"""Small, for speed."""


class Given:
    """An analyser that finds what it is told to, at first, and nothing when it is told nothing; later ones look at rendered
    pictures."""

    name = "given"
    provider = "cpu"

    def __init__(self, faces: list[DetectedFace], analyser: PortraitAnalyser) -> None:
        self._faces: list[DetectedFace] | None = faces
        self._analyser = analyser

    def faces(self, pixels: UInt8Array) -> list[DetectedFace]:
        found = self._faces
        if found:
            self._faces = None
        return self._analyser.faces(pixels) if found is None else found

    def follow(self, pixels: UInt8Array, face: DetectedFace) -> DetectedFace | None:
        return self._analyser.follow(pixels, face)

    def cutout(self, pixels: UInt8Array, face: DetectedFace) -> Cutout:
        return self._analyser.cutout(pixels, face)


def turned(yaw_deg: float = 0.0, pitch_deg: float = 0.0, width_px: float = 200.0) -> DetectedFace:
    """The average head, turned."""
    yaw, pitch = np.radians((yaw_deg, pitch_deg))
    about_y = np.array([(np.cos(yaw), 0, np.sin(yaw)), (0, 1, 0), (-np.sin(yaw), 0, np.cos(yaw))])
    about_x = np.array([(1, 0, 0), (0, np.cos(pitch), np.sin(pitch)), (0, -np.sin(pitch), np.cos(pitch))])
    points = c.canonical_face().points @ (about_x @ about_y).T * (1, -1, 1)
    points *= width_px / np.ptp(points[:, 0])
    landmarks = (points + (256, 240, 0)).astype(np.float32)
    error_px = np.full(478, 0.005 * width_px, np.float32)
    return DetectedFace(landmarks, error_px, np.ones(478, np.float32), Pose(), np.zeros((2, 2), np.float32), arkit_weights())


@pytest.mark.parametrize(
    ("faces", "words"),
    [
        ([], "no face was found"),
        ([turned(width_px=63)], "only 63 px wide; at least 64 px"),
        ([turned(yaw_deg=48)], "turned 48 degrees sideways"),
        ([turned(yaw_deg=-50)], "turned 50 degrees sideways"),
        ([turned(pitch_deg=35)], "35 up or down"),
    ],
)
def test_what_cannot_be_animated(faces: list[DetectedFace], words: str, analyser: PortraitAnalyser) -> None:
    with pytest.raises(PortraitError, match=words) as caught:
        build_rig(IMAGE, Given(faces, analyser))
    assert "use" in str(caught.value) or "needed" in str(caught.value)


@dataclass(frozen=True)
class Built:
    rig: Rig
    stages: list[str]


@pytest.fixture(scope="module")
def built(analyser: PortraitAnalyser) -> Built:
    """Of two faces, the larger of which is turned to one side."""
    (face,) = analyser.faces(IMAGE.pixels)
    faces, stages = [turned(yaw_deg=14, width_px=face.width_px), turned(width_px=70)], list[str]()
    return Built(build_rig(IMAGE, Given(faces, analyser), progress=stages.append), stages)


@pytest.mark.full
def test_the_largest_face_is_used_and_said(built: Built) -> None:
    assert "2 faces were found; the largest is used; --face 2 takes the next" in built.rig.notes


def test_each_stage_is_said_once(built: Built) -> None:
    assert built.stages == list(dict.fromkeys(built.stages))


def test_a_turned_head_gets_less_room_on_that_side(built: Built) -> None:
    limits = built.rig.arrays["limits"]
    assert limits[0, 1] < 0.7 * -limits[0, 0]


@pytest.mark.full
def test_the_alpha_of_a_file_is_the_matte(analyser: PortraitAnalyser) -> None:
    """A cut-out picture keeps its own outline, whatever the network thinks."""
    height, width = IMAGE.pixels.shape[:2]
    alpha = np.zeros((height, width), np.uint8)
    alpha[:, width // 4 : -width // 4] = 255
    rig = build_rig(replace(IMAGE, alpha=alpha), analyser, transparent=True)
    pixels = RigFace(rig).open(128).render(MotionFrame(0, 0, arkit_weights())).pixels
    assert (pixels[64, [2, -3], 3] == 0).all() and pixels[64, 64, 3] == 255
