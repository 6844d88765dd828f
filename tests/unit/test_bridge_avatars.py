"""Avatar tools: every packet as a reader of its protocol understands it."""

from __future__ import annotations

import math
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle import OscBundle

from vivant.avatars import Quaternion, all_weights, eye_angles_deg, vowels
from vivant.errors import InputError, UnavailableError
from vivant.types import ARKIT_NAMES, MotionFrame, Output, Pose, arkit_weights
from vivant.visemes import EXPRESSIONS, VISEMES
from vivant.vmc.encoder import VRM0, VRM1, VmcEncoder
from vivant_bridge.avatars.ifacialmocap import encode as ifacialmocap_packet
from vivant_bridge.avatars.live_link import CURVES, LiveLinkEncoder, live_link_face
from vivant_bridge.avatars.udp import place_of
from vivant_bridge.avatars.vmc import vmc
from vivant_bridge.avatars.vtube_studio import CUSTOM, parameters
from vivant_bridge.device_registry import choose_receiver

pytestmark = pytest.mark.unit

ANGLES = st.floats(-40, 40)
POSES = st.builds(Pose, ANGLES, ANGLES, ANGLES, st.floats(-1, 1), st.floats(-1, 1), st.floats(0.8, 1.2))
MOTIONS = st.builds(
    MotionFrame,
    index=st.integers(0, 10**7),
    pts_us=st.integers(0, 2 * 10**12),
    weights=st.lists(st.floats(0, 1, width=32), min_size=52, max_size=52).map(lambda w: np.array(w, np.float32)),
    tongue=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    pose=POSES,
    gaze=st.tuples(st.floats(-30, 30), st.floats(-30, 30)),
)


def turned(quaternion: Quaternion, vector: tuple[float, float, float]) -> np.ndarray[Any, Any]:
    """A vector after Unity's rotation; the product's formula is the same in either handedness."""
    axis, v = np.array([quaternion.x, quaternion.y, quaternion.z]), np.array(vector)
    rotated: np.ndarray[Any, Any] = v + 2 * np.cross(axis, np.cross(axis, v) + quaternion.w * v)
    return rotated


# Shapes


def test_gaze_and_tongue_are_weights_too() -> None:
    left = all_weights(MotionFrame(0, 0, arkit_weights(), tongue=(0.4, 0.9), gaze=(15.0, -30.0)))
    assert left == pytest.approx(
        arkit_weights(eyeLookOutLeft=0.5, eyeLookInRight=0.5, eyeLookDownLeft=1, eyeLookDownRight=1, tongueOut=0.4)
    )
    assert np.allclose(eye_angles_deg(left), (15.0, -30.0))


@given(MOTIONS)
def test_all_weights_stay_in_range_and_leave_the_motion_alone(motion: MotionFrame) -> None:
    before = motion.weights.copy()
    weights = all_weights(motion)
    assert weights.shape == (52,) and 0 <= weights.min() <= weights.max() <= 1
    assert np.array_equal(motion.weights, before)


def test_what_is_no_number_rests() -> None:
    odd = arkit_weights(jawOpen=0.5)
    odd[:3] = np.nan, np.inf, -np.inf
    weights = all_weights(MotionFrame(0, 0, odd, tongue=(math.nan, 0.0), gaze=(math.nan, math.nan)))
    expected = arkit_weights(jawOpen=0.5)
    expected[1] = 1.0
    assert np.array_equal(weights, expected)
    assert all(math.isfinite(value) for value in parameters(MotionFrame(0, 0, odd)).values())


@pytest.mark.parametrize(("viseme", "vowel"), [("aa", 0), ("ih", 3), ("ou", 2), ("E", 0), ("oh", 4)])
def test_a_vowel_is_the_one_that_the_chart_says(viseme: str, vowel: int) -> None:
    """The table's still pictures are wide: its E is a word's a."""
    weights = next(look for look in VISEMES if look.name == viseme).frame().weights
    assert int(np.argmax(vowels(weights))) == vowel and max(vowels(weights)) > 0.5


def test_spread_lips_open_from_i_over_e_to_a() -> None:
    heard = [int(np.argmax(vowels(arkit_weights(jawOpen=jaw, mouthLowerDownLeft=0.2)))) for jaw in (0.02, 0.15, 0.3)]
    assert heard == [1, 3, 0]


@given(MOTIONS)
def test_vowels_share_one_mouth(motion: MotionFrame) -> None:
    assert min(vowels(motion.weights)) >= 0 and sum(vowels(motion.weights)) <= 1 + 1e-6


def test_closed_lips_are_no_vowel() -> None:
    for name in ("sil", "PP", "smile"):
        assert max(vowels(next(look for look in (*VISEMES, *EXPRESSIONS) if look.name == name).frame().weights)) < 0.05


