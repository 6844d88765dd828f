"""Freely licensed recordings with their texts, from unpacked Debian packages: telephone prompts, named pictures, a comedy."""

from __future__ import annotations

import gzip
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from training.speech.voices import Espeak
from vivant.errors import InputError
from vivant.media import read_sound
from vivant.speech.phones import PHONE_INDEX
from vivant.types import Float32Array

SPEAKERS = {  # folder of sounds: (texts, espeak-ng's voice)
    "fr_CA_f_June": ("fr", "fr"), "it_IT_m_Carlo": ("it", "it"), "it_IT_f_Menardi": ("it", "it"),
    "ru_RU_f_IvrvoiceRU": ("ru", "ru"),
}  # fmt: skip
HELD_SPEAKERS = {"en_US_f_Allison": ("en", "en-us"), "es_MX_f_Allison": ("es", "es-419")}
"""One person, test only."""
STAMPS = {"bg": "bg", "ca": "ca", "da": "da", "en": "en-us", "es": "es", "fr": "fr", "ro": "ro", "ru": "ru"}
"""Locale of a stamp's text: espeak-ng's voice. Others were spoken by children, or in a language that espeak-ng cannot say."""
FISH = {"cs": "cs", "nl": "nl"}
"""Locale of the dialogues of Fish Fillets: espeak-ng's voice."""
LEAST_PHONES, LEAST_S = 3, 0.34
"""What is shorter is left out."""


@dataclass(frozen=True)
class Prompt:
    """A recording and the phones of its text."""

    samples: Float32Array
    rate_hz: int
    phones: list[int]
    """Without silences."""
    speaker: str


Source = tuple[str, str, Path, str]
"""Speaker, espeak-ng's voice, file, text."""


def held_prompts(packages: Path) -> Iterator[Prompt]:
    """Of the one person who is test only."""
    return _read(_asterisk(packages, HELD_SPEAKERS))


def prompts(packages: Path) -> Iterator[Prompt]:
    """All recordings to learn from."""
    return _read(itertools.chain(_asterisk(packages, SPEAKERS), _stamps(packages), _fish(packages)))


def _read(sources: Iterable[Source]) -> Iterator[Prompt]:
    espeak = Espeak()
    for speaker, voice, path, text in sources:
        phones = [phone for phone, _, _ in espeak.speak(text, voice).phones if phone != PHONE_INDEX["_"]]
        try:
            samples, rate_hz = read_g722(path) if path.suffix == ".g722" else _widened(*read_sound(path))
        except InputError:
            continue  # some files are empty
        if len(phones) >= LEAST_PHONES and len(samples) > LEAST_S * rate_hz:
            yield Prompt(samples, rate_hz, phones, speaker)


def _asterisk(packages: Path, speakers: dict[str, tuple[str, str]]) -> Iterator[Source]:
    """Wide-band files where there are both."""
    for folder, (language, voice) in speakers.items():
        sounds = packages / "usr/share/asterisk/sounds" / folder
        for name, text in asterisk_texts(packages, language).items():
            path = next((p for p in (sounds / f"{name}.g722", sounds / f"{name}.wav") if p.exists()), None)
            if path is not None:
                yield folder, voice, path, text


def asterisk_texts(packages: Path, language: str) -> dict[str, str]:
    """Text of each prompt by its name, for ``language`` as ``en``."""
    path = packages / f"usr/share/doc/asterisk-core-sounds-{language}/core-sounds-{language}.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    pairs = [line.split(":", 1) for line in lines if ":" in line and not line.startswith(";")]
    return {name.strip(): text.strip() for name, text in pairs if text.strip() and not text.strip().startswith("[")}


def _stamps(packages: Path) -> Iterator[Source]:
    """Tux Paint's stamps, each described aloud in some languages; the first line of its text is the English one."""
    for source in sorted((packages / "usr/share/tuxpaint/stamps").rglob("*.txt")):
        first, *others = source.read_text("utf-8", "replace").splitlines() or [""]
        texts = {"en": first} | dict(line.split(".utf8=", 1) for line in others if ".utf8=" in line)
        for locale in filter(texts.__contains__, STAMPS):
            path = source.with_name(f"{source.stem}_desc{'' if locale == 'en' else '_' + locale}.ogg")
            if path.exists():
                yield f"stamps_{locale}", STAMPS[locale], path, texts[locale]


def _fish(packages: Path) -> Iterator[Source]:
    """A sound's name is the name of its line in the script of its level."""
    game = packages / "usr/share/games/fillets-ng"
    line = re.compile(r'dialogId\("([^"]+)".*\)\s*dialogStr\("((?:[^"\\]|\\.)*)"\)')
    for locale, voice in FISH.items():
        for script in sorted((game / "script").glob(f"*/dialogs_{locale}.lua")):
            for name, text in line.findall(script.read_text("utf-8")):
                path = game / "sound" / script.parent.name / locale / f"{name}.ogg"
                if path.exists():
                    yield f"fish_{locale}", voice, path, text


def _widened(samples: Float32Array, rate_hz: int) -> tuple[Float32Array, int]:
    """Telephone sound at 16 kHz, so that it may be played slower."""
    return (resample_poly(samples, 2, 1).astype(np.float32), 2 * rate_hz) if rate_hz == 8000 else (samples, rate_hz)


def read_g722(path: Path) -> tuple[Float32Array, int]:
    """A raw stream without a header: 16 kHz by definition (ITU-T G.722)."""
    import av

    with av.open(str(path), format="g722") as file:
        parts = [frame.to_ndarray().ravel() for frame in file.decode(audio=0)]
    return np.concatenate(parts).astype(np.float32) / np.float32(32768), 16_000
