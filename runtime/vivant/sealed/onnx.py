"""onnxruntime without its telemetry, and what that telemetry had left before."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from vivant.sealed import keep_to_this_machine

_FOLDER = Path("Microsoft", "DeveloperTools", ".onnxruntime")
_FILES = ("deviceid*", "onnxruntime.db*", "onnxruntime.ses*")
"""An identifier of the machine with its lock, and the queue of events with what SQLite keeps beside it."""


def load() -> Any:  # noqa: ANN401
    """The module. Raises ImportError where it is not installed."""
    keep_to_this_machine()
    import onnxruntime

    with suppress(AttributeError):  # what the switch does not reach: Windows' own event tracing
        onnxruntime.disable_telemetry_events()
    return onnxruntime


def leftovers() -> Iterator[Path]:
    """Files that onnxruntime's telemetry has kept about this machine, of any program's."""
    folder = _cache_folder() / _FOLDER
    for pattern in _FILES:
        yield from sorted(path for path in folder.glob(pattern) if path.is_file())


def remove_leftovers() -> int:
    """Delete them, and the folders that are empty then; returns how many files went."""
    gone = 0
    for path in list(leftovers()):
        with suppress(OSError):
            path.unlink()
            gone += 1
    folder = _cache_folder() / _FOLDER
    with suppress(OSError):  # not empty, or not there
        for empty in (folder, *list(folder.parents)[:2]):
            empty.rmdir()
    return gone


def _cache_folder() -> Path:
    """As onnxruntime chooses it, which is not always the user's cache."""
    home = Path(os.environ.get("HOME") or Path.home())
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if sys.platform == "darwin":
        return home / "Library" / "Application Support"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
