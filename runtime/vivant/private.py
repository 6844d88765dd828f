"""Folders that only their user may read: keys, and what was made of pictures of people."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

FOLDER_MODE, FILE_MODE = 0o700, 0o600


def user_folder(variable: str, usual: Callable[..., str]) -> Path:
    """The folder that a variable of the environment names, or else the user's, by one of platformdirs' functions.

    Where no home is known, as in a bare container, one that goes with this process.
    """
    chosen = os.environ.get(variable)
    if chosen:
        return Path(chosen)
    with suppress(RuntimeError):  # what platformdirs raises, or else leaves unexpanded
        found = Path(usual("vivant", appauthor=False))
        if found.is_absolute():
            return found
    return Path(_temporary_home().name, "vivant")


@cache
def _temporary_home() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="vivant-")


def private_folder(path: Path) -> Path:
    """Make ``path`` and the parents that it lacks, for its user alone; one of ours that others may read is closed to them.

    Raises OSError when it cannot be made. Systems without such modes (Windows) keep what the parent folder says.
    """
    for folder in (*reversed(path.parents), path):
        if not folder.is_dir():  # whoever may write to a parent may put another folder in this one's place
            folder.mkdir(exist_ok=True, mode=FOLDER_MODE)
    if path.stat().st_mode & 0o077:
        with suppress(OSError):  # somebody else's folder, in which we may write
            path.chmod(FOLDER_MODE)
    return path
