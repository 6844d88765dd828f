"""Voices: who speaks a text, what comes out, and what becomes of the program that speaks."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vivant.errors import InputError, UnavailableError
from vivant.types import AudioChunk
from vivant.voices import Voice, choose_voice, language_of, write_wav
from vivant.voices.espeak import EspeakVoice
from vivant.voices.hibari import HibariVoice
from vivant.voices.system import MACOS, WINDOWS, System, SystemVoice

pytestmark = pytest.mark.unit

needs_hibari = pytest.mark.skipif(importlib.util.find_spec("hibari") is None, reason="the extra say is not installed")
needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
posix = pytest.mark.skipif(sys.platform == "win32", reason="stand-ins are scripts with a shebang")

StandIn = Callable[[str, str], Path]
SOUND = """
def speak(target, rate_hz=22050, seconds=0.35):
    with wave.open(target, "wb") as file:
        file.setnchannels(1); file.setsampwidth(2); file.setframerate(rate_hz)
        file.writeframes(b"\\x00\\x10" * round(seconds * rate_hz))
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A program of that name before all others, which notes its ``words``; ``body`` is Python, with `speak`."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")

    def make(name: str, body: str) -> Path:
        program, noted = tmp_path / "bin" / name, tmp_path / f"{name}.txt"
        noting = f"open({str(noted)!r}, 'a', encoding='utf-8').write(repr(words) + '\\n')"
        program.write_text(f"#!{sys.executable}\nimport sys, os, wave\nwords = sys.argv[1:]\n{SOUND}\n{noting}\n{body}\n")
        program.chmod(0o755)
        return noted

    return make


def whole(chunks: list[AudioChunk]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """The samples; checks that they follow each other at one rate."""
    assert len({chunk.sample_rate_hz for chunk in chunks}) == 1
    starts = np.cumsum([0, *(len(chunk.samples) for chunk in chunks)])
    assert [chunk.start_sample for chunk in chunks] == starts[:-1].tolist()
    return np.concatenate([chunk.samples for chunk in chunks])


@pytest.mark.parametrize(
    ("text", "language"),
    [("Where have you been?", "en"), ("Ich weiß nicht, was das ist.", "de"), ("¿Dónde está la casa?", "es"), ("42", "en")],
)
def test_a_language_is_guessed(text: str, language: str) -> None:
    assert language_of(text) == language
    assert language_of(text, "nl-BE") == "nl-BE"


@pytest.mark.parametrize("text", ["", " ", "?!", "🙂"])
def test_nothing_to_say(text: str) -> None:
    with pytest.raises(InputError, match="no letters"):
        language_of(text, "en")


def test_letters_that_do_not_tell_the_language() -> None:
    with pytest.raises(InputError, match="--text-language"):
        language_of("Добрый вечер")
    assert language_of("Добрый вечер", "ru") == "ru"


@needs_hibari
def test_english_is_spoken_naturally_where_that_voice_is_here() -> None:
    assert choose_voice("auto", "en-GB").card.name.startswith("hibari heart")
    with pytest.raises(InputError, match="does not read 'de'"):
        choose_voice("hibari", "de")


def test_a_voice_that_nobody_has_registered() -> None:
    with pytest.raises(InputError, match="no voice named 'hal'; known are "):
        choose_voice("hal:9000", "en")


def test_what_to_install_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(UnavailableError, match=r"no voice on this machine reads 'de'; `sudo apt-get install espeak-ng`"):
        choose_voice("auto", "de")


@pytest.fixture(scope="module")
def heart() -> HibariVoice:
    """Its weights are read."""
    voice = HibariVoice()
    assert len(next(voice.speak("Hello.", "en")).samples) > 0
    return voice


@pytest.mark.full
@needs_hibari
def test_hibari_gives_a_sentence_at_a_time_and_the_same_sound_for_the_same_text(heart: HibariVoice) -> None:
    text = "Hello there. I can speak!"
    chunks = list(heart.speak(text, "en"))
    samples = whole(chunks)
    assert len(chunks) == 2 and chunks[0].sample_rate_hz == 24_000
    assert 1.0 < len(samples) / 24_000 < 5.0 and 0.1 < np.abs(samples).max() <= 1.0
    assert np.array_equal(samples, whole(list(heart.speak(text, "en"))))


@needs_hibari
def test_hibari_finds_nothing_to_say(heart: HibariVoice) -> None:
    with pytest.raises(InputError, match="finds nothing"):
        list(heart.speak("\n \n", "en"))


@needs_hibari
@pytest.mark.parametrize("name", ["emma", "nobody", "../heart"])
def test_hibari_downloads_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path))
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("it called"))
    with pytest.raises(InputError, match="Vivant downloads nothing" if name == "emma" else "has no voice named"):
        next(HibariVoice(name).speak("Hello.", "en"))
    assert list(tmp_path.iterdir()) == []


