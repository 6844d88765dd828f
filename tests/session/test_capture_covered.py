"""Capture of a face behind fingers, behind glasses and in the dark: rendered pictures of known motion, covered by drawing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from benchmarks.covered import Cover, dark, fingers, glasses
from tests.session.command_line import Run
from vivant.capture import FaceTracker
from vivant.face import RigFace
from vivant.media import open_video
from vivant.offline import motion_of
from vivant.portrait import PortraitAnalyser
from vivant.testing.voice import VOICE_RATE_HZ, bundled_voice
from vivant.types import (
    ARKIT_INDEX,
    AudioChunk,
    Float32Array,
    MotionFrame,
    PixelFormat,
    Pose,
    UInt8Array,
    VideoFrame,
    arkit_weights,
    frame_pts_us,
)

pytestmark = pytest.mark.session

FPS, FRAMES, SIZE_PX = Fraction(15), 45, 320
COVERED_FROM = 20
JAW = ARKIT_INDEX["jawOpen"]


def known(index: int) -> MotionFrame:
    """A second of rest, then a mouth that opens and a head that turns."""
    t = max(0.0, index / float(FPS) - 1.0)
    weights = arkit_weights(jawOpen=float(0.5 * np.sin(4.5 * t) ** 2))
    return MotionFrame(index, frame_pts_us(index, FPS), weights, pose=Pose(yaw_deg=float(8 * np.sin(4 * t))))


@pytest.fixture(scope="module")
def pictures(ada: RigFace) -> list[UInt8Array]:
    renderer = ada.open(SIZE_PX)
    return [renderer.render(known(index)).pixels[..., :3].copy() for index in range(FRAMES)]


@pytest.fixture(scope="module")
def points(pictures: list[UInt8Array], analyser: PortraitAnalyser) -> list[Float32Array]:
    """Where the face is in each."""
    face = analyser.faces(pictures[0])[0]
    found = []
    for picture in pictures:
        face = analyser.follow(picture, face) or face
        found.append(face.landmarks)
    return found


def captured(run: Run, film: Path) -> tuple[Float32Array, Float32Array]:
    """Jaw and yaw, (frames,)."""
    out = film.with_suffix(".jsonl")
    done = run("capture", str(film), "-o", str(out))
    assert done.code == 0, done.err
    lines = [json.loads(line) for line in out.read_text().splitlines()[1:]]
    return np.array([line["weights"][JAW] for line in lines]), np.array([line["pose"]["yaw_deg"] for line in lines])


def write(path: Path, pictures: Sequence[UInt8Array], *, spoken: bool) -> Path:
    rate_hz = VOICE_RATE_HZ if spoken else None
    with open_video(path, width=SIZE_PX, height=SIZE_PX, fps=FPS, sample_rate_hz=rate_hz, alpha=False) as sink:
        if spoken:
            sink.write_audio(AudioChunk(bundled_voice(float(FRAMES / FPS)), VOICE_RATE_HZ, 0))
        for index, picture in enumerate(pictures):
            sink.write(VideoFrame(index, frame_pts_us(index, FPS), picture, PixelFormat.RGB))
    return path


@pytest.mark.parametrize("spoken", [True, False], ids=["with sound", "mute"])
def test_lips_behind_a_hand_are_the_voices(
    run: Run, tmp_path: Path, pictures: list[UInt8Array], points: list[Float32Array], spoken: bool
) -> None:
    """Where the film has a voice; without one they rest. The head goes on as it is seen."""
    covered = [
        fingers(picture, at) if k >= COVERED_FROM else picture
        for k, (picture, at) in enumerate(zip(pictures, points, strict=True))
    ]
    film = write(tmp_path / "hand.mp4", covered, spoken=spoken)
    jaw, yaw = captured(run, film)
    hidden = slice(COVERED_FROM + 4, FRAMES)
    voice = [frame.weights[JAW] for frame in islice(motion_of(film, FPS), FRAMES)] if spoken else np.zeros(FRAMES)
    assert np.abs(jaw[hidden] - voice[hidden]).max() < 0.05
    assert not spoken or np.ptp(jaw[hidden]) > 0.1, "it speaks"
    assert np.abs(np.diff(jaw[COVERED_FROM - 2 : COVERED_FROM + 5])).max() < 0.25, "no jump"
    assert np.corrcoef(yaw, [known(k).pose.yaw_deg for k in range(FRAMES)])[0, 1] > 0.97


@pytest.mark.parametrize("cover", [glasses, dark])
def test_glasses_and_the_dark_hide_nothing(
    analyser: PortraitAnalyser, pictures: list[UInt8Array], points: list[Float32Array], cover: Cover
) -> None:
    tracker, jaw, yaw = FaceTracker(float(FPS), analyser), [], []
    for k, (picture, at) in enumerate(zip(pictures, points, strict=True)):
        tracked = tracker.track(cover(picture, at), frame_pts_us(k, FPS))
        assert tracked.motion is not None and not tracked.mouth_hidden
        jaw.append(float(tracked.motion.weights[JAW]))
        yaw.append(tracked.motion.pose.yaw_deg)
    for found, wanted in (
        (jaw, [known(k).weights[JAW] for k in range(FRAMES)]),
        (yaw, [known(k).pose.yaw_deg for k in range(FRAMES)]),
    ):
        assert np.corrcoef(found, wanted)[0, 1] > 0.9
        assert 0.75 < np.polyfit(wanted, found, 1)[0] < 1.25
