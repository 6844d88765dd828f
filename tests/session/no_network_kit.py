"""Runs inside a network namespace where only loopback exists: calls a program and prints every packet that wanted to leave.

Every address is routed to loopback, where a packet socket sees whatever any thread of any process sends, native ones too.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import socket
import struct
import subprocess
import sys
import threading
import time

SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCADDRT = 0x8913, 0x8914, 0x890B
IFF_UP, RTF_UP = 1, 1
ALL_PROTOCOLS, DNS_PORT = 3, 53
TCP, UDP = 6, 17
PATIENCE_S = 8.0
"""Telemetry looks its host up a few seconds after the first event."""


def loopback_takes_everything() -> None:
    """Bring lo up and make it the default route, by ioctls, for a bare system has no other tool."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        flags = struct.unpack("16sh", fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))[:18])[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))
        fcntl.ioctl(control, SIOCADDRT, _default_route(lo := ctypes.create_string_buffer(b"lo")))
        del lo


def _default_route(device: ctypes.Array[ctypes.c_char]) -> bytes:
    """`struct rtentry` of 64-bit Linux."""
    anywhere = struct.pack("HH4s8x", socket.AF_INET, 0, bytes(4))
    rest = struct.pack("HhLPhxxxxxxPLLH", RTF_UP, 0, 0, 0, 0, ctypes.addressof(device), 0, 0, 0)
    return (struct.pack("L", 0) + anywhere * 3 + rest).ljust(120, b"\0")


class Watcher:
    """What left, or wanted to."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL_PROTOCOLS))
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            packet = self._socket.recv(65535)
            if packet[0] >> 4 == 4 and packet[9] in (TCP, UDP):
                header = (packet[0] & 15) * 4
                self._note(socket.inet_ntoa(packet[16:20]), packet[header:])
            elif packet[0] >> 4 == 6 and packet[6] in (TCP, UDP):
                self._note(socket.inet_ntop(socket.AF_INET6, packet[24:40]), packet[40:])

    def _note(self, target: str, payload: bytes) -> None:
        source_port, port = struct.unpack("!HH", payload[:4])
        if DNS_PORT in (source_port, port) or not (target.startswith("127.") or target == "::1"):
            self.seen.append(f"{target}:{port} {payload[8:60]!r}")


def canary() -> None:
    """A look-up and a packet to an address, which must be seen."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"canary", ("192.0.2.1", 443))
    lookup = "import socket; socket.getaddrinfo('canary.invalid', 443)"
    subprocess.run([sys.executable, "-c", lookup], capture_output=True, check=False, timeout=60)


def _outcome(program: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def main() -> None:
    """Each argument is one Python program; the outcome of all goes to standard output as JSON."""
    loopback_takes_everything()
    watcher = Watcher()
    canary()
    canaries, watcher.seen = list(watcher.seen), []
    said = [_outcome(program) for program in sys.argv[1:]]
    time.sleep(PATIENCE_S)
    print(json.dumps({"canaries": canaries, "seen": watcher.seen, "said": said}))


if __name__ == "__main__":
    main()
