"""docs/tested.md names tests; each of them has to be there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
ROWS = [
    line
    for line in (ROOT / "docs" / "tested.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| kind |")
]
NAMED = re.compile(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`")


@cache
def functions_by_file() -> dict[str, set[str]]:
    """What the tables name; ``::name`` without a file belongs to the file before it."""
    named: dict[str, set[str]] = {}
    file = ""
    for path, function in (found for row in ROWS for found in NAMED.findall(row) if any(found)):
        file = path or file
        named.setdefault(file, set()).update({function} if function else ())
    return named


def test_every_row_names_a_kind_a_source_and_a_test() -> None:
    assert len(ROWS) > 100
    for row in ROWS:
        kind, source, test = (cell.strip() for cell in row.strip("| ").split(" | "))
        assert kind and source and NAMED.search(test), row


@pytest.mark.parametrize("file", sorted(functions_by_file()))
def test_every_named_test_is_there(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert functions_by_file()[file] <= there
