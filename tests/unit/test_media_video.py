"""Video files: what is decoded is what was written, with exact times, true colours and reproducible bytes."""

from __future__ import annotations

import wave
from collections.abc import Callable
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray
from PIL import Image

from tests.examples import some
from vivant.errors import ClosedError, InputError
from vivant.media import VideoSink, open_audio, open_video
from vivant.types import AudioChunk, PixelFormat, VideoFrame, frame_pts_us

pytestmark = pytest.mark.unit

Pixels = NDArray[np.uint8]

WIDTH, HEIGHT = 96, 64
RATE_HZ = 48000
FPS = Fraction(25)
_ALL = ["clip.mp4", "clip.mov", "clip.mkv", "clip.webm", "clip.gif", "frames"]
_WITH_ALPHA = ["clip.mov", "clip.webm", "clip.gif", "frames"]


def _pixels(index: int, alpha: bool) -> Pixels:
    """A colour gradient that drifts; with alpha opaque on the left, transparent on the right."""
    x, y = np.meshgrid(np.linspace(0, 200, WIDTH), np.linspace(20, 220, HEIGHT))
    picture = np.stack([x + index, y, 230 - x / 2], axis=-1).astype(np.uint8)
    opacity = np.where(np.arange(WIDTH) < WIDTH // 2, 255, 0).astype(np.uint8)
    return np.dstack([picture, np.tile(opacity, (HEIGHT, 1))]) if alpha else picture


def _frame(index: int, alpha: bool = False, fps: Fraction = FPS) -> VideoFrame:
    form = PixelFormat.RGBA if alpha else PixelFormat.RGB
    return VideoFrame(index, frame_pts_us(index, fps), _pixels(index, alpha), form)


def _tone(start: int, n: int, rate_hz: int = RATE_HZ) -> AudioChunk:
    t = np.arange(start, start + n) / rate_hz
    return AudioChunk((0.4 * np.sin(2 * np.pi * 440 * t)).astype(np.float32), rate_hz, start)


def _open(path: Path, **changes: Any) -> AbstractContextManager[VideoSink]:  # noqa: ANN401
    arguments: dict[str, Any] = {"width": WIDTH, "height": HEIGHT, "fps": FPS, "sample_rate_hz": None, "alpha": False}
    return open_video(path, **(arguments | changes))


def _write(path: Path, n_frames: int = 10, rate_hz: int | None = None, alpha: bool = False, fps: Fraction = FPS) -> Path:
    with _open(path, fps=fps, sample_rate_hz=rate_hz, alpha=alpha) as sink:
        for index in range(n_frames):
            sink.write(_frame(index, alpha, fps))
            if rate_hz:
                start, end = (int(i * rate_hz / fps) for i in (index, index + 1))
                sink.write_audio(_tone(start, end - start, rate_hz))
    return path


def _decode(path: Path, decoder: str | None = None) -> tuple[list[Pixels], list[Fraction]]:
    """Pictures, RGB or RGBA, and their times in seconds; FFmpeg's own VP9 decoder knows no alpha, so one can be named."""
    pictures, times = [], []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec = VideoCodecContext.create(decoder, "r") if decoder else None
        assert codec is None or isinstance(codec, VideoCodecContext)
        for packet in container.demux(stream):
            for frame in codec.decode(packet) if codec else packet.decode():
                assert isinstance(frame, av.VideoFrame)
                pictures.append(_rgb(frame))
                assert frame.pts is not None
                assert stream.time_base is not None
                times.append(frame.pts * stream.time_base)
    return pictures, times


def _rgb(frame: av.VideoFrame) -> Pixels:
    """By the definition of limited-range BT.709, so that the encoder's conversion is not checked against itself."""
    if not frame.format.name.startswith("yuv"):
        return np.asarray(frame.reformat(format="rgba" if "a" in frame.format.name else "rgb24").to_ndarray(), np.uint8)
    y, cb, cr = np.asarray(frame.reformat(format="yuv444p").to_ndarray(), np.float64)
    y, cb, cr = (y - 16) / 219, (cb - 128) / 224, (cr - 128) / 224
    rgb = np.stack([y + 1.5748 * cr, y - 0.18732427 * cb - 0.46812427 * cr, y + 1.8556 * cb], axis=-1)
    pixels: Pixels = np.rint(rgb * 255).clip(0, 255).astype(np.uint8)
    if not frame.format.name.startswith("yuva"):
        return pixels
    n_bits = frame.format.components[3].bits
    plane = np.frombuffer(bytes(frame.planes[3]), np.uint8 if n_bits == 8 else "<u2").reshape(frame.height, -1)
    alpha = plane[:, : frame.width] / (2**n_bits - 1) * 255
    return np.dstack([pixels, np.rint(alpha).astype(np.uint8)])


def _error(decoded: Pixels, original: Pixels) -> float:
    return float(np.abs(decoded.astype(int) - original).mean())


def _bytes(path: Path) -> bytes:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return b"".join(file.name.encode() * path.is_dir() + file.read_bytes() for file in files)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.mkv", "clip.webm"])
def test_round_trip(name: str, tmp_path: Path) -> None:
    pictures, times = _decode(_write(tmp_path / name, 12))
    assert len(pictures) == 12
    assert times == [index / FPS for index in range(12)]
    assert max(_error(picture, _pixels(index, False)) for index, picture in enumerate(pictures)) < 3
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (198, 134, 112)])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm", "clip.gif"])
def test_flat_colours_survive(name: str, colour: tuple[int, int, int], tmp_path: Path) -> None:
    pixels = np.full((HEIGHT, WIDTH, 3), colour, np.uint8)
    with _open(tmp_path / name) as sink:
        sink.write(VideoFrame(0, 0, pixels, PixelFormat.RGB))
    np.testing.assert_allclose(_decode(tmp_path / name)[0][0][..., :3].mean((0, 1)), colour, atol=3)


