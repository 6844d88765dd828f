"""A web door with quick faces, and a page that is Python."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect

from tests.session.server_kit import SIZE_PX, open_tint
from vivant.server.host import FaceHost
from vivant.server.limits import Limits
from vivant.server.security import Security
from vivant.web import Door, WebServer
from vivant.web.frames import PICTURE
from vivant.web.serving import WebConfig, app_of, open_door

WAIT_S = 10.0
USUAL_LIMITS = Limits()


class Frame(NamedTuple):
    """A binary frame, read by docs/web.md and not by the code that writes it."""

    kind: int
    speaking: int
    side_px: int
    epoch: int
    pts_us: int
    number: int
    first_bytes: int
    body: bytes

    @classmethod
    def parse(cls, data: bytes) -> Frame:
        kind, speaking, side_px, epoch, pts_us, number, first_bytes = struct.unpack("<BBHIQII", data[:24])
        return cls(kind, speaking, side_px, epoch, pts_us, number, first_bytes, data[24:])


class Page:
    """One connection to ``/v1/face``."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.ready: dict[str, Any] = {}

    async def say(self, kind: str, **fields: Any) -> None:  # noqa: ANN401
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def hear(self) -> dict[str, Any] | Frame:
        """The next message. Pictures are confirmed."""
        data = await asyncio.wait_for(self.socket.recv(), WAIT_S)
        if isinstance(data, str):
            message: dict[str, Any] = json.loads(data)
            return message
        frame = Frame.parse(data)
        if frame.kind == PICTURE:
            await self.say("shown", picture=frame.number)
        return frame

    async def until(self, kind: str | int) -> tuple[Any, list[Any]]:
        """The next message or frame of that kind, and what came before it."""
        before: list[Any] = []
        while True:
            heard = await self.hear()
            if (heard.kind if isinstance(heard, Frame) else heard["type"]) == kind:
                return heard, before
            before.append(heard)

    async def picture(self) -> Frame:
        frame: Frame = (await self.until(PICTURE))[0]
        return frame

    async def frames(self, kind: int, n: int) -> list[Frame]:
        return [(await self.until(kind))[0] for _ in range(n)]


@asynccontextmanager
async def paging(web: WebServer, *, headers: dict[str, str] | None = None, **config: Any) -> AsyncIterator[Page]:  # noqa: ANN401
    """A page that has said its config and heard what is in effect."""
    async with opening(web, headers=headers) as page:
        await page.say("config", **{"size_px": SIZE_PX, **config})
        page.ready, _ = await page.until("ready")
        yield page


@asynccontextmanager
async def opening(web: WebServer, *, headers: dict[str, str] | None = None) -> AsyncIterator[Page]:
    """A page that has said nothing yet."""
    address = f"ws://127.0.0.1:{web.port}/v1/face"
    async with connect(address, proxy=None, max_size=None, additional_headers=headers) as socket:
        yield Page(socket)


@asynccontextmanager
async def opened(
    limits: Limits = USUAL_LIMITS,
    *,
    token: str | None = None,
    origins: Sequence[str] = (),
    **door: Any,  # noqa: ANN401
) -> AsyncIterator[tuple[Door, WebServer]]:
    """A door of its own, on a free port of loopback."""
    async with FaceHost(limits, opener=open_tint) as host:
        if not door:
            async with open_door(host, Security(token=token), WebConfig(0, origins)) as both:
                yield both
            return
        own = Door(host, token=token, **door)
        async with WebServer(app_of(own, origins), limits=limits) as web:
            yield own, web


def run_door(
    story: Callable[[Door, WebServer], Awaitable[None]],
    limits: Limits = USUAL_LIMITS,
    **how: Any,  # noqa: ANN401
) -> None:
    """Run a test's story against a real door."""

    async def main() -> None:
        async with opened(limits, **how) as (door, web):
            await asyncio.wait_for(story(door, web), 3 * WAIT_S)

    asyncio.run(main())


async def asked(
    web: WebServer,
    method: str,
    path: str,
    body: bytes = b"",
    **headers: Any,  # noqa: ANN401
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by lower-case names, and body of an answer over HTTP/1.1, whatever ``Host`` says."""
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    told = {"Host": f"localhost:{web.port}", "Content-Length": str(len(body)), "Connection": "close", **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in told.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    head, _, rest = (await asyncio.wait_for(reader.read(), WAIT_S)).partition(b"\r\n\r\n")
    writer.close()
    status, *fields = head.decode().split("\r\n")
    return int(status.split()[1]), {k.lower(): v for k, _, v in (field.partition(": ") for field in fields)}, rest


async def json_of(web: WebServer, method: str, path: str, body: bytes = b"", **headers: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401
    status, _, answer = await asked(web, method, path, body, **headers)
    return status, json.loads(answer) if answer else {}
