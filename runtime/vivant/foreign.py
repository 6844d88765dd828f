"""Text of strangers, before a person reads it in a terminal."""

from __future__ import annotations

MOST_CHARS = 120


def printable(text: object, most_chars: int = MOST_CHARS) -> str:
    """On one line, at most that long, and without what would command a terminal or turn the direction of reading."""
    return "".join(character for character in str(text) if character.isprintable())[:most_chars]
