"""Rows that have a text and no sound: a voice of this machine speaks them into files beside what is made of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from vivant.dialogue.lines import Line
from vivant.media.atomic import replacing, reporting
from vivant.provenance.production import completion_of_speech, require_ready
from vivant.voices import Voice, choose_voice, language_of
from vivant.voices.wav import write_pieces


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sound that was made just now."""

    path: Path
    duration_s: float
    by: str
    """The voice's name, with its version."""

    def __str__(self) -> str:
        return f"{self.path}: {self.duration_s:.1f} s, spoken by {self.by}"


@dataclass(frozen=True, slots=True)
class Speech:
    """A text, and who speaks it."""

    text: str
    language: str
    voice: Voice

    @property
    def key(self) -> str:
        """Of all that decides the sound; its file differs, for it is signed with the time."""
        decides = (version("vivant"), self.voice.card.name, self.language, self.text)
        return hashlib.sha256(json.dumps(decides).encode()).hexdigest()

    def write(self, out: Path) -> Spoken:
        """As `vivant say` does: whole or not at all, with credentials that name the voice. Raises VivantError."""
        require_ready(out, {})
        with replacing(out, complete=completion_of_speech(out, self.voice.card)) as part, reporting(out):
            duration_s = write_pieces(self.voice.speak(self.text, self.language), part)
        return Spoken(out, duration_s, self.voice.card.name)


class Speaker:
    """Finds who speaks a line; a voice is kept, for it reads its weights when it first speaks."""

    def __init__(self, language: str) -> None:
        """``language`` of all texts, guessed from each if empty."""
        self._language, self._choose = language, cache(choose_voice)

    def speech(self, line: Line) -> Speech:
        """Raises InputError, and UnavailableError with what to install where nobody is here who reads it."""
        language = language_of(line.text, self._language)
        return Speech(line.text, language, self._choose(line.voice, language))
