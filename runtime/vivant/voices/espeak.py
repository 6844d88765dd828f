"""espeak-ng: a hundred languages by rules, robotic, quick, and in most Linux distributions."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import cached_property

from vivant.errors import UnavailableError
from vivant.speech.pronunciation import primary
from vivant.types import AudioChunk
from vivant.voices.programs import output_of, told
from vivant.voices.voice import VoiceCard
from vivant.voices.wav import read_wav

ESPEAK = "espeak-ng"
INSTALL = "`sudo apt-get install espeak-ng` (macOS: brew, Windows: winget)"


class EspeakVoice:
    """`Voice` of the program espeak-ng; an argument such as ``en-gb+f3`` names one of its own voices."""

    def __init__(self, argument: str = "") -> None:
        if shutil.which(ESPEAK) is None:
            raise UnavailableError(f"the program {ESPEAK} is not on this machine; {INSTALL} brings it")
        self._argument = argument
        number = re.search(r"\d[\w.-]*", output_of(ESPEAK, "--version"))
        name = f"{ESPEAK} {argument} {number[0] if number else ''}"
        self.card = VoiceCard(" ".join(name.split()), "the authors of eSpeak NG", "GPL-3.0-or-later, its sound is free")

    @cached_property
    def _languages(self) -> frozenset[str]:
        rows = output_of(ESPEAK, "--voices").splitlines()[1:]
        tags = [tag for row in rows for tag in [row.split()[1], *re.findall(r"\(([\w-]+) \d+\)", row)]]
        return frozenset(primary(tag) for tag in tags)

    def speaks(self, language: str) -> bool:
        return primary(language) in self._languages

    def speak(self, text: str, language: str) -> Iterator[AudioChunk]:
        voice = self._argument or language.lower().replace("_", "-")
        command = (ESPEAK, "--stdin", "--stdout", "-b", "1", "-v", voice)
        with told(text, *command) as sound:
            yield from read_wav(sound, ESPEAK)
