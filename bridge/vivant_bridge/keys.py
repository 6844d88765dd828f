"""Single keys from a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ARROWS = {"\x1b[A": "up", "\x1b[B": "down", "\x1b[C": "right", "\x1b[D": "left"}
WINDOWS_ARROWS = {"H": "up", "P": "down", "M": "right", "K": "left"}


class Keyboard:
    """`pressed` never waits. On Windows by the console, elsewhere by the terminal on standard input."""

    def pressed(self) -> list[str]:
        """The keys since the last call: characters, and ``up``, ``down``, ``left``, ``right``."""
        return _windows_keys() if sys.platform == "win32" else _split(_typed())


@contextmanager
def keyboard() -> Iterator[Keyboard | None]:
    """Keys without Enter and without echo; None where standard input is no terminal."""
    if not sys.stdin.isatty():
        yield None
    elif sys.platform == "win32":
        yield Keyboard()
    else:
        import termios
        import tty

        before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        try:
            yield Keyboard()
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _typed() -> str:
    import select

    fd = sys.stdin.fileno()
    return os.read(fd, 256).decode(errors="ignore") if select.select([fd], [], [], 0)[0] else ""


def _split(typed: str) -> list[str]:
    keys = []
    while typed:
        length = 3 if typed[:3] in ARROWS else 1
        keys.append(ARROWS.get(typed[:length], typed[0]))
        typed = typed[length:]
    return keys


def _windows_keys() -> list[str]:
    import msvcrt

    keys = []
    while msvcrt.kbhit():  # type: ignore[attr-defined]
        key = msvcrt.getwch()  # type: ignore[attr-defined]
        keys.append(WINDOWS_ARROWS.get(msvcrt.getwch(), "") if key in "\x00\xe0" else key)  # type: ignore[attr-defined]
    return keys
