"""VMC protocol (OSC over UDP), sent to whatever drives VRM avatars."""

from __future__ import annotations

from urllib.parse import parse_qs

from vivant.errors import InputError
from vivant.vmc.encoder import NAMES, VmcEncoder
from vivant_bridge.avatars.udp import UdpReceiver, place_of

PORT = 39539
"""A Marionette's usual port; a Performer such as VSeeFace takes an Assistant's motion on 39540."""


def vmc(argument: str) -> UdpReceiver:
    """Receiver for ``vmc:HOST:PORT?names=vrm0|vrm1|perfect-sync``; all of it may be left out. Raises InputError."""
    place, _, query = argument.partition("?")
    asked = parse_qs(query, keep_blank_values=True)
    names = asked.pop("names", ["vrm0"])[-1]
    if asked or names not in NAMES:
        raise InputError(f"vmc takes ?names={', '.join(NAMES)}; got {query!r}")
    return UdpReceiver("VMC", place_of(place, PORT), VmcEncoder(names))
