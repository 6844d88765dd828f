"""``--drive`` live: packets of trackers over real ports, and a camera, in real time."""

from __future__ import annotations

import asyncio
import math
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.session.command_line import ADA, Run, frames_of
from vivant.clock import MonotonicClock
from vivant.errors import UnavailableError
from vivant.types import MotionFrame, Pose, arkit_weights
from vivant.vmc.encoder import VmcEncoder
from vivant_bridge.avatars.live_link import LiveLinkEncoder
from vivant_bridge.control import tell
from vivant_bridge.trackers.live_link import decode

pytestmark = [pytest.mark.session, pytest.mark.realtime]

Encoder = Callable[[MotionFrame], bytes]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """An avatar tool that hears what comes out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tool:
        tool.bind(("127.0.0.1", 0))
        tool.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        yield tool


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Tracker:
    """A tracker that sends, at 60 Hz, a head that turns to 8 degrees and back every two seconds and a steady smile."""

    def __init__(self, port: int, encode: Encoder, *, noise: bytes = b"") -> None:
        self._port, self._encode, self._noise = port, encode, noise
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._send()))

    async def _send(self) -> None:
        clock, start = MonotonicClock(), MonotonicClock().now_us()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for n in range(10_000):
                if self._stopped.is_set():
                    return
                pose = Pose(yaw_deg=8 * math.sin(math.pi * n / 60))
                motion = MotionFrame(n, n * 16_667, arkit_weights(mouthSmileLeft=0.7, mouthSmileRight=0.7), pose=pose)
                with suppress(ConnectionRefusedError):
                    for packet in (self._encode(motion), *([self._noise] if self._noise else [])):
                        out.sendto(packet, ("127.0.0.1", self._port))
                await clock.sleep_until(start + (n + 1) * 16_667)

    def __enter__(self) -> Tracker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()


def heard(tool: socket.socket) -> list[MotionFrame]:
    tool.setblocking(False)
    found = []
    with suppress(BlockingIOError):
        while True:
            seen = decode(tool.recv(4096), 0)
            assert seen.motion is not None
            found.append(seen.motion)
    return found


@pytest.mark.parametrize(
    ("name", "encode"), [("vmc", VmcEncoder("perfect-sync")), ("livelink", LiveLinkEncoder())], ids=["vmc", "livelink"]
)
def test_a_tracker_moves_an_avatar(run: Run, listener: socket.socket, name: str, encode: Encoder) -> None:
    """Packets in, packets out: the head and the smile are the tracker's, and noise is counted."""
    port, to = free_port(), f"live-link-face:{listener.getsockname()[1]}"
    with Tracker(port, encode, noise=b"\x06 no packet"):
        done = run("motion", "--drive", f"{name}://{port}", "--to", to, "--mic", "none", "--fps", "30", "--seconds", "8")
    assert done.code == 0, done.err
    assert "packets dropped" in done.out and f"127.0.0.1:{port}: heard" in done.out
    frames = heard(listener)
    yaw = np.array([frame.pose.yaw_deg for frame in frames[len(frames) // 2 :]])
    assert len(yaw) >= 5 and np.ptp(yaw) > 6 and np.abs(yaw).max() < 8.1, "however few frames a slow machine makes"
    assert np.median([frame.weights[23] for frame in frames]) == pytest.approx(0.7, abs=0.02)


def test_without_a_tracker_the_voice_carries_on(run: Run, listener: socket.socket) -> None:
    to = f"live-link-face:{listener.getsockname()[1]}"
    done = run("motion", "--drive", f"vmc:{free_port()}", "--to", to, "--mic", "tone", "--fps", "30", "--seconds", "3")
    assert done.code == 0 and ": silent" in done.out
    frames = heard(listener)
    assert len(frames) > 20 and len({frame.pose.yaw_deg for frame in frames}) > 10, "idle life"


@pytest.mark.slow  # pytest -m slow tests/session/test_drive_live.py
def test_a_portrait_follows_a_tracker_into_a_camera(run: Run, tmp_path: Path) -> None:
    port = free_port()
    with Tracker(port, LiveLinkEncoder()):
        arguments = ("--mic", "none", "--camera", "file:out.y4m", "--size", "square", "--fps", "12", "--seconds", "10")
        done = run("cam", ADA, "--drive", f"livelink:{port}", *arguments)
    assert done.code == 0, done.err
    faces = [frame[180:300, 150:362, 1].astype(float) for frame in frames_of(tmp_path / "out.y4m")]
    bright = max(face.mean() for face in faces)
    faces = [face for face in faces if face.mean() > 0.9 * bright]  # a slow machine shows its "paused" card, too
    assert max(float(np.abs(face - faces[0]).mean()) for face in faces) > 4, "the face turns"


def test_a_running_face_is_told(run: Run, listener: socket.socket) -> None:
    """As a stream deck does, from another process."""

    told = threading.Event()

    def client() -> None:
        for _ in range(600):
            with suppress(UnavailableError):
                tell(["happy"])
                told.set()
            if told.wait(0.05):
                return

    thread = threading.Thread(target=client)
    thread.start()
    to = f"live-link-face:{listener.getsockname()[1]}"
    done = run("motion", "--to", to, "--mic", "none", "--fps", "30", "--seconds", "5")
    thread.join()
    assert done.code == 0
    assert told.is_set() and heard(listener)[-1].weights[23] > 0.3
    assert "no `vivant cam` or `vivant motion` runs here" in run("tell", "happy").sentence()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--drive", "vmc:{taken}"], "is taken by another program"),
        (["--drive", "webcam:97"], "no camera /dev/video97"),
        (["--drive", "vmc://here:99999"], "HOST:PORT"),
        (["--drive", "missing.mp4"], "missing.mp4 does not exist"),
        (["--drive", "livelink", "--runtime", "127.0.0.1:50750"], "--drive moves faces that are drawn here"),
    ],
)
def test_what_cannot_drive_is_a_sentence(run: Run, listener: socket.socket, arguments: list[str], word: str) -> None:
    given = [argument.format(taken=listener.getsockname()[1]) for argument in arguments]
    assert word in run("cam", ADA, "--mic", "none", "--camera", "null", "--seconds", "1", *given).sentence()
