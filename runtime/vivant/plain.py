"""Words of strangers, from inside of files, made fit for people and terminals."""

from __future__ import annotations


def plain(text: object, most: int) -> str:
    """One line of at most ``most`` characters, without control characters and marks that turn the direction of text."""
    return "".join(letter for letter in str(text) if letter.isprintable())[:most]
