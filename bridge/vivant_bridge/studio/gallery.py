"""Gallery: small pictures of portraits, still and alive, and the sounds that a face can make; labelled and marked."""

from __future__ import annotations

import io
from fractions import Fraction

import numpy as np
from PIL import Image

from vivant import Face, FaceStream, InputError, Presenter
from vivant.samples import pcm_s16le
from vivant.testing.voice import bundled_voice
from vivant.types import Output, PixelFormat, UInt8Array
from vivant.visemes import VISEMES, Look

CARD_PX = 288
"""Side of a card's picture; chosen for screens of two pixels a point."""
FPS = Fraction(12)
"""Of a film on the wall; chosen by eye."""
BEGINS_US, ENDS_US = 3_200_000, 7_200_000
"""Of the life that is shown: after the label's long wording, and long enough for a blink."""
RATE_HZ = 16_000
WEBP_QUALITY = 70
"""Chosen by eye."""
LATER_US = BEGINS_US
"""The time of a still, where the label is short."""


def still(face: Face) -> bytes:
    """(CARD_PX, CARD_PX) at rest, JPEG."""
    return _jpeg(_presenter(face, CARD_PX), Look("rest"))


def voice_pcm() -> bytes:
    """The bundled lines: 16 bit, little-endian, mono, at `VOICE_RATE_HZ`."""
    return pcm_s16le(bundled_voice())


def viseme(face: Face, name: str, size_px: int) -> bytes:
    """The face making a sound of `VISEMES`, JPEG. Raises InputError for another name."""
    for look in VISEMES:
        if look.name == name:
            return _jpeg(_presenter(face, size_px), look)
    raise InputError(f"no sound is called {name}; there are {', '.join(look.name for look in VISEMES)}")


def alive(face: Face) -> bytes:
    """Some seconds of a silent life, forwards and back again so that it never jumps; WebP."""
    presenter = _presenter(face, CARD_PX)
    stream = FaceStream(face, fps=FPS, sample_rate_hz=RATE_HZ, pictures=False, seed=int(face.portrait_sha256[:8] or "0", 16))
    silence = np.zeros(RATE_HZ * (ENDS_US + 1_000_000) // 1_000_000, np.float32)
    pictures: list[Image.Image] = []
    for item in stream.push(silence):
        if isinstance(item, Output) and BEGINS_US <= item.pts_us < ENDS_US:
            frame = presenter.present(item.motion)
            assert frame is not None
            pictures.append(Image.fromarray(frame.pixels))
    film, out = [*pictures, *pictures[-2:0:-1]], io.BytesIO()
    film[0].save(
        out, "WEBP", save_all=True, append_images=film[1:], duration=round(1000 / FPS), loop=0, quality=WEBP_QUALITY, method=0
    )
    return out.getvalue()


def _presenter(face: Face, size_px: int) -> Presenter:
    return Presenter(face, size_px=size_px, pixel_format=PixelFormat.RGB)


def _jpeg(presenter: Presenter, look: Look) -> bytes:
    frame = look.frame()
    shown = presenter.present(type(frame)(0, LATER_US, frame.weights, frame.tongue, frame.pose, frame.gaze))
    assert shown is not None
    return jpeg(shown.pixels)


def jpeg(pixels: UInt8Array) -> bytes:
    """(h, w, 3) as a file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=88)
    return out.getvalue()
