"""Who may call: loopback is open, everything else needs TLS and a token."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from vivant.errors import InputError
from vivant.loopback import is_loopback
from vivant.media.inputs import require_file

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
        return grpc.ssl_server_credentials([_pair(self.key, self.certificate)])


def _read(path: Path, noun: str) -> bytes:
    require_file(path, noun)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _pair(key_path: Path, certificate_path: Path) -> tuple[bytes, bytes]:
    """Key and chain in PEM, written anew, so that nothing is left in them that gRPC could stumble over: it only says that it
    cannot listen."""
    key_pem, chain_pem = _read(key_path, "key"), _read(certificate_path, "certificate")
    try:
        chain = x509.load_pem_x509_certificates(chain_pem)
        its_key = chain[0].public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"{certificate_path} holds no PEM certificate; give the server's chain, its own first") from error
    try:
        key = serialization.load_pem_private_key(key_pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(
            f"{key_path} holds no PEM private key without a password; give the key of {certificate_path}"
        ) from error
    if key.public_key() != its_key:
        raise InputError(f"the key {key_path} does not belong to the certificate {certificate_path}; give the two of one pair")
    if not _is_served(key):
        raise InputError(f"{key_path} is of a kind that TLS servers do not use; make one of ECDSA (P-256), Ed25519 or RSA")
    pem, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    return (
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_password),
        b"".join(each.public_bytes(pem) for each in chain),
    )


def _is_served(key: object) -> bool:
    """By gRPC's library (BoringSSL)."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1)
    return isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey)


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
