"""A server's key and certificate chain, from files that people give."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from vivant.errors import InputError
from vivant.media.inputs import require_file


def key_and_chain(key_path: Path, certificate_path: Path) -> tuple[bytes, bytes]:
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


def _read(path: Path, noun: str) -> bytes:
    require_file(path, noun)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _is_served(key: object) -> bool:
    """By gRPC's library (BoringSSL)."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1)
    return isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey)
