"""examples/three_vrm without a browser: the avatar is a VRM, and the bridge passes VMC on to a page, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from pygltflib import GLTF2
from websockets.sync.client import connect

from vivant.types import ARKIT_NAMES, MotionFrame, Output, Pose, arkit_weights
from vivant.vmc.encoder import VRM1
from vivant_bridge.avatars.vmc import vmc

pytestmark = pytest.mark.session

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "three_vrm"


@pytest.fixture(scope="module")
def avatar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("avatar") / "avatar.vrm"
    subprocess.run([sys.executable, str(EXAMPLE / "avatar.py"), str(path)], check=True)
    return path


@pytest.fixture
def bridge(avatar: Path) -> Iterator[tuple[int, int]]:
    """Its ports: web and VMC."""
    command = [sys.executable, str(EXAMPLE / "bridge.py"), str(avatar), "--vmc-port", "0", "--web-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            yield int(said.split("127.0.0.1:")[1].split()[0]), int(said.rpartition("vmc:")[2])
        finally:
            process.terminate()


def test_the_avatar_is_a_vrm_with_all_expressions(avatar: Path) -> None:
    gltf = GLTF2.load_binary(str(avatar))
    vrm = gltf.extensions["VRMC_vrm"]
    assert vrm["specVersion"] == "1.0" and set(vrm["expressions"]["custom"]) == set(ARKIT_NAMES)
    assert not gltf.animations
    assert set(VRM1) <= set(vrm["expressions"]["preset"])
    sides = [
        f"{side}{bone}"
        for side in ("left", "right")
        for bone in ("UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand")
    ]
    assert {"hips", "spine", "head", "leftEye", "rightEye", *sides} <= set(vrm["humanoid"]["humanBones"])
    for expression in (*vrm["expressions"]["preset"].values(), *vrm["expressions"]["custom"].values()):
        for bind in expression["morphTargetBinds"]:
            assert bind["index"] < len(gltf.meshes[gltf.nodes[bind["node"]].mesh].weights)


def test_the_bridge_hands_whole_frames_to_a_page(bridge: tuple[int, int]) -> None:
    web_port, vmc_port = bridge
    with connect(f"ws://127.0.0.1:{web_port}/", proxy=None) as page:
        receiver = vmc(f"{vmc_port}?names=perfect-sync")
        receiver.open()
        receiver.send(Output(MotionFrame(0, 0, arkit_weights(jawOpen=0.25), pose=Pose(yaw_deg=20.0)), None, "", None, 0))
        receiver.close()
        said = json.loads(page.recv(timeout=20))
    assert said["blends"]["JawOpen"] == 0.25 and len(said["blends"]) == 52
    assert said["bones"]["Head"] == pytest.approx([0, -0.1736, 0, 0.9848], abs=1e-3)


@pytest.mark.parametrize(
    "path", ["bridge.py", "../../README.md", "%2e%2e/%2e%2e/README.md", "node_modules/../bridge.py", "missing"]
)
def test_the_bridge_serves_nothing_but_its_page(bridge: tuple[int, int], path: str) -> None:
    with urlopen(f"http://127.0.0.1:{bridge[0]}/", timeout=20) as answer:
        assert b"three-vrm" in answer.read()
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"http://127.0.0.1:{bridge[0]}/{path}", timeout=20)
