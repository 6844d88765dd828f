"""What a file says of its origin, and never more than that: its credentials and the mark in its frames."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame

from vivant.errors import InputError
from vivant.media.images import load_image
from vivant.media.inputs import require_file
from vivant.plain import plain
from vivant.provenance.credentials import media_type, sidecar_of
from vivant.provenance.findings import Credentials as Credentials
from vivant.provenance.findings import Findings
from vivant.provenance.trust import Trust, known_signers
from vivant.provenance.watermark_detector import LEAST_SIDE_PX, Mark, detect
from vivant.sealed.content import c2pa, context, lies_elsewhere
from vivant.types import UInt8Array

WINDOW_S = 2
MOST_WINDOWS = 5
MOST_FRAMES = 60
"""In a window: faster videos are thinned out."""
MOST_PIXELS = 3840 * 2160
_MOST_PARENTS = 32
PICTURES = {"image/png", "image/jpeg", "image/webp", "image/bmp", "image/tiff"}
_VIDEO = {"format_whitelist": "mov,matroska,gif,avi,mpegts,mpeg", "protocol_whitelist": "file"}
SOUND = "audio/wav"
"""As `vivant say` writes it."""
_CARRIERS = PICTURES - {"image/bmp"} | {"image/gif", "video/mp4", "video/avi", SOUND}
"""Told by their content, whatever their name; MOV is video/mp4 here."""


def verify(path: Path, trust: Path | None = None) -> Findings:
    """Examine a picture, a video or a WAV; ``trust`` names certificates of signers to be known beside the own key.

    Raises InputError with one sentence for what cannot be read as either.
    """
    require_file(path, "video or image")
    known = known_signers(trust)
    state, manifest, reason = _read_manifest(path)
    mark, examined = _find_mark(path)
    signature = manifest.get("signature_info") or {}
    generator = _mapping(next(iter(manifest.get("claim_generator_info") or ()), None))
    said = _said_by_us(manifest)
    return Findings(
        file=path.name,
        credentials=state,
        signer=_text(signature.get("common_name") or signature.get("issuer")),
        trusted=state is Credentials.VALID and any(_leads_to(path, signers, manifest) for signers in known),
        generator=_text(" ".join(str(generator.get(key, "")) for key in ("name", "version")).strip()),
        source_types=_source_types(manifest),
        driven_by=_text(_mapping(said.get("drive")).get("kind")),
        spoken_by=_text(_mapping(said.get("voice")).get("name")),
        said_session_id=_text(_mapping(said.get("watermark")).get("session_id")),
        reason=reason,
        mark=mark,
        frames_examined=examined,
    )


def _text(value: object) -> str | None:
    """Foreign text for a terminal: short and printable."""
    return plain(value, 120) if value else None


def _mapping(value: object) -> dict[str, Any]:
    """What strangers wrote, if it is one at all."""
    return value if isinstance(value, dict) else {}


def _read_manifest(path: Path) -> tuple[Credentials, dict[str, Any], str | None]:
    """State, active manifest, and why it is broken."""
    if media_type(path) not in _CARRIERS:
        return Credentials.ABSENT, {}, None
    try:
        with _reader(path) as reader:
            if reader is None:
                return Credentials.ABSENT, {}, None
            state, manifest = reader.get_validation_state(), _with_parents(reader)
            failures = ((reader.get_validation_results() or {}).get("activeManifest") or {}).get("failure") or []
    except c2pa.C2paError as error:
        absent = isinstance(error, c2pa.C2paError.ManifestNotFound | c2pa.C2paError.NotSupported)
        if absent or lies_elsewhere(error):
            return Credentials.ABSENT, {}, None
        return Credentials.BROKEN, {}, _text(error) or "not valid"
    except KeyError:  # so the library says that the store's own index points at nothing
        return Credentials.BROKEN, {}, "the active manifest is missing"
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    if state in ("Valid", "Trusted"):
        return Credentials.VALID, manifest, None
    codes = ", ".join(str(failure.get("code")) for failure in failures if failure.get("code") != "signingCredential.untrusted")
    return Credentials.BROKEN, manifest, _text(codes) or "not valid"


@contextmanager
def _reader(path: Path, anchors: str = "") -> Iterator[c2pa.Reader | None]:
    """Of the embedded manifest or the one beside; None where there is none."""
    beside = sidecar_of(path)
    settings = {"trust": {"user_anchors": anchors}} if anchors else {}
    with path.open("rb") as data:
        manifest = beside.read_bytes() if beside.is_file() else None
        reader = c2pa.Reader.try_create(media_type(path), data, manifest, context(settings))
        if reader is None:
            yield None
            return
        with reader:
            yield reader


def _leads_to(path: Path, signers: Trust, manifest: dict[str, Any]) -> bool:
    """Whether the signature of this manifest leads to these signers, by their keys."""
    try:
        with _reader(path, signers.anchors) as reader:
            if reader is None or reader.get_validation_state() != "Trusted":
                return False
            again = reader.get_active_manifest() or {}
    except (c2pa.C2paError, KeyError, OSError):
        return False
    serial = (again.get("signature_info") or {}).get("cert_serial_number")
    return again.get("label") == manifest.get("label") and (not signers.signers or serial in signers.signers)


def _with_parents(reader: c2pa.Reader) -> dict[str, Any]:
    """The active manifest, with those of its parents under ``parents``, nearest first."""
    active: dict[str, Any] = reader.get_active_manifest() or {}
    store = json.loads(reader.json()).get("manifests") or {}
    parents: list[dict[str, Any]] = []
    at = active
    while at and len(parents) < _MOST_PARENTS:
        labels = (one.get("active_manifest") for one in at.get("ingredients") or [] if one.get("relationship") == "parentOf")
        at = next((store[label] for label in labels if label in store), {})
        parents.append(at)
    return active | {"parents": parents}


def _source_types(manifest: dict[str, Any]) -> tuple[str, ...]:
    """Of the actions that say some: the manifest's own, or else those of the nearest parent that has any."""
    for one in (manifest, *manifest.get("parents", ())):
        found = [
            str(said).rpartition("/")[2]
            for assertion in one.get("assertions") or []
            if str(assertion.get("label")).startswith("c2pa.actions")
            for action in _mapping(assertion.get("data")).get("actions") or []
            if (said := _mapping(action).get("digitalSourceType"))
        ]
        if found:
            return tuple(filter(None, map(_text, found)))
    return ()


