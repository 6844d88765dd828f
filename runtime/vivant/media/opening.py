"""Where the sound in a file begins and ends, for files whose header is not at the front or not true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

_JUNK_LIMIT = 65_536
"""Bytes of anything that may stand before the header, not counting tags."""
_TAIL_LIMIT = 512
"""Bytes after the declared end of a WAV that nobody misses."""
_MOST_CHUNKS = 1_000
_IN_DS64 = 0xFFFFFFFF

_HEADER = re.compile(
    rb"RIFF....(?:WAVE|AVI )|(?:RF|BW)64....WAVE|FORM....AIF[FC]|fLaC[\x00\x80]\x00\x00\x22|OggS\x00\x02|caff\x00\x01|wvpk"
    rb"|\x1aE\xdf\xa3|\x00\x00..ftyp",
    re.DOTALL,
)
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")


@dataclass(frozen=True, slots=True)
class Opening:
    """How FFmpeg has to be told to open a file."""

    address: str
    options: dict[str, str] = field(default_factory=dict)
    note: str | None = None
    """For people: what is wrong with the file."""


def openings(path: Path) -> Iterator[Opening]:
    """Ways to open ``path``, the likeliest first; raises OSError."""
    # The prefix keeps a colon in a relative name from being taken for an address.
    plain = f"file:{path}"
    with path.open("rb") as file:
        start = _header(file)
        note = _short_by(file, start)
    options = {"ignore_length": "1"} if note else {}
    if start:
        options["protocol_whitelist"] = "file,subfile"
        yield Opening(f"subfile,,start,{start},end,0,,:{plain}", options, note)
        yield Opening(plain)
    else:
        yield Opening(plain, options, note)


def _header(file: BinaryIO) -> int:
    """Offset of the first header that is known for certain, 0 for none."""
    for start in (_after_tags(file), 0):  # what looks like a tag may be none
        file.seek(start)
        if found := _HEADER.search(file.read(_JUNK_LIMIT)):
            return start + found.start()
    return 0


def _after_tags(file: BinaryIO) -> int:
    """Length of the ID3v2 and APEv2 tags at the front."""
    start = 0
    for _ in range(_MOST_CHUNKS):
        file.seek(start)
        head = file.read(32)
        if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 128:
            size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
            start += 10 + size + (10 if head[5] & 0x10 else 0)
        elif head[:8] == b"APETAGEX" and len(head) == 32:
            start += 32 + int.from_bytes(head[12:16], "little")
        else:
            break
    return start


def _short_by(file: BinaryIO, start: int) -> str | None:
    """A sentence when the header of a WAV claims less sound than the file holds; RF64 and BW64 claim it in ds64."""
    file.seek(start)
    if not re.fullmatch(rb"(?:RIFF|RF64|BW64)....WAVE", file.read(12), re.DOTALL):
        return None
    end = file.seek(0, 2)
    place, long_size = start + 12, None
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        name, size = file.read(4), int.from_bytes(file.read(4), "little")
        if name == b"ds64":
            long_size = int.from_bytes(file.read(16)[8:], "little")
        if name == b"data" and long_size is not None and size == _IN_DS64:
            size = long_size
        place += 8 + size
        if name == b"data" or place >= end:
            break
        place += size % 2
    left = end - place
    if name != b"data" or (size == 0 and long_size is None) or left <= _TAIL_LIMIT or _is_more(file, place, end):
        return None
    return f"the header claims {size} bytes of sound, the file holds {size + left}; all of it is taken"


def _is_more(file: BinaryIO, place: int, end: int) -> bool:
    """Whether another chunk, or a tag, stands at ``place`` (or one byte later, where chunks are even)."""
    file.seek(place)
    head = file.read(16)
    for at in (head[:11], head[1:12]):
        name, size = at[:4], int.from_bytes(at[4:8], "little")
        if at.startswith(_TAGS) or (all(32 <= byte < 127 for byte in name) and place + 8 + size <= end):
            return True
    return False
