"""Frames that are no squares: the face is placed well, the portrait goes on around it, and nothing tells of the square."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import PORTRAITS, FaceOf, RigOf, portrait_path
from tests.examples import some
from vivant.errors import InputError
from vivant.face import RigFace
from vivant.media.images import PortraitImage
from vivant.portrait import PortraitAnalyser
from vivant.provenance.disclosure import Disclosure
from vivant.provenance.watermark_detector import detect
from vivant.rig.build import build_rig
from vivant.rig.crop import MARGIN_PX, SIDE_PX, place_crop
from vivant.rig.framing import framed
from vivant.rig.rig import Rig
from vivant.size import Size
from vivant.types import Float32Array, MotionFrame, Pose, UInt8Array, arkit_weights

pytestmark = pytest.mark.unit

SHAPES = ((360, 640), (640, 360), (400, 500), (500, 400), (840, 360))
TURNED = (Pose(yaw_deg=15, roll_deg=8, x=0.1), Pose(yaw_deg=-15, pitch_deg=-8, y=-0.1, scale=1.1))


def drawn(face: RigFace, size: int | tuple[int, int], pose: Pose | None = None) -> UInt8Array:
    """(h, w, 4)"""
    return face.open(size).render(MotionFrame(0, 0, arkit_weights(), pose=pose or Pose())).pixels


class Large:
    """A person in a large picture with something to see everywhere."""

    def __init__(self, analyser: PortraitAnalyser, rig_of: RigOf) -> None:
        height, width, side = 1300, 2200, 640
        rows, columns = np.mgrid[:height, :width]
        wall = np.stack([90 + columns // 30, 100 + rows // 20, 150 - columns // 40], axis=-1)
        self.picture = (wall + 12 * np.sin(columns / 40)[..., None] * np.sin(rows / 40)[..., None]).astype(np.uint8)
        with Image.open(portrait_path("bram")) as portrait:
            own = np.asarray(portrait.convert("RGB").resize((side, side)))
        self.picture[300 : 300 + side, 700 : 700 + side] = own
        self.picture[300 + side :, 700 : 700 + side] = own[-1]  # the body goes on down
        self.face = RigFace(rig_of("large", lambda: build_rig(PortraitImage(self.picture, None, "0" * 64), analyser)))
        self.square = place_crop(analyser.faces(self.picture)[0].landmarks, width, height)

    def expected(self, size: tuple[int, int]) -> Float32Array:
        """(h, w, 3) the part of the picture that a frame should show."""
        view, square = framed(self.face.rig, Size(*size)).view, self.square
        left, top = square.left + view.left / square.scale, square.top + view.top / square.scale
        box = (left, top, left + view.width / square.scale, top + view.height / square.scale)
        assert min(box) >= 0 and box[2] <= self.picture.shape[1] and box[3] <= self.picture.shape[0]
        return np.asarray(Image.fromarray(self.picture).resize(size, Image.Resampling.LANCZOS, box=box), np.float32)


@pytest.fixture(scope="module")
def large(analyser: PortraitAnalyser, rig_of: RigOf) -> Large:
    return Large(analyser, rig_of)


@pytest.mark.parametrize("size", some(SHAPES, 2))
@pytest.mark.parametrize("name", some(PORTRAITS))
def test_the_face_is_placed_well(face_of: FaceOf, analyser: PortraitAnalyser, name: str, size: tuple[int, int]) -> None:
    pixels = drawn(face_of(name), size)
    assert pixels.shape == (size[1], size[0], 4)
    assert (pixels[..., 3] == 255).all()
    points = analyser.faces(np.ascontiguousarray(pixels[..., :3]))[0].landmarks[:468, :2] / size
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    assert 0.3 < (left + right) / 2 < 0.7
    assert 0.30 < points[[33, 263], 1].mean() < 0.52
    assert top > 0.1 and bottom < 0.85
    assert 0.3 < max(bottom - top, right - left) < 0.7


@pytest.mark.parametrize("size", some([(640, 360), (360, 640)]))
def test_at_rest_it_is_the_portrait(large: Large, size: tuple[int, int]) -> None:
    difference = np.abs(drawn(large.face, size)[..., :3] - large.expected(size))
    assert difference.mean() < 2.0
    for edge in (difference[:60], difference[-60:], difference[:, :60], difference[:, -60:]):
        assert edge.mean() < 2.0


@pytest.mark.parametrize("pose", some(TURNED))
@pytest.mark.parametrize("size", some([(640, 360), (360, 640)]))
def test_no_seam_tells_where_the_square_was(large: Large, size: tuple[int, int], pose: Pose) -> None:
    """What lies beyond the square stands still, and so does what touches it: no new edge appears there."""
    rest, turned = (drawn(large.face, size, each)[..., :3].astype(np.float32) for each in (Pose(), pose))
    view = framed(large.face.rig, Size(*size)).view
    per_px, axis = size[0] / view.width, 1 if size[0] > size[1] else 0
    start = (view.left, view.top)[1 - axis]
    for border in (2.0 - MARGIN_PX, SIDE_PX + MARGIN_PX - 2.0):
        at = round((border - start) * per_px)
        beyond = slice(0, max(0, at)) if border < 0 else slice(at, None)
        if len(range(*beyond.indices(size[1 - axis]))) == 0:
            continue
        moved = np.abs(turned - rest).max(axis=(2, 1 - axis))
        assert moved[beyond].max(initial=0) <= 12
        steps = [np.abs(np.diff(picture, axis=axis)).mean(axis=(2, 1 - axis)) for picture in (rest, turned)]
        near = slice(max(0, at - 30), at + 30)
        assert steps[1][near].max() <= steps[0][near].max() + 1.0
    assert np.abs(turned - rest).max() > 60  # and yet the head has turned


@pytest.mark.parametrize("size", some([(640, 360), (360, 640)]))
@pytest.mark.parametrize("name", some(PORTRAITS))
def test_where_the_portrait_ends_it_goes_on_softly(face_of: FaceOf, name: str, size: tuple[int, int]) -> None:
    """Neither bars nor lines: from the portrait's last column to the first beyond there is no larger step than within."""
    face = face_of(name)
    view, around = framed(face.rig, Size(*size)).view, face.rig.surroundings
    assert around is not None
    pixels = drawn(face, size)[..., :3].astype(np.float32)
    per_px = size[0] / view.width
    steps = np.abs(np.diff(pixels, axis=1)).mean(axis=(0, 2)), np.abs(np.diff(pixels, axis=0)).mean(axis=(1, 2))
    for along, borders in zip(
        steps,
        [((around.box.left - view.left), (around.box.right - view.left)), ((around.box.top - view.top),)],
        strict=True,
    ):
        for border in borders:
            at = round(border * per_px)
            if 8 < at < len(along) - 8:
                assert along[at - 3 : at + 3].max() < 2.0 * np.median(along) + 2.0


