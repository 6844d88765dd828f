"""A server from its parts: ports, health, reflection, metrics, and a graceful end."""

from __future__ import annotations

from dataclasses import dataclass, field

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from vivant.client.memory import remove_abandoned
from vivant.clock import Clock
from vivant.errors import InputError, OutputError
from vivant.motion.model import SpeechMotion
from vivant.portrait import PortraitAnalyser
from vivant.server.host import FaceHost
from vivant.server.limits import Limits
from vivant.server.metrics_port import serve_metrics
from vivant.server.portraits import Opener
from vivant.server.ring import PREFIX
from vivant.server.security import Security, TokenGuard
from vivant.server.service import SERVICE, add_to
from vivant.v1 import vivant_pb2 as pb

LONGEST_MS = 2**31 - 1
"""For gRPC: never."""
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
    """Where Prometheus reads, on loopback; None: nowhere."""


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
    ) -> None:
        self.config = config or ServerConfig()
        self.port = 0
        """The real one, once entered."""
        self.host = FaceHost(
            self.config.limits,
            clock=clock,
            opener=opener,
            motion=motion,
            analyser=analyser,
            token=bool(self.config.security.token),
        )
        self.shared, self.metrics = self.host.shared, self.host.metrics
        self._health = health.aio.HealthServicer()

    async def __aenter__(self) -> Server:
        remove_abandoned(PREFIX)
        security = self.config.security
        guards = [TokenGuard(security.token)] if security.token else []
        self._server = grpc.aio.server(interceptors=guards, options=_options(self.config.limits))
        add_to(self._server, self.host.service)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((SERVICE.full_name, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        self.port = self._bind()
        if self.config.metrics_port is not None:
            try:
                self._metrics_server = await serve_metrics(self.metrics, self.config.metrics_port)
            except OSError as error:
                raise OutputError(f"cannot serve metrics on port {self.config.metrics_port}: {error.strerror}") from error
        await self._server.start()
        await self.host.__aenter__()
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.host.service.draining = True
        await self._server.stop(None)
        await self.host.__aexit__()
        if self.config.metrics_port is not None:
            self._metrics_server.close()

    async def wait(self) -> None:
        """Until `drain` is complete."""
        await self._server.wait_for_termination()

    async def drain(self, seconds: float = DRAIN_S) -> None:
        """Take no new calls, tell those that run, and stop when they are over or after ``seconds``."""
        self.host.drain()
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        await self._server.stop(seconds)

    async def measure(self) -> None:
        """As `FaceHost.measure`."""
        await self.host.measure()

    def _bind(self) -> int:
        security = self.config.security
        bare = security.host.strip("[]")
        host = f"[{bare}]" if ":" in bare else bare
        address, credentials = f"{host}:{self.config.port}", security.credentials()
        try:
            if credentials is None:
                return int(self._server.add_insecure_port(address))
            return int(self._server.add_secure_port(address, credentials))
        except RuntimeError as error:
            raise InputError(f"cannot listen on {address}; is another program there?") from error

    async def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for name in ("", SERVICE.full_name):
            await self._health.set(name, status)

    def describe(self) -> str:
        """What it can do, in a line."""
        formats = ", ".join(name.removeprefix("PIXEL_FORMAT_") for name in pb.PixelFormat.keys()[1:])
        return f"{self.host.describe_capacity()}; {formats}; shared memory on this machine"


def _options(limits: Limits) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", limits.message_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", 0),
        # Numbers of connections: see `Clients`.
        ("grpc.enable_channelz", 1),
        # A client that is gone without a word. Whatever comes from it counts, for the answer to a ping may wait behind pictures
        # on a slow network; so the answer itself is given all the time there is.
        ("grpc.keepalive_time_ms", 1000),
        ("grpc.keepalive_timeout_ms", _ms(limits.silence_s)),
        ("grpc.http2.ping_timeout_ms", LONGEST_MS),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 1000),
        ("grpc.server_handshake_timeout_ms", _ms(limits.handshake_s)),
        ("grpc.max_connection_idle_ms", _ms(limits.idle_s)),
        ("grpc.max_allowed_incoming_connections", limits.connections),
    ]


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
