"""What a file says of its origin, and never more than that: its credentials and the mark in its frames."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame

from vivant.errors import InputError
from vivant.honest.credentials import media_type
from vivant.honest.detect import LEAST_SIDE_PX, Mark, detect
from vivant.media.images import load_image
from vivant.media.inputs import require_file
from vivant.sealed.content import c2pa, context, lies_elsewhere
from vivant.types import UInt8Array

WINDOW_S = 2
MOST_WINDOWS = 5
MOST_FRAMES = 60
"""In a window: faster videos are thinned out."""
MOST_PIXELS = 3840 * 2160
PICTURES = {"image/png", "image/jpeg", "image/webp", "image/bmp", "image/tiff"}
_VIDEO = {"format_whitelist": "mov,matroska,gif,avi,mpegts,mpeg", "protocol_whitelist": "file"}
_CARRIERS = PICTURES - {"image/bmp"} | {"image/gif", "video/mp4", "video/avi"}
"""Told by their content, whatever their name; MOV is video/mp4 here."""


class Credentials(StrEnum):
    """The state of the content credentials."""

    VALID = "valid"
    BROKEN = "broken"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found; absence of a mark does not say that a file is genuine."""

    file: str
    credentials: Credentials
    signer: str | None
    """As the certificate names itself; ``trusted`` says whether anybody else vouches for that name."""
    trusted: bool
    generator: str | None
    said_session_id: str | None
    """What the manifest says, 8 hexadecimal digits."""
    reason: str | None
    """Why credentials are broken."""
    mark: Mark | None
    frames_examined: int

    @property
    def agree(self) -> bool | None:
        """Whether manifest and mark name the same session; None when one of them says nothing."""
        if self.mark is None or self.said_session_id is None or self.credentials is not Credentials.VALID:
            return None
        return self.said_session_id == f"{self.mark.session_id:08x}"

    @property
    def exit_code(self) -> int:
        """0 a mark or valid credentials, 3 neither, 4 broken or contradicting; 1 is left for a file that cannot be read."""
        if self.credentials is Credentials.BROKEN or self.agree is False:
            return 4
        return 0 if self.mark is not None or self.credentials is Credentials.VALID else 3

    def as_json(self) -> str:
        """One object, for scripts."""
        mark = None if self.mark is None else asdict(self.mark) | {"session_id": f"{self.mark.session_id:08x}"}
        return json.dumps(
            {
                "file": self.file,
                "credentials": self.credentials.value,
                "signer": self.signer,
                "signer_trusted": self.trusted,
                "generator": self.generator,
                "manifest_session_id": self.said_session_id,
                "broken_because": self.reason,
                "watermark": mark,
                "manifest_and_watermark_agree": self.agree,
                "frames_examined": self.frames_examined,
            },
            indent=2,
        )

    def as_text(self) -> str:
        """A few sentences."""
        return "\n".join(
            (f"{self.file}:", f"  credentials: {self._credentials()}", f"  watermark: {self._mark()}", *self._warning())
        )

    def _credentials(self) -> str:
        if self.credentials is Credentials.ABSENT:
            return "none; they may have been removed, or never made"
        if self.credentials is Credentials.BROKEN:
            return f"broken: the file was changed after signing, or the manifest was not made for it ({self.reason})"
        vouched = "on a trust list" if self.trusted else "self-declared: nobody vouches for this name"
        return (
            f"valid; made by {self.generator or 'an unnamed tool'}, signed by {self.signer or 'an unnamed signer'} ({vouched})"
        )

    def _mark(self) -> str:
        if self.mark is None:
            return f"none found in {self.frames_examined} frames; that does not prove that the picture is genuine"
        found = f"Vivant, session {self.mark.session_id:08x}{', mirrored' if self.mark.mirrored else ''}"
        return f"{found} (its check is in order; {self.mark.sync:.0f} standard deviations above chance)"

    def _warning(self) -> tuple[str, ...]:
        lies = (
            "  warning: the manifest and the watermark name different sessions, so one of them does not belong to this picture"
        )
        return (lies,) if self.agree is False else ()


def verify(path: Path) -> Findings:
    """Examine a picture or a video. Raises InputError with one sentence for what cannot be read as either."""
    require_file(path, "video or image")
    state, manifest, reason = _read_manifest(path)
    mark, examined = _find_mark(path)
    signature = manifest.get("signature_info") or {}
    generators = manifest.get("claim_generator_info") or [{}]
    return Findings(
        path.name,
        state,
        _text(signature.get("common_name") or signature.get("issuer")),
        reason == "trusted",
        _text(" ".join(str(generators[0].get(key, "")) for key in ("name", "version")).strip()),
        _said_session(manifest),
        reason if state is Credentials.BROKEN else None,
        mark,
        examined,
    )


def _text(value: object) -> str | None:
    """Foreign text for a terminal: short and printable."""
    return "".join(c for c in str(value) if c.isprintable())[:120] if value else None


def _read_manifest(path: Path) -> tuple[Credentials, dict[str, Any], str | None]:
    """State, active manifest, and why it is broken or that it is trusted."""
    beside = path.with_name(path.name + ".c2pa")
    kind = media_type(path)
    if kind not in _CARRIERS:
        return Credentials.ABSENT, {}, None
    try:
        with path.open("rb") as data:
            reader = c2pa.Reader.try_create(kind, data, beside.read_bytes() if beside.is_file() else None, context())
            if reader is None:
                return Credentials.ABSENT, {}, None
            with reader:
                state, manifest = reader.get_validation_state(), reader.get_active_manifest() or {}
                failures = ((reader.get_validation_results() or {}).get("activeManifest") or {}).get("failure") or []
    except c2pa.C2paError as error:
        absent = isinstance(error, c2pa.C2paError.ManifestNotFound | c2pa.C2paError.NotSupported)
        if absent or lies_elsewhere(error):
            return Credentials.ABSENT, {}, None
        return Credentials.BROKEN, {}, _text(error)
    except KeyError:  # so the library says that the store's own index points at nothing
        return Credentials.BROKEN, {}, "the active manifest is missing"
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    if state == "Trusted":
        return Credentials.VALID, manifest, "trusted"
    if state == "Valid":
        return Credentials.VALID, manifest, None
    codes = ", ".join(str(failure.get("code")) for failure in failures if failure.get("code") != "signingCredential.untrusted")
    return Credentials.BROKEN, manifest, _text(codes) or "not valid"


def _said_session(manifest: dict[str, Any]) -> str | None:
    for assertion in manifest.get("assertions") or []:
        if assertion.get("label") == "org.vivant.session":
            mark = (assertion.get("data") or {}).get("watermark")
            return _text(mark.get("session_id")) if isinstance(mark, dict) else None
    return None


def _find_mark(path: Path) -> tuple[Mark | None, int]:
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
