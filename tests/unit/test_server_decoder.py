"""Bytes of strangers are decoded by a child that is ended and replaced, and that never outlives its parent."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest

import vivant.server.decoder as server_decoder
from tests.conftest import portrait_path
from vivant.errors import InputError
from vivant.media import load_image
from vivant.server.decoder import Decoder

pytestmark = pytest.mark.unit

ADA = portrait_path("ada").read_bytes()
HOSTILE_BYTES = 4 << 20


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int) -> bytes:
    """Nothing but a header and black rows."""
    rows = zlib.compress(bytes((width // 8 + 1) * height))
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def test_a_picture_is_what_load_image_makes_of_it() -> None:
    decoder = Decoder(40_000_000)
    try:
        for _ in range(2):
            here, there = load_image(ADA), decoder.decode(ADA)
            assert np.array_equal(here.pixels, there.pixels) and here.alpha is there.alpha is None
            assert here.sha256 == there.sha256
        assert decoder._child is not None
    finally:
        decoder.close()


@pytest.mark.full
def test_what_takes_too_long_ends_the_child_and_the_next_picture_gets_another(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = Decoder(40_000_000)
    try:
        decoder.decode(ADA)
        first = decoder._child
        monkeypatch.setattr(server_decoder, "MOST_S", 0.01)
        with pytest.raises(InputError, match="more time or memory"):
            decoder.decode(b"\xff\xd8" + b"\xff\xe1\x00\x02" * (HOSTILE_BYTES // 4))
        monkeypatch.undo()
        assert first is not None and first.returncode is not None
        assert decoder.decode(ADA).pixels.shape == load_image(ADA).pixels.shape
    finally:
        decoder.close()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (png_of(8000, 8000), "8000 x 8000 pixels, which is too large: at most 8192 a side and 40 megapixels"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n" + b"%%A: b\n" * (HOSTILE_BYTES // 7), "PostScript, which is not read"),
        (ADA[: len(ADA) // 2], "truncated or damaged"),
    ],
    ids=["bomb", "eps", "half"],
)
def test_what_is_no_portrait_is_refused_in_a_sentence(data: bytes, sentence: str) -> None:
    decoder = Decoder(40_000_000)
    try:
        with pytest.raises(InputError, match=sentence):
            decoder.decode(data)
    finally:
        decoder.close()


_PARENT = """
import sys
from pathlib import Path
from vivant.server.decoder import Decoder
decoder = Decoder(40_000_000)
decoder.decode(Path(sys.argv[1]).read_bytes())
print(decoder._child.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.full
@pytest.mark.skipif(not hasattr(os, "kill") or sys.platform == "win32", reason="processes and signals of POSIX")
def test_a_child_dies_with_its_parent_also_when_that_is_killed() -> None:
    words = [sys.executable, "-c", _PARENT, str(portrait_path("ada"))]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        parent.send_signal(signal.SIGKILL)
        assert parent.stdout.read() == ""  # nobody holds it open any more
        assert parent.wait(10) < 0
    for _ in range(1000):
        if not _runs(child):
            return
        os.sched_yield()
        subprocess.run([sys.executable, "-c", ""], check=True)
    raise AssertionError("the child outlived its parent")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
