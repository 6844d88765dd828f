"""``--drive`` with pictures: a rendered person of known motion is the video, or the camera, and a portrait follows."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import FaceOf
from tests.session.command_line import ADA, Run, frames_of
from vivant.clock import MonotonicClock
from vivant.errors import UnavailableError
from vivant.face import RigFace
from vivant.media import has_sound, open_video
from vivant.portrait import PortraitAnalyser
from vivant.types import MotionFrame, PixelFormat, Pose, UInt8Array, VideoFrame, arkit_weights, frame_pts_us
from vivant_bridge.trackers.webcam import Webcam

pytestmark = pytest.mark.session

FPS = Fraction(24)
SIDE_PX = 256


def turning(n: int) -> list[MotionFrame]:
    """Half a second at rest, then a head that turns and a mouth that opens, each at a pace of its own."""
    return [
        MotionFrame(
            i,
            frame_pts_us(i, FPS),
            arkit_weights(jawOpen=0.25 - 0.25 * math.cos(at / 4)),
            pose=Pose(9 * math.sin(at / 7), 5 * math.sin(at / 5)),
        )
        for i in range(n)
        for at in [max(0, i - 12)]
    ]


def drawn(face: RigFace, motion: list[MotionFrame]) -> Iterator[UInt8Array]:
    renderer = face.open(SIDE_PX)
    return (np.ascontiguousarray(renderer.render(frame).pixels[..., :3]) for frame in motion)


def film(face: RigFace, path: Path, n: int) -> Path:
    """So many pictures of a person, without sound."""
    motion = turning(n)
    with open_video(
        path, width=SIDE_PX, height=SIDE_PX, fps=FPS, sample_rate_hz=None, n_channels=1, alpha=False, complete=None
    ) as video:
        for frame, pixels in zip(motion, drawn(face, motion), strict=True):
            video.write(VideoFrame(frame.index, frame.pts_us, pixels, PixelFormat.RGB))
    return path


def nose_and_gap(analyser: PortraitAnalyser, pictures: list[UInt8Array]) -> tuple[list[float], list[float]]:
    """Of each picture: the tip of the nose beside the middle of the eyes, and how far the lips are apart, in eye distances."""
    found = [analyser.faces(picture)[0].landmarks for picture in pictures]
    eyes = [float(np.linalg.norm(points[33, :2] - points[263, :2])) for points in found]
    noses = [float(p[4, 0] - (p[33, 0] + p[263, 0]) / 2) / eye for p, eye in zip(found, eyes, strict=True)]
    return noses, [float(np.linalg.norm(p[13, :2] - p[14, :2])) / eye for p, eye in zip(found, eyes, strict=True)]


def r(one: list[float], other: list[float]) -> float:
    return float(np.corrcoef(one, other)[0, 1])


@pytest.mark.slow  # pytest -m slow tests/session/test_drive_video.py
def test_a_portrait_moves_as_the_person_in_a_video_does(
    run: Run, face_of: FaceOf, tmp_path: Path, analyser: PortraitAnalyser
) -> None:
    """Known motion in, pixels out, measured by a network that looks at them."""
    video = film(face_of("bram"), tmp_path / "bram.mp4", 36)
    assert not has_sound(video)
    done = run("render", ADA, "--drive", video, "-o", "ada.mp4", "--size", str(SIDE_PX), "--fps", "24")
    assert done.code == 0, done.err
    shown, known = frames_of(tmp_path / "ada.mp4"), turning(36)
    assert len(shown) == 36
    noses, gaps = nose_and_gap(analyser, shown)
    assert r(noses, [frame.pose.yaw_deg for frame in known]) > 0.95
    assert r(gaps, [float(frame.weights.max()) for frame in known]) > 0.85
    said = run("verify", "ada.mp4", "--json").out
    assert json.loads(said)["driven_by"] == "video"


def test_who_a_driving_video_shows_is_asked(run: Run, face_of: FaceOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIVANT_CONSENT")
    video = film(face_of("bram"), tmp_path / "bram.mp4", 6)
    arguments = ("render", ADA, "--drive", video, "-o", "ada.mp4", "--size", "64")
    assert "who bram.mp4 shows; say it once with --drive-consent" in run(*arguments).sentence()
    assert "has not agreed" in run(*arguments, "--drive-consent", "other").sentence()
    assert not (tmp_path / "ada.mp4").exists()
    assert run(*arguments, "--drive-consent", "agreed").code == 0
    assert run(*arguments).code == 0, "said once, then kept"


def test_what_is_no_video_of_a_face_is_a_sentence_or_a_voices_face(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a film")
    assert "text.mp4 is no video that can be read" in run("render", ADA, "--drive", "text.mp4", "-o", "a.mp4").sentence()


@pytest.mark.realtime
def test_a_camera_is_followed_as_pictures_come(face_of: FaceOf, analyser: PortraitAnalyser) -> None:
    """A twin of a camera takes pictures at the speed of time; what a drive shows is what was there, as late as sound is."""
    known = turning(120)
    pictures = list(drawn(face_of("bram"), known))
    clock, began, over = MonotonicClock(), threading.Event(), threading.Event()
    start_us = 0

    def twin(source: str) -> Iterator[tuple[UInt8Array, int]]:
        nonlocal start_us
        start_us = clock.now_us()
        for frame, picture in zip(known, pictures, strict=True):
            over.wait(max(0.0, (start_us + frame.pts_us - clock.now_us()) / 1e6))
            yield picture, frame.pts_us
        over.set()

    with Webcam("a twin", clock, twin) as camera:
        drive, opened_us, turned, states = camera.open(150_000), clock.now_us(), [], set()
        while not over.is_set():
            seen = drive.at(clock.now_us() - opened_us)
            if seen is not None and seen.motion is not None:
                turned.append((seen.time_us - start_us, seen.motion.pose.yaw_deg))
            states.add(camera.state())
            began.wait(0.03)
    assert "a twin: a face" in states
    times, yaws = zip(*turned, strict=True)
    expected = np.interp(times, [frame.pts_us for frame in known], [frame.pose.yaw_deg for frame in known])
    assert len(turned) > 20 and r(list(yaws), expected.tolist()) > 0.95


@pytest.mark.realtime
def test_a_camera_that_goes_is_looked_for_and_followed_again(face_of: FaceOf) -> None:
    """Nothing of it ends: the last sight grows old, its state says so, and pictures that come again are followed."""
    pictures = list(drawn(face_of("bram"), turning(12)))
    clock, opened, over = MonotonicClock(), 0, threading.Event()

    def twin(source: str) -> Iterator[tuple[UInt8Array, int]]:
        nonlocal opened
        opened += 1
        for k in range(12 if opened == 1 else 10_000):
            yield pictures[k % 12], k * 41_667
            over.wait(0.04)
        raise UnavailableError("the camera has gone; plug it in again")

    with Webcam("a twin", clock, twin) as camera:
        drive, began_us, states, last_us = camera.open(0), clock.now_us(), list[str](), 0
        while clock.now_us() - began_us < 30_000_000 and (len(states) < 3 or last_us < began_us + 1_500_000):
            if not states or camera.state() != states[-1]:
                states.append(camera.state())
            seen = drive.at(clock.now_us() - began_us)
            last_us = seen.time_us if seen is not None and seen.motion is not None else last_us
            over.wait(0.02)
        over.set()
    assert opened == 2
    assert states[-2:] == ["a twin: the camera has gone; looking for it", "a twin: a face"]
