"""Which avatar tools listen on this machine: who has their UDP ports, and whether VTube Studio's API answers."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Mapping

VTUBE_STUDIO_PORT = 8001
UDP_PORTS: Mapping[str, tuple[int, str]] = {
    "vmc": (39539, "VSeeFace, VNyan, Warudo, EVMC4U and other receivers of VMC"),
    "vmc:39540": (39540, "a VMC performer that takes an assistant's motion"),
    "live-link-face": (11111, "Unreal Engine's Live Link"),
    "ifacialmocap": (49983, "VMagicMirror, VBridger and other readers of iFacialMocap"),
}
"""By what ``--to`` takes: the usual port, and whose it usually is."""
STATE = {"apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0", "requestID": "state", "messageType": "APIStateRequest"}
ANSWER_S = 1.0


def listening_tools() -> tuple[str, ...]:
    """What ``--to`` could send to now. VTube Studio is only asked with the extra ``vtubing``."""
    found = tuple(name for name, (port, _) in UDP_PORTS.items() if is_taken(port))
    return (*found, "vtube-studio") if answers_as_vtube_studio(VTUBE_STUDIO_PORT) else found


def is_taken(port: int) -> bool:
    """Whether a program of this machine has that UDP port, on any of its addresses."""
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, ""), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as ear:
                ear.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True  # other errors: a machine without this kind of address
    return False


def answers_as_vtube_studio(port: int) -> bool:
    """Asks what a plugin may ask without permission; nothing is shown there."""
    try:
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect
    except ImportError:
        return False
    try:
        with connect(f"ws://127.0.0.1:{port}", open_timeout=ANSWER_S, close_timeout=ANSWER_S, proxy=None) as line:
            line.send(json.dumps(STATE))
            answer = json.loads(line.recv(timeout=ANSWER_S))
            return isinstance(answer, dict) and answer.get("messageType") == "APIStateResponse"
    except (OSError, WebSocketException, ValueError, RecursionError):
        return False
