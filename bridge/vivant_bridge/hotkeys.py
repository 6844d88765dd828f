"""Hotkeys: combinations of keys that steer the face while another program has the keyboard. Never unasked.

Only the combinations that the settings name mean anything; other keys are let by and forgotten. Needs the extra
``hotkeys``, pynput, which is under the LGPL.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from vivant import InputError
from vivant.errors import UnavailableError
from vivant.extras import install
from vivant_bridge.steering import Steering

WAYLAND = (
    "on Wayland no program hears the keys of another: bind a key to `vivant tell happy` in the desktop's own keyboard settings"
)


def is_wayland() -> bool:
    """Whether this desktop lets no program hear the keys of another."""
    return sys.platform == "linux" and os.environ.get("XDG_SESSION_TYPE") == "wayland"


@contextmanager
def hotkeys(combinations: Mapping[str, str], steering: Steering, report: Callable[[str], None]) -> Iterator[None]:
    """Listen on threads of pynput's, and steer on the running event loop.

    ``combinations`` say what each means: ``{"<ctrl>+<alt>+h": "toggle happy"}``; ``hold MOOD`` lasts as long as the keys do.
    Raises UnavailableError where nobody can listen, and InputError for what is no combination.
    """
    keyboard, loop = _keyboard(), asyncio.get_running_loop()
    done: set[asyncio.Task[None]] = set()

    async def obey(words: str) -> None:
        try:
            await steering.obey(words.split())
        except InputError as error:
            report(f"a hotkey: {error}")

    def begin(words: str) -> None:
        task = loop.create_task(obey(words))
        done.add(task)
        task.add_done_callback(done.discard)

    held = HeldKeys(combinations, keyboard.HotKey.parse, lambda words: loop.call_soon_threadsafe(begin, words))
    listener: Any = keyboard.Listener(
        on_press=lambda key: held.press(listener.canonical(key)), on_release=lambda key: held.release(listener.canonical(key))
    )
    with listener:
        yield


class HeldKeys:
    """Which combinations are down. Keys of none are not looked at twice."""

    def __init__(
        self, combinations: Mapping[str, str], parse: Callable[[str], list[Any]], obey: Callable[[str], object]
    ) -> None:
        """Raises InputError for what ``parse`` takes for no combination."""
        self._wanted: dict[frozenset[Any], str] = {}
        self._down: set[Any] = set()
        self._active: frozenset[Any] | None = None
        self._obey = obey
        for combination, words in combinations.items():
            try:
                self._wanted[frozenset(parse(combination))] = words
            except ValueError as error:
                raise InputError(f"hotkeys in config.toml are like <ctrl>+<alt>+h, got {combination!r}") from error
        self._known = frozenset().union(*self._wanted)

    def press(self, key: object) -> None:
        if key not in self._known or key in self._down:  # a held key repeats
            return
        self._down.add(key)
        found = self._wanted.get(frozenset(self._down))
        if found is not None:
            self._active = frozenset(self._down)
            self._obey(found)

    def release(self, key: object) -> None:
        self._down.discard(key)
        if self._active is not None and key in self._active:
            words, self._active = self._wanted[self._active], None
            if words.split()[:1] == ["hold"]:
                self._obey("release")


def _keyboard() -> Any:  # noqa: ANN401
    """pynput's. Raises UnavailableError, a sentence."""
    if is_wayland():
        raise UnavailableError(WAYLAND)
    try:
        from pynput import keyboard
    except ImportError as error:
        if "pynput" in str(error):
            raise UnavailableError(f"hotkeys need the extra 'hotkeys': {install('hotkeys')}") from error
        raise UnavailableError(f"hotkeys need a desktop (X11, Windows or macOS): {error}") from error
    return keyboard