@pytest.mark.parametrize("size", some([(640, 360), (360, 640)]))
@pytest.mark.parametrize("name", some(["ada", "bram"]))
def test_a_cut_out_person_stands_on_the_lower_edge(face_of: FaceOf, name: str, size: tuple[int, int]) -> None:
    pixels = drawn(face_of(name, transparent=True), size)
    alpha = pixels[..., 3]
    assert (alpha[-1] > 200).mean() > 0.3
    assert (alpha[0] < 20).mean() > 0.9
    columns = np.flatnonzero((alpha > 200).any(axis=0))
    for edge in (0, -1):  # nobody is cut off by a vertical line within the frame
        column = int(columns[edge])
        assert column in (0, size[0] - 1) or (alpha[:, column] > 200).sum() < 0.1 * size[1]
    assert (pixels[alpha == 0] == 0).all()


@pytest.mark.parametrize("size", some(SHAPES))
@pytest.mark.parametrize("name", some(["ada", "noor"]))
def test_the_label_is_in_the_frame_and_off_the_face(face_of: FaceOf, name: str, size: tuple[int, int]) -> None:
    face = face_of(name)
    frame = face.open(size).render(MotionFrame(0, 0, arkit_weights()))
    labelled, plain = (Disclosure.for_face(face, 7, labelled=on).finish(frame).pixels.astype(int) for on in (True, False))
    rows, columns = np.nonzero(np.abs(labelled - plain).max(axis=2) > 40)
    assert len(rows) > 100
    assert rows.min() > 0 and rows.max() < size[1] - 1 and columns.min() > 0 and columns.max() < size[0] - 1
    view, rest = framed(face.rig, Size(*size)).view, face.rig.arrays["rest"][:468, :2]
    (left, top), (right, bottom) = (((p - (view.left, view.top)) * size[0] / view.width) for p in (rest.min(0), rest.max(0)))
    assert rows.max() < top or rows.min() > bottom or columns.max() < left or columns.min() > right


