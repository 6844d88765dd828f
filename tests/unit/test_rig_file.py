"""A rig's file: what comes back, how fast, and that nothing hostile gets in."""

from __future__ import annotations

import io
import json
import os
import pickle
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tests.examples import examples
from vivant.errors import InputError, OutputError
from vivant.face import RigFace, open_portrait
from vivant.rig.rig import FORMAT_VERSION, Rig

pytestmark = pytest.mark.unit

Members = dict[str, bytes]


@pytest.fixture
def saved(small_ada: Rig, tmp_path: Path) -> Path:
    small_ada.save(tmp_path / "ada.vivant")
    return tmp_path / "ada.vivant"


def test_save_and_load(small_ada: Rig, saved: Path) -> None:
    back = Rig.load(saved)
    assert back.arrays.keys() == small_ada.arrays.keys()
    for name, array in small_ada.arrays.items():
        np.testing.assert_array_equal(back.arrays[name], array, strict=True)
    for got, wanted in zip(back.textures, small_ada.textures, strict=True):
        np.testing.assert_array_equal(got, wanted, strict=True)
    for field in ("transparent", "portrait_sha256", "portrait_name", "notes", "texture_names"):
        assert getattr(back, field) == getattr(small_ada, field)


def test_words_of_strangers_are_short_and_harmless(ada: RigFace, tmp_path: Path) -> None:
    """A note of a foreign file cannot clear the terminal, turn the text, or look like a line of its own."""
    hostile = ("\x1b]0;title\x07\x1b[2J", "a note\r\nerror: made up", "\u202eback", "y" * 100_000, *["more"] * 1000)
    names = tuple(f"\x1b[31m{name}" for name in ada.rig.texture_names)
    replace(ada.rig, notes=hostile, portrait_name="\x1b[31mred\n" * 100, texture_names=names).save(tmp_path / "foreign.vivant")
    rig = Rig.load(tmp_path / "foreign.vivant")
    assert len(rig.notes) <= 20 and rig.notes[1] == "a noteerror: made up"
    assert all(words.isprintable() and len(words) <= 400 for words in (*rig.notes, rig.portrait_name, *rig.texture_names))


def test_the_same_rig_gives_the_same_bytes_twice(ada: RigFace, tmp_path: Path) -> None:
    for name in ("a", "b"):
        ada.rig.save(tmp_path / name)
    assert members(tmp_path / "a") == members(tmp_path / "b")


def test_it_opens_fast(ada: RigFace, tmp_path: Path) -> None:
    ada.rig.save(tmp_path / "whole.vivant")
    best = np.inf
    for _ in range(5):
        begin = time.process_time()
        open_portrait(tmp_path / "whole.vivant")
        best = min(best, time.process_time() - begin)
    assert best < 0.1


def test_what_a_file_says_commands_no_terminal(ada: RigFace, tmp_path: Path) -> None:
    said = "\x1b]0;title\x07red\r\nline\u202e"
    replace(ada.rig, portrait_name=said, notes=(said,) * 1000).save(tmp_path / "said.vivant")
    rig = Rig.load(tmp_path / "said.vivant")
    assert rig.portrait_name == Rig.read_header(tmp_path / "said.vivant")["portrait_name"] == "]0;titleredline"
    assert set(rig.notes) == {"]0;titleredline"} and len(rig.notes) < 100


