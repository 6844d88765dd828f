"""Where Prometheus reads: HTTP on loopback, for readers on this machine alone, a few at a time and each for a short time."""

from __future__ import annotations

import asyncio

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from vivant.loopback import host_of, is_loopback
from vivant.server.metrics import Metrics

MOST_CONNECTIONS = 16
MOST_HEAD_BYTES = 8192
MOST_S = 5.0
"""For a request and its answer."""


async def serve_metrics(metrics: Metrics, port: int) -> asyncio.Server:
    """Raises OSError when the port cannot be had. On the event loop."""
    places = asyncio.Semaphore(MOST_CONNECTIONS)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if places.locked():
                return
            async with places, asyncio.timeout(MOST_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(head.decode("latin-1"), metrics))
                await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # whoever sends half a request, or too much of one, or is there at the server's end, hears nothing
        finally:
            writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", port, limit=MOST_HEAD_BYTES)


def _answer(head: str, metrics: Metrics) -> bytes:
    """To a whole request: ``GET`` of this machine by its own name, which a page elsewhere on the web cannot say."""
    request, *lines = head.splitlines()
    hosts = [value.strip().lower() for name, _, value in (line.partition(":") for line in lines) if name.lower() == "host"]
    method, _, path = request.partition(" ")
    if len(hosts) != 1 or not _is_ours(hosts[0]):
        return _response("403 Forbidden", b"only by a name of loopback\n")
    if method != "GET" or path.split(" ")[0].partition("?")[0] not in ("/", "/metrics"):
        return _response("404 Not Found", b"GET /metrics\n")
    return _response("200 OK", generate_latest(metrics.registry), CONTENT_TYPE_LATEST)


def _is_ours(host: str) -> bool:
    port = host.rpartition(":")[2]
    return is_loopback(host) or (port.isdecimal() and is_loopback(host_of(host)))


def _response(status: str, body: bytes, kind: str = "text/plain; charset=utf-8") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
