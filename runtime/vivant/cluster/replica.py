"""A replica: one server as Ray Serve places, watches, counts and ends it. It answers calls by itself, on a port of its own."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from ray import serve
from ray.serve.schema import ApplicationStatus
from ray.util import get_node_ip_address

from vivant.clock import MonotonicClock
from vivant.cluster.certificate import make_certificate
from vivant.cluster.joining import allow_asking
from vivant.cluster.lease import Lease, Leases
from vivant.loopback import is_loopback
from vivant.registry import motion_model
from vivant.server.limits import Limits
from vivant.server.logs import log_to_stderr
from vivant.server.security import Security
from vivant.server.server import Server, ServerConfig

NAME, DEPLOYMENT = "vivant", "face"
"""Of the application, and of its one deployment."""
HEALTH_S, HEALTH_TIMEOUT_S = 2.0, 30.0
"""From one question of Serve's for a replica's health to the next, and how long the answer may take: a machine that is only
busy keeps its faces, and one that is gone is noticed otherwise. Chosen."""
UNASKED_US = round(4e6 * HEALTH_S)
"""Then Serve may have stopped counting on it; chosen."""


@dataclass(frozen=True, slots=True)
class ReplicaConfig:
    """What all replicas have in common; words and numbers only."""

    limits: Limits
    portraits: str
    """Folder or URL of the `PortraitStore` that all share."""
    motion: str = "voice"


class FaceReplica:
    """A deployment of Ray Serve. Its requests are leases; they last as long as the calls that they are for."""

    async def __init__(self, config: ReplicaConfig) -> None:  # type: ignore[misc]  # Serve awaits it
        log_to_stderr()
        allow_asking()
        self._leases, self._token = Leases(), secrets.token_hex(32)
        self._certificate: bytes | None = None
        host = get_node_ip_address()
        with tempfile.TemporaryDirectory(prefix="vivant-") as folder:  # gRPC is given what is in it when the port opens
            chain, key = (None, None) if is_loopback(host) else make_certificate(Path(folder))
            if chain is not None:
                self._certificate = chain.read_bytes()
            asked = ServerConfig(0, Security(host, chain, key, self._token), config.limits, portraits=config.portraits)
            self._server = Server(asked, motion=motion_model(config.motion), guards=[self._leases], behind_gateway=True)
            await self._server.__aenter__()
        await self._server.measure()
        self._address = f"{host}:{self._server.port}"
        self._clock = MonotonicClock()
        self._asked_us = self._clock.now_us()
        self._watching = asyncio.create_task(self._leave_when_stopped())

    async def lease(self) -> AsyncIterator[Lease]:
        """One, and then nothing until it is over."""
        with self._leases.held() as (lease, over):
            yield Lease(lease, self._address, self._token, self._certificate)
            await over()

    async def check_health(self) -> None:
        """Serve asks as long as it counts on this replica."""
        self._asked_us = self._clock.now_us()

    async def _leave_when_stopped(self) -> None:
        """Serve waits for leases to end and tells nobody; so faces are left, each between two lines, once it does not ask for
        health any more and says that replicas are being stopped. Silence alone may be a controller that restarts."""
        while self._clock.now_us() - self._asked_us < UNASKED_US or not await asyncio.to_thread(is_one_stopping):
            await self._clock.sleep_until(self._clock.now_us() + UNASKED_US // 4)
        self._server.host.drain()

    async def __del__(self) -> None:
        self._watching.cancel()
        await self._server.__aexit__()


def is_one_stopping() -> bool:
    """Whether Serve stops replicas of the application, or all of it."""
    application = serve.status().applications.get(NAME)
    if application is None or application.status == ApplicationStatus.DELETING:
        return True
    return bool(application.deployments[DEPLOYMENT].replica_states.get("STOPPING"))
