"""A text as the sound of a command: spoken into a file that lasts as long as the command runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from vivant.commands.options import console, known_text
from vivant.errors import InputError
from vivant.voices import Voice, VoiceCard, choose_voice, language_of, write_wav


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a command hears, and knows of it."""

    sound: Path | None
    """None where nothing was given."""
    text: str
    """Empty where it is not known."""
    language: str
    card: VoiceCard | None = None
    """Of the synthetic voice, where one speaks."""


def chosen(said: str, voice: str, language: str) -> tuple[Voice, str, str]:
    """Whom ``--voice`` names, the text that ``--say`` means, and its language. Raises InputError and UnavailableError."""
    text = known_text(said)
    language = language_of(text, language)
    return choose_voice(voice, language), text, language


@contextmanager
def spoken(said: str, voice: str, sound: Path | None, text: str, language: str) -> Iterator[Spoken]:
    """By a synthetic voice, if ``said`` is not empty; otherwise the sound and the text that were given."""
    if not said:
        yield Spoken(sound, known_text(text), language)
        return
    if sound is not None or text:
        raise InputError("--say brings sound and text itself; leave the sound file and --text away")
    speaker, text, language = chosen(said, voice, language)
    with TemporaryDirectory(prefix="vivant-") as folder:
        file = Path(folder) / "speech.wav"
        with console.status(f"{speaker.card.name} speaks"):
            write_wav(speaker.speak(text, language), file)
        yield Spoken(file, text, language, speaker.card)
