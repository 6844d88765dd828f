"""Pixel formats: RGBA pictures to what a sink or a client wants, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from vivant.errors import InputError, UnavailableError
from vivant.render import _kernel
from vivant.types import PixelFormat, UInt8Array, VideoFrame

JPEG_QUALITIES = (1, 100)
"""Least and most."""
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness that is seen; ITU-R BT.601."""


def rgb_of(text: str) -> tuple[int, int, int] | None:
    """Colour by its CSS name or as ``#1e2b3c``, each 0 to 255; None for other words."""
    from PIL import ImageColor  # not needed where nobody names a colour

    try:
        red, green, blue = ImageColor.getrgb(text)[:3]
    except ValueError:
        return None
    return red, green, blue


def over(top: UInt8Array, below: UInt8Array) -> UInt8Array:
    """Alpha compositing ("over", Porter and Duff 1984): RGBA (h, w, 4) with straight alpha on opaque RGB (h, w, 3), rounded."""
    alpha = top[..., 3:].astype(np.uint16)
    return ((top[..., :3] * alpha + below * (255 - alpha) + 127) // 255).astype(np.uint8)


def encoded(frame: VideoFrame, to: PixelFormat, jpeg_quality: int = 85, *, jpeg_alpha: bool = False) -> VideoFrame:
    """An RGBA frame in another format; itself when it has that format already. JPEG is made of RGB, too.

    ``jpeg_alpha`` gives a JPEG its alpha as a second one. Raises InputError for I420 of odd sides and UnavailableError for
    JPEG without the extra ``server``.
    """
    if frame.format is to:
        return frame
    if to is PixelFormat.JPEG:
        return _jpeg_of(frame, jpeg_quality, with_alpha=jpeg_alpha)
    rgba = np.ascontiguousarray(frame.pixels)
    height, width = rgba.shape[:2]
    match to:
        case PixelFormat.RGB:
            pixels = np.empty((height, width, 3), np.uint8)
            _kernel.rgb_from_rgba(rgba, pixels.reshape(-1))
        case _:
            if height % 2 or width % 2:
                raise InputError(f"I420 needs even sides, got {width} x {height}")
            pixels = np.empty((height * 3 // 2, width), np.uint8)
            _kernel.i420_from_rgba(rgba, pixels.reshape(-1))
    return VideoFrame(frame.index, frame.pts_us, pixels, to)


def _jpeg_of(frame: VideoFrame, quality: int, *, with_alpha: bool) -> VideoFrame:
    pixels, encode = np.ascontiguousarray(frame.pixels), _jpeg().encode_jpeg
    alpha = None
    if with_alpha and frame.format is PixelFormat.RGBA:
        alpha = np.frombuffer(encode(np.ascontiguousarray(pixels[..., 3:]), quality, "GRAY", "Gray"), np.uint8)
    colours = np.frombuffer(encode(pixels, quality, frame.format.name, "420"), np.uint8)
    return VideoFrame(frame.index, frame.pts_us, colours, PixelFormat.JPEG, frame.size_px, alpha)


def decoded(frame: VideoFrame) -> UInt8Array:
    """(height, width, 3 or 4) of RGB, RGBA or JPEG. Raises InputError for I420, which has planes."""
    if frame.format is PixelFormat.JPEG:
        return np.asarray(_jpeg().decode_jpeg(frame.pixels, "RGBA"))
    if frame.format is PixelFormat.I420:
        raise InputError("an I420 frame has planes, not pixels; use it as it is")
    return frame.pixels


def _jpeg() -> Any:  # noqa: ANN401
    try:
        import simplejpeg
    except ImportError as error:
        raise UnavailableError("JPEG needs simplejpeg, which the extra server brings") from error
    return simplejpeg
