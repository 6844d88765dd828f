"""The gateway of a cluster as ``vivant serve --cluster`` opens it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ray

from vivant.cluster.application import Scale, ServePlaces, deploy
from vivant.cluster.gateway import Gateway, Places
from vivant.cluster.joining import joined
from vivant.cluster.replica import ReplicaConfig
from vivant.errors import InputError
from vivant.loopback import is_loopback
from vivant.server.clients import Clients
from vivant.server.listener import Listener
from vivant.server.portrait_store import PortraitStore
from vivant.server.server import DRAIN_S, ServerConfig


@dataclass(frozen=True, slots=True)
class Cluster:
    """A deployed application, and what a gateway to it needs to know."""

    places: Places
    portraits: str
    scale: Scale


@contextmanager
def started(config: ServerConfig, scale: Scale, motion: str = "voice") -> Iterator[Cluster]:
    """Ray and the application, which a cluster that was there keeps when the block ends. Blocks until faces can be drawn.

    Raises InputError where several machines have no store of portraits in common.
    """
    with joined(), _store_for(config.portraits) as portraits:
        handle = deploy(scale, ReplicaConfig(config.limits, portraits, motion))
        yield Cluster(ServePlaces(handle), portraits, scale)


@contextmanager
def _store_for(url: str | None) -> Iterator[str]:
    """The one that was named, or a folder of this run where all nodes are this machine."""
    if url is not None:
        yield url if "://" in url else str(Path(url).absolute())
        return
    if not all(is_loopback(str(node["NodeManagerAddress"])) for node in ray.nodes()):
        raise InputError("name a store of portraits that all machines reach, such as --portraits s3://bucket/prefix")
    with tempfile.TemporaryDirectory(prefix="vivant-portraits-") as folder:
        yield folder


class GatewayServer:
    """``async with GatewayServer(config, cluster) as server``: as `vivant.server.server.Server`, with the faces elsewhere."""

    def __init__(self, config: ServerConfig, cluster: Cluster) -> None:
        self._cluster = cluster
        secret, token = PortraitStore(cluster.portraits).secret, bool(config.security.token)
        self._gateway = Gateway(cluster.places, Clients(token=token, secret=secret), config.limits)
        self._listener = Listener(config.security, config.port, config.limits)

    @property
    def port(self) -> int:
        """The real one, once entered."""
        return self._listener.port

    async def __aenter__(self) -> GatewayServer:
        await self._listener.open(lambda server: server.add_generic_rpc_handlers((self._gateway,)))
        await self._listener.set_serving(serving=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._listener.close()

    async def drain(self, seconds: float = DRAIN_S) -> None:
        """Take no new calls, and stop when those that run are over or after ``seconds``."""
        self._gateway.is_draining = True
        await self._listener.set_serving(serving=False)
        await self._listener.close(seconds)

    def describe(self) -> str:
        """What it can do, in a line."""
        scale = self._cluster.scale
        return f"{scale.least} to {scale.most} replicas of {scale.cores} cores, {scale.aim} faces each"
