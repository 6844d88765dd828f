"""Signers whom this user knows: the own key, and those on a list of certificates.

Whether a signature leads to one of these certificates is c2pa's to say, by their keys; names do not matter, anybody may take
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from vivant.errors import InputError
from vivant.media.inputs import require_file
from vivant.provenance.keys import local_files
from vivant.provenance.settings import Settings


@dataclass(frozen=True, slots=True)
class Trust:
    """The certificates of one file."""

    anchors: str
    """PEM of the authorities, to one of which a signature must lead."""
    signers: frozenset[str]
    """Serial numbers, decimal, of the signers who are meant; empty if all are for whom the authorities vouch."""

    @classmethod
    def load(cls, path: Path) -> Trust:
        """Signers with their authorities, who are then known alone, or authorities. Raises InputError for anything else."""
        require_file(path, "certificate")
        try:
            found = x509.load_pem_x509_certificates(path.read_bytes())
            authorities = [certificate for certificate in found if _is_authority(certificate)]
        except (ValueError, OSError) as error:
            raise InputError(f"{path} holds no certificates in PEM that can be read; give those of signers you know") from error
        if not authorities:
            raise InputError(
                f"{path} lacks the certificate of the authority that vouches for its signers; give the whole chain"
            )
        anchors = "".join(certificate.public_bytes(serialization.Encoding.PEM).decode() for certificate in authorities)
        signers = frozenset(str(certificate.serial_number) for certificate in found if certificate not in authorities)
        return cls(anchors, signers)


def known_signers(more: Path | None) -> list[Trust]:
    """The own key, if there is one, and the list that the user names. Raises InputError for a list that cannot be read."""
    settings = Settings.load()
    own = Path(settings.certificate) if settings.certificate else local_files()[0]
    named = more or (Path(settings.trust) if settings.trust else None)
    return [*_own(own), *([Trust.load(named)] if named else [])]


def _own(chain: Path) -> list[Trust]:
    """None where there is no certificate that can be read, or only that of the signer, whose authority nobody knows."""
    try:
        own = Trust.load(chain)
    except InputError:
        return []
    return [own] if own.signers else []


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
