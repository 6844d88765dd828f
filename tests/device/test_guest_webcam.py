"""A real camera driver before a face: its pictures show a rendered person of known motion; what becomes of them is read."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import numpy as np
import pytest

from tests.conftest import FaceOf
from tests.device.guest_kit import CAMERA, Guest, next_line
from tests.device.pattern import SIZE_PX
from tests.session.command_line import frames_of
from vivant.face import RigFace
from vivant.portrait import PortraitAnalyser
from vivant.render import _kernel
from vivant.types import ARKIT_INDEX, Float32Array, MotionFrame, Pose, UInt8Array, arkit_weights

pytestmark = pytest.mark.device

FPS, PERIOD_S = 3, 40.0
"""Of the person before the camera, who does the same again and again, slowly: an emulated processor follows few pictures."""
SEEN_S, SHOWN_FPS = 60, 12
WARM_S = 5.0
LAG_S = 0.1
"""Step in which it is looked for how late motion is: the person began before anybody looked."""


def yaw_deg(at_s: float) -> float:
    return 9 * math.sin(2 * math.pi * at_s / PERIOD_S * 2)


def jaw(at_s: float) -> float:
    return 0.3 - 0.3 * math.cos(2 * math.pi * at_s / PERIOD_S * 3)


def put_person(guest: Guest, face: RigFace) -> str:
    """The command that shows a person who turns the head and opens the mouth."""
    renderer, n = face.open(SIZE_PX), round(PERIOD_S * FPS)
    pictures = np.empty((n, SIZE_PX * SIZE_PX * 3 // 2), np.uint8)
    for k, picture in enumerate(pictures):
        motion = MotionFrame(k, 0, arkit_weights(jawOpen=jaw(k / FPS)), pose=Pose(yaw_deg(k / FPS)))
        rgba = np.ascontiguousarray(
            np.dstack([renderer.render(motion).pixels[..., :3], np.full((SIZE_PX, SIZE_PX), 255, np.uint8)])
        )
        _kernel.i420_from_rgba(rgba, picture)
    pictures.tofile(guest.share / "person.i420")
    return f"python -m tests.device.camera_writer /share/person.i420 {FPS}"


def follows(times_s: Float32Array, yaws: Float32Array, jaws: Float32Array) -> tuple[float, float]:
    """r of head and mouth, both as late as the head follows best."""

    def r(known: Callable[[float], float], found: Float32Array, lag_s: float) -> float:
        return float(np.corrcoef([known(at - lag_s) for at in times_s.tolist()], found)[0, 1])

    lag_s = max(np.arange(0, PERIOD_S, LAG_S).tolist(), key=lambda lag: r(yaw_deg, yaws, lag) + r(jaw, jaws, lag))
    return r(yaw_deg, yaws, lag_s), r(jaw, jaws, lag_s)


@pytest.fixture(scope="module")
def person(guest: Guest, face_of: FaceOf) -> str:
    return put_person(guest, face_of("bram"))


def test_a_camera_becomes_a_motion_file(guest: Guest, person: str) -> None:
    guest.plug_in()
    with guest.running(person) as camera:
        assert next_line(camera) == CAMERA
        guest.run(f"vivant capture webcam -o /share/seen.jsonl --seconds {SEEN_S}")
    guest.unplug()
    lines = [json.loads(line) for line in (guest.share / "seen.jsonl").read_text().splitlines()[1:]]
    times = (np.arange(len(lines)) / 30).astype(np.float32)
    late = times > WARM_S
    yaws = np.array([line["pose"]["yaw_deg"] for line in lines], np.float32)
    jaws = np.array([line["weights"][ARKIT_INDEX["jawOpen"]] for line in lines], np.float32)
    head, mouth = follows(times[late], yaws[late], jaws[late])
    assert len(lines) > 15 * SEEN_S and head > 0.95 and mouth > 0.85, (len(lines), head, mouth)


def test_a_portrait_follows_who_sits_before_the_camera(
    guest: Guest, person: str, ada: RigFace, analyser: PortraitAnalyser
) -> None:
    """Known motion in, pixels out, which a network here looks at."""
    ada.rig.save(guest.share / "ada.vivant")
    guest.plug_in()
    shown = f"--mic none --camera file:/share/shown.y4m --size square --fps {SHOWN_FPS} --seconds {SEEN_S}"
    with guest.running(person) as camera:
        assert next_line(camera) == CAMERA
        guest.run(f"vivant cam /share/ada.vivant --drive webcam --lips camera {shown}")
    guest.unplug()
    noses, gaps, times = seen_of(analyser, frames_of(guest.share / "shown.y4m"))
    head, mouth = follows(times, noses, gaps)
    assert len(times) > SEEN_S // 2 and head > 0.9 and mouth > 0.8, (len(times), head, mouth)


def seen_of(analyser: PortraitAnalyser, pictures: list[UInt8Array]) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Where the nose is beside the eyes, how far the lips are apart, in eye distances, and when, of pictures of a face."""
    rows = []
    for k, picture in enumerate(pictures):
        faces = analyser.faces(picture) if k > WARM_S * SHOWN_FPS else []
        if faces:
            points = faces[0].landmarks
            unit = float(np.linalg.norm(points[33, :2] - points[263, :2]))
            nose = float(points[4, 0] - (points[33, 0] + points[263, 0]) / 2) / unit
            rows.append((nose, float(np.linalg.norm(points[13, :2] - points[14, :2])) / unit, k / SHOWN_FPS))
    noses, gaps, times = np.array(rows, np.float32).T
    return noses, gaps, times
