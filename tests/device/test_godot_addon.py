"""The Godot addon, as a project plays it in a real Godot 4, against a real server."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.device.chromium_kit import Chromium, running, told
from tests.device.godot_kit import served
from tests.device.guest_kit import ROOT, free_port

pytestmark = pytest.mark.device

SAMPLE = ROOT / "godot_sample"
HERE = Path(__file__).parent
ADDON = {str(path.relative_to(SAMPLE)): path.read_bytes() for path in sorted((SAMPLE / "addons").rglob("*")) if path.is_file()}
PROJECT = """config_version=5
[application]
config/name="test"
run/main_scene="res://main.tscn"
[display]
window/size/viewport_width=256
window/size/viewport_height=256
"""
SCENE = """[gd_scene load_steps=2 format=3]
[ext_resource type="Script" path="res://main.gd" id="1"]
[node name="Main" type="Control"]
layout_mode = 3
anchors_preset = 15
anchor_right = 1.0
anchor_bottom = 1.0
script = ExtResource("1")
"""
OVER = "said.some((line) => /^ERROR|\\bdone\\b|\\bfailed\\b/.test(line))"


def serving(opened: ExitStack, origin_port: int) -> str:
    """The url of a server whose door is open to the page."""
    origin = f"http://127.0.0.1:{origin_port}"
    serve = [str(Path(sys.executable).parent / "vivant"), "serve", "--port", "0", "--web", "--web-port", "0"]
    process = running(opened, *serve, "--web-origin", origin)
    return "ws://127.0.0.1:" + told(process.stdout, r"door for web pages is http://[\w.]+:(\d+)")


def results(said: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in said:
        if line.startswith("RESULT "):
            found |= json.loads(line[7:])
    return found


def test_the_addon_speaks_is_interrupted_and_streams(godot: Path, tmp_path: Path) -> None:
    files = ADDON | {
        "project.godot": PROJECT.encode(),
        "main.tscn": SCENE.encode(),
        "main.gd": (HERE / "godot_addon.gd").read_bytes(),
        "line.tres": (SAMPLE / "line2.tres").read_bytes(),
    }
    with ExitStack() as opened:
        port = free_port()
        url = serving(opened, port)
        page = opened.enter_context(served(godot, tmp_path, files, [url], port))
        chromium = opened.enter_context(Chromium(tmp_path, 256, 256))
        chromium.go(page)
        chromium.until(f"window.said && ({OVER})")
        said, picture = chromium.value("said"), chromium.picture()
    (tmp_path / "said.txt").write_text("\n".join(said))
    assert not [line for line in said if line.startswith("ERROR")], said
    found = results(said)
    assert found["done"] and "failed" not in found, said
    assert found["said_at_once"] and found["is_speaking"] and found["interrupted"]
    assert found["spoken"] > 0 and found["size"] in (256, 128) and found["cut_out"]
    assert 0.02 < max(found["widest"], found["streamed"]) <= 1.0 and 0.1 < found["turned"] < 20
    assert 1.8 < found["heard_us"] / 1e6 < 2.6, "of a line of 2.3 s"
    assert np.asarray(picture).std() > 20
    assert found["log_end"].endswith("xits last words") and len(found["log_end"]) == 2000, "as of a server of its own"
    assert found["port"] == 7
    assert np.allclose(found["turns_deg"], [[-53, 52, -54], [-59, 58, 0]], atol=0.01), "of 68 numbers, in their order"
