"""The sounds of speech as a face makes them: one inventory for every language, by place and lips rather than by spelling."""

from __future__ import annotations

PHONES: tuple[str, ...] = (
    "_", "p", "m", "f", "th", "t", "n", "l", "s", "sh", "k", "ng", "x", "r", "j", "w",
    "i", "y", "e", "a", "@", "o", "u", "ih",
)  # fmt: skip
"""What the encoder tells apart: silence, 15 consonants (each stands for its voiced twin too; x for all fricatives of the
throat, ʔ, ʁ and h) and 8 vowels (y for all front rounded ones, ih for the high unrounded ones that are not i)."""

PHONE_INDEX = {name: i for i, name in enumerate(PHONES)}

SILENCE = PHONE_INDEX["_"]

CLASSES: dict[str, str] = {
    "silence": "_", "lips": "p m", "lip and teeth": "f", "tongue": "th t n l", "hiss": "s", "hush": "sh",
    "throat": "k ng x", "r": "r", "i": "i j", "e": "e", "a": "a", "neutral": "@ ih", "o": "o", "u": "u w y",
}  # fmt: skip
"""14 classes of phones that look alike, by which accuracy is counted."""

CLASS_OF: tuple[int, ...] = tuple(
    next(i for i, members in enumerate(CLASSES.values()) if phone in members.split()) for phone in PHONES
)
"""Index into `CLASSES` of each phone."""
