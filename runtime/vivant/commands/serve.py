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
    FinishOption,
    GeneratorOption,
    MannerOption,
    MotionOption,
    in_manner,
)
from vivant.commands.reach import LOOPBACK, HostOption, TlsCertOption, TlsKeyOption, TokenFileOption, token_of
from vivant.errors import InputError, UnavailableError
from vivant.extras import install
from vivant.motion.model import SpeechMotion
from vivant.portrait import PortraitAnalyser, Provider
from vivant.registry import ANALYSERS, FACES, find, motion_model

if TYPE_CHECKING:
    from vivant.cluster.serving import GatewayServer
    from vivant.server.portraits import Opener
    from vivant.server.security import Security
    from vivant.server.server import Server, ServerConfig
    from vivant.web.door import Door
    from vivant.web.server import WebServer
    from vivant.web.serving import WebConfig


NOT_OF_A_CLUSTER = (
    "--cluster draws on other machines: --web, --embedded, --metrics-port, --sessions, --generator, --finish and --analyser are"
    " for a server of its own; put several behind Envoy (docs/scale.md)"
)
EmbeddedOption = Annotated[
    bool,
    typer.Option(
        "--embedded",
        help="Started by a program: the token is the first line of standard input, at whose end the server ends;"
        " where it listens is a line of JSON.",
    ),
]
PortraitsOption = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER|URL", help="Keep clients' pictures where other servers find them, too: a folder, s3://bucket/prefix."
    ),
]
ClusterOption = Annotated[
    bool,
    typer.Option(
        "--cluster", help="Draw on the machines of a Ray cluster: that of RAY_ADDRESS, or one on this machine (docs/scale.md)."
    ),
]
ReplicasOption = Annotated[str, typer.Option(metavar="MIN:MAX", help="Of the cluster, as calls come and go.")]
ReplicaCoresOption = Annotated[int, typer.Option(min=1, max=1024, help="Of each replica.")]
ReplicaFacesOption = Annotated[
    int | None, typer.Option(min=1, max=10_000, help="Of each replica, to aim at; 2 per core unless said.")
]
MetricsPortOption = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Serve Prometheus metrics, and /ready for probes, on this port.")
]
DrainOption = Annotated[float, typer.Option(min=0, max=86_400, help="For running calls to end after SIGTERM.")]


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")] = 50750,
    host: HostOption = LOOPBACK,
    sessions: Annotated[int | None, typer.Option(min=1, max=10_000, help="Faces at most; default 8 per core.")] = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    token_file: TokenFileOption = None,
    metrics_port: MetricsPortOption = None,
    metrics_host: Annotated[str, typer.Option(help="Address of --metrics-port.")] = "127.0.0.1",
    portraits: PortraitsOption = None,
    drain_seconds: DrainOption = 10.0,
    embedded: EmbeddedOption = False,
    web: Annotated[bool, typer.Option("--web", help="Also open the door for web pages (docs/web.md).")] = False,
    web_port: Annotated[int, typer.Option(min=0, max=65535, help="Its TCP port; 0 takes a free one.")] = 50751,
    web_origin: Annotated[
        list[str] | None, typer.Option(help="Whose pages may use it besides its own: https://app.example. Repeatable.")
    ] = None,
    cluster: ClusterOption = False,
    replicas: ReplicasOption = "1:16",
    replica_cores: ReplicaCoresOption = 2,
    replica_faces: ReplicaFacesOption = None,
    generator: GeneratorOption = "rig",
    finish: FinishOption = None,
    motion: MotionOption = "voice",
    manner: MannerOption = None,
    analyser: AnalyserOption = DEFAULT_ANALYSER,
) -> None:
    """Speak for many faces over gRPC, until SIGTERM or Ctrl-C; then each call ends between two lines.

    Logs go to standard error, one JSON object per line.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its own lines are no JSON
    try:
        from vivant.server.allocator import keep_large_blocks_apart
        from vivant.server.limits import Limits
        from vivant.server.logs import log_to_stderr
        from vivant.server.security import Security
        from vivant.server.server import ServerConfig
    except ImportError as error:
        raise UnavailableError(f"the server needs {error.name}; {install('server')} brings it") from error
    security = Security(host, tls_cert, tls_key, token_of_parent() if embedded else token_of(token_file))
    limits = Limits() if sessions is None else Limits(sessions=sessions)
    motion = in_manner(motion, manner)
    config = ServerConfig(port, security, limits, metrics_port, metrics_host, portraits, finish)
    if cluster:
        own = (generator, finish, analyser) != ("rig", None, DEFAULT_ANALYSER)
        if web or embedded or metrics_port is not None or sessions or own:
            raise InputError(NOT_OF_A_CLUSTER)
        _serve_cluster(config, replicas, replica_cores, replica_faces, motion, drain_seconds)
        return
    model: SpeechMotion = motion_model(motion)
    opener = None if generator == "rig" else find(FACES, generator)  # clients' pictures for the rig are decoded apart
    reader: PortraitAnalyser | None = None if analyser == DEFAULT_ANALYSER else find(ANALYSERS, analyser)(Provider.AUTO)
    door = _web_config(web_port, web_origin or []) if web else None
    log_to_stderr()
    keep_large_blocks_apart()
    patience_s = PATIENCE_S if embedded else drain_seconds
    asyncio.run(_serve(config, model, opener, reader, door, patience_s, embedded=embedded))


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
    patience_s: float,
    *,
    embedded: bool,
) -> None:
    from vivant.server.server import Server

    async with Server(config, motion=motion, opener=opener, analyser=analyser) as server, _opened(server, web) as doors:
        told = _told_to_end()
        await server.measure()
        if embedded:
            ports = {"port": server.port} | ({"web_port": doors[0][1].port} if doors else {})
            announce(host=config.security.host, **ports)
            when_parent_ends(told.set)
        else:
            _say_where(server, config.security, doors)
        await told.wait()
        await asyncio.gather(server.drain(patience_s), *(door.drain(patience_s) for door, _ in doors))


def _told_to_end() -> asyncio.Event:
    """Set by SIGTERM and Ctrl-C."""
    told = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows raises KeyboardInterrupt instead
            asyncio.get_running_loop().add_signal_handler(sign, told.set)
    return told


def _serve_cluster(config: ServerConfig, replicas: str, cores: int, faces: int | None, motion: str, patience_s: float) -> None:
    try:
        from vivant.cluster.application import Scale
        from vivant.cluster.serving import GatewayServer, started
    except ImportError as error:
        raise UnavailableError(f"--cluster needs {error.name}; {install('cluster')} brings it") from error
    least, most = _replicas(replicas)

    async def serve() -> None:
        async with GatewayServer(config, cluster) as server:
            told = _told_to_end()
            _say_where(server, config.security, [])
            await told.wait()
            await server.drain(patience_s)

    with started(config, Scale(least, most, cores, faces), motion) as cluster:
        asyncio.run(serve())


def _replicas(text: str) -> tuple[int, int]:
    least, colon, most = text.partition(":")
    if not (least.isdecimal() and (most.isdecimal() or not colon)) or not 1 <= int(least) <= int(most or least):
        raise InputError(f"--replicas is MIN:MAX, such as 1:16, got {text!r}")
    return int(least), int(most or least)


def _say_where(server: Server | GatewayServer, security: Security, doors: list[tuple[Door, WebServer]]) -> None:
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
