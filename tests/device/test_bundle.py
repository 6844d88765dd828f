"""The portable server as players get it: no Python, nothing in the environment, all licences beside it.

Needs the folder that ``scripts/bundle`` makes, named by VIVANT_BUNDLE; CI has it:

    scripts/bundle -o dist && VIVANT_BUNDLE=dist/vivant-server pytest -m slow tests/device/test_bundle.py
"""

from __future__ import annotations

import asyncio
import csv
import os
import sys
from pathlib import Path

import pytest

from benchmarks.bundle import furnish, speak, started
from tests.device.test_csharp_client import CORE, ROOT, build_program, needs_tools, run_program
from tests.session.server_kit import tone

BUNDLE = Path(os.environ.get("VIVANT_BUNDLE", "/nowhere")).resolve()
pytestmark = [
    pytest.mark.device,
    pytest.mark.slow,
    pytest.mark.skipif(not BUNDLE.is_dir(), reason="the folder of scripts/bundle (VIVANT_BUNDLE) is missing"),
]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root folder with the bundle and a C library, where no program finds a Python, a shell or a home."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("a root folder of its own needs Linux and root")
    root = tmp_path_factory.mktemp("root")
    furnish(root, BUNDLE)
    programs = [path.name for path in root.rglob("*") if path.is_file() and os.access(path, os.X_OK) and not path.suffix]
    assert not [name for name in programs if name.startswith(("python", "sh", "bash"))]
    return root


def test_two_faces_speak_where_nothing_else_is(bare: Path) -> None:
    with started(BUNDLE, bare) as (port, _):
        drawn = asyncio.run(asyncio.wait_for(speak(port), 60))
    assert drawn.keys() == {"bundled", "sent"} and min(drawn.values()) >= 10
    assert not (bare / "~").exists() and not (bare / "bundle" / "~").exists(), "without a home nothing is written beside it"


@needs_tools
def test_a_game_in_csharp_is_served(bare: Path, tmp_path: Path) -> None:
    (tmp_path / "voice.pcm").write_bytes((tone(1) * 32767).round().astype("<i2").tobytes())
    (tmp_path / "pictures").mkdir()

    async def story(port: int) -> tuple[int, str]:
        program = await build_program(tmp_path, ROOT / "examples" / "csharp" / "ShowFace.cs", *CORE)
        return await run_program(program, f"http://127.0.0.1:{port}", "ada", tmp_path / "voice.pcm", tmp_path / "pictures")

    with started(BUNDLE, bare) as (port, _):
        code, said = asyncio.run(story(port))
    assert code == 0, said
    assert len(list((tmp_path / "pictures").glob("*.bmp"))) >= 5


def test_every_file_has_an_owner_and_every_owner_a_licence() -> None:
    with (BUNDLE / "LICENSES" / "index.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    known = {row["part"] for row in rows}
    for path in BUNDLE.rglob("*"):
        place = path.relative_to(BUNDLE)
        if path.is_file() and not path.is_symlink() and place.parts[0] != "LICENSES":
            assert place.as_posix().removeprefix("lib/") in known, f"nobody is known to own {place}"
    owners = {row["owner"] for row in rows}
    assert owners >= {"vivant", "Python", "numpy", "onnxruntime", "grpcio", "protobuf", "pillow", "simplejpeg", "pyinstaller"}
    for row in rows:
        licences = [BUNDLE / "LICENSES" / name for name in row["licences"].split("|")]
        sizes = [licence.stat().st_size for licence in licences]
        assert max(sizes, default=0) > 500 and min(sizes) > 0, row


def test_only_what_serving_needs_is_inside() -> None:
    with (BUNDLE / "LICENSES" / "index.csv").open(encoding="utf-8", newline="") as table:
        owners = {row["owner"].lower() for row in csv.DictReader(table)}
    assert not owners & {"av", "c2pa-python", "scipy", "rich", "cryptography", "pydantic", "pyvirtualcam", "pip", "setuptools"}
