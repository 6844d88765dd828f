"""hibari-tts: an American English voice of 8 MB whose weights come inside its package (extra ``say``)."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from vivant.errors import InputError, UnavailableError
from vivant.extras import install
from vivant.sealed import hibari
from vivant.speech.pronunciation import primary
from vivant.types import AudioChunk, Float32Array
from vivant.voices.voice import VoiceCard

USUAL = "heart"
RATE_HZ = 24_000
LONGEST_CLAUSE = 500
"""Letters: what hibari speaks at once where it parts a sentence itself, rounded up."""
CLAUSES = re.compile(r"(?<=[,;:—])\s+")
LONGEST_NUMBER = 15
"""Digits; longer ones are no amounts. Its rules fail beyond 33."""
SEED = 0
"""Of its breath noise: the same text gives the same sound, and so the same film."""


def card_of(name: str, number: str) -> VoiceCard:
    """Of hibari's voice of that name, in that version of its package."""
    trained_on = (
        "speech of Kokoro-82M (Apache-2.0), which its makers trained on permissive and public-domain recordings and on the"
        " output of commercial synthesisers"
    )
    return VoiceCard(f"hibari {name} {number}", "Maureese Williams", "Apache-2.0", trained_on)


class HibariVoice:
    """`Voice`: one of hibari's that lies on this machine; ``heart`` is in its package."""

    def __init__(self, argument: str = "") -> None:
        self._name = argument or USUAL
        try:
            number = version("hibari-tts")
        except PackageNotFoundError as error:
            raise UnavailableError(f"the voice hibari is not installed; {install('say')} brings it") from error
        self.card = card_of(self._name, number)

    @cached_property
    def _model(self) -> Any:  # noqa: ANN401
        return hibari.load(self._name)

    def speaks(self, language: str) -> bool:
        return primary(language) == "en"

    def speak(self, text: str, language: str) -> Iterator[AudioChunk]:
        n_spoken = 0
        for sentence in self._model.split_sentences(spelled(text)):
            for part in parts_of(sentence):
                for samples in self._sound_of(part):
                    yield AudioChunk(samples, RATE_HZ, n_spoken)
                    n_spoken += len(samples)
        if not n_spoken:
            raise InputError(f"the voice {self.card.name} finds nothing in the text that it can speak")

    def _sound_of(self, part: str) -> Iterator[Float32Array]:
        try:
            yield from self._model.stream(part, seed=SEED)
        except Exception as error:  # of its rules for numbers and names, or of what its network runs on
            raise UnavailableError(f"the voice {self.card.name} failed at a part of the text ({error})") from error


def spelled(text: str) -> str:
    """With numbers that have no name digit by digit."""
    return re.sub(rf"\d{{{LONGEST_NUMBER + 1},}}", lambda number: " ".join(number[0]), text)


def parts_of(sentence: str) -> list[str]:
    """The sentence, or lines of it: hibari parts at clauses only, and takes 1.5 MB for each letter of one."""
    longest = max(map(len, CLAUSES.split(sentence)))
    return [sentence] if longest <= LONGEST_CLAUSE else textwrap.wrap(sentence, LONGEST_CLAUSE)