@pytest.mark.parametrize("size", some([(288, 512), (1024, 256), (512, 288), (500, 400)]))
def test_the_mark_is_found_in_any_frame(ada: RigFace, size: tuple[int, int]) -> None:
    renderer, finisher = ada.open(size), Disclosure(0xBADA55, None)
    still = finisher.finish(renderer.render(MotionFrame(0, 0, arkit_weights()))).pixels[..., :3]
    data = io.BytesIO()
    Image.fromarray(still).save(data, "JPEG", quality=85)
    found = detect([np.asarray(Image.open(data))])
    assert found is not None and found.session_id == 0xBADA55


def test_squares_are_what_they_were(ada: RigFace) -> None:
    """The same pixels with and without surroundings, and from either way of saying the size."""
    alone = RigFace(replace(ada.rig, surroundings=None))
    for pose in (Pose(), *TURNED):
        assert drawn(ada, 256, pose).tobytes() == drawn(alone, (256, 256), pose).tobytes()


def test_surroundings_are_kept_in_the_file(ada: RigFace, tmp_path: Path) -> None:
    ada.rig.save(tmp_path / "ada.vivant")
    again = RigFace(Rig.load(tmp_path / "ada.vivant"))
    assert drawn(again, (100, 160), TURNED[0]).tobytes() == drawn(ada, (100, 160), TURNED[0]).tobytes()


def test_a_file_of_before_opens_and_says_what_it_lacks(ada: RigFace, tmp_path: Path) -> None:
    replace(ada.rig, surroundings=None).save(tmp_path / "old.vivant")
    old = RigFace(Rig.load(tmp_path / "old.vivant"))
    assert drawn(old, 128).tobytes() == drawn(ada, 128).tobytes()
    with pytest.raises(InputError, match="nothing beyond its square; build it again from its portrait for frames of 90x160 px"):
        old.open((90, 160))


@pytest.mark.parametrize("size", some([(101, 333), (65, 64), (64, 2048), (2048, 64)], 2))
def test_any_shape_is_drawn_whole(ada: RigFace, cut_out: RigFace, size: tuple[int, int]) -> None:
    assert (drawn(ada, size, TURNED[0])[..., 3] == 255).all()
    assert drawn(cut_out, size, TURNED[0])[..., 3].any()


@pytest.mark.parametrize("size", [(63, 640), (640, 4000), (0, 64), (-720, 1280)])
def test_sizes_out_of_bounds_are_refused(ada: RigFace, size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="size must be from 64 to 2048 px a side, got"):
        ada.open(size)


def test_a_damaged_surrounding_is_refused_in_words(ada: RigFace) -> None:
    around = ada.rig.surroundings
    assert around is not None
    for wrong in (
        replace(ada.rig, surroundings=replace(around, picture=around.picture[:200])),
        replace(ada.rig, surroundings=replace(around, matte=b"")),
        replace(ada.rig, texture_names=()),
    ):
        with pytest.raises(InputError, match=r"this rig is damaged .* must be built again"):
            RigFace(wrong).open((90, 160))
