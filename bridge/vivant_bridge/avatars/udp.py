"""UDP sender: what all avatar tools share that listen on a port and never answer."""

from __future__ import annotations

import re
import socket
from typing import Protocol

from vivant.errors import InputError
from vivant.loopback import LAST_PORT, family_of
from vivant.types import MotionFrame, Output
from vivant_bridge.errors import DeviceLostError

PLACE = re.compile(
    r"(?P<host>\[[\da-fA-F:.]+\]|[\w.-]*[a-zA-Z.][\w.-]*)(:(?P<port>\d{1,5}))?|(:(?=\d))?(?P<alone>\d{0,5})", re.ASCII
)


def place_of(argument: str, default_port: int) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``, ``PORT``, ``:PORT``, ``HOST`` or nothing: else this machine, and the tool's usual port.

    Raises InputError.
    """
    match = PLACE.fullmatch(argument)
    host, port = (match["host"], match["port"] or match["alone"]) if match else (None, "0")
    number = int(port or default_port)
    if not 1 <= number <= LAST_PORT:
        raise InputError(f"an avatar tool's place is HOST:PORT, for instance 127.0.0.1:{default_port}, got {argument!r}")
    return (host or "127.0.0.1").strip("[]"), number


class Encoder(Protocol):
    """A protocol: frames to datagrams."""

    def __call__(self, motion: MotionFrame) -> bytes: ...


class UdpReceiver:
    """`MotionReceiver` that sends one datagram per frame. A tool that is started later just begins to move."""

    def __init__(self, tool: str, place: tuple[str, int], encode: Encoder) -> None:
        self.name = f"{tool} at {place[0]}:{place[1]}"
        self._place, self._encode = place, encode
        self._socket: socket.socket | None = None

    def open(self) -> None:
        try:
            self._socket = socket.socket(family_of(self._place[0]), socket.SOCK_DGRAM)
            self._socket.connect(self._place)
        except OSError as error:
            raise DeviceLostError(f"{self.name} cannot be reached: {error.strerror}") from error

    def send(self, output: Output) -> None:
        assert self._socket is not None
        try:
            self._socket.send(self._encode(output.motion))
        except ConnectionRefusedError:
            pass  # nobody listens yet: the answer to an earlier datagram
        except OSError as error:
            raise DeviceLostError(f"{self.name} cannot be reached: {error.strerror}") from error

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
