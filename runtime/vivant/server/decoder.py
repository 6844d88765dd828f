"""Pictures of strangers are decoded in a process of their own, which is ended when one takes too much time or memory."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from vivant.errors import InputError
from vivant.media.images import PortraitImage

_CHILD = Path(__file__).with_name("decoder_child.py")
MOST_S = 20.0
"""Of the clock on the wall; the child itself counts its processor time."""
TOO_DEAR = (
    "the portrait takes more time or memory to read than a picture may; send it as a plain JPEG or PNG file of fewer pixels"
)


class Decoder:
    """One child, started by the first picture and used again. For one thread."""

    def __init__(self, most_pixels: int) -> None:
        self._most_pixels = most_pixels
        self._child: subprocess.Popen[bytes] | None = None

    def decode(self, data: bytes) -> PortraitImage:
        """As `vivant.media.load_image`. Raises InputError, also for what is too large or takes too long."""
        child = self._started()
        try:
            with _ended_after(child, MOST_S):
                assert child.stdin is not None and child.stdout is not None
                child.stdin.write(struct.pack("<QQ", self._most_pixels, len(data)) + data)
                child.stdin.flush()
                said = json.loads(_block(child.stdout))
                if "refused" in said:
                    raise InputError(str(said["refused"]))
                arrays = [np.load(io.BytesIO(_block(child.stdout)), allow_pickle=False) for _ in said["arrays"]]
                values: dict[str, Any] = dict(zip(said["arrays"], arrays, strict=True)) | said["values"]
                return PortraitImage(**{name: _immutable(value) for name, value in values.items()})
        except InputError:
            raise
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:  # it is dead, or says what cannot be
            self.close()
            raise InputError(TOO_DEAR) from error

    def close(self) -> None:
        """End the child, whatever it does."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                with suppress(OSError):  # what was to be flushed into a closed pipe
                    assert pipe is not None
                    pipe.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is not None:
            self.close()
        child = self._child = self._child or subprocess.Popen(
            [sys.executable, "-P", str(_CHILD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        return child


@contextmanager
def _ended_after(child: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
    """Kill ``child`` if the block takes longer: reading from it then ends."""
    timer = threading.Timer(seconds, child.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _block(stream: IO[bytes]) -> bytes:
    """The next bytes that a length precedes. Raises EOFError when the other side has gone."""
    (length,) = struct.unpack("<Q", _exactly(stream, 8))
    return _exactly(stream, length)


def _exactly(stream: IO[bytes], n_bytes: int) -> bytes:
    data = stream.read(n_bytes)
    if len(data) < n_bytes:
        raise EOFError
    return data


def _immutable(value: Any) -> Any:  # noqa: ANN401
    """JSON knows no tuples."""
    return tuple(value) if isinstance(value, list) else value