def test_a_folder_that_is_missing(ada: RigFace, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        ada.rig.save(tmp_path / "missing" / "ada.vivant")


def members(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def npy(array: Any) -> bytes:  # noqa: ANN401
    data = io.BytesIO()
    np.save(data, array, allow_pickle=True)
    return data.getvalue()


def header(saved: Members, **changes: Any) -> Members:  # noqa: ANN401
    return saved | {"header.json": json.dumps(json.loads(saved["header.json"]) | changes).encode()}


class Trap:
    """Unpickling it would leave a trace."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (Path("unpickled"),)


WRONG: dict[str, Callable[[Members], Members]] = {
    "no header": lambda good: {name: data for name, data in good.items() if name != "header.json"},
    "header is no JSON": lambda good: good | {"header.json": b"{"},
    "header is no object": lambda good: good | {"header.json": b"[]"},
    "header is deep": lambda good: good | {"header.json": b"[" * 100_000},
    "header is short": lambda good: good | {"header.json": json.dumps({"kind": "vivant-rig", "version": 1}).encode()},
    "another kind": lambda good: header(good, kind="zip"),
    "another version": lambda good: header(good, version=FORMAT_VERSION + 1),
    "too many textures": lambda good: header(good, n_textures=10**9),
    "textures without number": lambda good: header(good, n_textures=None),
    "infinite textures": lambda good: header(good, n_textures=float("inf")),
    "notes are no list": lambda good: header(good, notes=5),
    "a texture is missing": lambda good: {name: data for name, data in good.items() if name != "texture_0.npy"},
    "an array is missing": lambda good: {name: data for name, data in good.items() if name != "rest.npy"},
    "an array too many": lambda good: good | {"more.npy": good["rest.npy"]},
    "an array of another shape": lambda good: good | {"rest.npy": npy(np.zeros((4, 2), np.float32))},
    "an array is no array": lambda good: good | {"rest.npy": b"hello"},
    "an array is a pickle": lambda good: good | {"rest.npy": pickle.dumps(Trap())},
    "an array holds objects": lambda good: good | {"rest.npy": npy(np.array([Trap()], object))},
    "an array is cut short": lambda good: good | {"rest.npy": good["rest.npy"][:-5]},
    "an array claims to be huge": lambda good: (
        good | {"rest.npy": npy(np.zeros(3)).replace(b"(3,), }" + 12 * b" ", b"(3000000000000,), }")}
    ),
}


@pytest.mark.parametrize("wrong", list(WRONG.values()), ids=list(WRONG))
def test_a_wrong_file_is_refused(saved: Path, wrong: Callable[[Members], Members], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(saved.parent)
    changed = wrong(members(saved))
    with zipfile.ZipFile(saved, "w") as archive:
        for name, data in changed.items():
            archive.writestr(name, data)
    with pytest.raises(InputError, match=r"buil[dt] (it )?again") as caught:
        open_portrait(saved)
    assert "\n" not in str(caught.value)
    assert not Path("unpickled").exists()


def test_nothing_is_ever_decompressed(saved: Path) -> None:
    good = members(saved)
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in good.items():
            archive.writestr(name, data)
        archive.writestr("bomb.npy", npy(np.zeros(1_000_000, np.uint8)))
    with pytest.raises(InputError, match="compressed"):
        Rig.load(saved)


@pytest.mark.parametrize("data", [b"", b"PK", b"\x89PNG\r\n\x1a\n", pickle.dumps(Trap()), b"PK\x05\x06" + bytes(18)])
def test_another_file_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.vivant").write_bytes(data)
    with pytest.raises(InputError, match=r"x\.vivant is not a readable rig"):
        open_portrait(tmp_path / "x.vivant")


def test_no_file_or_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.vivant").mkdir()
    for name in ("missing.vivant", "folder.vivant"):
        with pytest.raises(InputError, match=name):
            open_portrait(tmp_path / name)


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders")
def test_a_pipe_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.vivant")
    (tmp_path / "link.vivant").symlink_to("pipe.vivant")
    held = os.open(tmp_path / "pipe.vivant", os.O_RDWR | os.O_NONBLOCK)  # else a failure would hang instead
    try:
        os.write(held, b"no rig")
        for name in ("pipe.vivant", "link.vivant"):
            with pytest.raises(InputError, match="no ordinary file"):
                open_portrait(tmp_path / name)
    finally:
        os.close(held)


@examples(60, HealthCheck.function_scoped_fixture)
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(1, 255), cut=st.booleans())
def test_damage_anywhere_is_noticed_or_harmless(saved: Path, place: float, value: int, cut: bool) -> None:
    data = bytearray(saved.read_bytes())
    at = int(place * len(data))
    data = data[:at] if cut else data
    if not cut:
        data[at] ^= value
    damaged = saved.with_name("damaged.vivant")
    damaged.write_bytes(data)
    try:
        rig = Rig.load(damaged)
        rig.scene()
    except InputError:
        return
    # Dates and attributes of members are nobody's business; what counts is checked by its sum.
    assert all(rig.arrays[name].tobytes() == array.tobytes() for name, array in Rig.load(saved).arrays.items())
