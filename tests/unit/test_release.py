"""What `scripts/release` looks at before it tags, and that the workflow does what the dry run here does."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

import vivant
from tests.unit.test_release_version import INIT, PACKAGE, PYPROJECT, SCRIPT

pytestmark = [pytest.mark.unit, pytest.mark.skipif(shutil.which("git") is None, reason="needs git")]

ROOT = Path(__file__).resolve().parents[2]


def script(name: str) -> ModuleType:
    loader = SourceFileLoader(name.replace("-", "_"), str(ROOT / "scripts" / name))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.invalid", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a script leaves no cache beside it
    return script("release")


@pytest.fixture
def tree(tmp_path: Path, release: ModuleType) -> Path:
    """A repository that is ready for a release of this version."""
    for name in (SCRIPT, PYPROJECT, PACKAGE, INIT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in release.CHANGELOGS:
        (tmp_path / name).write_text(f"# Changelog\n\n## [{vivant.__version__}] - 2026-12-01\n\n- all\n", encoding="utf-8")
    git(tmp_path, "init", "--initial-branch", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--message", "ready")
    return tmp_path


def test_a_tree_that_is_ready(tree: Path, release: ModuleType) -> None:
    assert list(release.not_ready(tree, vivant.__version__)) == []


def test_everything_that_is_not_ready_is_said(tree: Path, release: ModuleType) -> None:
    git(tree, "tag", f"v{vivant.__version__}")
    git(tree, "checkout", "-b", "wip")
    (tree / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n", encoding="utf-8")
    said = "\n".join(release.not_ready(tree, vivant.__version__))
    assert re.findall("not committed|not the branch main|the tag v|CHANGELOG.md has no section", said) == [
        "not committed",
        "not the branch main",
        "the tag v",
        "CHANGELOG.md has no section",
    ]


def test_the_workflow_makes_the_files_of_the_dry_run() -> None:
    """So what passed here passes there; and wheels and bundles are among what gets checksums."""
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    assert "scripts/release-files files" in workflow and "subject-checksums: files/SHA256SUMS" in workflow
    assert {"./.github/workflows/wheels.yml", "./.github/workflows/bundle.yml"} <= set(re.findall(r"uses: (\./\S+)", workflow))
    assert "scripts/release-files" in (ROOT / "scripts" / "release").read_text(encoding="utf-8")
