"""What C libraries write to a terminal while a block of lines is drawn on it."""

from __future__ import annotations

import os
import sys

import pytest

from vivant_bridge.terminal import stderr_lines

pytestmark = pytest.mark.unit

if sys.platform != "win32":
    import pty


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")
def test_lines_of_c_libraries_are_said_and_none_is_lost() -> None:
    said: list[str] = []
    master, slave = pty.openpty()
    before = os.dup(2)
    os.dup2(slave, 2)
    try:
        with stderr_lines(said.append):
            os.write(2, b"ALSA lib pcm.c: underrun occurred\n\nhalf")
            os.write(2, b" a line\n\xff and no end")
        os.write(2, b"afterwards\n")
    finally:
        os.dup2(before, 2)
    assert said == ["ALSA lib pcm.c: underrun occurred", "half a line", "� and no end"]
    assert os.read(master, 100) == b"afterwards\r\n"
    for fd in (master, slave, before):
        os.close(fd)


def test_a_file_is_left_alone(capfd: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    with stderr_lines(said.append):
        os.write(2, b"to the file\n")
    assert said == []
    assert "to the file" in capfd.readouterr().err
