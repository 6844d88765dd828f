"""Content credentials (C2PA) in the files that we write: who made them, from what, and that they are synthetic."""

from __future__ import annotations

import datetime
import json
import os
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from vivant.errors import OutputError
from vivant.honest.settings import Settings, config_folder
from vivant.media.atomic import reporting
from vivant.media.inputs import require_file
from vivant.sealed.content import c2pa, context

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic"
"""IPTC: a composite in which at least one element is synthetic."""
EMBEDDED = {".mp4": "video/mp4", ".mov": "video/quicktime", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
SIDECAR = {".gif": "image/gif"}
"""C2PA can embed here too, but few readers of GIF look; the manifest lies beside it as ``name.gif.c2pa``."""
_MAGIC = {
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/png": re.compile(rb"\x89PNG"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "image/gif": re.compile(rb"GIF8"),
    "image/bmp": re.compile(rb"BM"),
    "image/tiff": re.compile(rb"II\*\0|MM\0\*"),
    "audio/wav": re.compile(rb"RIFF....WAVE", re.DOTALL),
    "audio/flac": re.compile(rb"fLaC"),
    "audio/mpeg": re.compile(rb"ID3|\xff[\xe0-\xff]"),
    "audio/ogg": re.compile(rb"OggS"),
    "video/mp4": re.compile(rb"....ftyp", re.DOTALL),
    "video/avi": re.compile(rb"RIFF....AVI ", re.DOTALL),
    "video/webm": re.compile(rb"\x1aE\xdf\xa3"),
}
_UNKNOWN = "application/octet-stream"
_VALID = datetime.timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a manifest says of a file."""

    portrait_sha256: str
    audio_sha256: str
    consent: str
    session_id: int
    models: tuple[str, ...]
    portrait: Path | None = None
    """The image file, whose own credentials are kept as those of the parent; None for a rig, which has none."""
    audio: Path | None = None
    """The sound file; None where nothing is spoken."""
    label_off_reason: str | None = None


def can_sign(path: Path) -> bool:
    """Whether credentials can be bound to such a file; Matroska and WebM are unknown to C2PA."""
    return path.suffix.lower() in EMBEDDED or path.suffix.lower() in SIDECAR


def sign(source: Path, target: Path, claim: Claim, now: datetime.datetime) -> Path | None:
    """Write ``source`` with credentials to ``target``; returns the sidecar that belongs to it, for formats that need one.

    Raises OutputError when the key cannot be made or the library refuses; ``target`` is then unfinished.
    """
    suffix = target.suffix.lower()
    try:
        with _signer() as signer, _builder(claim, source.name, now) as builder:
            if suffix in SIDECAR:
                builder.set_no_embed()
                with source.open("rb") as data, target.open("w+b") as copy:
                    manifest = builder.sign(signer, SIDECAR[suffix], data, copy)
                beside = target.with_name(target.name + ".c2pa")
                beside.write_bytes(manifest)
                return beside
            with source.open("rb") as data, target.open("w+b") as copy:
                builder.sign(signer, EMBEDDED[suffix], data, copy)
    except c2pa.C2paError as error:
        raise OutputError(f"{target.name} could not be given content credentials: {error}") from error
    return None


def _builder(claim: Claim, title: str, now: datetime.datetime) -> c2pa.Builder:
    action: dict[str, Any] = {
        "action": "c2pa.edited" if claim.portrait else "c2pa.created",
        "digitalSourceType": SOURCE_TYPE,
        "when": now.isoformat(timespec="seconds"),
        "softwareAgent": {"name": "Vivant", "version": version("vivant")},
        "description": "a portrait was made to speak",
    }
    said = {
        "models": list(claim.models),
        "consent": claim.consent,
        "portrait_sha256": claim.portrait_sha256,
        "audio_sha256": claim.audio_sha256,
        "watermark": {"product": "vivant", "session_id": f"{claim.session_id:08x}"},
        "label_off_reason": claim.label_off_reason,
    }
    manifest = {
        "claim_generator_info": [{"name": "Vivant", "version": version("vivant")}],
        "title": title,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [action]}},
            {"label": "org.vivant.session", "data": said},
        ],
    }
    builder = c2pa.Builder.from_json(json.dumps(manifest), context({"builder": {"thumbnail": {"enabled": False}}}))
    if claim.portrait is not None:
        builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        _add_ingredient(builder, claim.portrait, "portrait", "parentOf", claim.portrait_sha256)
    if claim.audio is not None:
        _add_ingredient(builder, claim.audio, "sound", "inputTo", claim.audio_sha256)
    return builder


def _add_ingredient(builder: c2pa.Builder, path: Path, title: str, relationship: str, sha256: str) -> None:
    """With its own credentials where its format can carry some. File names stay at home: they are nobody's business."""
    said = {"title": title, "relationship": relationship, "description": f"SHA-256 {sha256}"}
    kind = media_type(path)
    with path.open("rb") as data:
        try:
            builder.add_ingredient(said, kind, data)
        except c2pa.C2paError:  # damaged, as that format: it is named by its hash alone
            data.seek(0)
            builder.add_ingredient(said, _UNKNOWN, data)


def media_type(path: Path) -> str:
    """By its content: a wrong extension does not matter."""
    with path.open("rb") as file:
        head = file.read(16)
    for kind, pattern in _MAGIC.items():
        if pattern.match(head):
            return kind
    return _UNKNOWN


def _signer() -> c2pa.Signer:
    chain, key = key_files()
    info = c2pa.C2paSignerInfo(b"es256", chain.read_bytes(), key.read_bytes(), b"")
    info.ta_url = None
    return c2pa.Signer.from_info(info)


def key_files() -> tuple[Path, Path]:
    """(certificate chain, private key) as PEM: those of the settings, or local ones made on first use."""
    own = Settings.load()
    if own.certificate and own.key:
        for path, noun in ((own.certificate, "certificate"), (own.key, "key")):
            require_file(Path(path), noun)
        return Path(own.certificate), Path(own.key)
    folder = config_folder()
    chain, key = folder / "certificate.pem", folder / "key.pem"
    if not (chain.exists() and key.exists()):
        with reporting(key):
            _make_key(chain, key)
    return chain, key


def _make_key(chain: Path, key: Path) -> None:
    """A key that only this user can read, and a certificate of a root of its own, whose key is forgotten at once."""
    chain.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
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
    now = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    root = _certificate(root_name, root_name, root_key, root_key, now, is_root=True)
    own = _certificate(own_name, root_name, own_key, root_key, now, is_root=False)
    pem = serialization.Encoding.PEM
    secret = own_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain.write_bytes(own.public_bytes(pem) + root.public_bytes(pem))
    key.unlink(missing_ok=True)
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)


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
