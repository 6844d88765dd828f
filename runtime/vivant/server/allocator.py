"""Memory allocator of a process that serves for days."""

from __future__ import annotations

import ctypes
import sys

LARGE_BYTES = 4 << 20
"""Blocks from here on are the system's own and go back to it when they are freed. More than a picture of 512 px takes, so that
frames cost no page faults; less than what a portrait is made of. glibc alone raises its bound with each such block, up to
32 MiB: beside crowds and floods of portraits 200 MB of a server lay free between blocks in use, with this 40 MB."""
MOST_ARENAS = 2
"""Of blocks, each with its own free ones. Chosen: threads allocate seldom, frames are drawn into memory that is kept."""
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
"""Of malloc.h."""


def keep_large_blocks_apart() -> None:
    """For the whole process, before its threads begin. Nothing where the C library is not glibc."""
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
    mallopt(_M_ARENA_MAX, MOST_ARENAS)
