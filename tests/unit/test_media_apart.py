"""An output that is an input is refused, however it is spelled."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vivant.errors import InputError
from vivant.media.apart import require_apart

pytestmark = pytest.mark.unit


def _link(path: Path) -> Path:
    link = path.with_name("link.mp4")
    link.symlink_to(path)
    return link


def _hard_link(path: Path) -> Path:
    link = path.with_name("hard.mp4")
    os.link(path, link)
    return link


def _linked_folder(path: Path) -> Path:
    (path.parent.parent / "door").symlink_to(path.parent, target_is_directory=True)
    return path.parent.parent / "door" / path.name


SPELLINGS: dict[str, Callable[[Path], Path]] = {
    "itself": lambda path: path,
    "dot": lambda path: Path(f"{path.parent}/./{path.name}"),
    "up and down": lambda path: path.parent / "sub" / ".." / path.name,
    "through a folder that is not there": lambda path: path.parent / "nowhere" / ".." / path.name,
    "relative": lambda path: Path(os.path.relpath(path)),
    "link": _link,
    "hard link": _hard_link,
    "linked folder": _linked_folder,
}


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    (tmp_path / "here" / "sub").mkdir(parents=True)
    path = tmp_path / "here" / "talk.mp4"
    path.write_bytes(b"a recording")
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
@pytest.mark.parametrize("name", SPELLINGS)
def test_the_same_file(sound: Path, name: str) -> None:
    spelled = SPELLINGS[name](sound)
    for out, read in ((spelled, sound), (sound, spelled)):
        if read.exists():
            with pytest.raises(InputError, match=r"is also the sound that is read.*choose another name$"):
                require_apart(out, {"portrait": None, "sound": read})


def test_another_case_where_the_system_ignores_it(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "samefile", lambda one, other: str(one).lower() == str(other).lower())
    with pytest.raises(InputError, match="is also the sound"):
        require_apart(sound.with_name("TALK.MP4"), {"sound": sound})


@pytest.mark.parametrize("kind", ["inside", "deep inside", "link inside", "hard link inside", "target inside"])
@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_folder_that_holds_it(sound: Path, tmp_path: Path, kind: str) -> None:
    folder, read = tmp_path / "frames", sound
    (folder / "deep").mkdir(parents=True)
    inside = folder / "deep" / "frame_000001.png" if kind == "deep inside" else folder / "frame_000001.png"
    if kind == "link inside":
        inside.symlink_to(sound)
        read = inside
    elif kind == "hard link inside":
        os.link(sound, inside)
    elif kind == "target inside":
        sound.rename(inside)
        sound.symlink_to(inside)
    else:
        read = sound.rename(inside)
    with pytest.raises(InputError, match="holds the portrait"):
        require_apart(folder, {"portrait": read}, folder=True)


def test_others_are_no_matter(sound: Path, tmp_path: Path) -> None:
    other = sound.with_name("other.mp4")
    other.write_bytes(b"a recording")
    for out in (other, sound.with_name("new.mp4"), tmp_path / ("n" * 300)):
        require_apart(out, {"sound": sound, "missing": tmp_path / "none", "long": Path("n" * 5000)})
    require_apart(tmp_path / "frames", {"sound": sound}, folder=True)
    require_apart(Path(), {"portrait": Path("ada")}, folder=True)
