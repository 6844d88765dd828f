"""A portrait is analysed once per machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import vivant.rig.cache as rig_cache
from tests.conftest import portrait_path
from vivant.errors import OutputError
from vivant.face import RigFace, open_portrait
from vivant.media import PortraitImage
from vivant.rig.cache import cache_folder, clear_rigs, kept_rigs
from vivant.rig.rig import Rig

pytestmark = pytest.mark.unit

PORTRAIT = portrait_path("bram")


@pytest.fixture
def builds(ada: RigFace, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the rigs that were built; building is quick here and gives `ada` whatever the image."""
    built: list[str] = []

    def build(image: PortraitImage, analyser: object, *, name: str, transparent: bool, **_: Any) -> Rig:  # noqa: ANN401
        built.append(name)
        return replace(ada.rig, portrait_sha256=image.sha256, portrait_name=name, transparent=transparent)

    monkeypatch.setattr(rig_cache, "build_rig", build)
    return built


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


@pytest.mark.parametrize("damage", [b"", b"nonsense"])
def test_a_damaged_file_is_built_again(builds: list[str], damage: bytes) -> None:
    open_portrait(PORTRAIT)
    whole = only_file().read_bytes()
    only_file().write_bytes(damage or whole[: len(whole) // 2])
    open_portrait(PORTRAIT)
    assert len(builds) == 2
    assert only_file().stat().st_size == len(whole)


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
