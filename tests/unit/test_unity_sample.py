"""The sample scene was never opened in Unity; what a parser can say of it is said here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "unity_sample" / "Packages" / "com.vivant.face"
SAMPLE = PACKAGE / "Samples~" / "Dialogue"
BUILT_IN = {"0000000000000000e000000000000000", "0000000000000000f000000000000000"}
"""Unity's own meshes and materials."""


def assets() -> dict[str, Path]:
    """By guid."""
    found: dict[str, Path] = {}
    for meta in PACKAGE.rglob("*.meta"):
        match = re.search(r"^guid: ([0-9a-f]{32})$", meta.read_text(), re.MULTILINE)
        assert match, meta
        assert match[1] not in found, f"{meta} and {found[match[1]]} share a guid"
        found[match[1]] = meta.with_suffix("")
    return found


def documents(file: Path) -> list[str]:
    return re.split(r"^--- ", file.read_text(), flags=re.MULTILINE)[1:]


def test_every_asset_of_the_sample_has_a_meta_file_and_every_meta_file_an_asset() -> None:
    metas = set(assets().values())
    assert all(path.exists() for path in metas)
    assert {path for path in SAMPLE.iterdir() if path.suffix != ".meta"} <= metas


@pytest.mark.parametrize("name", ["Dialogue.unity", "Server.asset"])
def test_whatever_the_scene_refers_to_is_there(name: str) -> None:
    text, known = (SAMPLE / name).read_text(), assets()
    assert set(re.findall(r"guid: ([0-9a-f]{32})", text)) <= BUILT_IN | set(known)
    here = {"0", *re.findall(r"^--- !u!\d+ &(\d+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\{fileID: (\d+)\}", text)) <= here


def test_scripts_in_the_scene_have_the_fields_that_it_sets() -> None:
    known, n_scripts = assets(), 0
    for document in documents(SAMPLE / "Dialogue.unity") + documents(SAMPLE / "Server.asset"):
        script = re.search(r"m_Script: \{fileID: 11500000, guid: ([0-9a-f]{32}), type: 3\}", document)
        if script is None:
            continue
        n_scripts += 1
        source = known[script[1]].read_text()
        fields = [field for field in re.findall(r"^  [- ]*(\w+):", document, re.MULTILINE) if not field.startswith("m_")]
        assert fields
        for field in fields:
            assert re.search(rf"public [\w.\[\]]+ {field}\b", source), f"{known[script[1]].name} has no {field}"
    assert n_scripts == 4
