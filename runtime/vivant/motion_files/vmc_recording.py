"""VMC recordings (.vmc): the packets that a tracker would have sent, with their times.

No recorder's own format is established, so it is the plainest documented one, SuperCollider's binary OSC score: OSC bundles one
after the other, each behind its length (int32, big-endian), with time tags that count seconds from the beginning of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from struct import Struct
from typing import IO

from vivant.drive.checks import DAY_US
from vivant.drive.driver import Seen
from vivant.errors import InputError
from vivant.types import MotionFrame

BUNDLE = b"#bundle\0"
LENGTH, TIME_TAG = Struct(">i"), Struct(">Q")
"""Of a packet, in bytes; NTP's, in 2**-32 s."""
IMMEDIATELY = 1
"""A time tag that is no time."""
MOST_BYTES = 65_507
"""Of a packet: what one UDP datagram holds."""


def write_vmc(file: IO[bytes], frames: Iterable[MotionFrame], fps: Fraction, name: str) -> None:
    """A packet per frame: 52 weights by perfect sync's names. Raises UnavailableError without the extra ``vtubing``."""
    from vivant.vmc.encoder import VmcEncoder

    encode = VmcEncoder("perfect-sync")
    for frame in frames:
        packet = encode(frame)
        at = TIME_TAG.pack(frame.pts_us * 2**32 // 1_000_000)
        file.write(LENGTH.pack(len(packet)) + BUNDLE + at + packet[len(BUNDLE) + TIME_TAG.size :])


def read_vmc(file: IO[bytes], name: str) -> Iterator[Seen | None]:
    """A sight for each packet that shows something, its first time tag is 0; None for one that cannot be read.

    Raises InputError for another file, UnavailableError without the extra ``vtubing``.
    """
    from vivant.vmc.decoder import VmcDecoder

    decode, start_us = VmcDecoder(), None
    for packet in _packets(file, name):
        time_us = _time_us(packet)
        if time_us is None:
            yield None
            continue
        start_us = time_us if start_us is None else start_us
        try:
            if not 0 <= time_us - start_us < DAY_US:
                raise ValueError("no time of a recording")
            seen = decode(packet, time_us - start_us)
        except ValueError:
            yield None
            continue
        if seen is not None:
            yield seen


def _packets(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Until the end, or until something is no packet."""
    is_first = True
    while head := file.read(LENGTH.size):
        length = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else 0
        packet = file.read(length) if len(BUNDLE) <= length <= MOST_BYTES else b""
        if not packet.startswith(BUNDLE) or len(packet) != length:
            if is_first:
                raise InputError(f"{name} is no recording of VMC packets: it begins with no length and OSC bundle")
            yield b""
            return
        is_first = False
        yield packet


def _time_us(packet: bytes) -> int | None:
    """Of its time tag, rounded; None where it says none."""
    if len(packet) < len(BUNDLE) + TIME_TAG.size:
        return None
    (tag,) = TIME_TAG.unpack_from(packet, len(BUNDLE))
    return None if tag == IMMEDIATELY else (tag * 1_000_000 + 2**31) >> 32
