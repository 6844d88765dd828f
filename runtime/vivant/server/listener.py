"""A gRPC port: who may call, health, reflection, and the options of connections. What is served there is added to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from vivant.errors import InputError
from vivant.server.limits import Limits
from vivant.server.security import Security, TokenGuard
from vivant.v1 import vivant_pb2 as pb

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["FaceService"].full_name
LONGEST_MS = 2**31 - 1
"""For gRPC: never."""


class Listener:
    """One port. On one event loop."""

    def __init__(
        self, security: Security, port: int, limits: Limits, guards: Sequence[grpc.aio.ServerInterceptor] = ()
    ) -> None:
        """``port`` 0 takes a free one; ``guards`` see every call whose token was right."""
        self.port = port
        """The real one, once open."""
        self.is_serving = False
        self._security, self._limits, self._guards = security, limits, guards
        self._health = health.aio.HealthServicer()

    async def open(self, add: Callable[[grpc.aio.Server], None]) -> None:
        """``add`` registers what is served. Raises InputError where the port cannot be had."""
        guards = [*([TokenGuard(self._security.token)] if self._security.token else []), *self._guards]
        self._server = grpc.aio.server(interceptors=guards, options=_options(self._limits))
        add(self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        self.port = self._bind()
        await self._server.start()

    async def set_serving(self, *, serving: bool) -> None:
        """What the health service answers."""
        self.is_serving = serving
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", SERVICE_NAME):
            await self._health.set(name, status)

    async def wait(self) -> None:
        """Until it is closed."""
        await self._server.wait_for_termination()

    async def close(self, patience_s: float | None = None) -> None:
        """No new connections and calls; those that run may take so long to end."""
        await self._server.stop(patience_s)

    def _bind(self) -> int:
        security = self._security
        bare = security.host.strip("[]")
        host = f"[{bare}]" if ":" in bare else bare
        address, credentials = f"{host}:{self.port}", security.credentials()
        try:
            if credentials is None:
                return int(self._server.add_insecure_port(address))
            return int(self._server.add_secure_port(address, credentials))
        except RuntimeError as error:
            raise InputError(f"cannot listen on {address}; is another program there?") from error


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
