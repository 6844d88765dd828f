"""Which kind of picture some bytes are, by their first bytes; names and extensions prove nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEAD_BYTES = 4096
"""As much as `kind_of` looks at."""


@dataclass(frozen=True, slots=True)
class PictureKind:
    """One file format."""

    name: str
    """As people say it."""
    decoder: str | None = None
    """Pillow's name of the only parser that may see the file; None when it is not read."""
    advice: str = "save it as JPEG, PNG or WebP"


_RAW = PictureKind("a camera's raw file")
"""Many are TIFF inside: the tag of DNG's version, or pixels behind a filter of colours, give them away."""
_HEIF_BRANDS = rb"(?:heic|heix|heim|heis|hevc|hevx|mif1|msf1)"
_KINDS = (
    (rb"\xff\xd8\xff", PictureKind("JPEG", "JPEG")),
    (rb"\x89PNG\r\n\x1a\n", PictureKind("PNG", "PNG")),
    (rb"RIFF.{4}WEBP", PictureKind("WebP", "WEBP")),
    (rb"GIF8[79]a", PictureKind("GIF", "GIF")),
    (rb"BM", PictureKind("BMP", "BMP")),
    (rb"II\*\0(?:.{4}CR\x02|.*?(?:\x12\xc6\x01\0\x04\0\0\0|\x06\x01\x03\0\x01\0\0\0\x23\x80))", _RAW),
    (rb"MM\0\*.*?(?:\xc6\x12\0\x01\0\0\0\x04|\x01\x06\0\x03\0\0\0\x01\x80\x23)", _RAW),
    (rb"II(?:RO|RS|U\0)|FUJIFILMCCD-RAW|FOVb|.{4}ftypcrx ", _RAW),
    (rb"II(?:\*\0|\+\0)|MM\0[*+]", PictureKind("TIFF", "TIFF")),
    (rb".{4}ftyp(?:avif|avis|.{4}.{4}(?:.{4}){0,10}?avi[fs])", PictureKind("AVIF", "AVIF")),
    (rb".{4}ftyp" + _HEIF_BRANDS, PictureKind("HEIC", "HEIF")),
    (rb"\xff\x0a|\0\0\0\x0cJXL \r\n", PictureKind("JPEG XL")),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", PictureKind("JPEG 2000")),
    (rb"8BPS", PictureKind("a Photoshop document")),
    (rb"gimp xcf", PictureKind("a GIMP document")),
    (rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.*?)?(?:<!--.*?-->\s*)?<(?:!DOCTYPE )?svg|(?:\xef\xbb\xbf)?\s*<\?xml",
     PictureKind("SVG or other XML")),
    (rb"%PDF-", PictureKind("a PDF document")),
    (rb"%!PS|\xc5\xd0\xd3\xc6", PictureKind("PostScript")),
    (rb"\0\0\x01\0", PictureKind("an icon file")),
    (rb"\x76\x2f\x31\x01", PictureKind("OpenEXR")),
    (rb"DDS ", PictureKind("a DDS texture")),
    (rb"P[1-7]\s", PictureKind("PNM")),
    (rb".{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}AVI ", PictureKind("a video", advice="save one of its frames as JPEG, PNG or WebP")),
)  # fmt: skip
_PATTERNS = tuple((re.compile(pattern, re.DOTALL), kind) for pattern, kind in _KINDS)


def kind_of(data: bytes) -> PictureKind | None:
    """The kind of picture that starts with ``data``, read or not; None for what is no known picture."""
    head = data[:HEAD_BYTES]
    return next((kind for pattern, kind in _PATTERNS if pattern.match(head)), None)
