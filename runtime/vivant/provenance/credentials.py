"""Content credentials (C2PA) in the files that we write: who made them, from what, and that they are synthetic."""

from __future__ import annotations

import datetime
import io
import json
import re
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from PIL import Image

from vivant.errors import OutputError
from vivant.provenance.keys import Note, quiet, reporting_key
from vivant.provenance.keys import _certificate as _certificate
from vivant.provenance.keys import key_files as key_files
from vivant.sealed.content import c2pa, context
from vivant.voices.voice import VoiceCard

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SOURCE_TYPE = f"{_SOURCE_TYPES}compositeSynthetic"
"""IPTC: a composite in which at least one element is synthetic."""
EMBEDDED = {
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".wav": "audio/wav",
}
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
_NO_THUMBNAIL = {"builder": {"thumbnail": {"enabled": False}}}


@dataclass(frozen=True, slots=True)
class DriveClaim:
    """What a manifest says of the recording that drove a face."""

    kind: str
    """``video`` or ``motion file``."""
    sha256: str
    """Of the file."""
    path: Path
    consent: str | None = None
    """Who a video was said to show; None where nobody can be seen."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a manifest says of a file."""

    portrait_sha256: str
    """Of the image file; of the rig file itself, where its portrait is not proven; empty for speech without a face."""
    audio_sha256: str
    consent: str
    session_id: int
    models: tuple[str, ...]
    portrait: Path | None = None
    """The image file, whose own credentials are kept as those of the parent; None for a rig, which has none."""
    audio: Path | None = None
    """The sound file; None where nothing is spoken."""
    label_off_reason: str | None = None
    portrait_kind: str = "picture"
    """What has that hash: ``picture`` or ``rig file``."""
    drive: DriveClaim | None = None
    """None where the voice alone moves the face."""
    voice: VoiceCard | None = None
    """The synthetic voice that speaks; None where the sound was given."""

    @property
    def description(self) -> str:
        """In words."""
        if not self.portrait_sha256:
            return "a text was spoken by a synthetic voice"
        return "a portrait was made to speak" + (f", driven by {self.drive.kind}" if self.drive else "")

    @property
    def source_type(self) -> str:
        """IPTC's digital source type."""
        if self.voice is None or self.portrait_sha256:
            return SOURCE_TYPE
        return _SOURCE_TYPES + ("trainedAlgorithmicMedia" if self.voice.trained_on else "algorithmicMedia")


def can_sign(path: Path) -> bool:
    """Whether credentials can be bound to such a file; Matroska and WebM are unknown to C2PA."""
    return path.suffix.lower() in EMBEDDED or path.suffix.lower() in SIDECAR


def sidecar_of(path: Path) -> Path:
    """Where the manifest of a format lies that does not carry it."""
    return path.with_name(path.name + ".c2pa")


def sign(source: Path, target: Path, claim: Claim, now: datetime.datetime, *, title: str | None = None) -> bytes | None:
    """Write ``source`` with credentials to ``target``; returns the manifest that lies beside it, for formats that need it.

    ``title`` is the file's name for people, if it is to have another one than ``target``. Raises OutputError when there is no
    key or the library refuses; ``target`` is then unfinished.
    """
    title = title or target.name
    suffix = target.suffix.lower()
    try:
        with _signer() as signer, _builder(claim, title, now) as builder, source.open("rb") as data, target.open("w+b") as copy:
            if suffix in SIDECAR:
                builder.set_no_embed()
            manifest: bytes = builder.sign(signer, (EMBEDDED | SIDECAR)[suffix], data, copy)
    except c2pa.C2paError as error:
        raise OutputError(f"{title} could not be given content credentials: {error}") from error
    return manifest if suffix in SIDECAR else None


def _builder(claim: Claim, title: str, now: datetime.datetime) -> c2pa.Builder:
    action: dict[str, Any] = {
        "action": "c2pa.edited" if claim.portrait else "c2pa.created",
        "digitalSourceType": claim.source_type,
        "when": now.isoformat(timespec="seconds"),
        "softwareAgent": {"name": "Vivant", "version": version("vivant")},
        "description": claim.description,
    }
    manifest = {
        "claim_generator_info": [{"name": "Vivant", "version": version("vivant")}],
        "title": title,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [action]}},
            {"label": "org.vivant.session", "data": _said(claim)},
        ],
    }
    # Names and reasons of another character set hold halves of characters, which are no JSON.
    told = json.dumps(manifest, ensure_ascii=False).encode(errors="replace").decode()
    builder = c2pa.Builder.from_json(told, context(_NO_THUMBNAIL))
    if claim.portrait is not None:
        builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        _add_ingredient(builder, claim.portrait, "portrait", "parentOf", claim.portrait_sha256)
    if claim.audio is not None:
        _add_ingredient(builder, claim.audio, "sound", "inputTo", claim.audio_sha256)
    if claim.drive is not None:
        _add_ingredient(builder, claim.drive.path, f"driving {claim.drive.kind}", "inputTo", claim.drive.sha256)
    return builder


def _said(claim: Claim) -> dict[str, Any]:
    """What only Vivant says of a file."""
    said: dict[str, Any] = {"models": list(claim.models)}
    if claim.portrait_sha256:
        said |= {
            "consent": claim.consent,
            "portrait_sha256": claim.portrait_sha256,
            "portrait_kind": claim.portrait_kind,
            "audio_sha256": claim.audio_sha256,
            "watermark": {"product": "vivant", "session_id": f"{claim.session_id:08x}"},
            "label_off_reason": claim.label_off_reason,
        }
    if claim.drive is not None:
        said["drive"] = {"kind": claim.drive.kind, "sha256": claim.drive.sha256, "consent": claim.drive.consent}
    if claim.voice is not None:
        said["voice"] = asdict(claim.voice)
    return said


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


def require_signature(note: Note = quiet) -> None:
    """Before any work: sign a picture of one pixel, so that what is made can be signed at its end.

    ``note`` hears what was mended of the key. Raises OutputError with what to do.
    """
    pixel = io.BytesIO()
    Image.new("RGB", (1, 1)).save(pixel, "PNG")
    manifest = json.dumps({"claim_generator_info": [{"name": "Vivant"}], "assertions": []})
    try:
        with _signer(note) as signer, c2pa.Builder.from_json(manifest, context(_NO_THUMBNAIL)) as builder:
            builder.set_intent(c2pa.C2paBuilderIntent.CREATE, c2pa.C2paDigitalSourceType.COMPOSITE_SYNTHETIC)
            builder.sign(signer, "image/png", pixel, io.BytesIO())
    except c2pa.C2paError as error:
        chain, key = key_files()
        raise OutputError(f"nothing can be signed with {chain} and {key} ({error}); name a valid pair, ES256 as PEM") from error


def _signer(note: Note = quiet) -> c2pa.Signer:
    chain, key = key_files(note)
    with reporting_key(key):
        info = c2pa.C2paSignerInfo(b"es256", chain.read_bytes(), key.read_bytes(), b"")
    info.ta_url = None
    return c2pa.Signer.from_info(info)
