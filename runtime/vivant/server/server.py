"""A server from its parts: ports, health, reflection, metrics, and a graceful end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from vivant.client.memory import remove_abandoned
from vivant.clock import Clock, MonotonicClock
from vivant.errors import InputError, OutputError
from vivant.face import default_motion
from vivant.motion.model import SpeechMotion
from vivant.portrait import PortraitAnalyser
from vivant.provenance.policy import Policy
from vivant.server.call import ServerContext
from vivant.server.clients import Clients
from vivant.server.face_cost import USUAL_FPS, measure
from vivant.server.limits import Limits
from vivant.server.load_shedder import LoadShedder, Wanted
from vivant.server.metrics import Metrics
from vivant.server.metrics_port import serve_metrics
from vivant.server.portraits import Opener, Portraits
from vivant.server.ring import PREFIX
from vivant.server.security import Security, TokenGuard
from vivant.server.service import SERVICE, FaceService, add_to
from vivant.server.workers import WorkerPool, batch_pool
from vivant.session.presenter import LEAST_DETAIL, MOST_DETAIL, SHOWN_OF
from vivant.size import USUAL_SIDE_PX
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
        limits, clock = self.config.limits, clock or MonotonicClock()
        self.metrics = Metrics()
        workers = WorkerPool(clock)
        self.shared = ServerContext(
            portraits=Portraits(limits, opener, analyser),
            workers=workers,
            batch_pool=batch_pool(workers.n_cores),
            load_shedder=LoadShedder(workers, clock, min(limits.sessions, Policy.load().max_sessions or limits.sessions)),
            metrics=self.metrics,
            clock=clock,
            motion=motion or default_motion(),
            limits=limits,
        )
        self.metrics.busy.set_function(lambda: self.shared.load_shedder.load.busy_share)
        self._service = FaceService(self.shared, limits, Clients(token=bool(self.config.security.token)))
        self._health = health.aio.HealthServicer()

    async def __aenter__(self) -> Server:
        remove_abandoned(PREFIX)
        security = self.config.security
        guards = [TokenGuard(security.token)] if security.token else []
        self._server = grpc.aio.server(interceptors=guards, options=_options(self.config.limits))
        add_to(self._server, self._service)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((SERVICE.full_name, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        self.port = self._bind()
        if self.config.metrics_port is not None:
            try:
                self._metrics_server = await serve_metrics(self.metrics, self.config.metrics_port)
            except OSError as error:
                raise OutputError(f"cannot serve metrics on port {self.config.metrics_port}: {error.strerror}") from error
        await self._server.start()
        self._governing = asyncio.create_task(self.shared.load_shedder.run())
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._service.draining = True
        await self._server.stop(None)
        self._governing.cancel()
        await asyncio.gather(self._governing, return_exceptions=True)
        self.shared.portraits.close()
        for executor in (self.shared.workers, self.shared.batch_pool):
            executor.shutdown(wait=False, cancel_futures=True)
        if self.config.metrics_port is not None:
            self._metrics_server.close()

    async def wait(self) -> None:
        """Until `drain` is complete."""
        await self._server.wait_for_termination()

    async def drain(self, seconds: float = DRAIN_S) -> None:
        """Take no new calls, tell those that run, and stop when they are over or after ``seconds``."""
        self._service.draining = True
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        for call in self._service.calls:
            call.drain()
        await self._server.stop(seconds)

    async def measure(self) -> None:
        """What a face costs on this machine; those that it has no time for are then refused. Takes a quarter of a second."""
        shared, loop = self.shared, asyncio.get_running_loop()
        shared.load_shedder.cost = await loop.run_in_executor(shared.workers, measure, shared.motion)

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
        return f"{self._capacity()}; {formats}; shared memory on this machine"

    def _capacity(self) -> str:
        limits, shedder = self.config.limits, self.shared.load_shedder
        usual = Wanted(USUAL_FPS, USUAL_SIDE_PX)
        whole, least = (shedder.n_faces(usual, detail) for detail in (MOST_DETAIL, LEAST_DETAIL))
        if whole is None:
            return f"up to {limits.sessions} faces of {limits.size_px} px"
        few = USUAL_FPS / SHOWN_OF[LEAST_DETAIL]
        return f"time for {whole} faces of {USUAL_SIDE_PX} px at {USUAL_FPS} fps, or {least} of fewer pixels at {float(few):g}"


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
