"""Which picture a rig was built from is known only of rigs that this machine built: those carry its seal.

A seal is an HMAC-SHA256 of all other bytes of the file, under a secret of this user that lies beside the signing key. It is
the comment of the zip archive, so every reader of zip files skips it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from vivant.locks import alone
from vivant.media.atomic import replacing
from vivant.private import FILE_MODE, private_folder
from vivant.provenance.settings import config_folder
from vivant.rig.rig import Rig

_END, _END_BYTES = b"PK\5\6", 22
"""Of a zip archive without a comment; its last two bytes are the comment's length."""
_SEAL_BYTES = 64
SECRET, _SECRET_BYTES = "rigs.secret", 32


def open_rig(path: Path) -> Rig:
    """A rig file. Whose claim of a portrait is not proven is known by the hash of the file itself.

    So consent is asked for it, and no list of portraits lets it pass. Raises InputError.
    """
    rig = Rig.load(path)
    data = path.read_bytes()
    return rig if is_sealed(data) else replace(rig, portrait_sha256=hashlib.sha256(data).hexdigest())


def seal(path: Path) -> None:
    """Seal a rig that was just built, for this user's eyes alone. Raises OSError where no secret can be kept."""
    data = path.read_bytes()
    if data[-_END_BYTES:].startswith(_END):
        body = data[:-2] + _SEAL_BYTES.to_bytes(2, "little")
        path.write_bytes(body + _mac(_secret(make=True), body))
        path.chmod(FILE_MODE)


def is_sealed(data: bytes) -> bool:
    """Whether this machine built exactly these bytes."""
    if not data[-_SEAL_BYTES - _END_BYTES :].startswith(_END):
        return False
    try:
        expected = _mac(_secret(make=False), data[:-_SEAL_BYTES])
    except OSError:
        return False
    return hmac.compare_digest(expected, data[-_SEAL_BYTES:])


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, body, "sha256").hex().encode()


def _secret(*, make: bool) -> bytes:
    """Made once, whoever comes first. One of another length is none, and is made anew: what it sealed is built again."""
    path = config_folder() / SECRET
    with suppress(OSError):
        found = path.read_bytes()
        if len(found) == _SECRET_BYTES:
            return found
    if not make:
        raise FileNotFoundError(path)
    with alone(private_folder(path.parent) / ".lock"):
        if not path.exists() or path.stat().st_size != _SECRET_BYTES:
            with replacing(path, private=True) as part:
                part.write_bytes(secrets.token_bytes(_SECRET_BYTES))
        return path.read_bytes()
