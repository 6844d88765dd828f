"""Who calls: whoever shows a name that this server gave out, or else holds its token, or else the connection itself.

Never a name of the caller's own choice, and never an address: ports are used again, and one proxy has many callers.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
from grpc._cython import cygrpc

from vivant.client.messages import CLIENT_KEY

LANE_KEY = "vivant-lane"
"""Metadata between a gateway and the servers behind it: the address of the connection that calls the gateway."""
MOST_SOCKETS, MOST_PEERS = 1_000_000, 10_000
"""Asked for at a time; remembered, with those that are gone."""


@dataclass(frozen=True, slots=True)
class Client:
    """One caller."""

    key: str
    """Whose portraits these are; nobody else can have it."""
    lane: str
    """The connection's address. Turns are taken and room is shared out per connection, for names cost nothing."""
    is_shared: bool = False
    """Other servers of the same `PortraitStore` know the key, too: a connection's own is this server's affair."""


class Clients:
    """The names that one run of a server gave out, or all servers of one secret. On the event loop."""

    def __init__(self, *, token: bool, secret: bytes | None = None, behind_gateway: bool = False) -> None:
        """``token``: every caller has shown the server's token. ``secret``: that of a `PortraitStore`, or one from chance.
        ``behind_gateway``: callers are gateways, which say for whom they call."""
        self._secret = secret or secrets.token_bytes(32)
        self._run = secrets.token_bytes(32)
        """For what only this run knows."""
        self._behind_gateway = behind_gateway
        self._token = token
        self._connections = _Connections()

    def of(self, context: grpc.aio.ServicerContext) -> Client:
        """Who calls."""
        name, peer = _name_in(context), self.lane_of(context)
        if self._is_ours(name):
            return self.named(name, peer)
        # With a name that is not ours, such as one of an earlier run, a caller wants to be alone: no token makes up for it.
        if self._token and not name:
            return Client("token", peer, is_shared=True)
        return Client(f"connection {self._connections.number(peer)}", peer)

    def lane_of(self, context: grpc.aio.ServicerContext) -> str:
        """The address of the connection that calls, or what the gateway says of the one that calls it."""
        peer = str(context.peer())
        return _said(context, LANE_KEY) or peer if self._behind_gateway else peer

    def name_behind(self, context: grpc.aio.ServicerContext) -> str:
        """The name under which servers behind this one know this caller, also one that has none."""
        if self._is_ours(name := _name_in(context)):
            return name
        client = self.of(context)
        salt = self._secret if client.is_shared else self._run
        return self._made(hmac.new(salt, client.key.encode(), hashlib.sha256).hexdigest()[:32])

    def name_for(self, context: grpc.aio.ServicerContext) -> str:
        """The name that this caller shall use from now on."""
        return self.name_of(_name_in(context))

    def name_of(self, shown: str) -> str:
        """The name that a caller showed, or a new one where it is not ours."""
        return shown if self._is_ours(shown) else self._made(secrets.token_hex(16))

    @staticmethod
    def named(name: str, lane: str) -> Client:
        """Whoever holds a name of ours, on that connection."""
        return Client(f"name {name}", lane, is_shared=True)

    def _made(self, nonce: str) -> str:
        return f"{nonce}.{hmac.new(self._secret, nonce.encode(), hashlib.sha256).hexdigest()}"

    def _is_ours(self, name: str) -> bool:
        return hmac.compare_digest(self._made(name.partition(".")[0]).encode(), name.encode())


def _name_in(context: grpc.aio.ServicerContext) -> str:
    return _said(context, CLIENT_KEY)


def _said(context: grpc.aio.ServicerContext, key: str) -> str:
    return str(dict(context.invocation_metadata() or ()).get(key, ""))


class _Connections:
    """gRPC's own numbers of connections, of which no two have the same in one process."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        """By peer. One that is gone calls no more, and when its port is used again, the new number replaces it."""
        self._next = 0

    def number(self, peer: str) -> str:
        """Of the connection from ``peer`` that lives. Where gRPC tells nothing, each call is somebody new."""
        try:
            if len(self._numbers) > MOST_PEERS:
                self._numbers, self._next = {}, 0
            for number, name in _sockets(self._next):
                self._numbers[name] = max(number, self._numbers.get(name, 0))
                self._next = max(number + 1, self._next)
            return str(self._numbers[peer])
        except (AttributeError, KeyError, ValueError):
            return secrets.token_hex(16)


def _sockets(first: int) -> Iterator[tuple[int, str]]:
    """Number, from ``first`` on, and peer of every connection to a server of this process. Needs ``grpc.enable_channelz``."""
    for server in _listed(cygrpc.channelz_get_servers(0), "server"):
        found = cygrpc.channelz_get_server_sockets(int(server["ref"]["serverId"]), first, MOST_SOCKETS)
        for socket in _listed(found, "socketRef"):
            yield int(socket["socketId"]), str(socket["name"]).rpartition(" ")[2]


def _listed(answer: bytes | str, what: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(answer).get(what, [])
    return found
