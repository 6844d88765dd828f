"""``vivant capture``: a film to a motion file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image

from tests.session.command_line import Run
from vivant.capture import FaceTracker
from vivant.capture.following import FollowedFace
from vivant.capture.recording import record
from vivant.commands.capture import as_they_come
from vivant.errors import UnavailableError
from vivant.face import RigFace
from vivant.media import open_video
from vivant.portrait import PortraitAnalyser
from vivant.types import ARKIT_INDEX, MotionFrame, PixelFormat, Pose, UInt8Array, VideoFrame, arkit_weights

pytestmark = pytest.mark.session

FPS, FRAMES, SIZE_PX = Fraction(15), 36, 320


def known(index: int) -> MotionFrame:
    """At rest for a second, then nodding to the side, opening the mouth and smiling."""
    t = max(0.0, index / float(FPS) - 1.0)
    jaw, smile = 0.5 * np.sin(4.5 * t) ** 2, 0.6 * np.sin(2.2 * t) ** 2
    weights = arkit_weights(jawOpen=float(jaw), mouthSmileLeft=float(smile), mouthSmileRight=float(smile))
    return MotionFrame(index, 0, weights, pose=Pose(yaw_deg=float(8 * np.sin(4 * t))))


@pytest.fixture(scope="module")
def pictures(ada: RigFace) -> list[UInt8Array]:
    renderer = ada.open(SIZE_PX)
    return [renderer.render(known(index)).pixels[..., :3].copy() for index in range(FRAMES)]


@pytest.fixture(scope="module")
def film(pictures: list[UInt8Array], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "clip.mp4"
    with open_video(path, width=SIZE_PX, height=SIZE_PX, fps=FPS, sample_rate_hz=None, alpha=False) as sink:
        for index, picture in enumerate(pictures):
            sink.write(VideoFrame(index, 0, picture, PixelFormat.RGB))
    return path


def test_a_film_becomes_its_motion(run: Run, tmp_path: Path, film: Path) -> None:
    out = tmp_path / "motion.jsonl"
    done = run("capture", str(film), "-o", str(out))
    assert done.code == 0 and "2.3 s at 15 frames/s" in done.out
    header, *lines = (json.loads(line) for line in out.read_text().splitlines())
    assert header["fps"] == "15" and len(lines) == FRAMES
    captured = np.array([[line["weights"][ARKIT_INDEX[n]] for n in ("jawOpen", "mouthSmileLeft")] for line in lines])
    true = np.array([[known(k).weights[ARKIT_INDEX[n]] for n in ("jawOpen", "mouthSmileLeft")] for k in range(FRAMES)])
    yaw = [line["pose"]["yaw_deg"] for line in lines]
    assert np.corrcoef(yaw, [known(k).pose.yaw_deg for k in range(FRAMES)])[0, 1] > 0.97
    assert all(np.corrcoef(captured[:, k], true[:, k])[0, 1] > 0.85 for k in (0, 1))


def test_half_the_rate_and_the_first_second(run: Run, tmp_path: Path, film: Path) -> None:
    out = tmp_path / "motion.csv"
    assert run("capture", str(film), "-o", str(out), "--fps", "12", "--seconds", "1", "--calibrate").code == 0
    assert len(out.read_text().splitlines()) == 1 + 12


def test_the_face_that_was_chosen_is_followed_also_when_it_is_larger(
    analyser: PortraitAnalyser, pictures: list[UInt8Array]
) -> None:
    """Two people beside each other; the second largest comes nearer than the first."""
    near, far, edge = pictures[0], np.zeros_like(pictures[0]), SIZE_PX // 8
    far[edge:-edge, edge:-edge] = np.asarray(Image.fromarray(near).resize((SIZE_PX - 2 * edge,) * 2))
    for number, half in ((1, 0), (2, 1)):
        followed = FollowedFace(analyser, number)
        for pts_us, sides in enumerate(((near, far), (near, near), (far, near))):
            face = followed.look(np.concatenate(sides, axis=1), pts_us)
            assert face is not None
            assert half * SIZE_PX < face.landmarks[:, 0].mean() < (half + 1) * SIZE_PX


def test_a_lost_face_is_held_and_then_idles_without_a_jump(analyser: PortraitAnalyser, pictures: list[UInt8Array]) -> None:
    nobody = np.zeros_like(pictures[0])
    away = range(10, 40)
    shown = [(nobody if k in away else pictures[20], k * 1_000_000 // 15) for k in range(50)]
    frames = list(record(shown, FaceTracker(15, analyser), FPS))
    yaw = np.array([frame.pose.yaw_deg for frame in frames])
    assert len(frames) == 50 and [frame.index for frame in frames] == list(range(50))
    assert np.ptp(yaw[10:15]) < 0.1 and abs(yaw[35]) < abs(yaw[12]) - 1
    assert np.abs(np.diff(yaw)).max() < 4


def test_no_face_or_no_sense_is_one_sentence_and_no_file(run: Run, tmp_path: Path, film: Path) -> None:
    grey = tmp_path / "grey.mp4"
    with open_video(grey, width=64, height=64, fps=FPS, sample_rate_hz=None, alpha=False) as sink:
        for index in range(5):
            sink.write(VideoFrame(index, 0, np.full((64, 64, 3), 90, np.uint8), PixelFormat.RGB))
    for source, out, word in (
        (str(grey), "a.csv", "no face was found"),
        (str(film), "a.fbx", "ends in .csv"),
        (str(tmp_path / "none.mp4"), "a.csv", "does not exist"),
    ):
        done = run("capture", source, "-o", str(tmp_path / out))
        assert done.code != 0 and word in done.sentence()
        assert not (tmp_path / out).exists()


def test_a_camera_that_waits_for_pictures_is_ended_all_the_same(pictures: list[UInt8Array]) -> None:
    """As that of a program for virtual cameras does, once it has stopped."""
    ended, over = Event(), Event()

    def camera() -> Iterator[tuple[UInt8Array, int]]:
        yield pictures[0], 0
        over.wait()

    seen = as_they_come(camera(), ended)
    assert next(seen)[1] == 0
    ended.set()
    assert list(seen) == []
    over.set()


def test_what_was_seen_before_a_camera_went_is_kept(pictures: list[UInt8Array], capsys: pytest.CaptureFixture[str]) -> None:
    def camera(n: int) -> Iterator[tuple[UInt8Array, int]]:
        yield from ((pictures[k], k * 66_667) for k in range(n))
        raise UnavailableError("the camera has gone")

    assert len(list(as_they_come(camera(3), Event()))) == 3
    assert "the camera has gone; what was seen until then is written" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(UnavailableError, match="has gone"):
        list(as_they_come(camera(0), Event()))
