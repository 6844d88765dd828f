"""The visible label: says in words for three seconds that the face is synthetic, and stays as two letters."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vivant.arguments import shown
from vivant.errors import InputError
from vivant.pixels import over
from vivant.types import UInt8Array

LANGUAGES = {
    "en": ("AI", "AI generated"),
    "cs": ("AI", "Vygenerováno AI"),
    "da": ("AI", "AI-genereret"),
    "de": ("KI", "KI-generiert"),
    "es": ("IA", "Generado con IA"),
    "fi": ("AI", "Tekoälyn luoma"),
    "fr": ("IA", "Généré par IA"),
    "it": ("IA", "Generato con IA"),
    "nl": ("AI", "AI-gegenereerd"),
    "no": ("KI", "KI-generert"),
    "pl": ("AI", "Wygenerowane przez AI"),
    "pt": ("IA", "Gerado por IA"),
    "ro": ("IA", "Generat de IA"),
    "sv": ("AI", "AI-genererad"),
}
"""Short and full wording."""
FULL_US = 3_000_000
"""The long wording is shown first for this long."""
CORNERS = ("top right", "top left", "bottom right", "bottom left")
_SMALL_SHARE, _FULL_SHARE, _LEAST_PX = 0.032, 0.038, 9
_BACK_ALPHA = 150


class Label:
    """Drawn into frames of any size. Shared and read-only."""

    def __init__(self, language: str = "en", corner: str = CORNERS[0]) -> None:
        if not isinstance(language, str) or language not in LANGUAGES:
            raise InputError(f"the label has no language {shown(language)}; choose from {', '.join(LANGUAGES)}")
        if corner not in CORNERS:
            raise InputError(f"the label goes to one of {', '.join(CORNERS)}, got {corner!r}")
        self._small, self._full = LANGUAGES[language]
        self._corner = corner

    def draw(self, pixels: UInt8Array, pts_us: int) -> None:
        """Into (h, w, 3 or 4) in place: full wording for the first three seconds, then small. The label itself is opaque."""
        height, width = pixels.shape[:2]
        full = pts_us < FULL_US
        badge = _badge(self._full if full else self._small, _FULL_SHARE if full else _SMALL_SHARE, min(height, width))
        rows, columns = min(badge.shape[0], height), min(badge.shape[1], width)
        gap = max(2, min(height, width) // 50)
        top = min(gap, height - rows) if self._corner.startswith("top") else max(0, height - rows - gap)
        left = min(gap, width - columns) if self._corner.endswith("left") else max(0, width - columns - gap)
        patch = pixels[top : top + rows, left : left + columns]
        shown = badge[:rows, :columns]
        patch[..., :3] = over(shown, patch[..., :3])
        if pixels.shape[2] == 4:
            patch[..., 3] = np.maximum(patch[..., 3], shown[..., 3])


def free_corner(face_box: tuple[float, float, float, float] | None) -> str:
    """The first corner whose label would not touch the face, given in shares of the frame; bottom right if none."""
    if face_box is None:
        return CORNERS[0]
    left, top, right, bottom = face_box
    for corner in CORNERS:
        beside = right < 0.55 if corner.endswith("right") else left > 0.45
        outside = top > 0.09 if corner.startswith("top") else bottom < 0.91
        if beside or outside:
            return corner
    return "bottom right"


@cache
def _badge(text: str, share: float, side_px: int) -> UInt8Array:
    """(h, w, 4) light letters on a dark, half-transparent plate."""
    size = max(_LEAST_PX, round(share * side_px))
    font = ImageFont.load_default(size=size)
    box = font.getbbox(text)
    pad = max(2, size // 3)
    picture = Image.new("RGBA", (round(box[2] - box[0]) + 2 * pad, round(box[3] - box[1]) + 2 * pad), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, picture.width - 1, picture.height - 1), pad, fill=(16, 16, 18, _BACK_ALPHA))
    draw.text((pad - box[0], pad - box[1]), text, font=font, fill=(255, 255, 255, 255))
    return np.asarray(picture)
