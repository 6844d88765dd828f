"""The gateway: one gRPC port before all replicas. It hands bytes on and reads no message.

    client ──► gateway ──► replica          a lease from Ray Serve says which replica; the call stays there to its end

A call is one stream on each side, so HTTP/2 holds a fast sender back as without a gateway, and a call's status is the replica's
own. A replica that is lost ends its calls with UNAVAILABLE, and the next call of the same client goes to another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias
from weakref import WeakValueDictionary

import grpc

from vivant.client.client import AHEAD_BYTES, MAX_MESSAGE_BYTES
from vivant.client.messages import CLIENT_KEY
from vivant.cluster.lease import LEASE_KEY, Lease
from vivant.server.clients import LANE_KEY, Clients
from vivant.server.limits import Limits
from vivant.server.listener import SERVICE_NAME
from vivant.server.service import READ_AT_ONCE
from vivant.server.status import StatusError, abort, first_of, full

LEASE_S = 20.0
"""Within which a call finds a replica; chosen above the start of a new one on a machine that is there."""
RETRY_AFTER_MS = 1000
PING_MS, LOST_MS = 2000, 5000
"""A replica is asked so often whether it lives, half as often as its port allows, and is lost without an answer for so long."""
TRIES = 4
"""Replicas that are asked before a call is refused; chosen."""
ELSEWHERE = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE)
"""What another replica may answer otherwise."""
OWN_NAME = "vivant"
"""In every replica's certificate."""
GONE = "the machine with this face is gone; animate the face again"
Context: TypeAlias = grpc.aio.ServicerContext


class Places(Protocol):
    """Where calls go."""

    def lease(self) -> AsyncGenerator[Lease, None]:
        """One lease, held until the generator is closed. Raises a StatusError where there is no room."""
        ...


@dataclass(slots=True)
class _Link:
    """A connection to a replica, for the calls that are there."""

    channel: grpc.aio.Channel
    n_calls: int = 0


