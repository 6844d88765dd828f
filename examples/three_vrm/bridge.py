"""VMC to the browser: ``python examples/three_vrm/bridge.py avatar.vrm``, after ``npm ci`` in its folder.

Serves the page beside it, and passes on to it over a WebSocket what arrives on UDP port 39539 (``vivant motion --to vmc``), so
that any tool with VMC moves the avatar. Both listen on this machine only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import mimetypes
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

FOLDER = Path(__file__).resolve().parent
LOOPBACK = "127.0.0.1"


class Vmc(asyncio.DatagramProtocol):
    """Receiver of the VMC protocol: collects what tools send, and hands on a whole frame when they say that it is whole."""

    def __init__(self, pages: set[ServerConnection]) -> None:
        self._pages = pages
        self._blends: dict[str, float] = {}
        self._bones: dict[str, list[float]] = {}

    def datagram_received(self, data: bytes, _: Any) -> None:  # noqa: ANN401
        with suppress(ValueError, IndexError):  # what is no packet of this protocol
            for message in _messages(data):
                self._take(message)

    def _take(self, message: OscMessage) -> None:
        values = message.params
        if message.address == "/VMC/Ext/Blend/Val":
            self._blends[str(values[0])] = float(values[1])
        elif message.address == "/VMC/Ext/Bone/Pos":
            self._bones[str(values[0])] = [float(value) for value in values[4:8]]
        elif message.address == "/VMC/Ext/Blend/Apply":
            broadcast(self._pages, json.dumps({"blends": self._blends, "bones": self._bones}))


def _messages(data: bytes) -> list[OscMessage]:
    if not OscBundle.dgram_is_bundle(data):
        return [OscMessage(data)]
    return [content for content in OscBundle(data) if isinstance(content, OscMessage)]


class Web:
    """The page, the libraries in ``node_modules``, and the avatar."""

    def __init__(self, avatar: Path) -> None:
        self._avatar = avatar

    def __call__(self, _: ServerConnection, request: Request) -> Response | None:
        if request.headers.get("Upgrade"):
            return None
        path = self._file(request.path.partition("?")[0])
        if path is None:
            return Response(HTTPStatus.NOT_FOUND.value, "Not Found", Headers({"Content-Length": "0"}), b"")
        body = path.read_bytes()
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return Response(HTTPStatus.OK.value, "OK", Headers({"Content-Type": kind, "Content-Length": str(len(body))}), body)

    def _file(self, path: str) -> Path | None:
        if path == "/avatar.vrm":
            return self._avatar
        found = (FOLDER / ("index.html" if path == "/" else path.lstrip("/"))).resolve()
        is_ours = found == FOLDER / "index.html" or found.is_relative_to(FOLDER / "node_modules")
        return found if is_ours and found.is_file() else None


async def run(avatar: Path, vmc_port: int, web_port: int) -> None:
    pages: set[ServerConnection] = set()

    async def talk(page: ServerConnection) -> None:
        pages.add(page)
        try:
            await page.wait_closed()
        finally:
            pages.discard(page)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Vmc(pages), local_addr=(LOOPBACK, vmc_port))
    async with serve(talk, LOOPBACK, web_port, process_request=Web(avatar)) as server:
        web, vmc = server.sockets[0].getsockname()[1], transport.get_extra_info("sockname")[1]
        print(f"open http://{LOOPBACK}:{web} and run: vivant motion --to vmc:{vmc}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("avatar", type=Path)
    parser.add_argument("--vmc-port", type=int, default=39539)
    parser.add_argument("--web-port", type=int, default=8089)
    told = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(run(told.avatar, told.vmc_port, told.web_port))
