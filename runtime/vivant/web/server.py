"""Web server: uvicorn as the door needs it, on an event loop that others use too."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from vivant.errors import InputError
from vivant.loopback import family_of
from vivant.server.limits import MIB, Limits
from vivant.server.security import Security

FRAME_BYTES = 2 * MIB
"""Most in one message of a page: a mebibyte of sound, and what JSON makes of long texts."""
PING_S = 5.0
"""From one ping to the next; whoever answers none within `Limits.silence_s` is gone."""


class _Uvicorn(uvicorn.Server):
    """Without hands on the process's signals, which are its owner's."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class WebServer:
    """``async with WebServer(app) as web: await web.wait()``."""

    def __init__(self, app: ASGIApp, *, port: int = 0, security: Security | None = None, limits: Limits | None = None) -> None:
        """``port`` 0 takes a free one. Raises InputError for certificates that cannot be used."""
        self.port = port
        """The real one, once entered."""
        self._security, limits = security or Security(), limits or Limits()
        self._security.credentials()  # for its sentences about files
        self._server = _Uvicorn(
            uvicorn.Config(
                app,
                http="h11",
                ws="websockets-sansio",
                ws_max_size=FRAME_BYTES,
                ws_ping_interval=PING_S,
                ws_ping_timeout=limits.silence_s,
                ws_per_message_deflate=False,  # JPEG and PCM are dense
                limit_concurrency=limits.connections,
                timeout_graceful_shutdown=1,
                lifespan="on",
                log_config=None,
                log_level="warning",  # who called is nobody's affair
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ssl_context_factory=self._tls() if self._security.certificate else None,
            )
        )

    @property
    def url(self) -> str:
        """Of the page's root."""
        host = self._security.host.strip("[]")
        scheme = "https" if self._security.certificate else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    async def __aenter__(self) -> WebServer:
        listening = self._listen()
        self.port = listening.getsockname()[1]
        self._serving = asyncio.create_task(self._server.serve([listening]))
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait({self._serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        if self._serving.done():
            ready.cancel()
            await self._serving
            raise InputError("the web server did not start; its log says why")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.stop()
        await self._serving

    def stop(self) -> None:
        """Close what is open, and end `wait`."""
        self._server.should_exit = True

    async def wait(self) -> None:
        """Until `stop`."""
        await asyncio.shield(self._serving)

    def _listen(self) -> socket.socket:
        host = self._security.host.strip("[]")
        try:
            return socket.create_server((host, self.port), family=family_of(host))
        except OSError as error:
            raise InputError(f"cannot listen on {host}:{self.port}: {error.strerror}; is another program there?") from error

    def _tls(self) -> Any:  # noqa: ANN401
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        assert self._security.certificate is not None
        context.load_cert_chain(self._security.certificate, self._security.key)
        return lambda *_: context