class Gateway(grpc.GenericRpcHandler):  # type: ignore[misc]
    """A handler for all methods of the contract. On one event loop."""

    def __init__(self, places: Places, clients: Clients, limits: Limits) -> None:
        self._places, self._clients, self._limits = places, clients, limits
        self._links: dict[str, _Link] = {}
        """By the replica's token, for addresses are used again."""
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        """To read, by connection."""
        self.is_draining = False

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """On the wire a single message is a stream of one."""
        if not details.method.startswith(f"/{SERVICE_NAME}/"):
            return None
        return grpc.stream_stream_rpc_method_handler(partial(self._answer, details.method))

    async def _answer(self, method: str, _: object, context: Context) -> None:
        """One call, from its first message to its status."""
        try:
            if self.is_draining:
                raise StatusError(grpc.StatusCode.UNAVAILABLE, "this gateway is about to close", RETRY_AFTER_MS)
            await self._anywhere(method, await self._first_message(context), context)
        except grpc.aio.InternalError:
            raise  # a write to a client that is gone: gRPC knows what to do
        except Exception as error:
            await abort(context, first_of(error))

    async def _first_message(self, context: Context) -> bytes:
        """Before anything is leased: whoever says nothing holds nothing. Few at a time of a connection, as in `FaceService`."""
        turn = self._turns.setdefault(self._clients.lane_of(context), asyncio.Semaphore(READ_AT_ONCE))
        try:
            async with asyncio.timeout(self._limits.first_message_s), turn:
                first = await context.read()
        except TimeoutError as error:
            sentence = f"the first message of a call must come within {self._limits.first_message_s:g} seconds"
            raise StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, sentence) from error
        return b"" if first is grpc.aio.EOF else first

    @asynccontextmanager
    async def _leased(self) -> AsyncIterator[Lease]:
        async with aclosing(self._places.lease()) as leases:
            try:
                async with asyncio.timeout(LEASE_S):
                    lease = await anext(leases)
            except TimeoutError as error:
                raise full("all machines are busy, and no new one has come; try again later", RETRY_AFTER_MS) from error
            yield lease

    async def _anywhere(self, method: str, first: bytes, context: Context) -> None:
        """On one replica, or on another one where that is full or gone before it has answered anything."""
        for n_left in reversed(range(TRIES)):
            async with self._leased() as lease:
                refused = await self._hand_on(lease, method, first, context)
            if refused is None:
                return
            if refused.code not in ELSEWHERE or not n_left:
                raise refused

    async def _hand_on(self, lease: Lease, method: str, first: bytes, context: Context) -> StatusError | None:
        """The call to its end; what it was refused for where nothing was answered. Raises what ends it later."""
        metadata = (
            ("authorization", f"Bearer {lease.token}"),
            (LEASE_KEY, lease.id),
            (CLIENT_KEY, self._clients.name_behind(context)),
            (LANE_KEY, self._clients.lane_of(context)),
        )
        with self._linked(lease) as channel:
            call = channel.stream_stream(method)(metadata=metadata)
            sending: asyncio.Task[None] | None = None
            try:
                await call.write(first)
                if (response := await call.read()) is grpc.aio.EOF:
                    return await _refusal_of(call)
                await context.send_initial_metadata(_own(await call.initial_metadata()))
                sending = asyncio.create_task(_send(context, call))
                while response is not grpc.aio.EOF:
                    await context.write(response)
                    response = await call.read()
                if (refused := await _refusal_of(call)) is not None:
                    raise refused
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
                refused = await _refusal_of(call)
                if sending is None:
                    return refused
                raise refused or error from error
            finally:
                if sending is not None:
                    sending.cancel()
                call.cancel()
        return None

    @contextmanager
    def _linked(self, lease: Lease) -> Iterator[grpc.aio.Channel]:
        """One connection for all calls on a replica, for as long as there are some."""
        link = self._links.get(lease.token)
        if link is None:
            link = self._links[lease.token] = _Link(_channel_to(lease))
        link.n_calls += 1
        try:
            yield link.channel
        finally:
            link.n_calls -= 1
            if not link.n_calls:
                del self._links[lease.token]
                self._closing = asyncio.create_task(link.channel.close())


def _channel_to(lease: Lease) -> grpc.aio.Channel:
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", -1),
        ("grpc.http2.lookahead_bytes", AHEAD_BYTES),
        ("grpc.keepalive_time_ms", PING_MS),
        ("grpc.keepalive_timeout_ms", LOST_MS),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_retries", 0),
        ("grpc.enable_http_proxy", 0),
    ]
    if lease.certificate is None:
        return grpc.aio.insecure_channel(lease.address, options)
    options += [("grpc.ssl_target_name_override", OWN_NAME)]
    return grpc.aio.secure_channel(lease.address, grpc.ssl_channel_credentials(lease.certificate), options)


async def _send(context: Context, call: Any) -> None:  # noqa: ANN401
    """What the client sends after its first message, to its end. Where a write fails the call is over; its status says why."""
    with suppress(asyncio.InvalidStateError, grpc.aio.AioRpcError, grpc.aio.InternalError, grpc.aio.UsageError):
        while (request := await context.read()) is not grpc.aio.EOF:
            await call.write(request)
        await call.done_writing()


def _own(metadata: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    """What the contract says of metadata; the rest is gRPC's."""
    return [(key, value) for key, value in metadata or () if key == CLIENT_KEY]


async def _refusal_of(call: Any) -> StatusError | None:  # noqa: ANN401
    """The replica's own words at the end of a call; where it has none, it is gone. None for a call that ended well."""
    code, hint = await call.code(), dict(await call.trailing_metadata() or ()).get("retry-after-ms")
    if code == grpc.StatusCode.OK:
        return None
    if code == grpc.StatusCode.UNAVAILABLE and hint is None:
        return StatusError(code, GONE, RETRY_AFTER_MS)
    return StatusError(code, await call.details() or code.name, int(hint) if hint is not None else None)
