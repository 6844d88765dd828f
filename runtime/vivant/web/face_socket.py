"""Face socket: a WebSocket as what a `vivant.server.call.Call` reads from and writes to."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
from starlette.websockets import WebSocket, WebSocketDisconnect

import vivant
from vivant.arguments import text
from vivant.errors import InputError
from vivant.server.call import Call
from vivant.types import Controls
from vivant.v1 import vivant_pb2 as pb
from vivant.web.frames import (
    event_message,
    head_alone,
    motion_frame,
    picture_frame,
    ready_message,
    sound_frame,
    statistics_message,
)
from vivant.web.live_sound import LiveSound
from vivant.web.messages import Backgrounds, PageConfig, controls_changed, object_of, requests_of, require_fields
from vivant.wire.responses import FrameToSend, Response, SoundToSend
from vivant.wire.values import controls_message

if TYPE_CHECKING:
    from vivant.web.media import Media

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

    def __init__(
        self,
        socket: WebSocket,
        page: PageConfig,
        client: str,
        backgrounds: Backgrounds,
        watch: Callable[[str | bytes], None],
        *,
        open_media: Callable[[int], Media] | None = None,
    ) -> None:
        """``client`` is the name that the page is told; ``watch`` hears what it is sent; ``open_media`` takes a sample rate
        where WebRTC is offered.
        """
        self._call: Call | None = None
        self._open_media = open_media
        self._media: Media | None = None
        self._socket, self._page, self._client, self._backgrounds, self._watch = socket, page, client, backgrounds, watch
        self._controls, self._stage = page.controls, page.stage
        self._requests: deque[pb.AnimateRequest] = deque()
        self._speaking, self._pictures = False, 0
        self._live = LiveSound()

    def begin(self, call: Call) -> None:
        """The call runs from here on."""
        self._call = call

    async def read(self) -> Any:  # noqa: ANN401
        """As `CallContext.read`. A wrong value is answered by a sentence, and the call goes on."""
        while not self._requests:
            data = await receive(self._socket)
            if isinstance(data, bytes):
                self._requests.append(await self._sound(data))
                continue
            kind, fields = object_of(data)
            if kind == "finish":
                return grpc.aio.EOF
            try:
                self._requests.extend(await self._answer(fields) if kind == "offer" else self._requests_of(kind, fields))
            except InputError as error:
                await self.send({"type": "refused", "message": str(error)})
                self._requests.append(NOTHING)
        return self._requests.popleft().SerializeToString()

    async def _sound(self, data: bytes) -> pb.AnimateRequest:
        """A piece of it, or nothing where it came too late; by how much the utterance has moved is told before it."""
        call, sound = self._call, self._live
        assert call is not None, "nothing is read before the call has begun"
        if not call.is_speaking:
            sound.begin(call.filled_ms)
        if not sound.takes(len(data) / self._page.bytes_per_ms, call.ahead_ms):
            return NOTHING
        if (moved_ms := sound.news_ms(call.filled_ms)) is not None:
            await self.send({"type": "moved", "ms": moved_ms})
        return pb.AnimateRequest(audio=pb.Audio(samples=data))

    async def _answer(self, fields: Any) -> list[pb.AnimateRequest]:  # noqa: ANN401
        """To an offer of WebRTC, one for each face."""
        require_fields("offer", fields)
        if self._open_media is None or self._media is not None:
            raise InputError("WebRTC is offered once, where ready says so")
        offer = text("sdp", fields.get("sdp"))
        self._media = self._open_media(self._page.resolved.session.sample_rate_hz)
        await self.send({"type": "answer", "sdp": await self._media.answer(offer)})
        return [NOTHING]

    async def close(self) -> None:
        """What is open beside the WebSocket."""
        if self._media is not None:
            await self._media.close()

    def _requests_of(self, kind: str, fields: Any) -> list[pb.AnimateRequest]:  # noqa: ANN401
        match kind:
            case "begin":
                requests = requests_of(kind, fields)
                self._live.is_live = fields.get("live", False)
                return requests
            case "end" | "interrupt":
                self._live.is_live = False
                return requests_of(kind, fields)
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
            await self._send_bytes(picture_frame(response, self._pictures, speaking=self._speaking))
        elif isinstance(response, SoundToSend):
            await self._send_bytes(sound_frame(response, speaking=self._speaking))
        elif isinstance(response, pb.AnimateResponse):
            await self._write_message(response)

    async def _write_message(self, response: pb.AnimateResponse) -> None:
        match response.WhichOneof("message"):
            case "motion":
                await self._send_bytes(motion_frame(response.motion, speaking=self._speaking))
            case "event":
                self._speaking = SPEAKS.get(response.event.type, self._speaking)
                await self.send(event_message(response.event))
            case "statistics":
                await self.send(statistics_message(response.statistics))
            case "started":
                ready = ready_message(response.started, self._page, client=self._client, version=vivant.__version__)
                await self.send(ready | {"webrtc": self._open_media is not None})

    async def send(self, message: dict[str, Any]) -> None:
        """As JSON."""
        text = json.dumps(message)
        await self._socket.send_text(text)
        self._watch(text)

    async def _send_bytes(self, frame: bytes) -> None:
        carried = self._media is not None and self._media.carries(frame)
        await self._socket.send_bytes(head_alone(frame) if carried else frame)
        self._watch(frame)
