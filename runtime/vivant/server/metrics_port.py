"""Where Prometheus and probes read: HTTP, on loopback unless said otherwise, a few readers at a time, each for a short time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from vivant.loopback import host_of, is_loopback
from vivant.server.metrics import Metrics

MOST_CONNECTIONS = 16
MOST_HEAD_BYTES = 8192
MOST_S = 5.0
"""For a request and its answer."""


async def serve_metrics(
    metrics: Metrics, port: int, host: str = "127.0.0.1", is_ready: Callable[[], bool] = lambda: True
) -> asyncio.Server:
    """``/metrics``, and ``/ready`` for probes that speak no gRPC. Raises OSError when the port cannot be had. On the event
    loop."""
    places = asyncio.Semaphore(MOST_CONNECTIONS)
    answer = partial(_answer, metrics=metrics, is_ready=is_ready, local=is_loopback(host))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if places.locked():
                return
            async with places, asyncio.timeout(MOST_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(answer(head.decode("latin-1")))
                await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # whoever sends half a request, or too much of one, or is there at the server's end, hears nothing
        finally:
            writer.close()

    return await asyncio.start_server(serve, host, port, limit=MOST_HEAD_BYTES)


def _answer(head: str, *, metrics: Metrics, is_ready: Callable[[], bool], local: bool) -> bytes:
    """To a whole request: ``GET``, and on loopback of this machine by its own name, which a page elsewhere on the web cannot
    say."""
    request, *lines = head.splitlines()
    hosts = [value.strip().lower() for name, _, value in (line.partition(":") for line in lines) if name.lower() == "host"]
    method, _, rest = request.partition(" ")
    if local and (len(hosts) != 1 or not _is_ours(hosts[0])):
        return _response("403 Forbidden", b"only by a name of loopback\n")
    path = rest.split(" ")[0].partition("?")[0]
    if method == "GET" and path == "/ready":
        return _response("200 OK", b"ready\n") if is_ready() else _response("503 Service Unavailable", b"about to stop\n")
    if method != "GET" or path not in ("/", "/metrics"):
        return _response("404 Not Found", b"GET /metrics or /ready\n")
    return _response("200 OK", generate_latest(metrics.registry), CONTENT_TYPE_LATEST)


def _is_ours(host: str) -> bool:
    port = host.rpartition(":")[2]
    return is_loopback(host) or (port.isdecimal() and is_loopback(host_of(host)))


def _response(status: str, body: bytes, kind: str = "text/plain; charset=utf-8") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
