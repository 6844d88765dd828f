"""A voice as raw PCM from another program: through standard input, or over a TCP connection on this machine.

Raw PCM is signed 16 bit little-endian, interleaved, at the rate and with the channels that the options say. The program must
deliver at the speed of time, as a recorder does; files are better opened as files.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO

from vivant.errors import InputError
from vivant.loopback import family_of, require_local
from vivant.types import Float32Array
from vivant_bridge.errors import DeviceLostError
from vivant_bridge.sound.ring import SampleRing
from vivant_bridge.sound.source import SampleFormat, parse_pcm, require_pcm

RING_S = 1.0
"""Kept for a reader that is late; more would only be heard too late."""
CHUNK_S = 0.01
"""Read at once: the bridge's tick."""


class PcmSource:
    """Reads a stream in a thread of its own. ``connect`` waits for the stream and is called again when one has ended."""

    latency_us = 0
    sample_format = SampleFormat.F32

    def __init__(self, name: str, rate_hz: int, channels: int, connect: Callable[[], BinaryIO]) -> None:
        require_pcm(rate_hz, channels)
        self.name, self.rate_hz = name, rate_hz
        self._channels, self._connect = channels, connect
        self._ring = SampleRing(round(RING_S * rate_hz))
        self._thread: threading.Thread | None = None
        self._end: str | None = None

    def open(self) -> None:
        if self._thread is None:
            self._end = None
            self._thread = threading.Thread(target=self._listen, name=f"sound from {self.name}", daemon=True)
            self._thread.start()

    def read(self) -> Float32Array:
        samples = self._ring.pop()
        if self._end is not None and not len(samples):
            raise DeviceLostError(self._end)
        return samples

    def close(self) -> None:
        """A thread that waits for a stream goes on waiting, and serves the next `open`."""
        if self._end is not None:
            self._thread = None

    def _listen(self) -> None:
        frame_bytes = 2 * self._channels
        want = round(CHUNK_S * self.rate_hz) * frame_bytes
        try:
            with self._connect() as stream:
                rest = b""
                while data := stream.read1(want):  # type: ignore[attr-defined]
                    data = rest + data
                    whole = len(data) // frame_bytes * frame_bytes
                    self._ring.push(parse_pcm(data[:whole], self._channels))
                    rest = data[whole:]
            self._end = f"{self.name} has ended"
        except (OSError, ValueError) as error:
            self._end = f"{self.name} broke off: {error}"


def standard_input(rate_hz: int, channels: int) -> PcmSource:
    """Raw PCM from a pipe. Raises InputError when a terminal is there instead."""
    if sys.stdin.isatty():
        raise InputError(
            "standard input is a terminal; pipe raw PCM into it, for instance: arecord -t raw -f S16_LE -r 48000 | ..."
        )
    return PcmSource("standard input", rate_hz, channels, lambda: open(sys.stdin.fileno(), "rb", closefd=False))


def network(address: str, rate_hz: int, channels: int) -> PcmSource:
    """Listens at ``host:port`` of this machine; one connection after the other."""
    place = require_local(address, "a network voice is heard", "tcp:127.0.0.1:5050")

    def connect() -> BinaryIO:
        with socket.create_server(place, family=family_of(place[0])) as server:
            connection, _ = server.accept()
        with connection:
            return connection.makefile("rb")

    return PcmSource(f"tcp {address}", rate_hz, channels, connect)
