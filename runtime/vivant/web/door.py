"""Door: routes by which web pages reach the faces of a `FaceHost`: a WebSocket a face, and portraits over HTTP."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from vivant.bundled import portrait_bytes
from vivant.errors import InputError
from vivant.loopback import is_loopback
from vivant.provenance.consent import parse_consent
from vivant.server.clients import Client
from vivant.server.host import FaceHost
from vivant.server.portraits import BUNDLED
from vivant.server.security import Security
from vivant.server.status import ABORT_S, StatusError, first_of, status_of
from vivant.session.background import Background
from vivant.web.face_socket import FaceSocket, receive
from vivant.web.messages import object_of, page_config
from vivant.wire.values import consent_message, writable

if TYPE_CHECKING:
    from vivant.web.media import Media

CLIENT_HEADER = "vivant-client"
DRAIN_S = 10.0
"""As a gRPC server gives its calls."""
REASON_BYTES = 123
"""Most that RFC 6455 leaves for the reason of a close."""
STATUSES = {
    grpc.StatusCode.INVALID_ARGUMENT: (4400, 400),
    grpc.StatusCode.FAILED_PRECONDITION: (4400, 400),
    grpc.StatusCode.UNAUTHENTICATED: (4401, 401),
    grpc.StatusCode.NOT_FOUND: (4404, 404),
    grpc.StatusCode.DEADLINE_EXCEEDED: (4408, 408),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (4429, 429),
    grpc.StatusCode.UNIMPLEMENTED: (4501, 501),
    grpc.StatusCode.UNAVAILABLE: (4503, 503),
}
"""How a WebSocket closes, and HTTP answers. Whatever else went wrong is the server's fault."""
FAILED = (4500, 500)
Watch: TypeAlias = Callable[[str | bytes], None]
"""Hears each message that a page is sent, on the event loop, which it may not hold up."""
ClientBackgrounds: TypeAlias = Callable[[Client, str], Background | None]


def client_folder() -> Path:
    """Of the JavaScript client: in the package, or where a checkout keeps it for npm."""
    packed = Path(str(files("vivant.web") / "client"))
    return packed if packed.is_dir() else Path(__file__).parents[3] / "client" / "js" / "client"


def offers_webrtc(security: Security) -> bool:
    """Where it is installed, and for other machines only: its ports are on every address."""
    return find_spec("aiortc") is not None and not is_loopback(security.host)


