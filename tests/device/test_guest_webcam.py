"""A real camera driver before a face: known motion goes in, the pixels of a portrait come out.

The guest's processor is emulated, where a look of the network takes seconds. So the driver and what reads it are there; what
follows the face, moves and draws is here.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import FaceOf
from tests.device.guest_kit import CAMERA, PATIENCE_S, Guest, next_line
from tests.device.pattern import SIZE_PX
from tests.device.webcam_sender import HEAD
from tests.session.command_line import ADA, Run, frames_of
from tests.session.conftest import run as run
from tests.session.conftest import warm_cache as warm_cache
from vivant.face import RigFace
from vivant.portrait import PortraitAnalyser
from vivant.render import _kernel
from vivant.types import Float32Array, MotionFrame, Pose, UInt8Array, arkit_weights
from vivant_bridge.trackers import webcam
from vivant_bridge.trackers.webcam import Picture, Webcam

pytestmark = pytest.mark.device

FPS, PERIOD_S = 10, 12.0
"""Of the person before the camera, who does the same again and again."""
SEEN_S, SHOWN_FPS, WARM_S = 30, 12, 6
LAGS_S = np.arange(0, PERIOD_S, 0.05).tolist()
"""How late the portrait may be: the person began before anybody looked."""


def yaw_deg(at_s: float) -> float:
    return 9 * math.sin(4 * math.pi * at_s / PERIOD_S)


def jaw(at_s: float) -> float:
    return 0.25 - 0.25 * math.cos(6 * math.pi * at_s / PERIOD_S)


@pytest.fixture(scope="module")
def person(guest: Guest, face_of: FaceOf) -> str:
    """The command that shows a person who turns the head and opens the mouth."""
    pictures = np.empty((round(PERIOD_S * FPS), SIZE_PX * SIZE_PX * 3 // 2), np.uint8)
    _draw(face_of("bram"), pictures)
    pictures.tofile(guest.share / "person.i420")
    return f"python -m tests.device.camera_writer /share/person.i420 {FPS}"


def _draw(face: RigFace, pictures: UInt8Array) -> None:
    renderer, opaque = face.open(SIZE_PX), np.full((SIZE_PX, SIZE_PX), 255, np.uint8)
    for k, picture in enumerate(pictures):
        motion = MotionFrame(k, 0, arkit_weights(jawOpen=jaw(k / FPS)), pose=Pose(yaw_deg(k / FPS)))
        _kernel.i420_from_rgba(np.dstack([renderer.render(motion).pixels[..., :3], opaque]), picture)


def pictures_of(guest: Guest, source: str) -> Iterator[Picture]:
    """What the guest's camera gives, as it comes."""
    assert source == "webcam:0"
    door = socket.create_server(("127.0.0.1", 0))
    with door, guest.running(f"python -m tests.device.webcam_sender {Guest.HOST} {door.getsockname()[1]}"):
        door.settimeout(PATIENCE_S)
        there = door.accept()[0]
        with there, there.makefile("rb") as stream:
            while head := stream.read(HEAD.size):
                pts_us, height, width = HEAD.unpack(head)
                yield np.frombuffer(stream.read(height * width * 3), np.uint8).reshape(height, width, 3), pts_us


def test_a_portrait_follows_who_sits_before_the_camera(
    guest: Guest, person: str, run: Run, tmp_path: Path, analyser: PortraitAnalyser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webcam, "webcam", lambda argument: Webcam("webcam:0", open_pictures=partial(pictures_of, guest)))
    into = ("--camera", "file:out.y4m", "--size", "square", "--fps", str(SHOWN_FPS), "--mic", "none", "--seconds", str(SEEN_S))
    guest.plug_in()
    with guest.running(person) as camera:
        assert next_line(camera) == CAMERA
        done = run("cam", ADA, "--drive", "webcam", "--lips", "camera", *into)
    guest.unplug()
    assert done.code == 0, done.err
    times_s, noses, gaps = seen_of(analyser, frames_of(tmp_path / "out.y4m"))
    head, mouth = max((follows(times_s, noses, gaps, late_s) for late_s in LAGS_S), key=sum)
    print(f"{len(times_s)} pictures; head r {head:.3f}, mouth r {mouth:.3f}")
    assert len(times_s) > (SEEN_S - WARM_S) * SHOWN_FPS // 4 and head > 0.95 and mouth > 0.9, (len(times_s), head, mouth)


def seen_of(analyser: PortraitAnalyser, pictures: list[UInt8Array]) -> tuple[Float32Array, Float32Array, Float32Array]:
    """When, where the nose is beside the eyes and how far the lips are apart, in eye distances, of every second picture of a
    face; without the card that says "paused"."""
    rows = []
    for k in range(WARM_S * SHOWN_FPS, len(pictures), 2):
        for face in analyser.faces(pictures[k])[:1]:
            points = face.landmarks[:, :2]
            unit = float(np.linalg.norm(points[33] - points[263]))
            nose, gap = points[4, 0] - (points[33, 0] + points[263, 0]) / 2, np.linalg.norm(points[13] - points[14])
            rows.append((k / SHOWN_FPS, float(nose) / unit, float(gap) / unit))
    times_s, noses, gaps = np.array(rows, np.float32).T
    return times_s, noses, gaps


def follows(times_s: Float32Array, noses: Float32Array, gaps: Float32Array, late_s: float) -> tuple[float, float]:
    """r of head and mouth, if both are so late."""

    def r(known: Callable[[float], float], found: Float32Array) -> float:
        return float(np.corrcoef([known(at_s - late_s) for at_s in times_s.tolist()], found)[0, 1])

    return r(yaw_deg, noses), r(jaw, gaps)


def test_a_camera_that_is_taken_or_not_there_is_a_sentence_and_no_file(guest: Guest, person: str) -> None:
    """The driver is loaded for a writer and one reader; whoever comes third is refused, as by cameras that take one."""
    guest.plug_in(max_openers=2)
    with guest.running(person) as camera:
        assert next_line(camera) == CAMERA
        with guest.running("python -m tests.device.webcam_reader 1000000") as reader:
            next_line(reader)
            refused = guest.run("vivant capture webcam -o /share/taken.jsonl; echo it ended with $?")
            refused += guest.run("vivant motion --drive webcam --to vmc --mic none; echo it ended with $?")
    guest.unplug()
    absent = guest.run("vivant capture webcam -o /share/taken.jsonl; echo it ended with $?")
    assert refused.count(f"camera {CAMERA} is in use by another program") == refused.count("it ended with 1") == 2, refused
    assert f"there is no camera {CAMERA}" in absent and "it ended with 1" in absent, absent
    assert "Traceback" not in refused + absent and not (guest.share / "taken.jsonl").exists()
