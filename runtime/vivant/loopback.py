"""What stays on this machine."""

from __future__ import annotations

import ipaddress
import socket

from vivant.errors import InputError

LAST_PORT = 65_535


def is_loopback(host: str) -> bool:
    """A name or an IP address, IPv6 with or without brackets."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def require_local(address: str, what: str, instance: str) -> tuple[str, int]:
    """Host and port of ``host:port``. Raises InputError, a sentence about ``what``, for what is not on this machine."""
    host, _, port = address.rpartition(":")
    if not is_loopback(host) or not port.isdecimal() or int(port) > LAST_PORT:
        raise InputError(f"{what} on this machine only, for instance {instance}, got {address!r}")
    return host.strip("[]"), int(port)


def family_of(host: str) -> socket.AddressFamily:
    """What a socket of that host needs: IPv6 only where it is an address of it."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def host_of(address: str) -> str:
    """Of ``host:port``."""
    return address.rpartition(":")[0]
