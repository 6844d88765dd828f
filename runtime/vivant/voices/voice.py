"""The seam between a text and a voice: text in, sound out, whatever speaks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from vivant.types import AudioChunk


@dataclass(frozen=True, slots=True)
class VoiceCard:
    """Provenance of a synthetic voice; stands in the manifests of what it spoke."""

    name: str
    """With its version."""
    made_by: str
    licence: str
    trained_on: str = ""
    """Whose speech, in words; empty for a voice that was written as rules."""


class Voice(Protocol):
    """A speech synthesiser: shared, read-only, on this machine. Making one is quick; weights are read when it first speaks."""

    card: VoiceCard

    def speaks(self, language: str) -> bool:
        """Whether it reads that language, a tag such as ``de`` or ``pt-BR``."""
        ...

    def speak(self, text: str, language: str) -> Iterator[AudioChunk]:
        """The sound of a text, piece by piece as it is made: mono, all of one rate, as loud as it is meant.

        Works on the caller's thread, on several at once if need be; closing the iterator stops it. Raises InputError where the
        text has nothing that can be spoken, and UnavailableError where the synthesiser fails.
        """
        ...
