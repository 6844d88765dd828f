"""Parts of programs that were killed go; those of running ones, and whatever is a user's own, stay."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from tests.examples import some
from vivant.errors import OutputError
from vivant.media import write_png
from vivant.media.atomic import replacing, replacing_folder

pytestmark = [pytest.mark.unit, pytest.mark.skipif(sys.platform == "win32", reason="no such locks on Windows")]

_PICTURE = np.zeros((8, 8, 3), np.uint8)
_MAKER = """
    import sys
    from pathlib import Path
    from vivant.media import atomic
    path = Path(sys.argv[1])
    place = atomic.replacing(path) if path.suffix else atomic.replacing_folder(path, lambda name: True)
    with place as part:
        (part if path.suffix else part / "frame.png").write_bytes(b"half")
        print(part, flush=True)
        sys.stdin.read()
"""


def _maker(path: Path) -> tuple[subprocess.Popen[str], Path]:
    """A program that stands still while it writes, and its part."""
    program = [sys.executable, "-c", textwrap.dedent(_MAKER), str(path)]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def _end(process: subprocess.Popen[str], number: int) -> None:
    process.send_signal(number)
    process.communicate()


@pytest.mark.parametrize("name", ["out.mp4", "frames"])
def test_a_program_that_is_ended_while_it_makes_a_part_leaves_none(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(path: Path, *, wait: bool) -> None:
        if wait:
            raise KeyboardInterrupt

    monkeypatch.setattr("vivant.media.parts._locked", ended)
    place = replacing(tmp_path / name) if "." in name else replacing_folder(tmp_path / name, lambda name: True)
    with pytest.raises(KeyboardInterrupt), place:
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", some(["out.mp4", "frames"]))
def test_killed_programs_are_cleaned_up_after(name: str, tmp_path: Path) -> None:
    killed, left = _maker(tmp_path / name)
    running, kept = _maker(tmp_path / name)
    _end(killed, signal.SIGKILL)
    assert left.exists()
    write_png(tmp_path / "one.png", _PICTURE)
    assert not left.exists() and kept.exists()
    running.communicate("")
    assert running.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "one.png"])


def test_what_only_looks_like_a_part_stays(tmp_path: Path) -> None:
    own = [
        tmp_path / name
        for name in (
            ".out.part-0badf00d.mp4",
            ".out.part-0badf00d0badf00d.mp4",
            "out.part-1",
            ".frames.before-0badf00d0badf00d",
        )
    ]
    for path in own:
        path.write_text("years of work")
    with replacing(tmp_path / "out.mp4") as part:
        renamed = part.with_name(part.name.replace("out", "holiday"))
        renamed.write_text("a copy with a name of its own")
    write_png(tmp_path / "one.png", _PICTURE)
    assert all(path.exists() for path in (*own, renamed))


def test_an_old_result_comes_back_when_death_came_between_two_renames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "frame.png").write_text("before")
    renames = Path.rename

    def dies(self: Path, target: Path) -> Path:
        if ".part-" in self.name:
            raise SystemExit
        return renames(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dies)
        patch.setattr("vivant.media.parts._remove", lambda path: None)
        with pytest.raises(SystemExit), replacing_folder(tmp_path / "frames", lambda name: True) as part:
            (part / "frame.png").write_text("after")
    assert not (tmp_path / "frames").exists()
    write_png(tmp_path / "one.png", _PICTURE)
    assert (tmp_path / "frames" / "frame.png").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["frames", "one.png"]


def test_the_last_step_comes_before_the_name(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"

    def complete(written: Path, final: Path) -> None:
        assert not out.exists()
        final.write_text(written.read_text() + ", signed")

    with replacing(out, complete=complete) as part:
        part.write_text("made")
    assert out.read_text() == "made, signed"

    def fails(written: Path, final: Path) -> None:
        raise OutputError("no")

    with pytest.raises(OutputError), replacing(out, complete=fails) as part:
        part.write_text("later")
    assert out.read_text() == "made, signed"
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_special_files_and_links_are_called_what_they_are(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link.png").symlink_to("nowhere/x.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    for path, words in (
        (tmp_path / "pipe", "is a pipe"),
        (Path(os.devnull), "is a device"),
        (tmp_path / "link.png", r"the link .*link\.png leads to .*nowhere/x\.png, whose folder does not exist"),
        (tmp_path / "loop.png", "loop.png could not be written"),
    ):
        with pytest.raises(OutputError, match=words), replacing(path):
            pass
        with pytest.raises(OutputError), replacing_folder(path, lambda name: True):
            pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.png", "loop.png", "pipe"]
