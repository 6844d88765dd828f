"""The Godot addon and its sample: read by a parser of GDScript, and whatever a scene refers to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gdtoolkit.parser import parser

from vivant.types import ARKIT_NAMES

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "godot_sample"
SCRIPTS = [*sorted(SAMPLE.rglob("*.gd")), ROOT / "tests" / "device" / "godot_addon.gd"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_godot_4_could_read_it(script: Path) -> None:
    assert parser.parse(script.read_text(encoding="utf-8"), gather_metadata=True).children


def test_whatever_is_loaded_is_there() -> None:
    found = 0
    for file in [*SCRIPTS[:-1], SAMPLE / "dialogue.tscn", SAMPLE / "project.godot"]:
        text = file.read_text(encoding="utf-8")
        for name in re.findall(r'(?:res://|preload\(")([\w/]+\.\w+)"', text):
            assert (SAMPLE / name).exists() or (file.parent / name).exists(), f"{file.name}: {name}"
            found += 1
    assert found >= 10


def test_motion_is_read_where_the_door_writes_it() -> None:
    """`tests/device/test_godot_addon.py` says what comes of it; this says it everywhere."""
    script = (SAMPLE / "addons" / "vivant" / "vivant_motion.gd").read_text(encoding="utf-8")
    (n_weights,) = re.findall(r"^const N_WEIGHTS := (\d+)$", script, re.MULTILINE)
    assert int(n_weights) == len(ARKIT_NAMES) and "numbers[N_WEIGHTS + which]" in script


def test_a_scene_sets_only_what_a_script_exports() -> None:
    scene = (SAMPLE / "dialogue.tscn").read_text(encoding="utf-8")
    script = (SAMPLE / "addons" / "vivant" / "vivant_face.gd").read_text(encoding="utf-8")
    exported = set(re.findall(r"^@export\S*(?: \S+)*? ?var (\w+)", script, re.MULTILINE))
    assert {"portrait", "server", "picture", "mesh", "look_at"} <= exported
    for node in scene.split('[node name="Face"')[1:]:
        named = set(re.findall(r"^(\w+) = ", node.split("[node")[0], re.MULTILINE)) - {"script"}
        assert named and named <= exported
