"""What is imported when: the library and the help of the command load nothing heavy before it is used."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest
import typer

import vivant
from vivant import cli

pytestmark = pytest.mark.unit

HEAVY = {"scipy", "av", "PIL", "c2pa", "cryptography", "onnxruntime", "grpc", "ray", "fsspec"}


def loaded_by(program: str, *arguments: str) -> set[str]:
    """Top-level modules that a process of its own has imported at its end; standard output is the program's."""
    code = f"import atexit, sys\natexit.register(lambda: print(*sys.modules, file=sys.stderr))\n{program}"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stderr.split()}


def test_import_loads_nothing_heavy() -> None:
    loaded = loaded_by("import vivant")
    assert "vivant" in loaded and not loaded & HEAVY


def test_help_loads_nothing_heavy() -> None:
    loaded = loaded_by("import vivant.cli; vivant.cli.main()", "--help")
    assert {"vivant", "typer"} <= loaded and not loaded & (HEAVY | {"numpy", "vivant_bridge.commands"})


def test_the_server_loads_no_films_credentials_or_terminals() -> None:
    """What the portable server does not have inside."""
    loaded = loaded_by("import vivant.server.standalone, vivant.server.server, vivant.portrait.networks")
    assert "grpc" in loaded and not loaded & {"scipy", "av", "c2pa", "cryptography", "rich", "vivant_bridge", "ray", "fsspec"}


def test_every_public_name_is_typed_and_found() -> None:
    source = ast.parse(Path(vivant.__file__).read_bytes())
    (typed,) = (node for node in source.body if isinstance(node, ast.If))
    told = {alias.asname: node.module for node in typed.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert told == vivant._HOME
    for name in vivant.__all__:
        assert getattr(vivant, name) is not None and name in dir(vivant)
    assert not hasattr(vivant, "Speaker")


@pytest.mark.parametrize("entry", sorted(entry_points(group=cli.GROUP)), ids=lambda entry: entry.name)
def test_the_help_line_is_that_of_the_command(entry: EntryPoint) -> None:
    assert cli._help_of(entry).split("\n\n")[0] == cli._load(entry).help.split("\n\n")[0] != ""
    assert isinstance(cli.build_app(), typer.Typer)


def test_no_module_defines_a_constant_twice() -> None:
    root = Path(__file__).parents[2]
    modules = [path for part in ("runtime", "bridge") for path in (root / part).rglob("*.py")]
    assert len(modules) > 100
    for path in modules:
        names = re.findall(r"^(\w+)(?:: [^=\n]+)? = ", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert sorted(names) == sorted(set(names)), path
