"""Which voice speaks: by name, or else the first that is here and knows the language of the text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import cast

from vivant.arguments import text as as_text
from vivant.errors import InputError, UnavailableError
from vivant.extras import install
from vivant.registry import VOICES, find
from vivant.speech.pronunciation import guessed, primary
from vivant.voices.espeak import ESPEAK, INSTALL
from vivant.voices.voice import Voice

AUTO = "auto"
_IN_ORDER = ("hibari", "system", ESPEAK)
"""The most natural first; chosen by ear."""


def choose_voice(name: str, language: str) -> Voice:
    """As ``--voice`` says it: ``auto``, or ``NAME[:ARGUMENT]`` as registered. ``language`` is a tag such as ``de``.

    Raises InputError for a name that nobody has registered and for a voice that does not read the language, and
    UnavailableError, with what to install, where none is here that does.
    """
    if name == AUTO:
        voice = next(_who_speaks(language), None)
        if voice is None:
            raise UnavailableError(f"no voice on this machine reads {language!r}; {_remedy(language)}")
        return voice
    kind, _, argument = name.partition(":")
    voice = cast(Callable[[str], Voice], find(VOICES, kind))(argument)
    if not voice.speaks(language):
        raise InputError(f"the voice {voice.card.name} does not read {language!r}; name another, or leave --voice away")
    return voice


def language_of(text: str, language: str = "") -> str:
    """The tag as given, or else guessed from a text in Latin letters.

    Raises InputError for a text without letters or figures, and where other letters leave the language open.
    """
    if not any(letter.isalnum() for letter in as_text("text", text)):
        raise InputError("the text has no letters that could be spoken")
    if as_text("language", language):
        return language
    letters = [letter for letter in text if letter.isalpha()]
    if sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters) * 2 < len(letters):
        raise InputError("these letters do not tell the language of the text; say it with --text-language, such as ru or ja")
    return guessed(text.lower())


def _who_speaks(language: str) -> Iterator[Voice]:
    """Those that are here and read it; one that does not even answer is left out."""
    for name in _IN_ORDER:
        with suppress(UnavailableError):
            voice = cast(Callable[[str], Voice], find(VOICES, name))("")
            if voice.speaks(language):
                yield voice


def _remedy(language: str) -> str:
    return f"{install('say')} brings one" if primary(language) == "en" else f"{INSTALL} brings one for a hundred languages"
