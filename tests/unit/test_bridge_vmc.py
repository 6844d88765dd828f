"""VMC packets as a second reader understands them, that of other authors: osc4py3 takes OSC apart, vmcp knows the protocol."""

from __future__ import annotations

from typing import Any

import pytest
from osc4py3.oscbuildparse import decode_packet
from vmcp import events
from vmcp.typing import Bone, CalibrationMode, CalibrationState, ModelState, TrackingState

from vivant.avatars import Quaternion, all_weights
from vivant.types import MotionFrame, Pose, arkit_weights
from vivant_bridge.avatars.vmc import NAMES, PERFECT_SYNC, VmcEncoder

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
