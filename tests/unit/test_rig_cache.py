"""A portrait is analysed once per machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import portrait_path
from tests.examples import some
from vivant.errors import InputError, OutputError
from vivant.face import open_portrait
from vivant.provenance.consent import Consent, keep_consent
from vivant.provenance.settings import Settings
from vivant.rig.cache import OTHER_VERSION, cache_folder, clear_rigs, kept_rigs
from vivant.rig.rig import Rig

pytestmark = pytest.mark.unit

PORTRAIT = portrait_path("bram")


def only_file() -> Path:
    (kept,) = kept_rigs()
    return kept.path


def test_a_portrait_is_built_once(builds: list[str]) -> None:
    first = open_portrait(PORTRAIT)
    second, third = open_portrait(str(PORTRAIT)), open_portrait(PORTRAIT.read_bytes())
    assert builds == ["bram.jpg"]
    assert first.rig.arrays["rest"].tobytes() == second.rig.arrays["rest"].tobytes() == third.rig.arrays["rest"].tobytes()


def test_a_cut_out_is_another_rig(builds: list[str]) -> None:
    for transparent in (False, True, True):
        assert open_portrait(PORTRAIT, transparent=transparent).rig.transparent is transparent
    assert len(builds) == len(kept_rigs()) == 2


@pytest.mark.full
def test_each_face_of_a_picture_has_a_rig_of_its_own(builds: list[str]) -> None:
    for number in (1, 2, 2):
        open_portrait(PORTRAIT, face=number)
    assert len(builds) == len(kept_rigs()) == 2


@pytest.mark.parametrize("damage", some([b"", b"nonsense"]))
def test_a_damaged_file_is_built_again(builds: list[str], damage: bytes) -> None:
    open_portrait(PORTRAIT)
    whole = only_file().read_bytes()
    only_file().write_bytes(damage or whole[: len(whole) // 2])
    open_portrait(PORTRAIT)
    assert len(builds) == 2
    assert only_file().stat().st_size == len(whole)


def _no_home(*_: str, **__: bool) -> str:
    raise RuntimeError("could not determine the home directory")


@pytest.mark.parametrize("answer", [_no_home, lambda *_, **__: "~/.cache/vivant"])
def test_without_a_home_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch, answer: Callable[..., str]) -> None:
    """As in a container without users; versions of platformdirs differ."""
    monkeypatch.delenv("VIVANT_CACHE_DIR", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", answer)
    assert cache_folder() == cache_folder() and cache_folder().is_absolute() and cache_folder().parents[1].is_dir()
    monkeypatch.setenv("VIVANT_CACHE_DIR", "/elsewhere")
    assert cache_folder() == Path("/elsewhere/rigs")


@pytest.mark.full
def test_another_versions_rig_is_built_again_with_a_sentence_and_stays(builds: list[str]) -> None:
    """As after an upgrade: once."""
    open_portrait(PORTRAIT)
    older = only_file().rename(only_file().with_stem(f"{only_file().stem.rpartition('-')[0]}-3"))
    assert OTHER_VERSION in open_portrait(PORTRAIT).notes
    assert OTHER_VERSION not in open_portrait(PORTRAIT).notes and OTHER_VERSION not in open_portrait(PORTRAIT, face=1).notes
    assert len(builds) == 2 and older.exists()
    assert OTHER_VERSION not in open_portrait(PORTRAIT, transparent=True).notes, "of that kind none was kept"


def test_list_and_clear(builds: list[str], cache_dir: Path) -> None:
    assert kept_rigs() == []
    open_portrait(PORTRAIT)
    (kept,) = kept_rigs()
    assert kept.portrait == "bram.jpg"
    assert kept.path.is_relative_to(cache_dir)
    assert kept.size_bytes == kept.path.stat().st_size
    (cache_folder() / "other.vivant").write_bytes(b"?")
    assert [kept.portrait for kept in kept_rigs()] == ["bram.jpg", "unreadable"]
    assert clear_rigs() == 2
    assert kept_rigs() == []


def test_a_cache_that_cannot_be_written_is_no_error(builds: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    cache_folder().write_bytes(b"a file where the folder should be")
    assert open_portrait(PORTRAIT).open(64)

    def full(self: Rig, path: Path) -> None:
        raise OutputError("disk is full")

    cache_folder().unlink()
    monkeypatch.setattr(Rig, "save", full)
    assert open_portrait(PORTRAIT).open(64)
    assert len(builds) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="has no such modes")
def test_nobody_else_reads_what_is_kept_and_open_files_are_closed_at_their_next_use(builds: list[str]) -> None:
    before = os.umask(0o022)
    try:
        open_portrait(PORTRAIT)
        keep_consent("0" * 64, Consent.ME)
        files = list(cache_folder().iterdir())
        assert len(files) == 2 and {path.stat().st_mode & 0o777 for path in files} == {0o600}
        assert cache_folder().stat().st_mode & 0o777 == 0o700
        cache_folder().chmod(0o755)
        only_file().chmod(0o644)
        open_portrait(PORTRAIT)
        assert (cache_folder().stat().st_mode & 0o777, only_file().stat().st_mode & 0o777) == (0o700, 0o600)
    finally:
        os.umask(before)


def test_nobody_else_can_put_another_folder_in_the_place_of_one_that_is_kept(
    builds: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIVANT_CACHE_DIR", str(tmp_path / "new" / "cache"))
    before = os.umask(0)
    try:
        open_portrait(PORTRAIT)
    finally:
        os.umask(before)
    made = [path for path in (tmp_path / "new").rglob("*") if path.is_dir()]
    assert len(made) == 2 and {path.stat().st_mode & 0o777 for path in (tmp_path / "new", *made)} == {0o700}


@pytest.mark.full
def test_the_cache_keeps_what_was_used_last(builds: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("bram", "noor", "tomas")
    for age, name in enumerate(names):
        open_portrait(portrait_path(name))
        for kept in kept_rigs():
            if kept.portrait == f"{name}.jpg":
                os.utime(kept.path, (age, age))
    one_mb = kept_rigs()[0].size_bytes / 1e6
    monkeypatch.setenv("VIVANT_CACHE_MB", str(round(3.5 * one_mb)))
    open_portrait(portrait_path("bram"))  # the oldest, until now
    open_portrait(portrait_path("ada_painting"))
    assert {kept.portrait for kept in kept_rigs()} == {"bram.jpg", "tomas.jpg", "ada_painting.jpg"}
    monkeypatch.setenv("VIVANT_CACHE_MB", "0")
    open_portrait(portrait_path("noor"))
    assert [kept.portrait for kept in kept_rigs()] == ["noor.jpg"]


@pytest.mark.parametrize("said", ["much", "-1", "1.5"])
def test_room_that_is_no_number_is_named(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVANT_CACHE_MB", said)
    with pytest.raises(InputError, match="cache_mb must be a whole number"):
        Settings.load()
