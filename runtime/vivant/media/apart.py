"""An output that is one of the inputs: refused before any work, however it is spelled."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from vivant.errors import InputError

Inputs = Mapping[str, Path | None]
"""What is read, by its noun for people ("portrait", "sound")."""


def require_apart(out: Path, inputs: Inputs, *, folder: bool = False) -> None:
    """Raise InputError where writing ``out`` would harm an input: it is one, or a folder of frames that holds one.

    Links of both kinds, letter case, ``.`` and ``..`` are seen through, as files are compared and not names.
    """
    target = Path(os.path.realpath(out))
    for noun, path in inputs.items():
        if path is None or not _same(path, path):  # not given, or not there: a bundled name, a slip of the hand
            continue
        if _same(target, path):
            raise InputError(f"{out} is also the {noun} that is read, and would be overwritten; choose another name")
        if folder and _holds(target, path):
            raise InputError(f"the folder {out} holds the {noun} that is read, {path.name}; choose a new or empty folder")


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # one of them is not there, or its name can be no file's
        return False


def _holds(folder: Path, path: Path) -> bool:
    """By its own name, by where that leads, or by a hard link."""
    within = {parent for name in (os.path.abspath(path), os.path.realpath(path)) for parent in Path(name).parents}  # noqa: PTH100
    return any(_same(folder, parent) for parent in within) or any(_same(entry, path) for entry in _entries(folder))


def _entries(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from folder.iterdir()
