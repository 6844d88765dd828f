"""A server from its parts: a host behind a gRPC port, metrics, and a graceful end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import grpc

from vivant.client.memory import remove_abandoned
from vivant.clock import Clock
from vivant.errors import OutputError
from vivant.finish.synthetic import FinishKind
from vivant.motion.model import SpeechMotion
from vivant.portrait import PortraitAnalyser
from vivant.server.host import FaceHost
from vivant.server.limits import Limits
from vivant.server.listener import Listener
from vivant.server.metrics_port import serve_metrics
from vivant.server.portrait_store import PortraitStore
from vivant.server.portraits import Opener
from vivant.server.ring import PREFIX
from vivant.server.security import Security
from vivant.server.service import add_to
from vivant.v1 import vivant_pb2 as pb

DRAIN_S = 10.0
"""Calls under way may take this long to end when the server is told to stop; chosen."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """One server."""

    port: int = 0
    """0 takes a free one."""
    security: Security = field(default_factory=Security)
    limits: Limits = field(default_factory=Limits)
    metrics_port: int | None = None
    """Where Prometheus reads; None: nowhere."""
    metrics_host: str = "127.0.0.1"
    portraits: str | None = None
    """Folder or URL of a `PortraitStore` that several servers share; None keeps clients' pictures in memory alone."""
    finish: FinishKind | None = None
    """Of faces that no film taught; None is that of the settings."""


class Server:
    """``async with Server(config) as server: await server.wait()``. One event loop."""

    def __init__(
        self,
        config: ServerConfig | None = None,
        *,
        clock: Clock | None = None,
        opener: Opener | None = None,
        motion: SpeechMotion | None = None,
        analyser: PortraitAnalyser | None = None,
        guards: Sequence[grpc.aio.ServerInterceptor] = (),
        behind_gateway: bool = False,
    ) -> None:
        """``guards`` see every call whose token was right; ``behind_gateway``: callers are gateways
        (`vivant.cluster.gateway`), which say for whom they call."""
        self.config = config or ServerConfig()
        security = self.config.security
        self.host = FaceHost(
            self.config.limits,
            clock=clock,
            opener=opener,
            motion=motion,
            analyser=analyser,
            token=bool(security.token),
            store=PortraitStore(self.config.portraits) if self.config.portraits else None,
            behind_gateway=behind_gateway,
            finish=self.config.finish,
        )
        self.shared, self.metrics = self.host.shared, self.host.metrics
        self._listener = Listener(security, self.config.port, self.config.limits, guards)

    @property
    def port(self) -> int:
        """The real one, once entered."""
        return self._listener.port

    async def __aenter__(self) -> Server:
        remove_abandoned(PREFIX)
        if (port := self.config.metrics_port) is not None:
            try:
                ready = lambda: self._listener.is_serving  # noqa: E731
                self._metrics_server = await serve_metrics(self.metrics, port, self.config.metrics_host, ready)
            except OSError as error:
                raise OutputError(f"cannot serve metrics on port {port}: {error.strerror}") from error
        await self._listener.open(partial(add_to, service=self.host.service))
        await self.host.__aenter__()
        await self._listener.set_serving(serving=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.host.service.draining = True
        await self._listener.close()
        await self.host.__aexit__()
        if self.config.metrics_port is not None:
            self._metrics_server.close()

    async def wait(self) -> None:
        """Until `drain` is complete."""
        await self._listener.wait()

    async def drain(self, seconds: float = DRAIN_S) -> None:
        """Take no new calls, tell those that run, and stop when they are over or after ``seconds``. A face is left between two
        lines, so none is cut that ends within that time."""
        self.host.drain()
        await self._listener.set_serving(serving=False)
        await self._listener.close(seconds)

    async def measure(self) -> None:
        """As `FaceHost.measure`."""
        await self.host.measure()

    def describe(self) -> str:
        """What it can do, in a line."""
        formats = ", ".join(name.removeprefix("PIXEL_FORMAT_") for name in pb.PixelFormat.keys()[1:])
        return f"{self.host.describe_capacity()}; {formats}; shared memory on this machine"
