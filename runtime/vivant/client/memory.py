"""Memory that two processes of one machine share under a name.

On Linux it is a file in /dev/shm that is read and written but never mapped: where another process cuts it, or no memory is
left, there is an error then, not a signal that ends the process. Elsewhere such memory cannot be cut, and it is mapped.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Protocol

FOLDER = Path("/dev/shm")


class Shared(Protocol):
    """One side of it."""

    def write(self, first: int, data: memoryview | bytes) -> None:
        """Raises OSError where no memory is left."""
        ...

    def read(self, first: int, n_bytes: int) -> bytes:
        """Raises OSError where the other side has cut it."""
        ...

    def close(self) -> None:
        """Whoever made it takes the name away, too."""
        ...


def make(name: str, n_bytes: int) -> Shared:
    """New memory, all of it there, for this user alone. Raises OSError when there is not enough."""
    return _File.make(name, n_bytes) if sys.platform == "linux" else _Mapping(name, n_bytes)


def attach(name: str) -> Shared:
    """What another process made, to be read. Raises OSError when it is not there."""
    if Path(name).name != name:
        raise FileNotFoundError(f"no name of shared memory: {name[:64]!r}")
    return _File(os.open(FOLDER / name, os.O_RDONLY | os.O_NOFOLLOW)) if sys.platform == "linux" else _Mapping(name)


def remove_abandoned(prefix: str) -> None:
    """What processes left behind that were killed: whoever lives holds a lock on what it made."""
    if sys.platform != "linux":
        return
    import fcntl

    for path in FOLDER.glob(f"{prefix}*"):
        with suppress(OSError):  # somebody else's, or it lives
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            finally:
                os.close(descriptor)


class _File:
    """`Shared` where it is a file."""

    def __init__(self, descriptor: int, own: Path | None = None) -> None:
        self._descriptor, self._own = descriptor, own

    @classmethod
    def make(cls, name: str, n_bytes: int) -> _File:
        import fcntl

        path = FOLDER / name
        made = cls(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), path)
        try:
            fcntl.flock(made._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.posix_fallocate(made._descriptor, 0, n_bytes)
        except OSError:
            made.close()
            raise
        return made

    def write(self, first: int, data: memoryview | bytes) -> None:
        left = memoryview(data)
        while left:
            n_bytes = os.pwrite(self._descriptor, left, first)
            first, left = first + n_bytes, left[n_bytes:]

    def read(self, first: int, n_bytes: int) -> bytes:
        data = os.pread(self._descriptor, n_bytes, first)
        if len(data) < n_bytes:
            raise OSError("the shared memory was cut")
        return data

    def close(self) -> None:
        if self._own is not None:
            with suppress(OSError):  # the other side took the name away, or put a folder in its place
                self._own.unlink()
        os.close(self._descriptor)


class _Mapping:
    """`Shared` where it is mapped: macOS, Windows."""

    def __init__(self, name: str, n_bytes: int = 0) -> None:
        """Made with ``n_bytes``, or attached to without."""
        self._own = n_bytes > 0
        self._memory = SharedMemory(name, create=self._own, size=n_bytes)
        if not self._own and sys.platform != "win32" and name.split("-")[1] != str(os.getpid()):
            resource_tracker.unregister(f"/{name}", "shared_memory")  # its maker removes it, not this process at its end

    def write(self, first: int, data: memoryview | bytes) -> None:
        self._buffer[first : first + len(data)] = data

    def read(self, first: int, n_bytes: int) -> bytes:
        return bytes(self._buffer[first : first + n_bytes])

    def close(self) -> None:
        self._memory.close()
        if self._own:
            with suppress(FileNotFoundError):
                self._memory.unlink()

    @property
    def _buffer(self) -> memoryview:
        buffer = self._memory.buf
        assert buffer is not None
        return buffer
