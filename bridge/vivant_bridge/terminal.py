"""What C libraries write to a terminal, put above the lines that are drawn again and again."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WAIT_S = 1.0
"""For the last words; a child process may hold the pipe open for longer."""


@contextmanager
def stderr_lines(say: Callable[[str], None]) -> Iterator[None]:
    """Give every line of standard error to ``say``, on a thread of its own, as long as it goes to a terminal.

    ALSA, PortAudio and FFmpeg write there without asking; in the middle of a block that moves the cursor they would tear it.
    """
    if not os.isatty(2):
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    reading, writing = os.pipe()
    os.dup2(writing, 2)
    os.close(writing)
    reader = threading.Thread(target=_pass_on, args=(reading, say), name="stderr", daemon=True)
    reader.start()
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)
        reader.join(WAIT_S)


def _pass_on(reading: int, say: Callable[[str], None]) -> None:
    with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.strip():
                say(line.rstrip())
