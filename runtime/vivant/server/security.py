"""Who may call: loopback is open, everything else needs TLS and a token."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import grpc

from vivant.errors import InputError, UnavailableError
from vivant.loopback import is_loopback

OPEN_SERVICES = ("/grpc.health.v1.Health/",)


@dataclass(frozen=True, slots=True)
class Security:
    """How a server is reached."""

    host: str = "127.0.0.1"
    certificate: Path | None = None
    key: Path | None = None
    token: str | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise InputError("TLS needs a certificate and its key; give both or none")
        if not is_loopback(self.host) and (self.certificate is None or not self.token):
            raise InputError(f"on {self.host}, which is not loopback, TLS and a token are required")
        if self.token and not (self.token.isascii() and self.token.isprintable()):
            raise InputError("a token is one line of ASCII letters, digits and signs, for nothing else can be sent with a call")

    def credentials(self) -> grpc.ServerCredentials | None:
        """None for plain text. Raises InputError for files that cannot be read, are no PEM, or do not belong together."""
        if self.certificate is None or self.key is None:
            return None
        try:
            from vivant.server.tls import key_and_chain
        except ImportError as error:
            raise UnavailableError("TLS needs an installation; a portable server has none and serves on loopback") from error
        return grpc.ssl_server_credentials([key_and_chain(self.key, self.certificate)])


def is_same_machine(peer: str) -> bool:
    """A gRPC peer such as ``ipv4:127.0.0.1:5000`` on this machine."""
    return peer.startswith(("ipv4:127.", "ipv6:%5B::1%5D", "ipv6:[::1]", "unix:"))


class TokenGuard(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Refuses calls without ``authorization: Bearer TOKEN``, except the health check."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        handler = await continuation(details)
        given = str(dict(details.invocation_metadata or ()).get("authorization", "")).encode()
        if details.method.startswith(OPEN_SERVICES) or hmac.compare_digest(given, self._expected) or handler is None:
            return handler

        async def refuse(_: object, context: grpc.aio.ServicerContext) -> None:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is missing or wrong")

        kinds = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }
        return kinds[handler.request_streaming, handler.response_streaming](refuse)
