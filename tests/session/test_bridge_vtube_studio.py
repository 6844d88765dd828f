"""VTube Studio: permission, parameters, motion, and what happens when it is not there."""

from __future__ import annotations

import asyncio
import socket
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.session.vtube_studio_kit import DEFAULT_PARAMETERS, VTubeStudioKit, running
from vivant.errors import UnavailableError
from vivant.testing import LoopClock, run_virtual
from vivant.types import MotionFrame, Output, Pose, arkit_weights
from vivant_bridge.avatars import vtube_studio
from vivant_bridge.avatars.vtube_studio import VTubeStudio, token_file
from vivant_bridge.delay import AdaptiveDelay, PresentationClock
from vivant_bridge.errors import DeviceLostError
from vivant_bridge.receiver import MotionSender

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


@pytest.mark.parametrize(
    "malformed",
    [
        "no JSON",
        "[]",
        "{}",
        '{"messageType": "X", "data": 3}',
        '{"messageType": "AuthenticationTokenResponse", "data": {}}',
        '{"messageType": "AuthenticationTokenResponse", "data": {"authenticationToken": "a\\nb"}}',
        '{"messageType": "AuthenticationTokenResponse", "data": {"authenticationToken": ""}}',
        "[" * 5000,
        b"\xff\xfe",
    ],
)
def test_something_else_on_its_port_is_no_fault_of_ours(malformed: bytes | str) -> None:
    with running(VTubeStudioKit(malformed=malformed)) as port:
        receiver = VTubeStudio(("127.0.0.1", port))
        with pytest.raises(DeviceLostError, match="not VTube Studio"):
            receiver.open()
        receiver.close()
    assert not token_file().exists()


def test_a_malformed_reply_to_motion_ends_the_line_and_it_is_opened_again() -> None:
    kit = VTubeStudioKit()
    with running(kit) as port:
        receiver = VTubeStudio(("127.0.0.1", port))
        receiver.open()
        kit.malformed = "no JSON"
        with pytest.raises(DeviceLostError, match="not VTube Studio"):
            for _ in range(10_000):
                receiver.send(OUTPUT)
        receiver.close()
        kit.malformed = None
        receiver.open()
        until_injected(kit, receiver, len(kit.injected) + 1)
        receiver.close()


def test_a_server_of_another_kind_is_said_to_be_none() -> None:
    """It takes the line and says something else, or hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for words in (b"HTTP/1.1 200 OK\r\n\r\n", b"SSH-2.0-x\r\n", b""):
                line, _ = server.accept()
                with line:
                    line.sendall(words)

        thread = threading.Thread(target=answer)
        thread.start()
        for _ in range(3):
            receiver = VTubeStudio(("127.0.0.1", server.getsockname()[1]))
            with pytest.raises(DeviceLostError, match="does not answer"):
                receiver.open()
            receiver.close()
        thread.join()


@pytest.mark.parametrize("token", ["", "\n", "\u00e9", "a\x00b"])
def test_a_damaged_token_is_asked_for_anew(token: str) -> None:
    token_file().parent.mkdir(parents=True, exist_ok=True)
    token_file().write_text(token, "utf-8")
    kit = VTubeStudioKit()
    with running(kit) as port:
        receiver = VTubeStudio(("127.0.0.1", port))
        receiver.open()
        receiver.close()
    assert kit.questions == 1 and token_file().read_text() == "token-1"


def test_a_proxy_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with running(VTubeStudioKit()) as port:
        receiver = VTubeStudio(("127.0.0.1", port))
        receiver.open()
        receiver.close()


@pytest.mark.parametrize(
    ("said", "port"),
    [
        (b'{"data": {"active": true, "port": 8002}}', 8002),
        (b'{"data": {"active": false, "port": 8002}}', None),
        (b'{"data": {"active": true, "port": 99999}}', None),
        (b'{"data": {"active": true, "port": 1e400}}', None),
        (b'{"data": {"active": true}}', None),
        (b"[]", None),
        (b"\xff", None),
        (b"[" * 4000, None),
    ],
)
def test_what_strangers_announce_is_no_port(said: bytes, port: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        own.bind(("127.0.0.1", 0))
        place = own.getsockname()
        own.close()
        monkeypatch.setattr(vtube_studio, "DISCOVERY_PORT", place[1])
        done = threading.Event()

        def announce() -> None:
            while not done.is_set():
                stranger.sendto(said, place)
                done.wait(0.005)

        thread = threading.Thread(target=announce)
        thread.start()
        try:
            assert vtube_studio.discovered_port() == port
        finally:
            done.set()
            thread.join()


def test_a_taken_discovery_port_is_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("", 0))
        monkeypatch.setattr(vtube_studio, "DISCOVERY_PORT", other.getsockname()[1])
        assert vtube_studio.discovered_port() is None


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


def sent(receiver: VTubeStudio, story: Callable[[int], object]) -> list[str]:
    """What a sender says while it has 10 s of frames for the receiver; ``story`` is called before each."""
    said: list[str] = []

    async def main() -> None:
        clock = LoopClock()
        sender = MotionSender(receiver, PresentationClock(clock, 0, AdaptiveDelay(0)), said.append)
        running_sender = asyncio.create_task(sender.run())
        for index in range(300):
            await clock.sleep_until(index * 33_333)
            story(index)
            sender.take(index * 33_333, replace(OUTPUT, motion=replace(OUTPUT.motion, index=index, pts_us=index * 33_333)))
        sender.stop()
        await running_sender

    run_virtual(main())
    return said


def test_the_face_goes_on_without_the_tool_and_moves_it_when_it_comes() -> None:
    kit = VTubeStudioKit()
    with running(kit) as port:
        pass
    with ExitStack() as opened:

        def starts_late(index: int) -> None:
            if index == 60:
                opened.enter_context(running(kit, port))

        first, second = sent(VTubeStudio(("127.0.0.1", port)), starts_late)
    assert "does not answer" in first and first.endswith("; trying again")
    assert second == "VTube Studio gets the motion again" and len(kit.injected) > 60


def test_a_refused_permission_is_said_once_and_the_face_goes_on() -> None:
    kit = VTubeStudioKit(answer="deny")
    with running(kit) as port:
        (said,) = sent(VTubeStudio(("127.0.0.1", port)), lambda _: None)
    assert said.endswith("allow it there and start again; it gets no motion") and kit.questions == 1
