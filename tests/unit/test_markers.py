"""Every module of tests says what kind of test it holds."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import require_kinds

pytestmark = pytest.mark.unit


def item(module: str, *marks: str) -> Any:  # noqa: ANN401
    return SimpleNamespace(nodeid=f"{module}::test", iter_markers=lambda: [SimpleNamespace(name=mark) for mark in marks])


def test_a_module_of_no_kind_or_of_two_is_named() -> None:
    good = [item("a.py", "unit"), item("b.py", "session", "slow", "parametrize")]
    require_kinds(good)
    with pytest.raises(pytest.UsageError, match=r"in c\.py, d\.py$"):
        require_kinds([*good, item("d.py", "unit", "device"), item("c.py", "slow")])