def _said_by_us(manifest: dict[str, Any]) -> dict[str, Any]:
    """What `credentials` wrote of how the file was made; empty for files of others."""
    for assertion in manifest.get("assertions") or []:
        if assertion.get("label") == "org.vivant.session":
            return _mapping(assertion.get("data"))
    return {}


def _find_mark(path: Path) -> tuple[Mark | None, int]:
    if media_type(path) == SOUND:
        return None, 0
    if media_type(path) in PICTURES:
        pixels = load_image(path).pixels
        return (detect([pixels]) if min(pixels.shape[:2]) >= LEAST_SIDE_PX else None), 1
    examined = 0
    for window in _windows(path):
        examined += len(window)
        found = detect(window)
        if found is not None:
            return found, examined
    if examined == 0:
        raise InputError(f"{path} holds no picture that can be read; give a whole video or image file")
    return None, examined


def _windows(path: Path) -> Iterator[list[UInt8Array]]:
    """Two seconds at the start, then at more places in the file."""
    try:
        with av.open(f"file:{path}", "r", options=_VIDEO, metadata_errors="replace") as container:
            if not container.streams.video:
                return
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise InputError(
                    f"{path} holds a video whose codec is not known here; give an H.264, VP9 or other common video"
                )
            _require_size(stream.width, stream.height, path)
            stream.thread_type = "AUTO"
            seconds = (container.duration or 0) / av.time_base
            for number in range(MOST_WINDOWS):
                if number:
                    if seconds < WINDOW_S * (number + 1):
                        return
                    container.seek(int(seconds * number / MOST_WINDOWS * av.time_base))
                window = _window(container.decode(stream), Fraction(stream.average_rate or 30), path)
                if window:
                    yield window
    except (FFmpegError, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is no video or image that can be read; give a whole file") from error


def _window(frames: Iterator[VideoFrame], fps: Fraction, path: Path) -> list[UInt8Array]:
    """What decodes of the next two seconds; damage ends it."""
    n_frames = max(1, round(WINDOW_S * min(float(fps), 240.0)))
    every = max(1, n_frames // MOST_FRAMES)
    pixels: list[UInt8Array] = []
    try:
        for number, frame in enumerate(itertools.islice(frames, n_frames)):
            _require_size(frame.width, frame.height, path)
            if number % every == 0:
                picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                if min(picture.shape[:2]) < LEAST_SIDE_PX or (pixels and picture.shape != pixels[0].shape):
                    break
                pixels.append(picture)
    except FFmpegError:
        pass
    return pixels


def _require_size(width: int, height: int, path: Path) -> None:
    """Before anything of that size is decoded, and again for frames that differ from what the file said."""
    if width * height > MOST_PIXELS:
        raise InputError(f"{path} has {width} x {height} pixels; at most 3840 x 2160 are examined")
