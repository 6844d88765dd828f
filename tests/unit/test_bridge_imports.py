"""Imports point one way: the bridge uses the runtime, the runtime knows nothing of it, and optional libraries stay optional."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
INNER = ("vivant.rig", "vivant.motion", "vivant.speech", "vivant.session", "vivant.server")
"""Of the runtime, what only it may know."""
OPEN = ("vivant.session.pace", "vivant.session.background", "vivant.motion.driven", "vivant.motion.expression")
"""What the bridge shares of it: the rule for late pictures, and how late a live frame is; what is behind a person, as in
videos; what a driver moves; moods."""

STUDIO = (
    "vivant.server.host", "vivant.server.clients", "vivant.server.decoder", "vivant.server.limits", "vivant.server.portraits",
    "vivant.server.security",
    "vivant.rig.cache",
)  # fmt: skip
"""What the studio shares beside: it is an app around the server's host, and keeps rigs as the library does."""


def imports(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((path.name, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield path.name, node.module


@pytest.mark.full
def test_the_runtime_knows_no_bridge() -> None:
    assert [found for found in imports(ROOT / "runtime") if found[1].startswith("vivant_bridge")] == []


def test_the_bridge_knows_only_the_outside_of_the_runtime() -> None:
    inner = tuple(f"{module}." for module in INNER)
    studio = set(imports(ROOT / "bridge" / "vivant_bridge" / "studio"))
    for found in imports(ROOT / "bridge"):
        allowed = (*OPEN, *STUDIO) if found in studio else OPEN
        assert not f"{found[1]}.".startswith(inner) or found[1] in allowed, found


@pytest.mark.full
def test_optional_libraries_are_imported_only_when_they_are_needed() -> None:
    code = (
        "import sys; import vivant_bridge.commands.cam, vivant_bridge.commands.devices, vivant_bridge.commands.doctor;"
        "print([name for name in ('pyvirtualcam', 'sounddevice', 'grpc', 'onnxruntime') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
