"""Where a server is, and how it is spoken to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from vivant.errors import InputError
from vivant.loopback import host_of, is_loopback
from vivant.media.inputs import require_file


@dataclass(frozen=True, slots=True)
class Address:
    """A server that draws, and how it is spoken to."""

    host_and_port: str
    token_file: Path | None = None
    """Otherwise the environment's VIVANT_TOKEN."""
    tls_ca: Path | None = None
    """PEM certificate of the server's authority; without it nothing is encrypted."""

    @classmethod
    def stated(cls, host_and_port: str | None, token_file: Path | None, tls_ca: Path | None) -> Address | None:
        """Of a command's options; None where no server was named."""
        return None if host_and_port is None else cls(host_and_port, token_file, tls_ca)

    def token(self) -> str | None:
        """Raises InputError when it would travel in the clear."""
        file = self.token_file
        token = _read(file, "token").decode().strip() if file is not None else os.environ.get("VIVANT_TOKEN")
        if token and self.tls_ca is None and not is_loopback(host_of(self.host_and_port)):
            raise InputError("the token would travel in the clear; give the server's certificate with --tls-ca")
        return token or None

    def certificate(self) -> bytes | None:
        return _read(self.tls_ca, "certificate") if self.tls_ca is not None else None


def _read(path: Path, noun: str) -> bytes:
    require_file(path, noun)
    return path.read_bytes()
