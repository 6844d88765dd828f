"""VTube Studio's plugin API (JSON over WebSocket): Live2D avatars. After github.com/DenchiSoft/VTubeStudio."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from vivant.avatars import all_weights, eye_angles_deg, vowels
from vivant.errors import UnavailableError
from vivant.extras import install
from vivant.loopback import LAST_PORT
from vivant.media.atomic import replacing
from vivant.private import private_folder
from vivant.provenance.settings import config_folder
from vivant.types import ARKIT_INDEX, ARKIT_NAMES, Float32Array, MotionFrame, Output
from vivant_bridge.avatars.udp import place_of
from vivant_bridge.errors import DeviceLostError

try:
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import ClientConnection, connect
except ImportError as error:
    raise UnavailableError(f"VTube Studio needs the extra 'vtubing': {install('vtubing')}") from error

PORT = 8001
DISCOVERY_PORT = 47779
"""VTube Studio tells its own port there,"""
DISCOVERY_S = 2.5
"""every two seconds."""
ANSWER_S = 5.0
ALLOW_S = 15.0
"""So long is waited for the user's answer to VTube Studio's question, before it is asked again; `cam` ends no sooner."""
PLUGIN = {"pluginName": "Vivant", "pluginDeveloper": "Vivant"}
API = {"apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0"}
MAX_TOKEN_CHARS = 64
DENIED, ASKED_ALREADY = 50, 51
"""Of VTube Studio's ErrorID.cs."""
STRANGER = "what answers there is not VTube Studio"
EYE_DISTANCE_CM = 9.0
"""Between the outer corners of the eyes; a grown-up's, rounded."""
CUSTOM = {f"Vivant{name[0].upper()}{name[1:]}": name for name in ARKIT_NAMES}
"""Parameters of our own, one for each ARKit weight, 0 to 1: for models that have more than the standard ones can move."""


def vtube_studio(argument: str) -> VTubeStudio:
    """Receiver for ``vtube-studio:HOST:PORT``. Raises InputError."""
    return VTubeStudio(place_of(argument, PORT), is_told=bool(argument))


class VTubeStudio:
    """`MotionReceiver` as a plugin: the user allows it once, in VTube Studio; the token is kept in the settings' folder."""

    def __init__(self, place: tuple[str, int], *, is_told: bool = True) -> None:
        """``is_told`` False looks for another port than the usual one where nobody answers there."""
        self.name = "VTube Studio"
        self._place, self._is_told = place, is_told
        self._opened = ExitStack()
        self._line: ClientConnection | None = None
        self._wanted: frozenset[str] = frozenset()

    def open(self) -> None:
        try:
            self._line = self._connect()
            self._authenticate()
            self._create_parameters()
        except (KeyError, TypeError) as error:  # of an answer that lacks what it should hold
            raise DeviceLostError(STRANGER) from error
        except (OSError, WebSocketException) as error:
            raise DeviceLostError(
                f"VTube Studio does not answer at {self._place[0]}:{self._place[1]};"
                " start it and allow plugins in its settings ('Start API')"
            ) from error

    def send(self, output: Output) -> None:
        values = parameters(output.motion)
        asked = {
            "faceFound": True,
            "mode": "set",
            "parameterValues": [{"id": name, "value": value} for name, value in values.items() if name in self._wanted],
        }
        try:
            self._write("InjectParameterDataRequest", asked)
            with suppress(TimeoutError):  # none is waited for
                while True:
                    self._check(self._read(0.0))
        except (OSError, WebSocketException) as error:
            raise DeviceLostError("VTube Studio has gone") from error

    def close(self) -> None:
        self._line = None
        self._opened.close()

    def _connect(self) -> ClientConnection:
        try:
            return self._connect_to(self._place)
        except OSError:
            if self._is_told or (port := discovered_port()) is None:
                raise
            return self._connect_to((self._place[0], port))

    def _connect_to(self, place: tuple[str, int]) -> ClientConnection:
        host = f"[{place[0]}]" if ":" in place[0] else place[0]
        return self._opened.enter_context(
            connect(f"ws://{host}:{place[1]}", open_timeout=ANSWER_S, close_timeout=1.0, proxy=None)
        )

    def _authenticate(self) -> None:
        token = kept_token() or self._ask_for_token()
        answer = self._ask("AuthenticationRequest", {**PLUGIN, "authenticationToken": token})
        if not answer.get("authenticated"):
            token_file().unlink(missing_ok=True)  # taken back by the user: the next try asks again
            raise DeviceLostError("VTube Studio no longer knows Vivant; allow it there again")

    def _ask_for_token(self) -> str:
        token = str(self._ask("AuthenticationTokenRequest", PLUGIN, ALLOW_S)["authenticationToken"])
        if not (token.isascii() and token.isprintable() and 0 < len(token) <= MAX_TOKEN_CHARS):
            raise DeviceLostError(STRANGER)
        private_folder(token_file().parent)
        with replacing(token_file(), private=True) as part:
            part.write_text(token, "ascii")
        return token

    def _create_parameters(self) -> None:
        for name, shape in CUSTOM.items():
            asked = {"parameterName": name, "explanation": f"ARKit's {shape}", "min": 0, "max": 1, "defaultValue": 0}
            self._ask("ParameterCreationRequest", asked)
        known = self._ask("InputParameterListRequest", {})
        self._wanted = frozenset(entry["name"] for entry in known["defaultParameters"] + known["customParameters"])

    def _ask(self, kind: str, data: Mapping[str, Any], within_s: float = ANSWER_S) -> dict[str, Any]:
        self._write(kind, data)
        try:
            return self._check(self._read(within_s))
        except TimeoutError:
            raise DeviceLostError(f"VTube Studio has not answered within {within_s:.0f} s; look for its question") from None

    def _write(self, kind: str, data: Mapping[str, Any]) -> None:
        assert self._line is not None
        self._line.send(json.dumps({**API, "requestID": kind, "messageType": kind, "data": data}))

    def _read(self, within_s: float) -> dict[str, Any]:
        assert self._line is not None
        try:
            answer = json.loads(self._line.recv(timeout=within_s))
            return {"messageType": str(answer["messageType"]), **dict(answer.get("data") or {})}
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise DeviceLostError(STRANGER) from error

    def _check(self, answer: dict[str, Any]) -> dict[str, Any]:
        if answer["messageType"] != "APIError":
            return answer
        if answer.get("errorID") == DENIED:
            raise UnavailableError("VTube Studio was told not to let Vivant in; allow it there and start again")
        if answer.get("errorID") == ASKED_ALREADY:
            raise DeviceLostError("VTube Studio still shows its question whether Vivant may move the avatar; answer it there")
        raise DeviceLostError(f"VTube Studio refused: {str(answer.get('message'))[:200]}")


