"""The port that Prometheus reads: for readers on this machine, a few at a time, each for a short time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.session.server_kit import open_tint
from vivant.server import metrics_port
from vivant.server.metrics import Metrics
from vivant.server.metrics_port import MOST_CONNECTIONS, MOST_HEAD_BYTES, serve_metrics
from vivant.server.server import Server, ServerConfig

pytestmark = pytest.mark.session

Ask = Callable[[bytes], Awaitable[bytes]]


def run(story: Callable[[Ask, int], Awaitable[None]]) -> None:
    async def main() -> None:
        server = await serve_metrics(Metrics(), 0)
        port = server.sockets[0].getsockname()[1]

        async def ask(request: bytes) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            try:
                return await reader.read()
            except ConnectionResetError:
                return b""
            finally:
                writer.close()
                with suppress(ConnectionResetError):
                    await writer.wait_closed()

        try:
            await asyncio.wait_for(story(ask, port), 20)
        finally:
            server.close()

    asyncio.run(main())


def test_a_reader_on_this_machine_gets_figures() -> None:
    async def story(ask: Ask, port: int) -> None:
        for host in ("127.0.0.1", f"LOCALHOST:{port}", "[::1]:9"):
            answer = await ask(f"GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK") and b"vivant_sessions 0.0" in body
            assert f"Content-Length: {len(body)}".encode() in head

    run(story)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: rebound.example:9\r\n\r\n", b"403"),
        (b"GET /metrics HTTP/1.1\r\n\r\n", b"403"),
        (b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1.example\r\n\r\n", b"403"),
        (b"GET /metrics HTTP/1.1\r\nHost: rebound.example\r\nHost: localhost\r\n\r\n", b"403"),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost:9@rebound.example\r\n\r\n", b"403"),
        (b"POST /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", b"404"),
        (b"GET /etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", b"404"),
        (b"\xff\x00\r\n\r\n", b"403"),
    ],
)
def test_others_get_none(request_: bytes, status: bytes) -> None:
    async def story(ask: Ask, port: int) -> None:
        answer = await ask(request_)
        assert answer.split(b" ")[1] == status and b"vivant_" not in answer

    run(story)


def test_half_requests_take_no_threads_and_leave_room_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_port, "MOST_S", 0.5)

    async def story(ask: Ask, port: int) -> None:
        before = threading.active_count()
        half = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3 * MOST_CONNECTIONS)]
        for _, writer in half:
            writer.write(b"GET /metrics HTTP/1.1\r\nX: ")
        assert threading.active_count() <= before  # those of an earlier test may be ending
        ends: list[Any] = await asyncio.gather(*(reader.read() for reader, _ in half), return_exceptions=True)
        assert all(end == b"" or isinstance(end, ConnectionResetError) for end in ends)  # each was hung up on
        for _, writer in half:
            writer.close()
            with suppress(ConnectionResetError):
                await writer.wait_closed()
        assert b"200 OK" in await ask(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await ask(b"GET / HTTP/1.1\r\nX: " + bytes(4 * MOST_HEAD_BYTES) + b"\r\n\r\n") == b""

    run(story)


def test_a_probe_without_grpc_hears_whether_it_is_ready() -> None:
    async def story() -> None:
        async with Server(ServerConfig(metrics_port=0, metrics_host="0.0.0.0"), opener=open_tint) as server:
            port = server._metrics_server.sockets[0].getsockname()[1]

            async def ready() -> bytes:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /ready HTTP/1.1\r\nHost: 10.0.0.7:9090\r\n\r\n")  # a pod's address
                answer = await reader.readline()
                writer.close()
                await writer.wait_closed()
                return answer

            assert b"200" in await ready()
            await server.drain(0)
            assert b"503" in await ready()

    asyncio.run(asyncio.wait_for(story(), 20))
