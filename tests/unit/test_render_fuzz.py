"""A real rig with wild numbers: drawn or refused in one sentence, never a signal; sanitizers see what does not crash."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from vivant.rig.rig import Rig

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def rig_file(small_ada: Rig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rig") / "ada.vivant"
    small_ada.save(path)
    return path


@pytest.mark.parametrize(
    ("first_seed", "count"),
    [(0, 50), pytest.param(0, 200, marks=pytest.mark.full), pytest.param(1000, 400, marks=pytest.mark.slow)],
)
def test_a_wild_rig_is_drawn_or_refused(rig_file: Path, first_seed: int, count: int) -> None:
    command = [sys.executable, "-m", "tests.wild_rigs", str(rig_file), str(first_seed), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    said = done.stdout.splitlines()
    assert done.returncode == 0, f"after {said[-1:]}: {done.stderr[-3000:]}"
    results = ast.literal_eval(said[-1])
    assert sum(results.values()) == count
    assert min(results["drawn"], results["refused"]) > count // 10  # or nothing was tried
