"""Worker processes that make lines of dialogue at the same time."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process

CLEAN_S = 2.0
"""For what a line leaves half-written; chosen."""


@contextmanager
def workers(n: int) -> Iterator[Executor | None]:
    """So many processes, started as they are needed; None for one, which this process is.

    Processes and not threads: motion is made in Python and by small calls of NumPy, which hold its lock. When the block ends by
    an exception they are told to stop, and leave nothing half-written.
    """
    if n <= 1:
        yield None
        return
    others = set(active_children())
    pool = ProcessPoolExecutor(n, mp_context=get_context("spawn"), initializer=_begin)
    try:
        yield pool
    except BaseException:
        for child in set(active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """In a worker: SIGTERM ends a line like an exception, so that its half-written file goes; Ctrl+C is heard by the parent."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """However that ended: a worker whose parent was killed would wait for lines for ever.

    SIGTERM ends one that waits. One at work takes it for the result of its line, once that is cleaned up, and then waits.
    """
    if (parent := parent_process()) is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(CLEAN_S)
        os._exit(128 + signal.SIGTERM)
