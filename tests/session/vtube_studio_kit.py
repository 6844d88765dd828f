"""A VTube Studio after its published API: questions, tokens, parameters and errors, on a real WebSocket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.sync.server import ServerConnection, serve

DEFAULT_PARAMETERS = (
    "FaceAngleX", "FaceAngleY", "FaceAngleZ", "FacePositionX", "FacePositionY", "FacePositionZ", "EyeOpenLeft", "EyeOpenRight",
    "EyeLeftX", "EyeLeftY", "EyeRightX", "EyeRightY", "BrowLeftY", "BrowRightY", "Brows", "MouthOpen", "MouthSmile", "MouthX",
    "TongueOut", "CheekPuff",
)  # fmt: skip
"""An older version's, without those of the voice."""


class ApiError(Exception):
    def __init__(self, number: int, message: str) -> None:
        self.number, self.message = number, message


@dataclass
class VTubeStudioKit:
    answer: str = "allow"
    """What the user says to the question: allow, deny, or nothing (it stays open)."""
    tokens: set[str] = field(default_factory=set)
    custom: dict[str, dict[str, Any]] = field(default_factory=dict)
    injected: list[dict[str, float]] = field(default_factory=list)
    questions: int = 0
    malformed: bytes | str | None = None
    """Sent in the place of every answer."""
    lines: list[ServerConnection] = field(default_factory=list)

    def talk(self, line: ServerConnection) -> None:
        self.lines.append(line)
        knows = False
        for text in line:
            asked = json.loads(text)
            assert asked["apiName"] == "VTubeStudioPublicAPI" and asked["apiVersion"] == "1.0" and len(asked["requestID"]) <= 64
            kind, data = asked["messageType"], asked.get("data") or {}
            try:
                if kind not in ("APIStateRequest", "AuthenticationTokenRequest", "AuthenticationRequest") and not knows:
                    raise ApiError(8, "This request requires authentication.")
                answer = getattr(self, kind)(data)
                knows = knows or bool(answer.get("authenticated"))
                said = {"messageType": kind.replace("Request", "Response"), "data": answer}
            except ApiError as error:
                said = {"messageType": "APIError", "data": {"errorID": error.number, "message": error.message}}
            if said["data"] is not None:
                base = {"apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0", "requestID": asked["requestID"], "timestamp": 1}
                line.send(self.malformed or json.dumps({**base, **said}))

    def APIStateRequest(self, data: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"active": True, "vTubeStudioVersion": "1.32.0", "currentSessionAuthenticated": False}

    def AuthenticationTokenRequest(self, data: dict[str, Any]) -> dict[str, Any] | None:  # noqa: N802
        assert 3 <= len(data["pluginName"]) <= 32 and 3 <= len(data["pluginDeveloper"]) <= 32
        self.questions += 1
        if self.answer == "deny":
            raise ApiError(50, "User has denied API access for your plugin.")
        if self.answer == "busy":
            raise ApiError(51, "Token request is currently ongoing.")
        self.tokens.add(f"token-{self.questions}")
        return {"authenticationToken": f"token-{self.questions}"}

    def AuthenticationRequest(self, data: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"authenticated": data["authenticationToken"] in self.tokens, "reason": ""}

    def ParameterCreationRequest(self, data: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        name = data["parameterName"]
        if not (4 <= len(name) <= 32 and name.isalnum()) or len(data["explanation"]) >= 256 or len(self.custom) >= 100:
            raise ApiError(352, "Parameter name or explanation invalid.")
        self.custom[name] = data
        return {"parameterName": name}

    def InputParameterListRequest(self, data: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {
            "customParameters": [{"name": name} for name in self.custom],
            "defaultParameters": [{"name": name} for name in DEFAULT_PARAMETERS],
        }

    def InjectParameterDataRequest(self, data: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        values = {entry["id"]: entry["value"] for entry in data["parameterValues"]}
        if unknown := set(values) - set(self.custom) - set(DEFAULT_PARAMETERS):
            raise ApiError(450, f"Parameter {min(unknown)} not found.")
        assert data["faceFound"] is True and data["mode"] == "set"
        self.injected.append(values)
        return {}


@contextmanager
def running(kit: VTubeStudioKit, port: int = 0) -> Iterator[int]:
    """The port it listens on."""
    with serve(kit.talk, "127.0.0.1", port) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            for line in kit.lines:
                line.close()
            thread.join()
