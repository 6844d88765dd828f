"""What lies over a face before a camera: fingers, glasses, the dark. Drawn into pictures of people, by their landmarks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from vivant.rig import canonical as c
from vivant.types import Float32Array, UInt8Array

Cover = Callable[[UInt8Array, Float32Array], UInt8Array]
"""A picture (h, w, 3) and the landmarks (478, 3) of the face in it to the picture that a camera has."""

N_FINGERS, FINGER, REACH = 4, 0.16, 0.5
"""How wide each is and how far they reach beyond the middle of the mouth, outer-eye distances."""
CHEEK = 205
"""Landmark of whose colour the hand is."""
FRAME, GLARE = (28, 26, 30), 70
"""RGB of the glasses, and how bright the window is that they reflect, of 255."""
DARK, DARK_NOISE = 0.15, 5.0
"""Share of the light that is left, and the standard deviation of a camera's noise then, of 255."""


def fingers(picture: UInt8Array, landmarks: Float32Array) -> UInt8Array:
    """A hand laid over the mouth."""
    unit, (x, y) = _unit(landmarks), landmarks[[13, 14], :2].mean(axis=0)
    skin = picture[tuple(landmarks[CHEEK, [1, 0]].astype(int))].astype(float)
    image = Image.fromarray(picture)
    layer = Image.new("RGBA", image.size)
    draw, high = ImageDraw.Draw(layer), FINGER * unit
    for k in range(N_FINGERS):
        top, tip = y + (k - N_FINGERS / 2) * high, x - (REACH - 0.04 * abs(k - 1.3)) * unit
        box = (tip, top, x + 1.4 * unit, top + high)
        draw.rounded_rectangle(box, radius=high / 2, fill=_rgba(skin * (1 - 0.06 * abs(k - 1.2))))
        draw.line((tip + 0.3 * high, top + high, *box[2:]), fill=_rgba(skin * 0.6), width=max(1, round(0.09 * high)))
    return _over(image, layer)


def glasses(picture: UInt8Array, landmarks: Float32Array) -> UInt8Array:
    """A dark frame around both eyes, with a window's light on the glass."""
    unit, image = _unit(landmarks), Image.fromarray(picture)
    layer = Image.new("RGBA", image.size)
    draw, inner = ImageDraw.Draw(layer), []
    for outer, corner in ((c.RIGHT_OUTER_EYE, c.RIGHT_INNER_EYE), (c.LEFT_OUTER_EYE, c.LEFT_INNER_EYE)):
        x, y = landmarks[[outer, corner], :2].mean(axis=0)
        box = (x - 0.29 * unit, y - 0.19 * unit, x + 0.29 * unit, y + 0.25 * unit)
        draw.polygon([(x - 0.2 * unit, box[3]), (x - 0.1 * unit, box[3]), (x + 0.05 * unit, box[1]), (x - 0.05 * unit, box[1])],
                     fill=(255, 255, 255, GLARE))  # fmt: skip
        draw.rounded_rectangle(box, radius=0.12 * unit, outline=(*FRAME, 255), width=max(2, round(0.035 * unit)))
        inner.append((x + 0.29 * unit * np.sign(landmarks[corner, 0] - landmarks[outer, 0]), y))
    draw.line([tuple(map(float, end)) for end in inner], fill=(*FRAME, 255), width=max(2, round(0.035 * unit)))
    return _over(image, layer)


def dark(picture: UInt8Array, landmarks: Float32Array) -> UInt8Array:
    """A room at night. The same picture has the same noise."""
    chance = np.random.default_rng(int(picture.sum()))
    dim = picture * np.float32(DARK) + chance.normal(0, DARK_NOISE, picture.shape).astype(np.float32)
    noisy: UInt8Array = np.clip(dim, 0, 255).astype(np.uint8)
    return noisy


def _unit(landmarks: Float32Array) -> float:
    return float(np.linalg.norm(landmarks[c.LEFT_OUTER_EYE, :2] - landmarks[c.RIGHT_OUTER_EYE, :2]))


def _rgba(colour: np.ndarray) -> tuple[int, ...]:
    return (*map(int, colour), 255)


def _over(image: Image.Image, layer: Image.Image) -> UInt8Array:
    """Softly, as lenses draw edges."""
    whole = image.convert("RGBA")
    whole.alpha_composite(layer.filter(ImageFilter.GaussianBlur(0.8)))
    return np.asarray(whole.convert("RGB"))