@needs_espeak
@pytest.mark.parametrize(
    ("text", "language"), [("Guten Tag.", "de-AT"), ("Добрый вечер", "ru"), ("Bom dia", "pt-BR"), ("你好", "zh")]
)
def test_espeak_speaks_other_languages(text: str, language: str) -> None:
    voice = EspeakVoice()
    assert voice.speaks(language) and not voice.speaks("xx")
    samples = whole(list(voice.speak(text, language)))
    assert np.abs(samples).max() > 0.05 and len(samples) > 6_000
    assert voice.card.name.startswith("espeak-ng 1") and voice.card.trained_on == ""


@needs_espeak
def test_espeak_names_a_voice_that_it_has_not() -> None:
    with pytest.raises(UnavailableError, match="voice does not exist"):
        list(EspeakVoice("nobody").speak("Hello.", "en"))


MAC_LISTING = "Anna                de_DE    # Hallo.\nBad News            en_US    # Hi.\nDaniel (Enhanced)   en_GB    # Hi.\n"
WINDOWS_LISTING = "Microsoft Zira Desktop\ten-US\r\nMicrosoft Hedda Desktop\tde-DE\r\n"


@posix
@pytest.mark.parametrize(
    ("system", "program", "listing", "asked", "chosen"),
    [
        (MACOS, "say", MAC_LISTING, "-o", {"en": "Bad News", "en-GB": "Daniel (Enhanced)", "de-AT": "Anna"}),
        (WINDOWS, "powershell", WINDOWS_LISTING, "-Out", {"en": "Microsoft Zira Desktop", "de": "Microsoft Hedda Desktop"}),
    ],
    ids=["macos", "windows"],
)
def test_the_systems_voices_are_asked_as_their_manuals_say(
    system: System, program: str, listing: str, asked: str, chosen: dict[str, str], stand_in: StandIn
) -> None:
    said = "open(os.environ['PATH'].split(':')[0] + '/said', 'w').write(sys.stdin.read())"
    body = (
        f"if {asked!r} in words:\n    {said}; speak(words[words.index({asked!r}) + 1])\nelse:\n    print({listing!r}, end='')"
    )
    noted = stand_in(program, body)
    voice = SystemVoice(system)
    for language, name in chosen.items():
        assert len(whole(list(voice.speak("Größe?", language)))) == round(0.35 * 22_050)
        assert repr(name) in noted.read_text().splitlines()[-1] and "Größe" not in noted.read_text()
        assert (noted.parent / "bin" / "said").read_text() == "Größe?"
    assert not voice.speaks("fr")
    with pytest.raises(InputError, match="has no voice named 'Hal'"):
        SystemVoice(system, "Hal").speaks("en")


@posix
def test_a_program_that_is_not_listened_to_any_more_is_stopped(stand_in: StandIn) -> None:
    """Otherwise closing would wait for its end, which never comes."""
    listing = "print('Pty Language\\n 5  en  --/M  English  en')"
    endless = "speak(sys.stdout.buffer, seconds=1)\n    while True: sys.stdout.buffer.write(bytes(4096))"
    stand_in("espeak-ng", f"if '--stdin' in words:\n    {endless}\nelse:\n    {listing}")
    voice: Voice = EspeakVoice()
    pieces = voice.speak("Hello.", "en")
    assert len(next(pieces).samples) == 2205
    pieces.close()  # type: ignore[attr-defined]


@posix
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("sys.exit('out of breath')", "espeak-ng failed: out of breath"),
        ("sys.exit(3)", "espeak-ng failed: exit code 3"),
        ("print('<html>' * 9)", "espeak-ng gave no sound"),
        ("speak(sys.stdout.buffer, 8000) or sys.exit(1)", "espeak-ng failed: exit code 1"),
    ],
)
def test_a_program_that_fails(body: str, sentence: str, stand_in: StandIn) -> None:
    stand_in("espeak-ng", f"if '--stdin' in words:\n    {body}")
    with pytest.raises(UnavailableError, match=sentence):
        list(EspeakVoice().speak("Hello.", "en"))


def test_a_speech_becomes_a_wav(tmp_path: Path) -> None:
    samples = np.linspace(-1, 1, 800, dtype=np.float32)
    chunks = [AudioChunk(samples[:300], 8_000), AudioChunk(samples[300:], 8_000, 300)]
    assert write_wav(chunks, tmp_path / "a.wav") == 0.1
    with wave.open(str(tmp_path / "a.wav")) as file:
        heard = np.frombuffer(file.readframes(1_000), "<i2") / 32768
    assert np.abs(heard - samples).max() < 1 / 32767
    with pytest.raises(InputError, match="nothing"):
        write_wav([], tmp_path / "b.wav")
    assert not (tmp_path / "b.wav").exists()
