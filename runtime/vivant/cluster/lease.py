"""Leases: a place on a replica that a gateway holds for one call, so that Ray Serve counts calls and leaves none behind."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

LEASE_KEY = "vivant-lease"
"""Metadata of a call: the lease that it is for."""
UNUSED_S = 10.0
"""A lease that no call came for is over: its gateway is gone. Chosen above a slow start of a call."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What a gateway is told."""

    id: str
    address: str
    """Of the replica's own gRPC port."""
    token: str
    """Of the replica, for gateways."""
    certificate: bytes | None
    """The only one that the replica shows; None for plain text, on loopback."""


@dataclass(slots=True)
class _Held:
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Leases(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """A replica's leases. On the event loop of its server, which every call passes through here."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}

    @contextmanager
    def held(self) -> Iterator[tuple[str, Callable[[], Awaitable[None]]]]:
        """A new one: its id, and what waits until its call is over, or for `UNUSED_S` where none comes."""
        lease, held = secrets.token_hex(16), _Held()
        self._held[lease] = held

        async def over() -> None:
            try:
                async with asyncio.timeout(UNUSED_S):
                    await held.begun.wait()
            except TimeoutError:
                return
            await held.over.wait()

        try:
            yield lease, over
        finally:
            del self._held[lease]

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], details: grpc.HandlerCallDetails
    ) -> Any:  # noqa: ANN401
        handler = await continuation(details)
        held = self._held.get(str(dict(details.invocation_metadata or ()).get(LEASE_KEY, "")))
        if handler is None or held is None or handler.stream_stream is None:
            return handler

        async def counted(requests: object, context: grpc.aio.ServicerContext) -> None:
            held.begun.set()
            try:
                await handler.stream_stream(requests, context)
            finally:
                held.over.set()

        return grpc.stream_stream_rpc_method_handler(counted, handler.request_deserializer, handler.response_serializer)
