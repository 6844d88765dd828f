"""Writing: complete under the final name or not there at all, on full disks too, and told in one sentence."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.examples import some
from tests.privileges import without_privileges
from vivant.errors import InputError, OutputError
from vivant.media import open_video, write_png
from vivant.media.atomic import replacing, reporting
from vivant.types import AudioChunk, PixelFormat, VideoFrame

pytestmark = pytest.mark.unit

_PICTURE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
_ALL = ["clip.mp4", "clip.mov", "clip.mkv", "clip.webm", "clip.gif", "frames"]


def _write_noise(path: Path, n_frames: int) -> None:
    """What no codec makes small."""
    rng = np.random.default_rng(0)
    rate_hz = None if path.suffix == ".gif" else 48_000
    if path.name == "one.png":
        write_png(path, rng.integers(0, 256, (512, 512, 3), dtype=np.uint8))
        return
    with open_video(path, width=96, height=96, fps=Fraction(25), sample_rate_hz=rate_hz, alpha=False) as sink:
        for index in range(n_frames):
            if rate_hz:
                sink.write_audio(AudioChunk(rng.normal(0, 0.1, 1920).astype(np.float32), rate_hz, index * 1920))
            sink.write(VideoFrame(index, index * 40_000, rng.integers(0, 256, (96, 96, 3), dtype=np.uint8), PixelFormat.RGB))


@contextmanager
def _files_of_at_most(n_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond; Python ignores the signal, so that writing fails with EFBIG."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _write(path: Path, n_frames: int = 3) -> None:
    rate_hz = None if path.suffix == ".gif" else 16000
    with open_video(path, width=64, height=64, fps=Fraction(25), sample_rate_hz=rate_hz, alpha=False) as sink:
        for index in range(n_frames):
            sink.write(VideoFrame(index, index * 40000, _PICTURE, PixelFormat.RGB))
            if rate_hz:
                sink.write_audio(AudioChunk(np.zeros(640, np.float32), rate_hz, index * 640))


@contextmanager
def _tiny_disk(folder: Path) -> Iterator[Path]:
    """A file system of 100 kB, where the system lets us mount one."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting needs root on Linux")
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.full
@pytest.mark.parametrize("name", [*_ALL, "one.png"])
def test_a_really_full_disk(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with _tiny_disk(tmp_path / "disk") as disk:
        with pytest.raises(OutputError, match=r"^disk is full, so "):
            _write_noise(disk / name, 13 if name == "clip.gif" else 25)
        assert not list(disk.iterdir())
    assert capfd.readouterr().err == ""


@pytest.mark.full
@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits")
@pytest.mark.parametrize(("limit", "n_frames"), [(25_000, 10), (1_000, 2)])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm", "clip.gif", "frames"])
def test_a_file_size_limit(name: str, limit: int, n_frames: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Both while frames come in and, for a file that fits the buffers, only at its end."""
    if name == "frames" and limit > 20_000:
        limit = 20_000  # of each picture
    with pytest.raises(OutputError, match="larger than this disk or account allows"), _files_of_at_most(limit):
        _write_noise(tmp_path / name, n_frames)
    assert not list(tmp_path.iterdir())
    _write_noise(tmp_path / name, 2)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits")
@pytest.mark.parametrize("share", some([0.5, 0.999, 0.2, 0.9, 0.99], 2))
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.webm", "clip.gif"])
def test_no_file_is_ever_short(name: str, share: float, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Whichever write is the one that fails, of data, index or trailer, no damaged file passes as finished."""
    (tmp_path / "whole").mkdir()
    _write(tmp_path / "whole" / name, 6)
    size = (tmp_path / "whole" / name).stat().st_size
    with pytest.raises(OutputError), _files_of_at_most(int(size * share)):
        _write(tmp_path / name, 6)
    assert [file.name for file in tmp_path.iterdir()] == ["whole"]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_sentences(code: int) -> None:
    failures = [OSError(code, os.strerror(code)), av.error.FFmpegError(code, os.strerror(code))]
    for failure in failures:
        with (
            pytest.raises(OutputError, match=r"^disk is full, so out\.mp4 was not written; free some space"),
            reporting(Path("out.mp4")),
        ):
            raise failure


def test_unknown_failures_keep_their_reason() -> None:
    with pytest.raises(OutputError, match=r"^out\.mp4 could not be written: Invalid data"), reporting(Path("out.mp4")):
        raise av.error.InvalidDataError(1094995529, "Invalid data")


def test_other_exceptions_pass_through() -> None:
    with pytest.raises(ZeroDivisionError), reporting(Path("out.mp4")):
        raise ZeroDivisionError


@pytest.mark.parametrize("name", [*_ALL, "one.png"])
def test_places_that_cannot_be_written(name: str, tmp_path: Path) -> None:
    def write(path: Path) -> None:
        write_png(path, _PICTURE) if name == "one.png" else _write(path)

    with pytest.raises(OutputError, match=r"the folder .*nowhere does not exist"):
        write(tmp_path / "nowhere" / name)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="does not exist"):
        write(tmp_path / "file" / name)
    with pytest.raises(OutputError, match="too long"):
        write(tmp_path / ("n" * 300 + Path(name).suffix))
    with without_privileges(), pytest.raises(OutputError, match="no permission to write"):
        write(tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.gif", "one.png"])
def test_a_folder_in_the_way(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(OutputError, match="is a folder; give a file name"):
        write_png(tmp_path / name, _PICTURE) if name == "one.png" else _write(tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "frames").touch()
    with pytest.raises(OutputError, match="is a file; give the name of a folder"):
        _write(tmp_path / "frames")


def test_a_folder_with_other_files_is_never_replaced(tmp_path: Path) -> None:
    _write(tmp_path / "frames", 3)
    _write(tmp_path / "frames", 1)
    assert sorted(file.name for file in (tmp_path / "frames").iterdir()) == ["audio.wav", "frame_000001.png"]
    (tmp_path / "frames" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match=r"holds other files \(thesis\.txt\)"):
        _write(tmp_path / "frames", 2)
    assert sorted(file.name for file in (tmp_path / "frames").iterdir()) == ["audio.wav", "frame_000001.png", "thesis.txt"]
    assert [file.name for file in tmp_path.iterdir()] == ["frames"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    _write(tmp_path / "frames", 1)
    assert len(list((tmp_path / "frames").iterdir())) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "store" / "real.png")
    write_png(tmp_path / "link.png", _PICTURE)
    assert (tmp_path / "link.png").is_symlink()
    assert [file.name for file in (tmp_path / "store").iterdir()] == ["real.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_the_result_has_ordinary_permissions(tmp_path: Path) -> None:
    (tmp_path / "ordinary").touch()
    write_png(tmp_path / "one.png", _PICTURE)
    assert (tmp_path / "one.png").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_the_temporary_name_lies_beside(tmp_path: Path) -> None:
    with replacing(tmp_path / "clip.mp4") as temporary:
        assert temporary.parent == tmp_path.resolve()
        assert temporary.name.startswith(".clip.part-")
        assert temporary.suffix == ".mp4"


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
def test_write_png(shape: tuple[int, ...], tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    write_png(tmp_path / "one.png", pixels)
    with Image.open(tmp_path / "one.png") as image:
        np.testing.assert_array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize(
    ("shape", "kind"), [((5, 7, 2), np.uint8), ((5,), np.uint8), ((5, 7, 3), np.float32), ((0, 7, 3), np.uint8)]
)
def test_write_png_refuses_other_arrays(shape: tuple[int, ...], kind: type, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="picture"):
        write_png(tmp_path / "one.png", np.zeros(shape, kind))
    assert not list(tmp_path.iterdir())
