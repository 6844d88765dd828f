"""The child of `vivant.server.decoder`: pictures in, pixels out, until its parent is gone. Started by its path.

A request is the most pixels, the length and the bytes of a picture; an answer is JSON, then one ``.npy`` per array, each with
its length before it. Numbers have 8 bytes, little-endian.
"""

from __future__ import annotations

import io
import json
import os
import queue
import struct
import sys
import threading
import types
from dataclasses import fields
from pathlib import Path
from typing import BinaryIO

HEADER_S, PICTURE_S = 1, 10
"""Processor time for a header, and for all of it."""
MEMORY_BYTES = 3 << 30
"""Of addresses; the largest honest pictures take one GiB for a moment."""


def main() -> None:
    """Answers in order. A thread of its own reads, so that the end of the parent ends a decoder at work, too."""
    _import_lightly()
    _limit("RLIMIT_AS", MEMORY_BYTES)
    _limit("RLIMIT_CORE", 0)
    requests: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, requests), daemon=True).start()
    while True:
        for block in _answer(*requests.get()):
            sys.stdout.buffer.write(struct.pack("<Q", len(block)))
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()


def _import_lightly() -> None:
    """Let ``vivant.media.images`` be imported without the library around it: no networks, no codecs, a tenth of the time."""
    folder = Path(__file__).parents[1]
    for name, path in (("vivant", folder), ("vivant.media", folder / "media")):
        package = sys.modules[name] = types.ModuleType(name)
        package.__path__ = [str(path)]


def _read(stream: BinaryIO, requests: queue.SimpleQueue[tuple[int, bytes]]) -> None:
    while len(head := stream.read(16)) == 16:
        most_pixels, length = struct.unpack("<QQ", head)
        requests.put((most_pixels, stream.read(length)))
    os._exit(0)


def _answer(most_pixels: int, data: bytes) -> list[bytes]:
    from vivant.errors import InputError
    from vivant.media import images

    images.MAX_PIXELS = most_pixels  # in this process alone
    try:
        _limit_cpu(HEADER_S)
        images._open(data, "the portrait").close()
        _limit_cpu(PICTURE_S)
        image = images.load_image(data)
    except InputError as error:
        return [json.dumps({"refused": str(error)}).encode()]
    values = {field.name: getattr(image, field.name) for field in fields(image)}
    arrays = {name: value for name, value in values.items() if hasattr(value, "dtype")}
    said = {"values": {name: value for name, value in values.items() if name not in arrays}, "arrays": list(arrays)}
    return [json.dumps(said).encode(), *map(_npy, arrays.values())]


def _npy(array: object) -> bytes:
    import numpy as np

    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)  # type: ignore[arg-type]
    return out.getvalue()


def _limit_cpu(seconds: int) -> None:
    """From now on; the system ends the process when it is used up."""
    used = os.times()
    _limit("RLIMIT_CPU", int(used.user + used.system) + 1 + seconds)


def _limit(name: str, value: int) -> None:
    """Where the system knows such limits."""
    if sys.platform != "win32":
        import resource

        kind = getattr(resource, name)
        resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))


if __name__ == "__main__":
    main()
