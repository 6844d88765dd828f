"""Face socket: a WebSocket as what a `vivant.server.call.Call` reads from and writes to."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import grpc
from starlette.websockets import WebSocket, WebSocketDisconnect

import vivant
from vivant.errors import InputError
from vivant.server.call import Call
from vivant.types import Controls
from vivant.v1 import vivant_pb2 as pb
from vivant.web.frames import (
    event_message,
    motion_frame,
    picture_frame,
    ready_message,
    sound_frame,
    statistics_message,
)
from vivant.web.messages import Backgrounds, PageConfig, controls_changed, object_of, requests_of, require_fields
from vivant.wire.responses import FrameToSend, Response, SoundToSend
from vivant.wire.values import controls_message

NOTHING = pb.AnimateRequest(keep_alive=pb.KeepAlive())
"""Counts as a message, and does nothing."""
SPEAKS = {
    pb.EVENT_TYPE_UTTERANCE_STARTED: True,
    pb.EVENT_TYPE_UTTERANCE_FINISHED: False,
    pb.EVENT_TYPE_INTERRUPTED: False,
}
"""What an event says about the frames after it."""


async def receive(socket: WebSocket) -> str | bytes:
    """The next message. Raises WebSocketDisconnect."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    data: str | bytes | None = message.get("text")
    return bytes(message["bytes"]) if data is None else data


class FaceSocket:
    """`CallContext` of one page. On the event loop."""

    def __init__(self, socket: WebSocket, page: PageConfig, client: str, backgrounds: Backgrounds) -> None:
        """``client`` is the name that the page is told."""
        self._call: Call | None = None
        self._socket, self._page, self._client, self._backgrounds = socket, page, client, backgrounds
        self._controls, self._stage = page.controls, page.stage
        self._requests: deque[pb.AnimateRequest] = deque()
        self._speaking, self._pictures = False, 0

    def begin(self, call: Call) -> None:
        """The call runs from here on."""
        self._call = call

    async def read(self) -> Any:  # noqa: ANN401
        """As `CallContext.read`. A wrong value is answered by a sentence, and the call goes on."""
        while not self._requests:
            data = await receive(self._socket)
            if isinstance(data, bytes):
                self._requests.append(pb.AnimateRequest(audio=pb.Audio(samples=data)))
                continue
            kind, fields = object_of(data)
            if kind == "finish":
                return grpc.aio.EOF
            try:
                self._requests.extend(self._requests_of(kind, fields))
            except InputError as error:
                await self.send({"type": "refused", "message": str(error)})
                self._requests.append(NOTHING)
        return self._requests.popleft().SerializeToString()

    def _requests_of(self, kind: str, fields: Any) -> list[pb.AnimateRequest]:  # noqa: ANN401
        match kind:
            case "controls":
                return [self._steered(controls_changed(self._controls, fields))]
            case "stage":
                require_fields(kind, fields)
                self._set_stage(fields)
                return [NOTHING]
            case _:
                return requests_of(kind, fields)

    def _steered(self, controls: Controls) -> pb.AnimateRequest:
        self._controls = controls
        return pb.AnimateRequest(controls=controls_message(controls))

    def _set_stage(self, fields: Any) -> None:  # noqa: ANN401
        stage = self._stage.changed(fields, self._page.pictures)
        look = stage.look(self._page.size_px, self._backgrounds)
        self._stage = stage
        if self._call is not None:
            self._call.set_look(look, blurred=stage.is_blurred)

    async def write(self, response: Response) -> None:
        """As `CallContext.write`."""
        if isinstance(response, FrameToSend):
            self._pictures += 1
            await self._socket.send_bytes(picture_frame(response, self._pictures, speaking=self._speaking))
        elif isinstance(response, SoundToSend):
            await self._socket.send_bytes(sound_frame(response, speaking=self._speaking))
        elif isinstance(response, pb.AnimateResponse):
            await self._write_message(response)

    async def _write_message(self, response: pb.AnimateResponse) -> None:
        match response.WhichOneof("message"):
            case "motion":
                await self._socket.send_bytes(motion_frame(response.motion, speaking=self._speaking))
            case "event":
                self._speaking = SPEAKS.get(response.event.type, self._speaking)
                await self.send(event_message(response.event))
            case "statistics":
                await self.send(statistics_message(response.statistics))
            case "started":
                ready = ready_message(response.started, self._page, client=self._client, version=vivant.__version__)
                await self.send(ready)

    async def send(self, message: dict[str, Any]) -> None:
        """As JSON."""
        await self._socket.send_text(json.dumps(message))
