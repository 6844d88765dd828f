"""Locks that the system takes back when their holder ends, however it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    """One process and thread at a time in this block; the others wait. ``path`` is made and stays, empty.

    Raises OSError when it cannot be made. On file systems without locks nobody waits.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with suppress(OSError):
            take(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)