@pytest.mark.parametrize(
    ("pose", "forward", "right_ear"),
    [
        (Pose(yaw_deg=30), (-0.5, 0, math.cos(math.radians(30))), (math.cos(math.radians(30)), 0, 0.5)),
        (Pose(pitch_deg=30), (0, 0.5, math.cos(math.radians(30))), (1, 0, 0)),
        (Pose(roll_deg=30), (0, 0, 1), (math.cos(math.radians(30)), 0.5, 0)),
    ],
    ids=["to its left", "up", "to its left shoulder"],
)
def test_a_head_turns_in_unity_as_in_the_picture(pose: Pose, forward: Any, right_ear: Any) -> None:  # noqa: ANN401
    """Unity: x to the right of the avatar, which looks along z."""
    assert turned(Quaternion.of_pose(pose), (0, 0, 1)) == pytest.approx(forward)
    assert turned(Quaternion.of_pose(pose), (1, 0, 0)) == pytest.approx(right_ear)


@given(POSES)
def test_a_quaternion_is_yaw_after_pitch_after_roll(pose: Pose) -> None:
    yaw, pitch, roll = (
        Quaternion.of(pose.yaw_deg, 0), Quaternion.of(0, pose.pitch_deg), Quaternion.of(0, 0, pose.roll_deg)
    )  # fmt: skip
    for vector in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)):
        step: Any = vector
        for one in (roll, pitch, yaw):
            step = tuple(turned(one, step))
        assert turned(Quaternion.of_pose(pose), vector) == pytest.approx(step, abs=1e-9)


# Places


@pytest.mark.parametrize(
    ("argument", "place"),
    [
        ("", ("127.0.0.1", 7)),
        ("127.0.0.1:39540", ("127.0.0.1", 39540)),
        ("39540", ("127.0.0.1", 39540)),
        (":39540", ("127.0.0.1", 39540)),
        ("studio.local", ("studio.local", 7)),
        ("[::1]:9", ("::1", 9)),
    ],
)
def test_a_place(argument: str, place: tuple[str, int]) -> None:
    assert place_of(argument, 7) == place


@pytest.mark.parametrize("argument", ["127.0.0.1:x", "127.0.0.1:0", "127.0.0.1:65536", ":", "1e3:1.5", "-1", "a b:7", "[::1"])
def test_what_is_no_place(argument: str) -> None:
    with pytest.raises(InputError, match="HOST:PORT"):
        place_of(argument, 7)


@pytest.mark.parametrize("argument", ["127.0.0.1:39539?names=vrm2", "?name=vrm0", "?names"])
def test_vmc_says_which_names_there_are(argument: str) -> None:
    with pytest.raises(InputError, match="vrm0, vrm1, perfect-sync"):
        vmc(argument)


@pytest.mark.parametrize("name", ["vmc", "live-link-face", "ifacialmocap", "vtube-studio"])
def test_tools_are_known_by_name(name: str) -> None:
    assert choose_receiver(name).name
    with pytest.raises(InputError):
        choose_receiver(f"{name}:127.0.0.1:99999")


# VMC


def osc(packet: bytes) -> list[tuple[str, list[Any]]]:
    assert OscBundle.dgram_is_bundle(packet)
    return [(message.address, message.params) for message in OscBundle(packet)]


@pytest.mark.parametrize(("names", "expected"), [("vrm0", VRM0), ("vrm1", VRM1)])
def test_vmc_speaks_with_an_avatars_own_names(names: str, expected: tuple[str, ...]) -> None:
    aa = next(look for look in VISEMES if look.name == "aa").frame().weights + arkit_weights(eyeBlinkRight=0.7)
    said = osc(VmcEncoder(names)(MotionFrame(3, 1_500_000, aa, pose=Pose(yaw_deg=10.0))))
    blends = {params[0]: params[1] for address, params in said if address == "/VMC/Ext/Blend/Val"}
    assert tuple(blends) == expected
    assert list(blends.values()) == pytest.approx([1, 0, 0, 0, 0, 0, 0.7], abs=0.05)
    assert [address for address, _ in said][-1] == "/VMC/Ext/Blend/Apply"
    assert ("/VMC/Ext/T", [1.5]) in said and ("/VMC/Ext/OK", [1, 3, 0, 1]) in said
    bones = {params[0]: params[1:] for address, params in said if address == "/VMC/Ext/Bone/Pos"}
    assert set(bones) == {"Head", "LeftEye", "RightEye"}
    assert bones["Head"][3:] == pytest.approx([0, math.sin(math.radians(-5)), 0, math.cos(math.radians(5))], abs=1e-6)


@given(MOTIONS)
def test_vmc_gives_perfect_sync_all_weights(motion: MotionFrame) -> None:
    said = osc(VmcEncoder("perfect-sync")(motion))
    values = [params for address, params in said if address == "/VMC/Ext/Blend/Val"]
    assert [name[0].lower() + name[1:] for name, _ in values] == list(ARKIT_NAMES)
    assert [value for _, value in values] == pytest.approx(list(all_weights(motion)))


# Live Link Face


