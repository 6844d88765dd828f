"""The parts between a face and a camera."""

from __future__ import annotations

import socket
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vivant.errors import InputError, OutputError, UnavailableError
from vivant.provenance.label import Label
from vivant.types import PixelFormat, UInt8Array
from vivant_bridge.device_registry import choose_camera
from vivant_bridge.errors import DeviceLostError
from vivant_bridge.picture.camera import CHECK_EVERY, VirtualCamera, explained
from vivant_bridge.picture.compositor import SIZES, Compositor, Fill, planes
from vivant_bridge.picture.sink import FileCamera, FrameSink, MemoryCamera, NullCamera
from vivant_bridge.picture.slate import blank, with_word
from vivant_bridge.picture.stream import StreamCamera
from vivant_bridge.runtime.remote import CatchUp

pytestmark = pytest.mark.unit

RED_I420 = (82, 90, 240)
"""BT.601, limited range."""


def square(side: int, colour: tuple[int, int, int] = (255, 0, 0)) -> UInt8Array:
    return np.dstack([np.full((side, side), value, np.uint8) for value in (*colour, 255)])


def colour_at(frame: UInt8Array, size: tuple[int, int], x: int, y: int) -> tuple[int, int, int]:
    luma, u, v = planes(frame, *size)
    return int(luma[y, x]), int(u[y // 2, x // 2]), int(v[y // 2, x // 2])


def near(colour: tuple[int, int, int], expected: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(colour, expected, strict=True)) <= 3


@given(st.lists(st.booleans(), max_size=40))
def test_late_pictures_are_left_out_but_three_in_a_row_at_most(late: list[bool]) -> None:
    catch_up = CatchUp(lambda index: late[index])
    left_out = [catch_up.leaves_out(index) for index in range(len(late))]
    assert all(is_late for is_late, is_out in zip(late, left_out, strict=True) if is_out)
    assert "1111" not in "".join(str(int(is_out)) for is_out in left_out)
    assert not late or left_out[0] == late[0]


@pytest.mark.parametrize("size", SIZES.values())
@pytest.mark.parametrize("fill", ["blur", "crop", "#0000ff"])
@pytest.mark.parametrize("side", [512, 720])
def test_canvas_holds_the_square_in_its_middle(size: tuple[int, int], fill: str, side: int) -> None:
    frame = Compositor(*size, Fill.parse(fill)).compose(square(side), 0, 0)
    assert frame.shape == (size[0] * size[1] * 3 // 2,)
    for y in (1, size[1] // 2, size[1] - 2):
        assert near(colour_at(frame, size, size[0] // 2, y), RED_I420)
    beside = colour_at(frame, size, 1, size[1] // 2)
    if fill == "#0000ff" and size[0] > size[1]:
        assert near(beside, (41, 240, 110))
    elif fill == "crop":
        assert near(beside, RED_I420)


@pytest.mark.parametrize("size", SIZES.values())
def test_a_crop_leaves_no_bars_and_does_not_squeeze(size: tuple[int, int]) -> None:
    side = Compositor(*size, Fill("crop")).square_px
    columns = np.repeat(np.linspace(0, 255, side, dtype=np.uint8)[None, :, None], side, axis=0).repeat(3, axis=2)
    across = planes(Compositor(*size, Fill("crop")).compose(columns, 0, 0), *size)[0].astype(int)
    for y in (0, size[1] // 2, size[1] - 1):  # from edge to edge, as in the square
        assert across[y, 0] < 20 and across[y, -1] > 230
        assert np.abs(np.diff(across[y])).max() < 4
    down = planes(Compositor(*size, Fill("crop")).compose(np.ascontiguousarray(columns.transpose(1, 0, 2)), 0, 0), *size)[0]
    slope = (int(down[-1, 0]) - int(down[0, 0])) / size[1] / ((int(across[0, -1]) - int(across[0, 0])) / size[0])
    assert slope == pytest.approx(1, abs=0.05)


def test_canvas_asks_for_the_size_that_it_shows() -> None:
    assert [Compositor(*size, Fill("blur")).square_px for size in SIZES.values()] == [720, 480, 512]
    assert [Compositor(*size, Fill("crop")).square_px for size in SIZES.values()] == [768, 640, 512]


def test_rgb_and_rgba_look_alike() -> None:
    compositor, pixels = Compositor(640, 480, Fill("blur")), np.random.default_rng(1).integers(0, 255, (480, 480, 4), np.uint8)
    pixels[..., 3] = 255
    assert np.array_equal(compositor.compose(pixels, 0, 0), compositor.compose(np.ascontiguousarray(pixels[..., :3]), 1, 0))


def test_what_lies_behind_changes_with_the_portrait_only() -> None:
    compositor, size = Compositor(640, 480, Fill("blur")), (640, 480)
    red = colour_at(compositor.compose(square(480), 0, 0), size, 2, 240)
    assert colour_at(compositor.compose(square(480, (0, 255, 0)), 0, 0), size, 2, 240) == red
    assert colour_at(compositor.compose(square(480, (0, 255, 0)), 1, 0), size, 2, 240) != red


def test_a_crop_cuts_the_squares_label_away_and_has_its_own() -> None:
    for size in ((1280, 720), (640, 480)):
        plain = Compositor(*size, Fill("crop"))
        pixels, labelled = square(plain.square_px, (90, 90, 90)), square(plain.square_px, (90, 90, 90))
        for corner in ("top right", "top left", "bottom right", "bottom left"):
            Label("en", corner).draw(labelled, 0)
        without = planes(plain.compose(pixels, 0, 0), *size)[0]
        middle = slice(size[0] // 2 - size[1] // 2, size[0] // 2 + size[1] // 2)
        assert np.array_equal(planes(plain.compose(labelled, 0, 0), *size)[0][:, middle], without[:, middle])
        own = planes(Compositor(*size, Fill("crop"), label=Label()).compose(pixels, 0, 0), *size)[0]
        rows, columns = np.nonzero(own != without)
        assert rows.min() > 4
        assert rows.max() < size[1] // 8
        assert columns.min() > size[0] * 0.7


def test_an_image_behind(tmp_path: Path) -> None:
    Image.new("RGB", (300, 100), (0, 0, 255)).save(tmp_path / "beach.png")
    frame = Compositor(640, 480, Fill.parse(str(tmp_path / "beach.png"))).compose(square(480), 0, 0)
    assert near(colour_at(frame, (640, 480), 5, 5), (41, 240, 110))


@pytest.mark.parametrize("text", ["wallpaper", "#12", ""])
def test_unknown_fills(text: str) -> None:
    with pytest.raises(InputError, match="--fill is blur, crop, a colour"):
        Fill.parse(text)


def test_a_missing_image_behind() -> None:
    with pytest.raises(InputError, match="does not exist"):
        Fill.parse("nowhere.png")


@pytest.mark.parametrize("size", SIZES.values())
def test_cards_dim_and_say_a_word(size: tuple[int, int]) -> None:
    frame = Compositor(*size, Fill("blur")).compose(square(512, (200, 180, 160)), 0, 0)
    card = with_word(frame, *size, "paused")
    luma, _, _ = planes(card, *size)
    assert luma[: size[1] // 2].max() < planes(frame, *size)[0].max() * 0.7
    assert luma[size[1] * 7 // 10 :].max() > 225
    assert not np.array_equal(card, with_word(frame, *size, "starting"))
    assert planes(blank(*size), *size)[1].min() == 128


@pytest.mark.parametrize("form", [PixelFormat.RGB, PixelFormat.RGBA])
@pytest.mark.parametrize("fill", ["blur", "crop", "#0000ff"])
def test_a_camera_may_ask_for_pixels(form: PixelFormat, fill: str) -> None:
    frame = Compositor(640, 480, Fill.parse(fill), pixel_format=form).compose(square(512), 0, 0)
    assert frame.shape == (480, 640, 3 if form is PixelFormat.RGB else 4)
    assert frame[240, 320].tolist() == [255, 0, 0, 255][: frame.shape[2]]
    assert form is PixelFormat.RGB or (frame[..., 3] == 255).all()
    assert fill != "#0000ff" or frame[240, 5, :3].tolist() == [0, 0, 255]
    card = with_word(frame, 640, 480, "paused", form)
    assert card.shape == frame.shape and card[240, 320, 0] == 127
    assert card[480 * 7 // 10 :, ..., :3].min(axis=-1).max() > 225
    assert blank(640, 480, form).shape == frame.shape


def test_transparency_reaches_a_camera_that_takes_it() -> None:
    person = square(512)
    person[:, :100, 3] = 0
    frame = Compositor(640, 480, Fill.parse("transparent"), pixel_format=PixelFormat.RGBA).compose(person, 0, 0)
    assert (frame[:, :80, 3] == 0).all() and (frame[:, 90:160, 3] == 0).all()
    assert frame[240, 320].tolist() == [255, 0, 0, 255]
    for form in (PixelFormat.I420, PixelFormat.RGB):
        with pytest.raises(InputError, match=f"--fill transparent needs a camera that takes RGBA; this one takes {form.name}"):
            Compositor(640, 480, Fill.parse("transparent"), pixel_format=form)
    with pytest.raises(InputError, match="a camera takes I420, RGB or RGBA, got JPEG"):
        Compositor(640, 480, Fill.parse("blur"), pixel_format=PixelFormat.JPEG)


@pytest.fixture(params=["memory", "null", "file", "stream", "library"])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> FrameSink:
    made: dict[str, FrameSink] = {
        "memory": MemoryCamera(),
        "null": NullCamera(),
        "file": FileCamera(tmp_path / "out.y4m"),
        "stream": StreamCamera(f"127.0.0.1:{free_port()}"),
        "library": VirtualCamera(library=lambda: Library()),
    }
    return made[request.param]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Library:
    """pyvirtualcam, as far as it is used."""

    class PixelFormat:
        I420 = "I420"

    camera = SimpleNamespace(BACKENDS={"v4l2loopback": object})

    def __init__(self, refusal: str | None = None) -> None:
        self.refusal = refusal
        self.cameras: list[Any] = []

    def Camera(self, width: int, height: int, fps: float, *, fmt: str, device: str | None, backend: str | None) -> Any:  # noqa: ANN401, N802
        if self.refusal:
            raise RuntimeError(self.refusal)
        camera = SimpleNamespace(device=device or "/dev/video7", frames=[], closed=False, fmt=fmt)

        def send(frame: UInt8Array) -> None:
            if frame.shape != (width * height * 3 // 2,):
                raise ValueError("unexpected frame size")
            camera.frames.append(frame)

        camera.send = send
        camera.close = lambda: setattr(camera, "closed", True)
        self.cameras.append(camera)
        return camera


def test_every_camera_takes_frames_of_its_size_and_no_other(sink: FrameSink) -> None:
    for size in ((64, 48), (32, 32)):
        sink.open(*size, Fraction(30))
        for i in range(3):
            sink.send(blank(*size), i)
        with pytest.raises(ValueError, match="frame"):
            sink.send(blank(16, 16), 3)
        sink.close()
        sink.close()


def test_a_file_is_video(tmp_path: Path) -> None:
    path = tmp_path / "out.y4m"
    camera = choose_camera(f"file:{path}", None)
    camera.open(64, 48, Fraction(30000, 1001))
    for _ in range(5):
        camera.send(Compositor(64, 48, Fill("crop")).compose(square(64), 0, 0), 0)
    camera.close()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (64, 48, Fraction(30000, 1001))
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 5
    assert np.abs(frames[0].astype(int) - (255, 0, 0)).max() < 12


def test_a_stream_is_whole_frames_for_one_viewer_after_the_other() -> None:
    port = free_port()
    camera = choose_camera(f"tcp:127.0.0.1:{port}", None)
    camera.open(640, 480, Fraction(30))
    frames = [np.full(640 * 480 * 3 // 2, i, np.uint8) for i in range(40)]
    camera.send(frames[0], 0)  # nobody looks
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", port)) as viewer, viewer.makefile("rb") as read:
            for frame in frames:
                camera.send(frame, 0)
            assert read.readline() == b"YUV4MPEG2 W640 H480 F30:1 Ip A1:1 C420jpeg\n"
            seen = []
            for _ in range(4):
                while read.peek(6)[:6] != b"FRAME\n":
                    camera.send(frames[-1], 0)
                assert read.readline() == b"FRAME\n"
                data = bytearray()
                while len(data) < len(frames[0]):
                    camera.send(frames[-1], 0)
                    data += read.read1(len(frames[0]) - len(data))
                assert len(set(data)) == 1
                seen.append(data[0])
            assert seen == sorted(seen)
        for _ in range(3):
            camera.send(frames[0], 0)  # it is gone
    with pytest.raises(OutputError, match=r"cannot listen on tcp://127\.0\.0\.1"):
        choose_camera(f"tcp:127.0.0.1:{port}", None).open(640, 480, Fraction(30))
    camera.close()


def test_a_stream_is_local() -> None:
    with pytest.raises(InputError, match=r"for instance tcp:127\.0\.0\.1:9100"):
        choose_camera("tcp:0.0.0.0:9100", None)


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        FileCamera(tmp_path / "none" / "out.y4m").open(64, 48, Fraction(30))


@pytest.mark.parametrize(
    ("said", "kind", "answer"),
    [
        ("Device /dev/video0 is not a video output device.", DeviceLostError, "refuses a second writer.*modprobe"),
        (
            "... due to missing permissions. Did you add your user to the 'video' group?",
            UnavailableError,
            "usermod -a -G video",
        ),
        (
            "No v4l2 loopback device found at /dev/video[0-99]. Did you run 'modprobe v4l2loopback'?",
            UnavailableError,
            "modprobe",
        ),
        (
            "'obs' backend: OBS Virtual Camera device not found! Did you install OBS?\nnot installed",
            UnavailableError,
            "vivant doctor",
        ),
        ("something else", UnavailableError, "something else.*vivant doctor"),
    ],
)
def test_refusals_of_the_driver_are_one_sentence_with_a_way_out(said: str, kind: type[Exception], answer: str) -> None:
    camera = VirtualCamera(library=lambda: Library(said))
    with pytest.raises(kind, match=answer) as caught:
        camera.open(64, 48, Fraction(30))
    assert "\n" not in str(caught.value)
    assert isinstance(explained(said), kind)
    camera.close()


def test_another_writer_is_noticed(tmp_path: Path) -> None:
    node = tmp_path / "video7"
    node.mkdir()
    (node / "format").write_text("YU12:64x48@30\n")
    library = Library()
    camera = VirtualCamera(library=lambda: library, sysfs=tmp_path)
    camera.open(64, 48, Fraction(30))
    frame = blank(64, 48)
    for _ in range(2 * CHECK_EVERY):
        camera.send(frame, 0)
    (node / "format").write_text("YUYV:320x240@15\n")
    with pytest.raises(DeviceLostError, match=r"another program writes to /dev/video7 too \(YUYV:320x240@15\)"):
        for _ in range(CHECK_EVERY):
            camera.send(frame, 0)
    (node / "format").unlink()
    node.rmdir()
    with pytest.raises(DeviceLostError, match="/dev/video7 is gone"):
        for _ in range(CHECK_EVERY):
            camera.send(frame, 0)
    camera.close()
    assert library.cameras[0].closed


def test_a_backend_of_another_system() -> None:
    with pytest.raises(UnavailableError, match="no camera backend 'obs'; it has: v4l2loopback"):
        VirtualCamera(None, "obs", library=Library).open(64, 48, Fraction(30))


def test_without_the_camera_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyvirtualcam", None)
    with pytest.raises(UnavailableError, match=r"extra 'camera': pip install .\.\[camera\]"):
        choose_camera("auto", None).open(64, 48, Fraction(30))


@pytest.mark.parametrize("text", ["webcam", "file", "file:", "obs2", "null:x", "auto:x", "obs:/dev/video2", ""])
def test_unknown_cameras(text: str) -> None:
    with pytest.raises(InputError, match="--camera is auto"):
        choose_camera(text, None)
