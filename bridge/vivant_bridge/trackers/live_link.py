"""Live Link Face packets, received: an iPhone with Epic's app, or what else speaks its protocol."""

from __future__ import annotations

import math
import struct

from vivant.drive.checks import seen_by_phone
from vivant.drive.driver import Seen
from vivant.types import ARKIT_NAMES
from vivant_bridge.avatars.live_link import CURVES, FRAME_TIME, LENGTH, ORDER, PORT, VERSION
from vivant_bridge.avatars.udp import place_of
from vivant_bridge.trackers.udp import UdpDriver


def live_link(argument: str) -> UdpDriver:
    """Driver for ``livelink://HOST:PORT``; HOST is where to listen. Raises InputError."""
    return UdpDriver("Live Link Face", place_of(argument, PORT), lambda: decode)


def decode(packet: bytes, time_us: int) -> Seen:
    """What a packet shows: the inverse of `LiveLinkEncoder`. Raises ValueError."""
    try:
        if packet[0] != VERSION:
            raise ValueError(f"version {packet[0]}")
        at = 1
        for _ in ("device", "subject"):
            (length,) = LENGTH.unpack_from(packet, at)
            if length < 0:
                raise ValueError("a name of negative length")
            at += LENGTH.size + length
        at += FRAME_TIME.size
        curves = struct.unpack(f"!{packet[at]}f", packet[at + 1 :])
    except (IndexError, struct.error) as error:
        raise ValueError("a packet of another length") from error
    return _seen(curves, time_us)


def _seen(curves: tuple[float, ...], time_us: int) -> Seen:
    if not curves:  # as the app sends it while it sees no face
        return Seen(time_us, None)
    if len(curves) != len(CURVES) or not all(map(math.isfinite, curves)):
        raise ValueError(f"{len(curves)} curves")
    n = len(ARKIT_NAMES)
    weights = [0.0] * n
    for place, value in zip(ORDER, curves[:n], strict=True):
        weights[place] = value
    seen = seen_by_phone(time_us, weights, [math.degrees(angle) for angle in curves[n : n + 3]])
    if seen is None:
        raise ValueError("a curve that cannot be")
    return seen