def parameters(motion: MotionFrame) -> dict[str, float]:
    """VTube Studio's tracking parameters: names, ranges and signs as its auto-setup maps them to Live2D's standard ones."""
    weights = all_weights(motion)
    return dict(_standard(motion, weights)) | {
        parameter: float(weights[ARKIT_INDEX[name]]) for parameter, name in CUSTOM.items()
    }


def _standard(motion: MotionFrame, weights: Float32Array) -> Iterator[tuple[str, float]]:
    def mean(name: str) -> float:
        return float(weights[ARKIT_INDEX[f"{name}Left"]] + weights[ARKIT_INDEX[f"{name}Right"]]) / 2

    def one(name: str) -> float:
        return float(weights[ARKIT_INDEX[name]])

    pose = motion.pose
    yield from (("FaceAngleX", pose.yaw_deg), ("FaceAngleY", pose.pitch_deg), ("FaceAngleZ", pose.roll_deg))
    yield from (("FacePositionX", pose.x * EYE_DISTANCE_CM), ("FacePositionY", pose.y * EYE_DISTANCE_CM))
    for side, (yaw, pitch) in zip(("Left", "Right"), eye_angles_deg(weights), strict=True):
        yield f"Eye{side}X", _unit(yaw / 30.0, -1.0)
        yield f"Eye{side}Y", _unit(pitch / 30.0, -1.0)
        yield f"EyeOpen{side}", _unit(1.0 - one(f"eyeBlink{side}"))
        yield (
            f"Brow{side}Y",
            _unit(0.5 + 0.5 * (one(f"browOuterUp{side}") + one("browInnerUp")) / 2 - 0.5 * one(f"browDown{side}")),
        )
    yield "Brows", _unit(0.5 + 0.5 * (mean("browOuterUp") + one("browInnerUp")) / 2 - 0.5 * mean("browDown"))
    round_lips = max(one("mouthPucker"), one("mouthFunnel"))
    yield "MouthOpen", _unit(2.0 * one("jawOpen"))  # a clear "a" has half of ARKit's range
    yield "MouthSmile", _unit(0.5 + 0.5 * (mean("mouthSmile") - mean("mouthFrown") - round_lips))
    yield "MouthX", _unit(one("mouthLeft") - one("mouthRight"), -1.0)
    yield from (("TongueOut", one("tongueOut")), ("CheekPuff", one("cheekPuff")))
    yield from zip(("VoiceA", "VoiceI", "VoiceU", "VoiceE", "VoiceO"), vowels(weights), strict=True)


def _unit(value: float, low: float = 0.0) -> float:
    return min(max(value, low), 1.0)


def token_file() -> Path:
    """The user's permission; deleted by ``vivant uninstall`` with the rest of the folder."""
    return config_folder() / "vtube_studio.token"


def kept_token() -> str | None:
    """None where there is none, or none that VTube Studio could have given."""
    try:
        token = token_file().read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    return token if token.isprintable() else None


def discovered_port() -> int | None:
    """The port that a VTube Studio of this machine announces; None where none does, or while its plugins are off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.settimeout(DISCOVERY_S)
        try:
            ear.bind(("", DISCOVERY_PORT))  # it broadcasts
            said = json.loads(ear.recv(4096))["data"]
            port = int(said["port"])
            return port if said["active"] and 1 <= port <= LAST_PORT else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError):  # whatever strangers send there
            return None
