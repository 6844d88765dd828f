"""Locks that the system takes back when their holder ends, however it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def take(descriptor: int, *, wait: bool) -> None:
        """Lock an open file for this descriptor alone; raises OSError when it is taken, or has been for ten seconds."""
        msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def take(descriptor: int, *, wait: bool) -> None:
        """Lock an open file or folder for this descriptor alone, against threads too; raises OSError when it is taken."""
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One process and thread at a time in this block; the others wait. ``path`` is a folder, or a file that is made and stays,
    empty.

    Raises OSError when the file cannot be made. On file systems without locks nobody waits, nor for a folder that cannot be
    opened, as on Windows.
    """
    with ExitStack() as held:
        with suppress(OSError) if path.is_dir() else nullcontext():
            flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
            descriptor = os.open(path, flags, 0o600)
            held.callback(os.close, descriptor)
            with suppress(OSError):
                take(descriptor, wait=True)
        yield
