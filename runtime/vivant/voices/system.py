"""The system's own voices: macOS's `say`, Windows' SAPI; on Linux espeak-ng, for speech-dispatcher plays and gives no sound."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from vivant.errors import InputError
from vivant.speech.pronunciation import primary
from vivant.types import AudioChunk
from vivant.voices.espeak import EspeakVoice
from vivant.voices.programs import output_of, told
from vivant.voices.voice import Voice, VoiceCard
from vivant.voices.wav import read_wav

SCRIPT = Path(__file__).with_name("sapi.ps1")
POWERSHELL = ("powershell", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", str(SCRIPT))


@dataclass(frozen=True, slots=True)
class System:
    """How a system lists its voices, and speaks with one."""

    name: str
    made_by: str
    licence: str
    listing: tuple[str, ...]
    row: re.Pattern[str]
    """Of the listing: the voice's name, and the tag of its language."""
    speaking: Callable[[str, Path], tuple[str, ...]]
    """The command that speaks by the voice of that name into that WAV file."""


MACOS = System(
    "say",
    "Apple",
    "terms of macOS: personal, non-commercial use",
    ("say", "-v", "?"),
    re.compile(r"^(.+?) +([a-z]{2,3}[_-]\w+) +#", re.MULTILINE),
    lambda voice, out: ("say", "-v", voice, "-f", "-", "-o", str(out), "--file-format=WAVE", "--data-format=LEI16@22050"),
)
WINDOWS = System(
    "SAPI",
    "Microsoft",
    "terms of Windows",
    POWERSHELL,
    re.compile(r"^(.+)\t([\w-]+)\r?$", re.MULTILINE),
    lambda voice, out: (*POWERSHELL, "-Out", str(out), "-Voice", voice),
)


class SystemVoice:
    """`Voice` of a `System`: the one named, or the first that reads the language. It speaks a text whole before it is heard."""

    def __init__(self, system: System, argument: str = "") -> None:
        self._system, self._argument = system, argument
        self.card = VoiceCard(f"{system.name} {argument}".strip(), system.made_by, system.licence, "not said by its maker")

    @cached_property
    def _voices(self) -> dict[str, str]:
        """Language tag by name."""
        found = dict(self._system.row.findall(output_of(*self._system.listing)))
        if self._argument and self._argument not in found:
            raise InputError(f"{self._system.name} has no voice named {self._argument!r}; it has {', '.join(found) or 'none'}")
        return {self._argument: found[self._argument]} if self._argument else found

    def speaks(self, language: str) -> bool:
        return self._name(language) is not None

    def speak(self, text: str, language: str) -> Iterator[AudioChunk]:
        name = self._name(language)
        assert name is not None, "the caller asked `speaks`"
        with TemporaryDirectory() as folder:
            out = Path(folder) / "speech.wav"
            with told(text, *self._system.speaking(name, out)):
                pass
            yield from read_wav(str(out), self._system.name)

    def _name(self, language: str) -> str | None:
        """The first voice of the very tag, or else of its language."""
        tag = language.lower().replace("_", "-")
        same = [name for name, of in self._voices.items() if of.lower().replace("_", "-") == tag]
        near = [name for name, of in self._voices.items() if primary(of) == primary(language)]
        return next(iter(same + near), None)


def system_voice(argument: str) -> Voice:
    """The one of this system. Raises UnavailableError where it has none."""
    systems = {"darwin": MACOS, "win32": WINDOWS}
    return SystemVoice(systems[sys.platform], argument) if sys.platform in systems else EspeakVoice(argument)