@pytest.mark.parametrize(("name", "alpha"), [("clip.mp4", False), ("clip.mkv", False), ("clip.webm", True), ("clip.mov", True)])
def test_colours_are_tagged(name: str, alpha: bool, tmp_path: Path) -> None:
    with av.open(str(_write(tmp_path / name, 1, alpha=alpha))) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.colorspace, codec.color_primaries, codec.color_trc) == (1, 1, 1)
        assert codec.color_range in (0, 1)  # ProRes has no flag for it: always limited


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(30), Fraction(60), Fraction(15)])
def test_rates_are_exact(fps: Fraction, tmp_path: Path) -> None:
    path = _write(tmp_path / "clip.mp4", 20, fps=fps)
    assert _decode(path)[1] == [index / fps for index in range(20)]
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == fps


def test_matroska_times_are_within_its_millisecond(tmp_path: Path) -> None:
    fps = Fraction(30000, 1001)
    times = _decode(_write(tmp_path / "clip.webm", 20, fps=fps))[1]
    assert max(abs(time - index / fps) for index, time in enumerate(times)) <= Fraction(1, 2000)


def test_the_moov_atom_comes_first(tmp_path: Path) -> None:
    data = _write(tmp_path / "clip.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("name", some(["clip.mp4", "clip.webm", "clip.mov", "clip.mkv"], 2))
@pytest.mark.parametrize("rate_hz", some([44100, 16000, 48000, 192000]))
def test_sound_has_the_length_of_the_picture(name: str, rate_hz: int, tmp_path: Path) -> None:
    path = _write(tmp_path / name, 50, rate_hz)
    with open_audio(path) as audio:
        samples = np.concatenate([chunk.samples for chunk in audio.chunks()])
        assert len(samples) / audio.sample_rate_hz == pytest.approx(2.0, abs=0.13 if rate_hz == 16000 else 0.045)
    middle = samples[len(samples) // 4 : len(samples) // 2]
    assert np.abs(np.fft.rfft(middle)).argmax() * audio.sample_rate_hz / len(middle) == pytest.approx(440, abs=3)
    assert np.abs(middle).max() == pytest.approx(0.4, abs=0.05)
    assert len(_decode(path)[0]) == 50


def test_lost_sound_becomes_silence(tmp_path: Path) -> None:
    with _open(tmp_path / "frames", sample_rate_hz=RATE_HZ) as sink:
        sink.write(_frame(0))
        sink.write_audio(_tone(0, 4800))
        sink.write_audio(_tone(130_000, 4800))
    with wave.open(str(tmp_path / "frames" / "audio.wav"), "rb") as file:
        pcm = np.frombuffer(file.readframes(200_000), "<i2")
    assert len(pcm) == 134_800
    assert not pcm[4800:130_000].any()
    np.testing.assert_allclose(pcm[130_000:] / 32767, _tone(130_000, 4800).samples, atol=1e-4)


def test_sound_may_be_missing_or_late(tmp_path: Path) -> None:
    with _open(tmp_path / "quiet.mp4", sample_rate_hz=RATE_HZ) as sink:
        sink.write(_frame(0))
    assert len(_decode(tmp_path / "quiet.mp4")[0]) == 1
    with _open(tmp_path / "late.mp4", sample_rate_hz=RATE_HZ) as sink:
        for index in range(25):
            sink.write(_frame(index))
        sink.write_audio(_tone(0, RATE_HZ))
        sink.write_audio(_tone(RATE_HZ, 0))
    with open_audio(tmp_path / "late.mp4") as audio:
        assert sum(len(chunk.samples) for chunk in audio.chunks()) == pytest.approx(RATE_HZ, abs=2048)


def test_skipped_frames_leave_time_for_the_ones_before(tmp_path: Path) -> None:
    for name in ("clip.mp4", "clip.gif"):
        with _open(tmp_path / name) as sink:
            for index in (0, 1, 5, 6):
                sink.write(_frame(index))
        assert _decode(tmp_path / name)[1] == [index / FPS for index in (0, 1, 5, 6)]


@pytest.mark.parametrize(("name", "decoder"), [("clip.webm", "libvpx-vp9"), ("clip.mov", None), ("clip.gif", None)])
def test_alpha_survives(name: str, decoder: str | None, tmp_path: Path) -> None:
    pictures, _ = _decode(_write(tmp_path / name, 5, alpha=True), decoder)
    assert len(pictures) == 5
    for index, picture in enumerate(pictures):
        assert picture[:, : WIDTH // 2 - 4, 3].min() > 250
        assert picture[:, WIDTH // 2 + 4 :, 3].max() < 5
        left = slice(None), slice(0, WIDTH // 2 - 4), slice(0, 3)
        assert _error(picture[left], _pixels(index, True)[left]) < 5


def test_prores_keeps_soft_edges(tmp_path: Path) -> None:
    soft = _pixels(0, True)
    soft[..., 3] = np.linspace(0, 255, WIDTH).astype(np.uint8)
    with _open(tmp_path / "clip.mov", alpha=True) as sink:
        sink.write(VideoFrame(0, 0, soft, PixelFormat.RGBA))
    assert _error(_decode(tmp_path / "clip.mov")[0][0], soft) < 1.5


@pytest.mark.parametrize("fps", some([Fraction(24000, 1001), Fraction(50), Fraction(25), Fraction(30)], 2))
def test_gif_delays_add_up(fps: Fraction, tmp_path: Path) -> None:
    with Image.open(_write(tmp_path / "clip.gif", 20, fps=fps)) as image:
        assert image.n_frames == 20  # type: ignore[attr-defined]
        assert image.info["loop"] == 0
        total_ms = 0
        for number in range(20):
            image.seek(number)
            total_ms += image.info["duration"]
            assert _error(np.asarray(image.convert("RGB")), _pixels(number, False)) < 6
    assert total_ms == pytest.approx(20_000 / fps, abs=11)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("target", ["frames", "frames/frame_%06d.png"])
def test_png_folder(target: str, alpha: bool, tmp_path: Path) -> None:
    _write(tmp_path / target, 3, RATE_HZ, alpha)
    names = sorted(file.name for file in (tmp_path / "frames").iterdir())
    assert names == ["audio.wav", "frame_000001.png", "frame_000002.png", "frame_000003.png"]
    with Image.open(tmp_path / "frames" / "frame_000003.png") as image:
        np.testing.assert_array_equal(np.asarray(image), _pixels(2, alpha))
    assert [file.name for file in tmp_path.iterdir()] == ["frames"]


@pytest.mark.parametrize("name", _ALL)
def test_same_input_same_bytes(name: str, tmp_path: Path) -> None:
    rate_hz = None if name.endswith(".gif") else 44100
    (tmp_path / "again").mkdir()
    first, second = (_write(folder / name, 15, rate_hz) for folder in (tmp_path, tmp_path / "again"))
    assert _bytes(first) == _bytes(second)


@pytest.mark.parametrize("name", _WITH_ALPHA)
def test_same_input_same_bytes_with_alpha(name: str, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    first, second = (_write(folder / name, 10, alpha=True) for folder in (tmp_path, tmp_path / "again"))
    assert _bytes(first) == _bytes(second)


@pytest.mark.parametrize(("name", "alpha"), [("clip.gif", True), ("clip.gif", False), ("frames", True)])
def test_odd_sizes(name: str, alpha: bool, tmp_path: Path) -> None:
    pixels = np.full((33, 17, 4 if alpha else 3), 90, np.uint8)
    pixels[..., 3:] = 255
    with _open(tmp_path / name, width=17, height=33, alpha=alpha) as sink:
        sink.write(VideoFrame(0, 0, pixels, PixelFormat.RGBA if alpha else PixelFormat.RGB))
    path = tmp_path / name / "frame_000001.png" if name == "frames" else tmp_path / name
    np.testing.assert_allclose(_decode(path)[0][0][..., :3], pixels[..., :3], atol=3)


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("clip.avi", {}, r"unknown video type '\.avi'.*\.mp4, \.mov, \.mkv, \.webm, \.gif"),
        ("picture.png", {}, "names one picture"),
        (".mp4", {}, "is no name for a video"),
        (".PNG", {}, "is no name for a video"),
        ("..", {}, "is no name for a video"),
        ("clip.mp4", {"alpha": True}, r"no transparency.*\.mov, \.webm, \.gif or a folder of PNG"),
        ("clip.mkv", {"alpha": True}, "no transparency"),
        ("clip.mp4", {"width": 65}, "even width, got 65"),
        ("clip.mov", {"height": 65}, "even height, got 65"),
        ("clip.webm", {"width": 65, "alpha": True}, "even width, got 65"),
        ("clip.mov", {"width": 65, "alpha": True}, "even width, got 65"),
        ("clip.mp4", {"width": 0}, "width must be"),
        ("clip.webm", {"height": 9000}, "height must be"),
        ("clip.mp4", {"fps": Fraction(0)}, "frames per second"),
        ("clip.mp4", {"fps": Fraction(241)}, "at most 240"),
        ("clip.gif", {"fps": Fraction(60)}, "at most 50"),
        ("clip.gif", {"sample_rate_hz": 48000}, "holds no sound"),
        ("clip.mp4", {"sample_rate_hz": 0}, "sample_rate_hz"),
        ("clip.mp4", {"sample_rate_hz": 48000, "n_channels": 6}, "n_channels must be 1 or 2, got 6"),
    ],
)
def test_what_cannot_be_written(name: str, changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words), _open(tmp_path / name, **changes):
        pass
    assert not list(tmp_path.iterdir())


def _wrong_size(sink: VideoSink) -> None:
    sink.write(VideoFrame(0, 0, np.zeros((HEIGHT, WIDTH + 2, 3), np.uint8), PixelFormat.RGB))


def _wrong_format(sink: VideoSink) -> None:
    sink.write(_frame(0, alpha=True))


def _wrong_order(sink: VideoSink) -> None:
    sink.write(_frame(3))
    sink.write(_frame(3))


def _wrong_rate(sink: VideoSink) -> None:
    sink.write_audio(_tone(0, 100, 8000))


def _wrong_start(sink: VideoSink) -> None:
    sink.write_audio(_tone(0, 100))
    sink.write_audio(_tone(50, 100))


def _wrong_shape(sink: VideoSink) -> None:
    sink.write_audio(AudioChunk(np.zeros((100, 2), np.float32), RATE_HZ))


def _not_numbers(sink: VideoSink) -> None:
    sink.write_audio(AudioChunk(np.full(100, np.nan, np.float32), RATE_HZ))


def _nothing(sink: VideoSink) -> None:
    sink.write_audio(_tone(0, 100))


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm", "frames"])
@pytest.mark.parametrize(
    ("misuse", "words"),
    [
        (_wrong_size, "takes RGB uint8 frames"),
        (_wrong_format, "got RGBA"),
        (_wrong_order, "expected index 4 or more, got 3"),
        (_wrong_rate, "opened for 48000 Hz"),
        (_wrong_start, "expected sample 100, got 50"),
        (_wrong_shape, r"sound of shape \(n,\), got \(100, 2\)"),
        (_not_numbers, "not numbers"),
        (_nothing, "no frame was written"),
    ],
)
def test_misuse_leaves_nothing(name: str, misuse: Callable[[VideoSink], None], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words), _open(tmp_path / name, sample_rate_hz=RATE_HZ) as sink:
        misuse(sink)
    assert not list(tmp_path.iterdir())


def test_sound_for_a_silent_video(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="silent video"), _open(tmp_path / "clip.mp4") as sink:
        sink.write_audio(_tone(0, 10))


def test_use_after_the_block(tmp_path: Path) -> None:
    with _open(tmp_path / "clip.mp4", sample_rate_hz=RATE_HZ) as sink:
        sink.write(_frame(0))
    with pytest.raises(ClosedError, match="finished"):
        sink.write(_frame(1))
    with pytest.raises(ClosedError, match="finished"):
        sink.write_audio(_tone(0, 10))


@pytest.mark.parametrize("name", _ALL)
def test_an_exception_keeps_the_old_result(name: str, tmp_path: Path) -> None:
    before = _bytes(_write(tmp_path / name, 2))
    with pytest.raises(KeyboardInterrupt), _open(tmp_path / name) as sink:
        for index in range(8):
            sink.write(_frame(index))
        raise KeyboardInterrupt
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert _bytes(tmp_path / name) == before
    after = _bytes(_write(tmp_path / name, 4))
    assert after != before
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_names_that_look_like_addresses_or_patterns(tmp_path: Path) -> None:
    for name in ("http:clip.mp4", "clip%03d.mp4", "naïve 声.MP4", "it's.webm"):
        assert len(_decode(_write(tmp_path / name, 2).rename(tmp_path / "plain"))[0]) == 2
