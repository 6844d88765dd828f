"""``vivant serve``: the gRPC server, and the web door beside it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from vivant.commands.embedded import PATIENCE_S, announce, token_of_parent, when_parent_ends
from vivant.commands.extensions import (
    DEFAULT_ANALYSER,
    AnalyserOption,
    GeneratorOption,
    MannerOption,
    MotionOption,
    in_manner,
)
from vivant.commands.reach import LOOPBACK, HostOption, TlsCertOption, TlsKeyOption, TokenFileOption, token_of
from vivant.errors import UnavailableError
from vivant.extras import install
from vivant.motion.model import SpeechMotion
from vivant.portrait import PortraitAnalyser, Provider
from vivant.registry import ANALYSERS, FACES, find, motion_model

if TYPE_CHECKING:
    from vivant.server.portraits import Opener
    from vivant.server.security import Security
    from vivant.server.server import Server, ServerConfig
    from vivant.web.door import Door
    from vivant.web.server import WebServer
    from vivant.web.serving import WebConfig


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")] = 50750,
    host: HostOption = LOOPBACK,
    sessions: Annotated[int | None, typer.Option(min=1, max=10_000, help="Faces at most; default 8 per core.")] = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    token_file: TokenFileOption = None,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Serve Prometheus metrics on this port of loopback.")
    ] = None,
    embedded: Annotated[
        bool,
        typer.Option(
            "--embedded",
            help="Started by a program: the token is the first line of standard input, at whose end the server ends;"
            " where it listens is a line of JSON.",
        ),
    ] = False,
    web: Annotated[bool, typer.Option("--web", help="Also open the door for web pages (docs/web.md).")] = False,
    web_port: Annotated[int, typer.Option(min=0, max=65535, help="Its TCP port; 0 takes a free one.")] = 50751,
    web_origin: Annotated[
        list[str] | None, typer.Option(help="Whose pages may use it besides its own: https://app.example. Repeatable.")
    ] = None,
    generator: GeneratorOption = "rig",
    motion: MotionOption = "voice",
    manner: MannerOption = None,
    analyser: AnalyserOption = DEFAULT_ANALYSER,
) -> None:
    """Speak for many faces over gRPC, until SIGTERM or Ctrl-C; then running calls get ten seconds to finish.

    Logs go to standard error, one JSON object per line.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its own lines are no JSON
    try:
        from vivant.server.limits import Limits
        from vivant.server.logs import log_to_stderr
        from vivant.server.security import Security
        from vivant.server.server import ServerConfig
    except ImportError as error:
        raise UnavailableError(f"the server needs {error.name}; {install('server')} brings it") from error
    security = Security(host, tls_cert, tls_key, token_of_parent() if embedded else token_of(token_file))
    limits = Limits() if sessions is None else Limits(sessions=sessions)
    model: SpeechMotion = motion_model(in_manner(motion, manner))
    opener = None if generator == "rig" else find(FACES, generator)  # clients' pictures for the rig are decoded apart
    reader: PortraitAnalyser | None = None if analyser == DEFAULT_ANALYSER else find(ANALYSERS, analyser)(Provider.AUTO)
    door = _web_config(web_port, web_origin or []) if web else None
    log_to_stderr()
    asyncio.run(_serve(ServerConfig(port, security, limits, metrics_port), model, opener, reader, door, embedded=embedded))


def _web_config(port: int, origins: list[str]) -> WebConfig:
    try:
        from vivant.web.serving import WebConfig
    except ImportError as error:
        raise UnavailableError(f"--web needs {error.name}; {install('studio')} brings it") from error
    return WebConfig(port, origins)


async def _serve(
    config: ServerConfig,
    motion: SpeechMotion,
    opener: Opener | None,
    analyser: PortraitAnalyser | None,
    web: WebConfig | None,
    *,
    embedded: bool,
) -> None:
    from vivant.server.server import DRAIN_S, Server

    async with Server(config, motion=motion, opener=opener, analyser=analyser) as server, _opened(server, web) as doors:
        told = asyncio.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):  # Windows raises KeyboardInterrupt instead
                asyncio.get_running_loop().add_signal_handler(sign, told.set)
        await server.measure()
        if embedded:
            ports = {"port": server.port} | ({"web_port": doors[0][1].port} if doors else {})
            announce(host=config.security.host, **ports)
            when_parent_ends(told.set)
        else:
            _say_where(server, config.security, doors)
        await told.wait()
        patience_s = PATIENCE_S if embedded else DRAIN_S
        await asyncio.gather(server.drain(patience_s), *(door.drain(patience_s) for door, _ in doors))


def _say_where(server: Server, security: Security, doors: list[tuple[Door, WebServer]]) -> None:
    scheme = "plain text" if security.certificate is None else "TLS"
    print(f"vivant listens on {security.host}:{server.port} ({scheme}); {server.describe()}", flush=True)
    for _, listening in doors:
        print(f"the door for web pages is {listening.url}", flush=True)


@asynccontextmanager
async def _opened(server: Server, web: WebConfig | None) -> AsyncIterator[list[tuple[Door, WebServer]]]:
    """The door, or none."""
    if web is None:
        yield []
        return
    from vivant.web.serving import open_door

    async with open_door(server.host, server.config.security, web) as opened:
        yield [opened]
