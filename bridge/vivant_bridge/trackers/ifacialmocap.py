"""iFacialMocap packets, received: an iPhone with that app, which sends once it is asked."""

from __future__ import annotations

from vivant import InputError
from vivant.drive.checks import seen_by_phone
from vivant.drive.driver import Seen
from vivant.loopback import is_loopback
from vivant.types import ARKIT_NAMES
from vivant_bridge.avatars.ifacialmocap import PORT, short_name
from vivant_bridge.avatars.udp import place_of
from vivant_bridge.trackers.udp import UdpDriver

QUESTION = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
"""What the app waits for, after ifacialmocap.com/for-developer."""
PLACES = {short_name(name): place for place, name in enumerate(ARKIT_NAMES)}
FULL = 100.0
"""Of a weight."""


def ifacialmocap(argument: str) -> UdpDriver:
    """Driver for ``ifacialmocap://PHONE``: the phone is asked to send here. Raises InputError without an address."""
    if not argument:
        raise InputError("--drive ifacialmocap://PHONE needs the phone's address, which the app shows")
    host, port = place_of(argument, PORT)
    here = "127.0.0.1" if is_loopback(host) else "::" if ":" in host else "0.0.0.0"
    return UdpDriver("iFacialMocap", (here, port), lambda: decode, asked=(host, port), question=QUESTION)


def decode(packet: bytes, time_us: int) -> Seen:
    """What a packet shows: the inverse of the sender's, in either version of the app. Raises ValueError."""
    shapes, _, bones = packet.decode("ascii").partition("=")
    values = dict(_shape(entry) for entry in shapes.split("|") if entry)
    if values.get("trackingStatus") == 0:
        return Seen(time_us, None)
    if not PLACES.keys() & values.keys():
        raise ValueError("no weights")
    weights = [0.0] * len(ARKIT_NAMES)
    for name, value in values.items():
        if name in PLACES:
            weights[PLACES[name]] = value / FULL
    down, right, tilt, *_ = _head(bones)
    seen = seen_by_phone(time_us, weights, (-right, -down, tilt))
    if seen is None:
        raise ValueError("a number that cannot be")
    return seen


def _shape(entry: str) -> tuple[str, float]:
    """``jawOpen-12``, or in the second version ``jawOpen&12``."""
    name, _, value = entry.rpartition("&" if "&" in entry else "-")
    return name, float(value)


def _head(bones: str) -> list[float]:
    """Turns about x, y and z in degrees, and whatever follows."""
    for bone in bones.split("|"):
        name, _, numbers = bone.partition("#")
        if name == "head" and numbers.count(",") >= 2:
            return [float(number) for number in numbers.split(",")]
    raise ValueError("no head")
