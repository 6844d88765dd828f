"""Folders that only their user may read: keys, and what was made of pictures of people."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600


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
