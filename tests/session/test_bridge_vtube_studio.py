"""VTube Studio: permission, parameters, motion, and what happens when it is not there."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from tests.session.vtube_studio_kit import DEFAULT_PARAMETERS, VTubeStudioKit, running
from vivant.errors import UnavailableError
from vivant.types import MotionFrame, Output, Pose, arkit_weights
from vivant_bridge.avatars import vtube_studio
from vivant_bridge.avatars.vtube_studio import VTubeStudio, token_file
from vivant_bridge.errors import DeviceLostError

pytestmark = pytest.mark.session

OUTPUT = Output(MotionFrame(0, 0, arkit_weights(jawOpen=0.25), pose=Pose(yaw_deg=12.0)), None, "", None, 0)


def until_injected(kit: VTubeStudioKit, receiver: VTubeStudio, n: int) -> None:
    """Send until so many frames have been understood; its answers come when they come."""
    for _ in range(10_000):
        receiver.send(OUTPUT)
        if len(kit.injected) >= n:
            return
    raise AssertionError("nothing arrives")


def test_the_user_is_asked_once_and_the_token_is_for_nobody_else() -> None:
    kit = VTubeStudioKit()
    with running(kit) as port:
        for _ in range(2):
            receiver = VTubeStudio(("127.0.0.1", port))
            receiver.open()
            until_injected(kit, receiver, 3)
            receiver.close()
    assert kit.questions == 1
    assert token_file().read_text() == "token-1"
    if sys.platform != "win32":
        assert stat.S_IMODE(token_file().stat().st_mode) == 0o600
    values = kit.injected[-1]
    assert values["FaceAngleX"] == 12.0 and values["MouthOpen"] == 0.5 and values["VivantJawOpen"] == 0.25
    assert len(values) == 52 + len(set(DEFAULT_PARAMETERS) - {"FacePositionZ"})
    assert kit.custom["VivantJawOpen"]["min"] == 0 and kit.custom["VivantJawOpen"]["max"] == 1


def test_parameters_that_a_version_lacks_are_left_out() -> None:
    kit = VTubeStudioKit()
    with running(kit) as port:
        receiver = VTubeStudio(("127.0.0.1", port))
        receiver.open()
        until_injected(kit, receiver, 1)
        receiver.close()
    assert "VoiceA" not in kit.injected[0]


def test_permission_that_was_taken_back_is_asked_for_again() -> None:
    kit = VTubeStudioKit()
    with running(kit) as port:
        receiver = VTubeStudio(("127.0.0.1", port))
        receiver.open()
        receiver.close()
        kit.tokens.clear()
        with pytest.raises(DeviceLostError, match="allow it there again"):
            receiver.open()
        receiver.close()
        receiver.open()
        receiver.close()
    assert kit.questions == 2 and token_file().read_text() == "token-2"


def test_a_user_who_says_no_is_not_asked_for_ever() -> None:
    with running(VTubeStudioKit(answer="deny")) as port:
        receiver = VTubeStudio(("127.0.0.1", port))
        with pytest.raises(UnavailableError, match="allow it there") as raised:
            receiver.open()
        receiver.close()
    assert not isinstance(raised.value, DeviceLostError)
    assert not token_file().exists()


def test_a_question_that_is_open_is_waited_for() -> None:
    with running(VTubeStudioKit(answer="busy")) as port:
        receiver = VTubeStudio(("127.0.0.1", port))
        with pytest.raises(DeviceLostError, match="answer it there"):
            receiver.open()
        receiver.close()


@pytest.mark.parametrize("malformed", ["no JSON", "[]", "{}", '{"messageType": "X", "data": 3}', b"\xff\xfe"])
def test_something_else_on_its_port_is_no_fault_of_ours(malformed: bytes | str) -> None:
    with running(VTubeStudioKit(malformed=malformed)) as port:
        receiver = VTubeStudio(("127.0.0.1", port))
        with pytest.raises(DeviceLostError, match="not VTube Studio"):
            receiver.open()
        receiver.close()


def test_it_may_start_later_stop_and_come_back() -> None:
    kit = VTubeStudioKit()
    with running(kit) as port:
        pass
    receiver = VTubeStudio(("127.0.0.1", port))
    with pytest.raises(DeviceLostError, match="start it and allow plugins"):
        receiver.open()
    receiver.close()
    with running(kit, port):
        receiver.open()
        until_injected(kit, receiver, 1)
    with pytest.raises(DeviceLostError, match="has gone"):
        for _ in range(10_000):
            receiver.send(OUTPUT)
    receiver.close()
    with running(kit, port):
        receiver.open()
        until_injected(kit, receiver, len(kit.injected) + 1)
        receiver.close()


def test_a_token_is_not_half_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VIVANT_CONFIG_DIR", str(tmp_path / "new" / "folder"))
    with running(VTubeStudioKit()) as port:
        receiver = VTubeStudio(("127.0.0.1", port))
        receiver.open()
        receiver.close()
    assert [path.name for path in vtube_studio.token_file().parent.iterdir()] == ["vtube_studio.token"]
