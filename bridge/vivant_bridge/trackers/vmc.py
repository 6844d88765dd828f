"""VMC protocol (OSC over UDP), received from VSeeFace, Warudo, VMagicMirror, phone apps."""

from __future__ import annotations

from vivant.vmc.decoder import VmcDecoder
from vivant_bridge.avatars.udp import place_of
from vivant_bridge.avatars.vmc import PORT
from vivant_bridge.trackers.udp import UdpDriver


def vmc(argument: str) -> UdpDriver:
    """Driver for ``vmc://HOST:PORT``; HOST is where to listen. Raises InputError."""
    return UdpDriver("VMC", place_of(argument, PORT), VmcDecoder)
