"""Processor cores that this process may run on, and the threads that draw on them where a caller brings none."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache


def n_cores() -> int:
    """That this process may run on."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


@cache
def session_threads() -> ThreadPoolExecutor:
    """A thread for each core, shared by all sessions of the process.

    Of more, each would wait for the interpreter's lock mostly: eight faces in one process got a quarter fewer pictures
    from an event loop's own six (two cores). Those are also everybody's, so that a slow file or name would hold up a face.
    """
    return ThreadPoolExecutor(n_cores(), "vivant-session")


if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=session_threads.cache_clear)
