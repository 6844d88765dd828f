"""``--drive`` with files: a portrait that moves as a recording does."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.session.command_line import ADA, SMALL, Run, frames_of, pictures
from vivant.motion_files import write_motion
from vivant.provenance.verify import verify
from vivant.types import MotionFrame, Pose, arkit_weights, frame_pts_us

pytestmark = pytest.mark.session

FPS = Fraction(24)


@pytest.fixture(params=[".csv", ".jsonl", ".vmc"])
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A second of a head that turns and a mouth that opens, as a motion file."""
    frames = [
        MotionFrame(i, frame_pts_us(i, FPS), arkit_weights(jawOpen=0.6 * (i > 11)), pose=Pose(yaw_deg=9 * math.sin(i / 4)))
        for i in range(24)
    ]
    write_motion(tmp_path / f"turn{request.param}", frames, FPS)
    return tmp_path / f"turn{request.param}"


def test_a_portrait_moves_as_a_motion_file_does_and_again_the_same(run: Run, tmp_path: Path, recording: Path) -> None:
    for name in ("a", "b"):
        done = run("render", ADA, "--drive", recording, "-o", name, *SMALL)
        assert done.code == 0 and "24 frames, 1.0 s" in done.out
    one, again = pictures(tmp_path / "a"), pictures(tmp_path / "b")
    assert len(one) == 24 and all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    moved = [float(np.abs(one[i].astype(int) - one[0]).mean()) for i in (3, 6)]
    assert moved[1] > moved[0] > 1
    mouth = slice(60, 80), slice(36, 60)
    assert np.abs(one[20][mouth].astype(int) - one[8][mouth]).mean() > 3


def test_the_manifest_says_what_drove_the_face(run: Run, tmp_path: Path, recording: Path) -> None:
    assert run("render", ADA, "--drive", recording, "-o", "a.mp4", *SMALL).code == 0
    assert json.loads(verify(tmp_path / "a.mp4").as_json())["driven_by"] == "motion file"
    assert "driven by motion file" in run("verify", "a.mp4").out


def test_a_voice_beside_a_recording_is_heard_and_moves_the_lips(run: Run, tmp_path: Path, recording: Path, short: Path) -> None:
    for lips in ("voice", "camera"):
        assert run("render", ADA, short, "--drive", recording, "-o", f"{lips}.mp4", "--lips", lips, *SMALL).code == 0
    voice, camera = (frames_of(tmp_path / f"{lips}.mp4") for lips in ("voice", "camera"))
    assert len(voice) == len(camera) == 15, "as long as the voice"
    assert not all(np.array_equal(a, b) for a, b in zip(voice, camera, strict=True))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["-o", "a.mp4"], "or --drive and a video"),
        (["--drive", "missing.csv", "-o", "a.mp4"], "missing.csv does not exist"),
        (["--drive", "turn.csv", "-o", "turn.csv"], "unknown video type"),
    ],
)
def test_slips_are_sentences_and_nothing_is_lost(
    run: Run, tmp_path: Path, recording: Path, arguments: list[str], word: str
) -> None:
    before = recording.read_bytes()
    assert word in run("render", ADA, *arguments, *SMALL).sentence()
    assert recording.read_bytes() == before and not (tmp_path / "a.mp4").exists()
