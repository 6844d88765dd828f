"""The version stands in three files, and one command writes it into all of them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import vivant

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path("scripts", "release-version")
PYPROJECT, PACKAGE = Path("pyproject.toml"), Path("unity_sample", "Packages", "com.vivant.face", "package.json")
INIT = Path("runtime", "vivant", "__init__.py")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in (SCRIPT, PYPROJECT, PACKAGE, INIT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def release_version(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, folder / SCRIPT, *arguments], capture_output=True, text=True, check=False)


def versions(folder: Path) -> list[str]:
    python = (folder / PYPROJECT).read_text(encoding="utf-8")
    unity = json.loads((folder / PACKAGE).read_text(encoding="utf-8"))
    (line,) = [line for line in (folder / INIT).read_text(encoding="utf-8").splitlines() if line.startswith("__version__")]
    return [tomllib.loads(python)["project"]["version"], unity["version"], line.split('"')[1]]


def test_the_three_versions_agree() -> None:
    assert versions(ROOT) == 3 * [vivant.__version__]


def test_one_command_writes_all_three_and_nothing_else(copy: Path) -> None:
    before = {name: (copy / name).read_text(encoding="utf-8").splitlines() for name in (PYPROJECT, PACKAGE, INIT)}
    done = release_version(copy, "12.34.56")
    assert (done.returncode, done.stdout) == (0, "12.34.56\n")
    assert versions(copy) == 3 * ["12.34.56"]
    for name, lines in before.items():
        now = (copy / name).read_text(encoding="utf-8").splitlines()
        assert sum(old != new for old, new in zip(lines, now, strict=True)) == 1


def test_without_a_number_it_says_whether_they_agree(copy: Path) -> None:
    assert release_version(copy).stdout.strip() == vivant.__version__
    text = (copy / PACKAGE).read_text(encoding="utf-8")
    (copy / PACKAGE).write_text(text.replace(f'"version": "{vivant.__version__}"', '"version": "9.0.0"'), encoding="utf-8")
    done = release_version(copy)
    assert done.returncode == 1 and "9.0.0" in done.stderr


@pytest.mark.parametrize("arguments", [["1.2"], ["v1.2.3"], ["1.2.3-rc1"], ["1.2.3\n"], ["1.2.3", "1.2.4"], [""]])
def test_no_version_changes_nothing(copy: Path, arguments: list[str]) -> None:
    before = versions(copy)
    assert release_version(copy, *arguments).returncode == 1
    assert versions(copy) == before
