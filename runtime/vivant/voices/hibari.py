"""hibari-tts: an American English voice of 8 MB whose weights come inside its package (extra ``say``)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from vivant.errors import InputError, UnavailableError
from vivant.extras import install
from vivant.sealed import hibari
from vivant.speech.pronunciation import primary
from vivant.types import AudioChunk
from vivant.voices.voice import VoiceCard

USUAL = "heart"
RATE_HZ = 24_000
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
        for sentence in self._model.split_sentences(text):
            for samples in self._model.stream(sentence, seed=SEED):
                yield AudioChunk(samples, RATE_HZ, n_spoken)
                n_spoken += len(samples)
        if not n_spoken:
            raise InputError(f"the voice {self.card.name} finds nothing in the text that it can speak")
