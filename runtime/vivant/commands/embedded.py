"""A server that another program starts, speaks to by its standard input, and ends by closing it or by ending itself."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable

from vivant.errors import InputError

PATIENCE_S = 1.0
"""For calls under way when whoever started the server is gone, or wants it gone; chosen."""
MOST_TOKEN_BYTES = 4096
"""Chosen; gRPC carries 8 KiB of metadata with a call."""
_STDIN = 0


def token_of_parent() -> str:
    """The first line of standard input, so that it stands in no list of processes and no file. Raises InputError."""
    token = sys.stdin.buffer.readline(MOST_TOKEN_BYTES).decode(errors="replace").strip()  # what is no ASCII is refused
    if not token:
        raise InputError("--embedded takes the token as the first line of standard input, which has none")
    return token


def announce(**places: object) -> None:
    """Where the server listens, as one line of JSON on standard output."""
    print(json.dumps(places), flush=True)


def when_parent_ends(stop: Callable[[], None]) -> None:
    """Call ``stop`` on the running event loop once standard input ends, as it does with the program at its other end."""
    loop = asyncio.get_running_loop()

    def wait() -> None:
        while os.read(_STDIN, 4096):  # not by sys.stdin, whose lock a thread that waits would keep beyond the end
            pass
        loop.call_soon_threadsafe(stop)

    threading.Thread(target=wait, name="standard input", daemon=True).start()
