"""Writing: complete under the final name or not there at all, on full disks too, and told in one sentence."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import vivant.errors
from vivant.errors import InputError, OutputError
from vivant.media import open_video, write_png
from vivant.media.atomic import replacing, reporting
from vivant.types import AudioChunk, PixelFormat, VideoFrame

pytestmark = pytest.mark.unit

_PICTURE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
_ALL = ["clip.mp4", "clip.mov", "clip.mkv", "clip.webm", "clip.gif", "frames"]

_NOISY_VIDEO = """
    import resource, sys
    from fractions import Fraction
    from pathlib import Path
    import numpy as np
    from vivant.errors import OutputError
    from vivant.media import open_video, write_png
    from vivant.types import AudioChunk, PixelFormat, VideoFrame

    path, limit, n_frames = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rng = np.random.default_rng(0)
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    rate_hz = None if path.suffix == ".gif" else 48000
    try:
        if path.name == "one.png":
            write_png(path, rng.integers(0, 256, (512, 512, 3), dtype=np.uint8))
        else:
            with open_video(path, width=96, height=96, fps=Fraction(25), sample_rate_hz=rate_hz, alpha=False) as sink:
                for index in range(n_frames):
                    if rate_hz:
                        sink.write_audio(AudioChunk(rng.normal(0, 0.1, 1920).astype(np.float32), rate_hz, index * 1920))
                    noise = rng.integers(0, 256, (96, 96, 3), dtype=np.uint8)
                    sink.write(VideoFrame(index, index * 40000, noise, PixelFormat.RGB))
    except OutputError as error:
        print(error)
        sys.exit(7)
"""


def _run(path: Path, limit: int, n_frames: int) -> subprocess.CompletedProcess[str]:
    """Write noise in a process of its own, whose files may have at most ``limit`` bytes."""
    package_root = str(Path(vivant.errors.__file__).parent.parent)
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_NOISY_VIDEO), str(path), str(limit), str(n_frames)],
        env=os.environ | {"PYTHONPATH": package_root},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _write(path: Path, n_frames: int = 3) -> None:
    rate_hz = None if path.suffix == ".gif" else 16000
    with open_video(path, width=64, height=64, fps=Fraction(25), sample_rate_hz=rate_hz, alpha=False) as sink:
        for index in range(n_frames):
            sink.write(VideoFrame(index, index * 40000, _PICTURE, PixelFormat.RGB))
            if rate_hz:
                sink.write_audio(AudioChunk(np.zeros(640, np.float32), rate_hz, index * 640))


@contextmanager
def _without_privileges() -> Iterator[None]:
    if not hasattr(os, "geteuid"):
        pytest.skip("permissions of this kind need POSIX")
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@contextmanager
def _tiny_disk(folder: Path) -> Iterator[Path]:
    """A file system of 200 kB, where the system lets us mount one."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting needs root on Linux")
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("name", [*_ALL, "one.png"])
def test_a_really_full_disk(name: str, tmp_path: Path) -> None:
    with _tiny_disk(tmp_path / "disk") as disk:
        done = _run(disk / name, 0, 120)
        assert (done.returncode, done.stderr) == (7, "")
        assert done.stdout.startswith("disk is full, so ")
        assert not list(disk.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits")
@pytest.mark.parametrize(("limit", "n_frames"), [(100_000, 60), (1_000, 2), (0, 2)])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm", "clip.gif", "frames"])
def test_a_file_size_limit(name: str, limit: int, n_frames: int, tmp_path: Path) -> None:
    """Both while frames come in and, for a file that fits the buffers, only at its end."""
    if name == "frames" and limit == 100_000:
        limit = 20_000  # of each picture
    done = _run(tmp_path / name, limit, n_frames)
    assert done.stderr == ""
    if limit == 0:
        assert (done.returncode, [file.name for file in tmp_path.iterdir()]) == (0, [name])
    else:
        assert done.returncode == 7
        assert "larger than this disk or account allows" in done.stdout
        assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits")
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99, 0.999])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.webm", "clip.gif"])
def test_no_file_is_ever_short(name: str, share: float, tmp_path: Path) -> None:
    """Whichever write is the one that fails, of data, index or trailer, no damaged file passes as finished."""
    (tmp_path / "whole").mkdir()
    _write(tmp_path / "whole" / name, 6)
    size = (tmp_path / "whole" / name).stat().st_size
    code = textwrap.dedent(f"""
        import resource, sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_media_atomic import _write, OutputError
        resource.setrlimit(resource.RLIMIT_FSIZE, ({int(size * share)}, {int(size * share)}))
        try:
            _write(Path({str(tmp_path / name)!r}), 6)
        except OutputError:
            sys.exit(7)
    """)
    package_root = str(Path(vivant.errors.__file__).parent.parent)
    environment = os.environ | {"PYTHONPATH": package_root, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (7, "")
    assert [file.name for file in tmp_path.iterdir()] == ["whole"]


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
    with _without_privileges(), pytest.raises(OutputError, match="no permission to write"):
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