@given(MOTIONS)
def test_live_link_packets_have_the_apps_layout(motion: MotionFrame) -> None:
    packet = LiveLinkEncoder("Ada")(motion)
    assert packet[0] == 6
    length = struct.unpack_from("!i", packet, 1)[0]
    assert length == 36 and packet[5:41].decode("ascii").count("-") == 4
    assert struct.unpack_from("!i3s", packet, 41) == (3, b"Ada")
    frame, _, rate, base, count = struct.unpack_from("!ifiiB", packet, 48)
    assert frame / rate * base == pytest.approx(motion.pts_us / 1e6, abs=1e-3) and count == 61
    curves = dict(zip(CURVES, struct.unpack_from("!61f", packet, 65), strict=True))
    assert len(packet) == 65 + 4 * 61
    for name, weight in zip(ARKIT_NAMES, all_weights(motion), strict=True):
        assert curves[name] == pytest.approx(weight)
    assert curves["headYaw"] == pytest.approx(math.radians(motion.pose.yaw_deg), abs=1e-6)


def test_unreal_has_left_before_right() -> None:
    assert CURVES[14:18] == ("jawForward", "jawLeft", "jawRight", "jawOpen") and CURVES[21:23] == ("mouthLeft", "mouthRight")


# iFacialMocap


@given(MOTIONS)
def test_ifacialmocap_packets_have_the_apps_layout(motion: MotionFrame) -> None:
    shapes, _, bones = ifacialmocap_packet(motion).decode("ascii").partition("=")
    values = {name: int(value) for name, _, value in (entry.rpartition("-") for entry in shapes.rstrip("|").split("|"))}
    assert len(values) == 52 and {"eyeBlink_L", "mouthSmile_R", "jawLeft", "mouthRight", "browInnerUp"} <= set(values)
    assert values["jawOpen"] == pytest.approx(100 * float(all_weights(motion)[ARKIT_NAMES.index("jawOpen")]), abs=0.51)
    named = {
        name: [float(x) for x in rest.split(",")] for name, _, rest in (b.partition("#") for b in bones.rstrip("|").split("|"))
    }
    assert {name: len(numbers) for name, numbers in named.items()} == {"head": 6, "rightEye": 3, "leftEye": 3}
    assert named["head"][:3] == pytest.approx([-motion.pose.pitch_deg, -motion.pose.yaw_deg, motion.pose.roll_deg], abs=1e-4)


# VTube Studio


@given(MOTIONS)
def test_vtube_studios_parameters_are_in_range(motion: MotionFrame) -> None:
    values = parameters(motion)
    assert len(CUSTOM) == 52 and max(map(len, values)) <= 32 and all(name.isalnum() for name in values)
    for name, value in values.items():
        low = -1 if name[-1] in "XY" and not name.startswith(("Brow", "Face")) else 0
        assert name.startswith("Face") or low <= value <= 1, (name, value)


def test_a_face_at_rest_is_live2ds_neutral() -> None:
    values = parameters(MotionFrame(0, 0, arkit_weights()))
    raised = {name: value for name, value in values.items() if value}
    assert raised == {
        "EyeOpenLeft": 1, "EyeOpenRight": 1, "BrowLeftY": 0.5, "BrowRightY": 0.5, "Brows": 0.5, "MouthSmile": 0.5
    }  # fmt: skip


# Sending


@pytest.mark.parametrize("make", [vmc, live_link_face])
def test_a_datagram_per_frame_and_nobody_need_listen(make: Callable[[str], Any]) -> None:
    output = Output(MotionFrame(0, 0, arkit_weights(jawOpen=0.5)), None, "", None, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        port = listener.getsockname()[1]
        receiver = make(f"127.0.0.1:{port}")
        receiver.open()
        for _ in range(3):
            receiver.send(output)
            assert listener.recv(65536)
    for _ in range(5):  # the port is closed now, which the system tells with the next datagram
        receiver.send(output)
    receiver.close()
    receiver.close()


def test_what_a_tool_or_a_stranger_answers_changes_nothing() -> None:
    output = Output(MotionFrame(0, 0, arkit_weights(jawOpen=0.5)), None, "", None, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tool, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        tool.bind(("127.0.0.1", 0))
        tool.settimeout(5)
        receiver = live_link_face(f"127.0.0.1:{tool.getsockname()[1]}")
        receiver.open()
        receiver.send(output)
        first, ours = tool.recvfrom(65536)
        for _ in range(2000):  # more than its buffer holds
            tool.sendto(b"\xff" * 500, ours)
            stranger.sendto(first, ours)
        receiver.send(output)
        assert tool.recv(65536) == first
        receiver.close()


@pytest.mark.parametrize(
    ("name", "needed", "importing"),
    [
        ("vmc", "pythonosc.osc_bundle_builder", ["vivant_bridge.avatars.vmc", "vivant.vmc.encoder"]),
        ("vtube-studio", "websockets.exceptions", ["vivant_bridge.avatars.vtube_studio"]),
    ],
)
def test_a_missing_extra_is_named(name: str, needed: str, importing: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, needed, None)
    for module in importing:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(UnavailableError, match=r"\[vtubing\]"):
        choose_receiver(name)
