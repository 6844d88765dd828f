"""Portraits as callers have them in Python: paths, bytes, open files, pictures of Pillow and arrays."""

from __future__ import annotations

import io
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.arguments import as_path, shown
from vivant.errors import InputError
from vivant.media.images import decode_image, require_size
from vivant.types import UInt8Array

PictureSource = str | PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Image.Image | NDArray[Any]
"""What a portrait may come as."""
_NAME = "the image"
_CHANNELS = (1, 3, 4)
_WANTED = "pixels must be (height, width), or with a last axis of 1, 3 (RGB) or 4 (RGBA), of uint8, uint16 or floats in [0, 1]"


def path_or_bytes(source: PictureSource) -> Path | bytes:
    """A path, or the bytes of an image file: of a picture of Pillow or an array (RGB; OpenCV's is BGR) those of a PNG with the
    same pixels. Raises InputError for what is no picture.
    """
    match source:
        case str() | PathLike():
            return as_path("a portrait", source)
        case bytes() | bytearray() | memoryview():
            return bytes(source)
        case Image.Image():
            return _of_picture(source)
    if hasattr(source, "read"):
        return _of_open_file(source)
    if hasattr(source, "__array__"):
        return _of_array(source)
    raise InputError(
        f"a portrait must be a path, the bytes of an image file, a picture of Pillow or an array, got {shown(source)}"
    )


def _of_open_file(file: Any) -> bytes:  # noqa: ANN401
    try:
        data = file.read()
    except (OSError, ValueError) as error:  # ValueError: closed, or text that is none
        raise InputError("the open file of the portrait cannot be read; open it with mode 'rb'") from error
    if not isinstance(data, bytes):
        raise InputError(f"the open file of a portrait must give bytes, got {type(data).__name__}; open it with mode 'rb'")
    return data


def _of_picture(picture: Image.Image) -> bytes:
    require_size(*picture.size, _NAME)
    pixels, alpha = decode_image(picture, _NAME)
    return _png(pixels if alpha is None else np.dstack([pixels, alpha]))


def _of_array(source: Any) -> bytes:  # noqa: ANN401
    try:
        pixels = np.asarray(source)
    except Exception as error:  # whatever a foreign __array__ raises
        raise InputError(f"{_WANTED}, got {shown(source)}, which NumPy cannot read") from error
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in _CHANNELS:
        first = "; put the channels last" if pixels.ndim == 3 and pixels.shape[0] in _CHANNELS else ""
        raise InputError(f"{_WANTED}, got {shown(source)}{first}")
    require_size(pixels.shape[1], pixels.shape[0], _NAME)
    eight_bit = _eight_bit(pixels)
    return _png(np.repeat(eight_bit, 3, axis=2) if eight_bit.shape[2] == 1 else eight_bit)


def _eight_bit(pixels: NDArray[Any]) -> UInt8Array:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind == "u" and pixels.dtype.itemsize == 2:
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if pixels.dtype.kind != "f":
        raise InputError(f"{_WANTED}, got {pixels.dtype}")
    if not (pixels.min() >= 0 and pixels.max() <= 1):  # as NaN is not, either
        raise InputError("floats of pixels must be from 0 to 1, got some beyond; divide them by their full range")
    return np.round(pixels * 255).astype(np.uint8)


def _png(pixels: UInt8Array) -> bytes:
    """Quickly: it is read once and not kept."""
    data = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(data, "PNG", compress_level=1)
    return data.getvalue()
