"""The signing key: the user's own by the settings, or a local one that is made once, kept by itself, and mended by itself."""

from __future__ import annotations

import datetime
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from vivant.errors import InputError, OutputError
from vivant.locks import alone
from vivant.media.atomic import replacing
from vivant.media.inputs import require_file
from vivant.private import FILE_MODE, private_folder
from vivant.provenance.settings import Settings, config_folder

Note = Callable[[str], None]
"""Hears a sentence for the user."""
_BEGIN = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_VALID = datetime.timedelta(days=130 * 365)
"""Nobody vouches for a local certificate, so nothing is won by its end; and no clock that jumps gets out of these years."""
_MISSING = ""


def quiet(sentence: str) -> None:
    """A `Note` that nobody hears."""


def key_files(note: Note = quiet) -> tuple[Path, Path]:
    """(certificate chain, private key) as PEM: those of the settings, or local ones made on first use.

    Local ones that cannot be used are made anew, and the old ones kept as ``key.pem.old1``; those of the settings are never
    touched. Raises InputError for settings that name what cannot be used, OutputError where no key can be kept.
    """
    own = Settings.load()
    if own.certificate and own.key:
        for path, noun in ((own.certificate, "certificate"), (own.key, "key")):
            require_file(Path(path), noun)
        _require_private(Path(own.key))
        return Path(own.certificate), Path(own.key)
    chain, key = local_files()
    with reporting_key(key):
        if _fault(chain, key) is not None:
            _make_once(chain, key, note)
        _make_private(key, note)
    return chain, key


def local_files() -> tuple[Path, Path]:
    """Where the certificate chain and the key of this machine lie, made or not."""
    return config_folder() / "certificate.pem", config_folder() / "key.pem"


def renew() -> tuple[Path, Path]:
    """A new local key in place of the old one, which is kept aside. Raises OutputError."""
    chain, key = local_files()
    with reporting_key(key), alone(private_folder(key.parent) / ".lock"):
        _make(chain, key)
    return chain, key


@contextmanager
def reporting_key(key: Path) -> Iterator[None]:
    """Turn every failure to read or keep ``key`` into an OutputError that says what to do."""
    try:
        yield
    except (OSError, OutputError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"nothing can be signed, as the key {key} can be neither read nor made ({reason}); set VIVANT_CONFIG_DIR to a"
            " folder that you may write to"
        ) from error


def _make_once(chain: Path, key: Path, note: Note) -> None:
    """Many first runs at once make one pair: the others wait, and then find it."""
    with alone(private_folder(key.parent) / ".lock"):
        fault = _fault(chain, key)
        if fault is None:
            return
        _make(chain, key)
    if fault is not _MISSING:
        note(f"{fault}, so a new key was made, and the old one kept beside it; what it signed is no longer known as yours")


def _fault(chain: Path, key: Path) -> str | None:
    """Why this pair cannot sign; None if it can. Raises OSError for what is there and cannot be read."""
    if not chain.exists() and not key.exists():
        return _MISSING
    for path in (chain, key):
        if not path.exists():
            return f"{path} is missing"
    try:
        certificate = x509.load_pem_x509_certificates(chain.read_bytes())[0]
    except ValueError:
        return f"{chain} holds no certificate"
    try:
        secret = serialization.load_pem_private_key(key.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it wants a password
        return f"{key} holds no key that can be read"
    if not isinstance(secret, ec.EllipticCurvePrivateKey):
        return f"{key} is no key for ES256"
    if secret.public_key() != certificate.public_key():
        return f"{key} does not fit its certificate"
    now = datetime.datetime.now(datetime.UTC)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return f"{chain} is not valid on {now:%Y-%m-%d}, the date of this machine"
    return None


def _make(chain: Path, key: Path) -> None:
    """A key that only this user can read, and a certificate of a root of its own, whose key is forgotten at once.

    Both appear when both are written; whoever is killed in between leaves a pair that does not fit, which is mended.
    """
    root_key, own_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, own_name = (
        x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, text),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Vivant, this machine"),
            ]
        )
        for text in ("Vivant local root", "Vivant local signer")
    )
    root = _certificate(root_name, root_name, root_key, root_key, _BEGIN, is_root=True)
    own = _certificate(own_name, root_name, own_key, root_key, _BEGIN, is_root=False)
    pem = serialization.Encoding.PEM
    with replacing(chain, private=True) as new_chain, replacing(key, private=True) as new_key:
        new_chain.write_bytes(own.public_bytes(pem) + root.public_bytes(pem))
        new_key.write_bytes(own_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        for old in (chain, key):
            if old.exists():
                _keep_aside(old)


def _keep_aside(path: Path) -> None:
    """A copy as ``key.pem.old1``, or the next free number: what is kept there is nobody's to overwrite."""
    names = (path.with_name(f"{path.name}.old{number}") for number in itertools.count(1))
    shutil.copy2(path, next(name for name in names if not name.exists()))


def _others_may_read(key: Path) -> bool:
    """As the program for secure shells sees it: of a file of our own, by its mode."""
    if os.name == "nt":
        return False
    status = key.stat()
    return status.st_uid == os.geteuid() and bool(status.st_mode & 0o077)


def _make_private(key: Path, note: Note) -> None:
    if _others_may_read(key):
        key.chmod(FILE_MODE)
        note(f"others could read {key}, which was closed to them; if they may have, make a new one by `vivant keys renew`")


def _require_private(key: Path) -> None:
    if _others_may_read(key):
        raise InputError(f"others can read the key {key}; close it to them by: chmod 600 {key}")


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    begin: datetime.datetime,
    *,
    is_root: bool,
) -> x509.Certificate:
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"),
        False,
    )
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number(), begin, begin + _VALID)
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, **usage), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not is_root:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
