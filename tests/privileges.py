"""As root every file may be read and written; tests of permissions step down for a moment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

NOBODY = 65_534
"""User number of nobody on Linux."""


@contextmanager
def without_privileges() -> Iterator[None]:
    if not hasattr(os, "geteuid"):
        pytest.skip("permissions of this kind need POSIX")
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)
