"""Godot, headless, plays a motion file: what its nodes do is the motion that went in."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vivant.avatars import all_weights
from vivant.motion_files import write_motion
from vivant.motion_files.godot_animation import TOLERANCE, TOLERANCE_DEG
from vivant.types import ARKIT_NAMES, MotionFrame, Pose, frame_pts_us

pytestmark = pytest.mark.device

GODOT = shutil.which("godot3-server")
SCRIPT = Path(__file__).parent / "godot_animation.gd"
FPS = Fraction(30)


def frames() -> list[MotionFrame]:
    """To the left, up and to the left shoulder at first, with every shape moving."""
    steps = np.cumsum(np.random.default_rng(3).normal(0, 0.05, (60, 52)), axis=0)
    return [
        MotionFrame(
            index,
            frame_pts_us(index, FPS),
            np.clip(steps[index], 0, 1).astype(np.float32),
            pose=Pose(20 * math.sin(index / 9), 8 * math.cos(index / 7), 6.0),
            gaze=(4.0, -3.0),
        )
        for index in range(60)
    ]


@pytest.mark.skipif(GODOT is None, reason="godot3-server is missing")
def test_godot_plays_what_was_written(tmp_path: Path) -> None:
    motion, seen = frames(), [0, 5, 23, 59]
    write_motion(tmp_path / 'a "line".tres', motion, FPS)
    (tmp_path / "project.godot").write_text("config_version=4\n")
    times = ",".join(str(motion[index].pts_us / 1e6) for index in seen)
    done = subprocess.run(
        [str(GODOT), "--path", str(tmp_path), "-s", str(SCRIPT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "HOME": str(tmp_path), "LANG": "C.UTF-8", "ANIMATION": 'res://a "line".tres', "TIMES_S": times},
    )
    said = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))[7:])
    assert said["name"] == 'a "line"' and said["length"] == pytest.approx(2.0)
    for index, frame in zip(seen, said["frames"], strict=True):
        expected = all_weights(motion[index])
        for name, weight in zip(ARKIT_NAMES, expected, strict=True):
            assert frame["weights"].get(name, 0.0) == pytest.approx(float(weight), abs=2 * TOLERANCE), name
        require_turned(frame["forward"], frame["up"], motion[index].pose)


def require_turned(forward: list[float], up: list[float], pose: Pose) -> None:
    """Of a face that looks along z, x to its left: turned by yaw, then pitch, then roll."""
    yaw, pitch, roll = (math.radians(deg) for deg in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg))
    close = pytest.approx
    nearly = math.radians(4 * TOLERANCE_DEG)
    assert forward == close([math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch)], abs=nearly)
    leaning = np.array([math.sin(roll), math.cos(roll) * math.cos(pitch), -math.cos(roll) * math.sin(pitch)])
    about_y = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    assert up == close(list(about_y @ leaning), abs=nearly)
