"""UDP listener: what all trackers share that send packets to a port and wait for no answer."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from vivant import Clock, MonotonicClock, UnavailableError
from vivant.drive.driver import Seen
from vivant.drive.live import LiveDrive, LiveTrack
from vivant.loopback import family_of

LARGEST_PACKET = 65_536
LOOK_S = 0.2
"""How soon the end is seen."""
FORGOTTEN_US = 1_000_000
"""Whoever sends is the tracker until it was silent for so long; what others send meanwhile is dropped. Chosen."""

Sender = tuple[str, int]


class Decoder(Protocol):
    """A protocol: datagrams to sights."""

    def __call__(self, packet: bytes, time_us: int) -> Seen | None:
        """What a packet shows; None where more is to come. Raises ValueError for one that cannot be, and takes none of it."""
        ...


class UdpDriver:
    """`Driver` of a tracker that sends here. Packets that cannot be, and those of strangers, are dropped and counted."""

    kind = "tracker"

    def __init__(
        self,
        tool: str,
        place: tuple[str, int],
        make_decoder: Callable[[], Decoder],
        clock: Clock | None = None,
        *,
        asked: Sender | None = None,
        question: bytes = b"",
    ) -> None:
        """``place`` is where to listen: the host of this machine that is bound, and the port.

        A tracker that sends only after a ``question`` is ``asked``, by name or address, again and again while it is silent;
        nobody else is heard.
        """
        self.name = f"{tool} at {place[0]}:{place[1]}"
        self.n_taken = self.n_dropped = 0
        """Packets so far."""
        self._place, self._make_decoder, self._clock = place, make_decoder, clock or MonotonicClock()
        self._track = LiveTrack()
        self._asked, self._question, self._asked_us = asked, question, -2 * FORGOTTEN_US
        self._tracker: Sender | None = None
        self._decode = make_decoder()
        self._heard_us = -2 * FORGOTTEN_US
        self._stopped = threading.Event()

    def open(self, look_ahead_us: int) -> LiveDrive:
        return LiveDrive(self._track, self._clock, look_ahead_us)

    def state(self) -> str:
        silent = self._clock.now_us() - self._heard_us > FORGOTTEN_US
        dropped = f", {self.n_dropped} packets dropped" if self.n_dropped else ""
        return f"{self.name}: {'silent' if silent else 'heard'}{dropped}"

    def take(self, packet: bytes, sender: Sender) -> None:
        """A packet of that sender."""
        now_us = self._clock.now_us()
        try:
            self._require_tracker(sender, now_us)
            decode = self._decode if sender == self._tracker else self._make_decoder()
            seen = decode(packet, now_us)
        except (ValueError, RecursionError):
            self.n_dropped += 1
            return
        self._tracker, self._decode, self._heard_us = sender, decode, now_us
        self.n_taken += 1
        if seen is not None:
            self._track.add(seen)

    def _require_tracker(self, sender: Sender, now_us: int) -> None:
        """Raises ValueError for a stranger."""
        if self._asked is not None and sender[0] != self._asked[0]:
            raise ValueError("this one was not asked")
        if self._tracker not in (None, sender) and now_us - self._heard_us <= FORGOTTEN_US:
            raise ValueError("another tracker drives")

    def __enter__(self) -> UdpDriver:
        self._socket = _bound(*self._place)
        try:
            self._asked = _address(self._asked, self._socket.family) if self._asked is not None else None
        except OSError as error:
            self._socket.close()
            raise UnavailableError(f"{self.name} cannot be asked: {error.strerror or error}; check its address") from error
        self.port: int = self._socket.getsockname()[1]
        self._socket.settimeout(LOOK_S)
        self._stopped.clear()
        self._thread = threading.Thread(target=self._listen, name="tracker", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopped.set()
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                self._ask()
                packet, sender = self._socket.recvfrom(LARGEST_PACKET)
            except OSError:  # nothing came, or Windows tells of a port that did not want an answer
                continue
            self.take(packet, sender[:2])

    def _ask(self) -> None:
        """Where it is silent, and has been asked for nothing yet or too long ago."""
        now_us = self._clock.now_us()
        if self._asked is not None and now_us - max(self._heard_us, self._asked_us) > FORGOTTEN_US:
            self._asked_us = now_us
            self._socket.sendto(self._question, self._asked)


def _bound(host: str, port: int) -> socket.socket:
    """Raises UnavailableError."""
    try:
        listening = socket.socket(family_of(host), socket.SOCK_DGRAM)
    except OSError as error:
        raise UnavailableError(_refused(error, host, port)) from error
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise UnavailableError(_refused(error, host, port)) from error
    return listening


def _address(place: Sender, family: int) -> Sender:
    """Of a name, as packets from there say it. Raises OSError."""
    found = socket.getaddrinfo(*place, family, socket.SOCK_DGRAM)[0][4]
    return str(found[0]), int(found[1])


def _refused(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken by another program; close that one, or name another port after --drive"
    return f"nothing can be heard at {host}:{port}: {error.strerror or error}; name an address of this machine"
