"""Blender opens a motion file: shape keys and head do what the motion does, and another mesh follows the same action."""

from __future__ import annotations

import json
import math
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from tests.device.blender_reader import FPS
from tests.device.test_godot_animation import frames
from vivant.avatars import all_weights
from vivant.motion_files import write_motion
from vivant.types import ARKIT_NAMES

pytestmark = pytest.mark.device

READER = Path(__file__).parent / "blender_reader.py"
SEEN = (0, 5, 23, 59)


def test_blender_moves_shape_keys_and_the_head(blender: str, tmp_path: Path) -> None:
    motion = frames()
    write_motion(tmp_path / "line.glb", motion, Fraction(FPS))
    command = [blender, str(READER), str(tmp_path / "line.glb"), *map(str, SEEN)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))[7:])
    for index, seen in zip(SEEN, found, strict=True):
        expected = dict(zip(ARKIT_NAMES, map(float, all_weights(motion[index])), strict=True))
        assert seen["weights"] == pytest.approx(expected, abs=1e-4)
        assert seen["own"] == pytest.approx({name: expected[name] for name in ("jawOpen", "mouthSmileLeft")}, abs=1e-4)
        # In Blender's frame a face looks along -y, its left is x, and up is z.
        yaw, pitch = (math.radians(deg) for deg in (motion[index].pose.yaw_deg, motion[index].pose.pitch_deg))
        looks = (math.sin(yaw) * math.cos(pitch), -math.cos(yaw) * math.cos(pitch), math.sin(pitch))
        assert seen["looks"] == pytest.approx(looks, abs=1e-3)
