"""three-vrm in a browser, a receiver that is not ours, as `vivant motion --to vmc` moves it."""

from __future__ import annotations

import base64
import math
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.device.guest_kit import ROOT
from tests.device.test_godot_animation import FPS, frames
from tests.device.three_vrm_kit import ThreeVrm
from vivant.avatars import all_weights, vowels
from vivant.motion_files import write_motion
from vivant.types import ARKIT_NAMES, MotionFrame, Output, Pose
from vivant.visemes import VISEMES
from vivant.vmc.encoder import VRM1
from vivant_bridge.avatars.vmc import vmc

pytestmark = pytest.mark.device

VIVANT = str(Path(sys.executable).parent / "vivant")
VOICE = ROOT / "runtime" / "vivant" / "assets" / "voice.flac"

FORWARD = """(() => { const m = vrm.humanoid.getRawBoneNode('head').matrixWorld.elements; return [m[8], m[9], m[10]] })()"""
"""Where the face looks: x to its left, y up, z out of the picture."""
JAW = {"vrm0": "aa", "vrm1": "aa", "perfect-sync": "jawOpen"}


def say(avatar: ThreeVrm, names: str, viseme: str, pose: Pose) -> None:
    """One frame, and wait until the page has it."""
    look = next(look for look in VISEMES if look.name == viseme)
    receiver = vmc(f"{avatar.vmc_port}?names={names}")
    receiver.open()
    receiver.send(Output(MotionFrame(0, 0, look.frame().weights, pose=pose), None, "", None, 0))
    receiver.close()
    wanted = ">= 0.4" if viseme == "aa" else "< 0.1"
    avatar.until(f"vrm.expressionManager.getValue('{JAW[names]}') {wanted}")


@pytest.mark.parametrize("names", JAW)
def test_an_avatar_opens_its_mouth_and_turns_its_head(avatar: ThreeVrm, names: str) -> None:
    say(avatar, names, "sil", Pose())
    closed = avatar.picture()
    say(avatar, names, "aa", Pose())
    opened = avatar.picture()
    changed = np.abs(opened.astype(int) - closed).max(axis=2) > 40
    height, width = changed.shape
    middle = changed[height // 2 : height * 4 // 5, width * 2 // 5 : width * 3 // 5]
    assert middle.sum() > 500 and middle.sum() > 0.8 * changed.sum(), "the mouth and the chin, and hardly anything else"
    say(avatar, names, "aa", Pose(yaw_deg=20.0, pitch_deg=10.0))
    x, y, z = avatar.value(f"new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => r({FORWARD}))))")
    yaw, pitch = math.radians(20), math.radians(10)
    assert (x, y, z) == pytest.approx(
        (math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch)), abs=1e-3
    )


def test_the_command_makes_it_speak(avatar: ThreeVrm) -> None:
    say(avatar, "vrm1", "sil", Pose())
    command = (VIVANT, "motion", "--mic", f"loop:{VOICE}", "--to", f"vmc:{avatar.vmc_port}?names=vrm1", "--quiet")
    with subprocess.Popen(command) as vivant:
        try:
            for vowel in ("aa", "ih", "ee"):
                avatar.until(f"vrm.expressionManager.getValue('{vowel}') > 0.3")
                avatar.until(f"vrm.expressionManager.getValue('{vowel}') < 0.1")
            avatar.until("vrm.expressionManager.getValue('blinkLeft') > 0.8")
        finally:
            vivant.terminate()


PLAY = """(async () => {
  const [THREE, { GLTFLoader }, { VRMAnimationLoaderPlugin, createVRMAnimationClip }] = await Promise.all(
    ['three', 'three/addons/loaders/GLTFLoader.js', '@pixiv/three-vrm-animation'].map((name) => import(name)));
  const loader = new GLTFLoader().register((parser) => new VRMAnimationLoaderPlugin(parser));
  const bytes = Uint8Array.from(atob('%s'), (letter) => letter.charCodeAt(0));
  const gltf = await loader.parseAsync(bytes.buffer, '');
  const mixer = new THREE.AnimationMixer(vrm.scene);
  mixer.clipAction(createVRMAnimationClip(gltf.userData.vrmAnimations[0], vrm)).play();
  mixer.setTime(%f);
  const values = Object.fromEntries(vrm.expressionManager.expressions.map((e) => [e.expressionName, e.weight]));
  const head = vrm.humanoid.getNormalizedBoneNode('head').getWorldDirection(new THREE.Vector3()).toArray();
  mixer.stopAllAction();
  return [values, head];
})()"""


def test_a_motion_file_is_played_by_three_vrm_animation(avatar: ThreeVrm, tmp_path: Path) -> None:
    motion = frames()
    write_motion(tmp_path / "line.vrma", motion, FPS)
    file = base64.b64encode((tmp_path / "line.vrma").read_bytes()).decode()
    frame = motion[23]
    values, head = avatar.value(PLAY % (file, frame.pts_us / 1e6))
    weights = all_weights(frame)
    assert {name: values[name] for name in ARKIT_NAMES} == pytest.approx(
        dict(zip(ARKIT_NAMES, map(float, weights), strict=True)), abs=1e-3
    )
    assert [values[name] for name in VRM1[:5]] == pytest.approx(vowels(weights), abs=1e-3)
    yaw, pitch = math.radians(frame.pose.yaw_deg), math.radians(frame.pose.pitch_deg)
    assert head == pytest.approx((math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch)), abs=1e-3)


def test_strangers_packets_move_nothing(avatar: ThreeVrm) -> None:
    say(avatar, "vrm1", "sil", Pose())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.connect(("127.0.0.1", avatar.vmc_port))
        for packet in (b"", b"\0" * 16, b"#bundle\0" + b"\xff" * 24, b"/VMC/Ext/Blend/Val\0\0,sf\0aa\0\0", b"x" * 2000):
            stranger.send(packet)
    say(avatar, "vrm1", "aa", Pose())
