"""VMC packets as a second reader understands them, that of other authors: osc4py3 takes OSC apart, vmcp knows the protocol."""

from __future__ import annotations

import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from osc4py3.oscbuildparse import decode_packet
from vmcp import events
from vmcp.typing import Bone, CalibrationMode, CalibrationState, ModelState, TrackingState

from vivant.avatars import Quaternion, all_weights
from vivant.errors import InputError
from vivant.motion_files import read_motion, write_motion
from vivant.types import MotionFrame, Pose, arkit_weights, frame_pts_us
from vivant.vmc.encoder import NAMES, PERFECT_SYNC, VmcEncoder

pytestmark = pytest.mark.unit

KINDS = (
    events.RootTransformEvent, events.BoneTransformEvent, events.BlendShapeEvent, events.BlendShapeApplyEvent,
    events.StateEvent, events.RelativeTimeEvent,
)  # fmt: skip
BY_ADDRESS = {kind.ADDRESS_PATTERN: kind for kind in KINDS}
MOTION = MotionFrame(45, 1_500_000, arkit_weights(jawOpen=0.3, eyeBlinkLeft=0.7), pose=Pose(10.0, -5.0, 3.0), gaze=(6.0, 0.0))


def read(packet: bytes) -> list[Any]:
    """Events; raises ValueError for arguments that the protocol does not have."""
    return [
        BY_ADDRESS[message.addrpattern].from_message_data("vmc", message.addrpattern, message.arguments)
        for message in decode_packet(packet).elements
    ]


@pytest.mark.parametrize("names", NAMES)
def test_a_reader_of_other_authors_understands_every_message(names: str) -> None:
    found = read(VmcEncoder(names)(MOTION))
    (state,) = [event for event in found if isinstance(event, events.StateEvent)]
    assert (state.model_state, state.calibration_state) == (ModelState.LOADED, CalibrationState.CALIBRATED)
    assert (state.calibration_mode, state.tracking_state) == (CalibrationMode.NORMAL, TrackingState.OK)
    assert [event.delta for event in found if isinstance(event, events.RelativeTimeEvent)] == [1.5]
    blends = [event for event in found if isinstance(event, events.BlendShapeEvent)]
    assert [str(event.key) for event in blends] == list(NAMES[names])
    assert isinstance(found[-1], events.BlendShapeApplyEvent)
    if NAMES[names] == PERFECT_SYNC:
        assert [event.value for event in blends] == pytest.approx(list(all_weights(MOTION)))
    assert {type(event) for event in found} == set(KINDS)


def test_it_sees_the_head_and_both_eyes_turn() -> None:
    bones = {event.joint: event for event in read(VmcEncoder()(MOTION)) if isinstance(event, events.BoneTransformEvent)}
    assert set(bones) == {Bone.HEAD, Bone.LEFT_EYE, Bone.RIGHT_EYE}
    seen, sent = bones[Bone.HEAD].rotation, Quaternion.of_pose(MOTION.pose)
    assert (seen.x, seen.y, seen.z, seen.w) == pytest.approx((sent.x, sent.y, sent.z, sent.w), abs=1e-6)


def test_a_recording_is_an_osc_score_whose_packets_it_reads_with_their_times(tmp_path: Path) -> None:
    """As SuperCollider's server reads one: a length, a bundle, and so on; time tags are seconds since the beginning."""
    fps = Fraction(30000, 1001)
    motion = [MotionFrame(i, frame_pts_us(i, fps), arkit_weights(jawOpen=0.01 * i)) for i in range(40)]
    write_motion(tmp_path / "take.vmc", motion, fps)
    score = (tmp_path / "take.vmc").read_bytes()
    at, jaws, times_s = 0, [], []
    while at < len(score):
        (length,) = struct.unpack_from(">i", score, at)
        bundle = decode_packet(score[at + 4 : at + 4 + length])
        times_s.append(bundle.timetag.sec + bundle.timetag.frac / 2**32)
        blends = [message.arguments for message in bundle.elements if message.addrpattern == "/VMC/Ext/Blend/Val"]
        jaws.append(dict(blends)["JawOpen"])
        at += 4 + length
    assert times_s == pytest.approx([frame.pts_us / 1e6 for frame in motion], abs=1e-6)
    assert jaws == pytest.approx([0.01 * i for i in range(40)], abs=1e-6)


def test_packets_that_break_off_or_say_no_time_are_left_out_and_counted(tmp_path: Path) -> None:
    write_motion(tmp_path / "take.vmc", [replace(MOTION, index=i, pts_us=40_000 * i) for i in range(5)], Fraction(25))
    score = (tmp_path / "take.vmc").read_bytes()
    length = len(score) // 5
    untimed = score[:12] + (1).to_bytes(8) + score[20:length]
    (tmp_path / "take.vmc").write_bytes(score[:length] + untimed + score[2 * length : -9])
    sights, n_dropped = read_motion(tmp_path / "take.vmc")
    assert ([seen.time_us for seen in sights], n_dropped) == ([0, 80_000, 120_000], 2)
    (tmp_path / "take.vmc").write_bytes(b"RIFF" + score)
    with pytest.raises(InputError, match="no recording of VMC packets"):
        read_motion(tmp_path / "take.vmc")
