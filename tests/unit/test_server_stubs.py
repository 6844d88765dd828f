"""The checked-in stubs are those of the contract."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto" / "vivant" / "v1" / "vivant.proto"


@pytest.mark.skipif(importlib.util.find_spec("grpc_tools") is None, reason="grpcio-tools is missing")
def test_generating_again_changes_nothing(tmp_path: Path) -> None:
    """The C# stubs are compared too where protoc 3.21.12 is there."""
    subprocess.run([sys.executable, ROOT / "scripts" / "protos", tmp_path], check=True)
    made = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(made) >= 3
    for path in made:
        assert path.read_text() == (ROOT / path.relative_to(tmp_path)).read_text(), f"{path.name}: run scripts/protos"


def test_every_field_and_call_has_a_comment() -> None:
    lines = PROTO.read_text().splitlines()
    for before, line in pairwise(lines):
        if re.match(r"\s*(optional |repeated )?[\w.]+ \w+ = \d+;|\s+[A-Z_0-9]+ = \d+;|\s+rpc |(message|enum|service) ", line):
            assert before.strip().startswith("//"), line


def test_enums_begin_unspecified_and_carry_their_name() -> None:
    text = PROTO.read_text()
    for name, body in re.findall(r"^enum (\w+) \{(.*?)^\}", text, re.M | re.S):
        values = re.findall(r"^\s+([A-Z0-9_]+) = (\d+);", body, re.M)
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper().replace("I420", "I420") + "_"
        assert values[0] == (f"{prefix}UNSPECIFIED", "0")
        assert all(value.startswith(prefix) for value, _ in values)
