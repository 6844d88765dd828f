"""Portraits from image files: upright, 8 bit, sRGB.

The content decides, not the file name. Everything that comes in is untrusted: only the one parser that the first bytes name
sees a file, and size limits are applied to the header, before a pixel is decoded.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from vivant.errors import InputError
from vivant.media.inputs import require_file
from vivant.media.kinds import PictureKind, kind_of
from vivant.types import UInt8Array

MIN_SIDE_PX = 64
MAX_SIDE_PX = 8192
MAX_PIXELS = 50_000_000
MAX_BYTES = 100_000_000

_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class PortraitImage:
    """A decoded image; the arrays belong to the receiver."""

    pixels: UInt8Array
    """(height, width, 3) sRGB, row 0 on top."""
    alpha: UInt8Array | None
    """(height, width), 255 is opaque; None if the file has no transparency."""
    sha256: str
    """Hex digest of the file's bytes, for caches."""
    notes: tuple[str, ...] = ()
    """What was decided in reading, a sentence each."""


def load_image(source: Path | bytes) -> PortraitImage:
    """Read an image file, or its bytes.

    Applies EXIF rotation and colour profiles, takes the first frame of an animation and says so, keeps straight alpha.
    Raises InputError for anything that is not a whole image of 64 to 8192 px a side and at most 50 megapixels.
    """
    name = "the image" if isinstance(source, bytes) else str(source)
    data = _read(source, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about oddities that it copes with
        with _open(data, name) as image:
            frames = _frames(image)
            pixels, alpha = decode_image(image, name)
    notes = (f"the file holds {frames} pictures; the first is used",) if frames > 1 else ()
    return PortraitImage(pixels, alpha, hashlib.sha256(data).hexdigest(), notes)


def _read(source: Path | bytes, name: str) -> bytes:
    """The bytes of the file, refused by size before they are read."""
    size = len(source) if isinstance(source, bytes) else require_file(source, "image")
    if size == 0:
        raise InputError(f"{name} is empty (0 bytes); give an image file with content")
    if size > MAX_BYTES:
        raise InputError(f"{name} has {size / 1e6:.0f} MB but at most {MAX_BYTES // 10**6} MB are accepted; save it smaller")
    return source if isinstance(source, bytes) else source.read_bytes()


def _open(data: bytes, name: str) -> Image.Image:
    """Parse the header and check the size that it declares."""
    kind = require_readable_kind(data, name)
    try:
        image = Image.open(io.BytesIO(data), formats=(str(kind.decoder),))
    except Image.DecompressionBombError as error:
        raise InputError(f"{name} is too large: {_limits()}; scale it down") from error
    except Exception as error:  # damaged headers raise nearly anything in Pillow's parsers
        raise InputError(
            f"{name} is not a readable image: its {kind.name} data are truncated or damaged; save or download it again"
        ) from error
    require_size(*image.size, name)
    return image


def require_size(width: int, height: int, name: str) -> None:
    """Raises InputError for a picture that is too large or too small to be read."""
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        raise InputError(f"{name} has {width} x {height} pixels, which is too large: {_limits()}; scale it down")
    if min(width, height) < MIN_SIDE_PX:
        raise InputError(f"{name} has {width} x {height} pixels; each side needs at least {MIN_SIDE_PX}, so use a larger image")


def require_readable_kind(data: bytes, name: str) -> PictureKind:
    """The kind of picture that the first bytes name; nothing is parsed. Raises InputError for one that is not read here."""
    kind = kind_of(data)
    if kind is None:
        raise InputError(f"{name} is not a readable image; give a whole JPEG, PNG or WebP file")
    if kind.decoder is None:
        raise InputError(f"{name} is {kind.name}, which is not read; {kind.advice}")
    if kind.decoder == "HEIF":
        with contextlib.suppress(ImportError):
            import_module("pi_heif").register_heif_opener()
    if kind.decoder not in Image.OPEN:
        Image.init()
    if kind.decoder not in Image.OPEN:
        package = "the package pi-heif" if kind.decoder == "HEIF" else "a Pillow that is built with it"
        raise InputError(f"{name} is {kind.name}, which is not read without {package}; {kind.advice}")
    return kind


def _frames(image: Image.Image) -> int:
    """Of an animation, or pictures in one file; 1 when they cannot be counted."""
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # the first one may be whole all the same
        return 1


def _limits() -> str:
    return f"at most {MAX_SIDE_PX} a side and {MAX_PIXELS // 10**6} megapixels are accepted"


def decode_image(image: Image.Image, name: str) -> tuple[UInt8Array, UInt8Array | None]:
    """(height, width, 3) sRGB and (height, width) alpha, if it has any; upright. Raises InputError for damaged data."""
    try:
        image.load()
        orientation = _orientation(image)
        image = image.convert("LA") if image.mode == "La" else image  # premultiplied grey, of which Pillow makes nothing else
        alpha = np.array(image.convert("RGBA").getchannel("A")) if image.has_transparency_data else None
        pixels = np.array(_srgb(_eight_bit(image, name)))
    except InputError:
        raise
    except Exception as error:  # likewise for damaged pixel data
        raise InputError(f"{name} is truncated or damaged; save or download it again") from error
    return _upright(pixels, orientation), None if alpha is None else _upright(alpha, orientation)


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 (upright) when the EXIF block is broken, as viewers do."""
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:
        return 1


def _upright(plane: UInt8Array, orientation: int) -> UInt8Array:
    turn = _TURNS.get(orientation)
    return plane if turn is None else np.array(Image.fromarray(plane).transpose(turn))


def _eight_bit(image: Image.Image, name: str) -> Image.Image:
    """The image in a mode that a colour profile can describe: L, RGB, CMYK or LAB; alpha dropped."""
    if image.mode in ("L", "RGB", "CMYK", "LAB"):
        return image
    if image.mode.startswith("I"):  # 16 bit grey; Pillow itself would clip it at 255
        grey = np.clip(np.asarray(image, np.int64), 0, 65535)
        return _with_profile(Image.fromarray(((grey + 128) // 257).astype(np.uint8)), image)
    if image.mode == "F":
        raise InputError(f"{name} has floating-point pixels, whose range is unknown; save it as an 8 or 16 bit PNG")
    grey_modes = ("1", "LA", "La")
    return _with_profile(image.convert("RGBA").convert("L" if image.mode in grey_modes else "RGB"), image)


def _with_profile(converted: Image.Image, original: Image.Image) -> Image.Image:
    converted.info["icc_profile"] = original.info.get("icc_profile")
    return converted


def _srgb(image: Image.Image) -> Image.Image:
    """Convert through the embedded profile; a file without one, or with a broken one, counts as sRGB."""
    icc = image.info.get("icc_profile")
    if not icc and image.mode != "LAB":
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc)) if icc else ImageCms.createProfile("LAB")
        converted = ImageCms.profileToProfile(
            image,
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError):
        return image.convert("RGB")
    assert converted is not None, "only an in-place conversion returns nothing"
    return converted
