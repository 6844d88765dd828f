"""The list of `scripts/mutants` keeps up with the code: each change can be applied, and names tests that are there."""

from __future__ import annotations

import runpy
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "mutants"


def test_every_change_can_be_applied() -> None:
    script = runpy.run_path(str(SCRIPT))
    mutants = [script["Mutant"](**entry) for entry in tomllib.loads(script["LIST"].read_text("utf-8"))["mutant"]]
    assert len(mutants) >= 100
    assert [fault for mutant in mutants if (fault := script["fault_of"](mutant))] == []


def test_every_change_names_tests_that_are_there() -> None:
    root = SCRIPT.parents[1]
    for entry in tomllib.loads(SCRIPT.with_suffix(".toml").read_text("utf-8"))["mutant"]:
        assert entry["old"] != entry["new"] and entry["tests"], entry["name"]
        for test in entry["tests"]:
            file, _, name = test.partition("::")
            assert f"def {name.split('[')[0]}" in (root / file).read_text("utf-8"), test