class Door:
    """One per app, on its event loop."""

    def __init__(
        self,
        host: FaceHost,
        *,
        token: str | None = None,
        backgrounds: ClientBackgrounds = lambda client, name: None,
        watching: Callable[[], AbstractContextManager[Watch]] = lambda: nullcontext(lambda message: None),
        offers_webrtc: bool = False,
    ) -> None:
        """``token`` is what every page must show; ``backgrounds`` knows pictures by names of the owner's; ``watching`` is
        entered for each call, and hears what its page is sent. ``offers_webrtc`` needs the extra ``webrtc``, and opens UDP
        ports on every address of this machine.
        """
        self.host = host
        self._token = token
        self._backgrounds, self._watching = backgrounds, watching
        self._open_media = self._media if offers_webrtc else None
        self._calls: set[asyncio.Task[Any]] = set()

    @property
    def routes(self) -> list[BaseRoute]:
        """``/v1/face``, ``/v1/portraits...`` and ``/client/...``."""
        return [
            WebSocketRoute("/v1/face", self._face),
            Route("/v1/portraits", answered(self._list), methods=["GET"]),
            Route("/v1/portraits", answered(self._put), methods=["POST"]),
            Route("/v1/portraits/{portrait}", answered(self._delete), methods=["DELETE"]),
            Route("/v1/portraits/{portrait}/picture", answered(self._picture), methods=["GET"]),
            Mount("/client", StaticFiles(directory=client_folder())),
        ]

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Of an app that owns the host: what a face costs here is measured before the first page comes."""
        async with self.host:
            await self.host.measure()
            yield

    async def drain(self, seconds: float = DRAIN_S) -> None:
        """Take no new calls, tell those that run, and wait until they are over or for that time."""
        self.host.drain()
        if self._calls:
            await asyncio.wait(self._calls, timeout=seconds)

    def client_of(self, connection: HTTPConnection) -> Client:
        """Whose portraits a request may see, by its headers. Raises a StatusError for a wrong token."""
        return self._caller(connection)[1]

    def _caller(self, connection: HTTPConnection) -> tuple[str, Client]:
        """With the name that it is told."""
        _, _, token = connection.headers.get("authorization", "").partition(" ")
        name = self.host.clients.name_of(connection.headers.get(CLIENT_HEADER, ""))
        return name, self._named(connection, token, name)

    def _named(self, connection: HTTPConnection, token: str, name: str) -> Client:
        if self._token is not None and not hmac.compare_digest(token.encode(), self._token.encode()):
            raise StatusError(grpc.StatusCode.UNAUTHENTICATED, "the token is missing or wrong")
        return self.host.clients.named(name, f"web {connection.client}")

    async def _face(self, socket: WebSocket) -> None:
        await socket.accept()
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        try:
            await self._speak(socket)
            await socket.close()
        except Exception as error:
            reason = first_of(error)
            if not isinstance(reason, WebSocketDisconnect):
                await self._refuse(socket, reason)
        finally:
            self._calls.discard(task)

    async def _speak(self, socket: WebSocket) -> None:
        fields = await self._first_message(socket)
        name = self.host.clients.name_of(_text(fields, "client"))
        client = self._named(socket, _text(fields, "token"), name)

        def backgrounds(name: str) -> Background | None:
            return self._backgrounds(client, name)

        page = page_config(fields, self.host.limits, backgrounds)
        with self._watching() as watch:
            context = FaceSocket(socket, page, name, backgrounds, watch, open_media=self._open_media)
            try:
                await self.host.service.animate(page.resolved, client, context, context.begin)
            finally:
                await context.close()

    def _media(self, sample_rate_hz: int) -> Media:
        from vivant.web.media import Media  # what another extra brings

        return Media(sample_rate_hz, self.host.shared.clock)

    async def _first_message(self, socket: WebSocket) -> dict[str, Any]:
        seconds = self.host.limits.first_message_s
        try:
            async with asyncio.timeout(seconds):
                data = await receive(socket)
        except TimeoutError as error:
            sentence = f"the first message of a call must come within {seconds:g} seconds"
            raise StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, sentence) from error
        kind, fields = ("", {}) if isinstance(data, bytes) else object_of(data)
        if kind != "config":
            raise StatusError(grpc.StatusCode.FAILED_PRECONDITION, "the first message must be a config")
        return dict(fields)

    async def _refuse(self, socket: WebSocket, error: BaseException) -> None:
        self.host.service.count_refused(error)
        said, (code, _) = _refusal(error)
        try:
            async with asyncio.timeout(ABORT_S):  # behind what a page has not read it waits in vain
                await socket.send_json({"type": "error", **said})
                await socket.close(code, said["message"].encode()[:REASON_BYTES].decode(errors="ignore"))
        except (TimeoutError, WebSocketDisconnect, RuntimeError):  # RuntimeError: it has closed meanwhile
            return

    async def _list(self, request: Request) -> Response:
        name, client = self._caller(request)
        bundled = [{"portrait": portrait, "bundled": True} for portrait in BUNDLED]
        own = [{"portrait": portrait, "bundled": False} for portrait in await self.host.portraits.own(client)]
        return JSONResponse({"portraits": bundled + own, "client": name})

    async def _picture(self, request: Request) -> Response:
        name = request.path_params["portrait"]
        if name not in BUNDLED:
            raise StatusError(grpc.StatusCode.NOT_FOUND, "only bundled portraits are shown to everybody")
        return Response(portrait_bytes(name), media_type="image/jpeg")

    async def _put(self, request: Request) -> Response:
        name, client = self._caller(request)
        self.host.service.require_open()
        consent = consent_message(parse_consent(request.query_params.get("consent", "")))
        image = await self.body(request, client)
        portrait, face = await self.host.portraits.put(client, image, consent)
        return JSONResponse({"portrait": portrait, "notes": list(face.notes), "client": name})

    async def body(self, request: Request, client: Client) -> bytes:
        """Of an upload. Raises a StatusError or InputError as soon as it is known to be too much."""
        limits, body = self.host.limits, bytearray()
        self.host.portraits.require_room(client.lane)
        try:
            async with asyncio.timeout(limits.first_message_s):
                async for piece in request.stream():
                    body += piece
                    if len(body) > limits.portrait_bytes:
                        raise TooLargeError(f"a portrait may have {limits.portrait_bytes} bytes")
        except TimeoutError as error:
            sentence = f"a portrait must have come within {limits.first_message_s:g} seconds"
            raise StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, sentence) from error
        return bytes(body)

    async def _delete(self, request: Request) -> Response:
        await self.host.portraits.delete(self.client_of(request), request.path_params["portrait"])
        return Response(status_code=204)


class TooLargeError(InputError):
    """An upload that was given up: HTTP 413."""


def answered(handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """The same endpoint, with its errors as JSON."""

    async def answer(request: Request) -> Response:
        try:
            response: Response = await handler(request)
            return response
        except ClientDisconnect:  # in the middle of an upload; nobody hears the answer
            return Response(status_code=400)
        except Exception as error:
            said, (_, status) = _refusal(first_of(error))
            return JSONResponse({"error": said}, 413 if isinstance(error, TooLargeError) else status)

    return answer


def _refusal(error: BaseException) -> tuple[dict[str, Any], tuple[int, int]]:
    """What is said, and the numbers of `STATUSES`."""
    code, sentence, retry_after_ms = status_of(error)
    said: dict[str, Any] = {"code": code.name.lower(), "message": sentence}
    if retry_after_ms is not None:
        said["retry_after_ms"] = retry_after_ms
    return said, STATUSES.get(code, FAILED)


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise InputError(f"{name} must be a text")
    return writable(value)
