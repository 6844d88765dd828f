"""A real camera driver: what pyvirtualcam and ``vivant cam`` write there is what ffmpeg and OpenCV read."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from tests.device.guest_kit import CAMERA, PATIENCE_S, ROOT, Guest, next_line
from tests.device.living import require_living_face
from tests.device.pattern import SIZE_PX, has_right_colours, number_of, numbered
from vivant.face import RigFace
from vivant.render import _kernel
from vivant.types import UInt8Array

pytestmark = pytest.mark.device

VOICE = ROOT / "runtime" / "vivant" / "assets" / "voice.flac"
N_PICTURES = 120
N_SEEN = 40
FPS = 20
CAM_FPS = 24


def put_numbered(guest: Guest) -> str:
    """The command that shows numbered pictures, converted by our kernel."""
    pictures = np.empty((N_PICTURES, SIZE_PX * SIZE_PX * 3 // 2), np.uint8)
    for number, picture in enumerate(pictures):
        _kernel.i420_from_rgba(np.dstack([numbered(number), np.full((SIZE_PX, SIZE_PX), 255, np.uint8)]), picture)
    pictures.tofile(guest.share / "pictures.i420")
    return f"python -m tests.device.camera_writer /share/pictures.i420 {FPS}"


def seen_by_ffmpeg(guest: Guest, n: int) -> UInt8Array:
    """(n, s, s, 3) RGB."""
    guest.run(
        f"timeout {PATIENCE_S:g} ffmpeg -v error -f v4l2 -i {CAMERA} -frames:v {n} -fps_mode passthrough"
        " -pix_fmt rgb24 -f rawvideo -y /share/seen.rgb"
    )
    return np.fromfile(guest.share / "seen.rgb", np.uint8).reshape(n, SIZE_PX, SIZE_PX, 3)


def require_in_order(numbers: list[int]) -> None:
    """One picture after another, none twice and most of them seen."""
    steps = np.diff(numbers) % N_PICTURES
    assert (steps >= 1).all(), numbers
    assert steps.mean() < 3, numbers


def require_numbered_pictures(guest: Guest, writer: str) -> None:
    """In the right size and colour, by two programs that know nothing of us."""
    with guest.running(writer) as process:
        assert next_line(process) == CAMERA
        formats = guest.run(f"v4l2-ctl -d {CAMERA} --list-formats-ext")
        assert "YU12" in formats and f"{SIZE_PX}x{SIZE_PX}" in formats, formats
        pictures = seen_by_ffmpeg(guest, N_SEEN)
        assert all(map(has_right_colours, pictures))
        require_in_order([number_of(picture) for picture in pictures])
        size, *lines = guest.run(f"python -m tests.device.camera_reader {N_SEEN}").splitlines()
        assert size == f"{SIZE_PX} {SIZE_PX}"
        assert all(line.endswith("True") for line in lines), lines
        require_in_order([int(line.split()[0]) for line in lines])


def test_numbered_pictures_arrive_and_again_after_the_camera_was_away(guest: Guest) -> None:
    writer = put_numbered(guest)
    guest.plug_in()
    require_numbered_pictures(guest, writer)
    guest.unplug()
    with pytest.raises(AssertionError, match="No v4l2 loopback device"):
        guest.run(writer)
    guest.plug_in()
    with guest.running(writer) as process:
        assert next_line(process) == CAMERA
        require_in_order([number_of(picture) for picture in seen_by_ffmpeg(guest, N_SEEN)])
    guest.unplug()


def test_a_camera_that_another_program_fills_is_seen_as_it_is(guest: Guest) -> None:
    """`vivant capture webcam` and ``--drive webcam``: of a size that they would not ask for, which garbled every picture."""
    writer = put_numbered(guest)
    guest.plug_in()
    with guest.running(writer) as process:
        assert next_line(process) == CAMERA
        lines = [line.split() for line in guest.run(f"python -m tests.device.webcam_reader {N_SEEN}").splitlines()]
    guest.unplug()
    assert [line[1:] for line in lines] == [[str(SIZE_PX), str(SIZE_PX), "True"]] * N_SEEN, lines
    require_in_order([int(line[0]) for line in lines])


def test_vivant_cam_shows_a_face_drawn_here_and_outlives_a_driver_that_refuses(guest: Guest, server: int, ada: RigFace) -> None:
    """Debian 12's driver takes one writer; the next is refused until it is loaded anew."""
    guest.plug_in()
    blank = f"-f lavfi -i color=size={SIZE_PX}x{SIZE_PX} -frames:v 5 -pix_fmt yuv420p"
    guest.run(f"timeout 60 ffmpeg -v error {blank} -f v4l2 {CAMERA}")
    cam = f"vivant cam ada --runtime {Guest.HOST}:{server} --size square --fps {CAM_FPS} --mic loop:{VOICE}"
    with guest.running(cam) as process:
        wait_for(process, "refuses a second writer")
        guest.unplug()
        guest.plug_in()
        wait_for(process, "shows the picture again")
        require_living_face(ada, lambda: seen_by_ffmpeg(guest, CAM_FPS), PATIENCE_S)
    guest.unplug()


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    """Until a program has said so."""
    said: list[str] = []
    while not said or words not in said[-1]:
        said.append(next_line(process))
        assert said[-1], f"it ended without saying {words!r}: {said}"
