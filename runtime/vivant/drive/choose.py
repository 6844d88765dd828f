"""The words of ``--drive``: a file, or the name of a driver, ours or another package's."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from vivant.drive.driver import Driver
from vivant.drive.recorded import file_driver
from vivant.registry import DRIVERS, find, has


def choose_driver(text: str) -> Driver:
    """``vmc://HOST:PORT`` or ``vmc:HOST:PORT``, ``webcam:1``, and what else is registered; any other text is a file.

    Raises InputError for what cannot be.
    """
    name, _, argument = text.partition(":")
    if not has(DRIVERS, name):
        return file_driver(text)
    return cast(Callable[[str], Driver], find(DRIVERS, name))(argument.removeprefix("//"))
