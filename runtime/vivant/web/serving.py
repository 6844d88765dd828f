"""The door alone, as ``vivant serve --web`` opens it beside gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from vivant.errors import InputError
from vivant.loopback import is_loopback
from vivant.server.host import FaceHost
from vivant.server.security import Security
from vivant.web.door import CLIENT_HEADER, Door, offers_webrtc
from vivant.web.guard import Guard, is_origin
from vivant.web.server import WebServer

USUAL_PORT = 50751
"""One beside gRPC's; chosen."""


@dataclass(frozen=True, slots=True)
class WebConfig:
    """One door. Raises InputError for what is no origin."""

    port: int = USUAL_PORT
    """0 takes a free one."""
    origins: Sequence[str] = ()
    """Whose pages may use it besides its own: ``https://app.example``."""

    def __post_init__(self) -> None:
        for origin in self.origins:
            if not is_origin(origin):
                raise InputError(f"an origin is a scheme and a host such as https://app.example, got {origin!r}")


@asynccontextmanager
async def open_door(host: FaceHost, security: Security, config: WebConfig) -> AsyncIterator[tuple[Door, WebServer]]:
    """A door to a host that runs, with the token, TLS and limits of its server."""
    door = Door(host, token=security.token, offers_webrtc=offers_webrtc(security))
    app = app_of(door, config.origins, loopback=is_loopback(security.host))
    async with WebServer(app, port=config.port, security=security, limits=host.limits) as web:
        yield door, web


def app_of(door: Door, origins: Sequence[str] = (), *, loopback: bool = True) -> Starlette:
    """The door and nothing else."""
    crossing = Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["authorization", CLIENT_HEADER],
    )
    return Starlette(routes=door.routes, middleware=[Middleware(Guard, origins=origins, loopback=loopback), crossing])
