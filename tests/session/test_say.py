"""``vivant say``, ``--say`` and ``vivant tell say``: a text becomes a sound, a film, and what a live face says."""

from __future__ import annotations

import importlib.util
import math
import os
import re
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import av
import c2pa
import numpy as np
import pytest

from tests.session.bridge_kit import LOUD, Loudness, Stage, run_stage
from tests.session.command_line import ADA, Run, frames_of
from vivant.commands.options import how_to_open, known_text
from vivant.errors import InputError, UnavailableError
from vivant.testing import Inline, LoopClock
from vivant.types import AudioChunk
from vivant.voices import VoiceCard, choose_voice
from vivant.voices.hibari import LONGEST_CLAUSE, parts_of
from vivant_bridge.sound.spoken import SpokenSource
from vivant_bridge.steering import Steering

pytestmark = pytest.mark.session
needs_hibari = pytest.mark.skipif(importlib.util.find_spec("hibari") is None, reason="the extra say is not installed")

RATE_HZ = 16_000


class Beeps:
    """`Voice`: 0.4 s for each word; it chokes on "gulp", and worse on "crash"."""

    card = VoiceCard("beeps 1", "the test", "CC0-1.0")

    def speaks(self, language: str) -> bool:
        return language == "en"

    def speak(self, text: str, language: str) -> Iterator[AudioChunk]:
        n = round(0.4 * RATE_HZ)
        for number, word in enumerate(text.split()):
            if word == "gulp":
                raise UnavailableError("the beeper is broken")
            if word == "crash":
                raise RuntimeError("no such tensor")
            yield AudioChunk(np.full(n, 0.5, np.float32) * np.sin(np.arange(n)).astype(np.float32), RATE_HZ, number * n)


def length_s(path: Path) -> float:
    with wave.open(str(path)) as file:
        return float(file.getnframes() / file.getframerate())


def in_manifest(path: Path) -> str:
    with c2pa.Reader(str(path)) as reader:
        return str(reader.json())


@needs_hibari
def test_a_text_becomes_a_signed_sound(run: Run) -> None:
    done = run("say", "Hello there.")
    assert done.code == 0, done.err
    assert f"say.wav: {length_s(Path('say.wav')):.1f} s, spoken by hibari heart" in done.out and "open it with" in done.out
    said = in_manifest(Path("say.wav"))
    assert "trainedAlgorithmicMedia" in said and "Kokoro-82M" in said and "Hello" not in said
    verified = run("verify", "say.wav")
    assert verified.code == 0 and "spoken by hibari heart" in verified.out and "a sound bears none" in verified.out


@needs_hibari
def test_a_portrait_says_a_text_and_the_film_names_the_voice(run: Run) -> None:
    Path("line.txt").write_text("Hello there.", encoding="utf-8")
    for out in ("one.mp4", "two.mp4"):
        done = run("say", "@line.txt", ADA, "-o", out, "--size", "96")
        assert done.code == 0, done.err
    assert run("say", "Hello there.").code == 0
    frames = frames_of(Path("one.mp4"))
    assert len(frames) == math.ceil(length_s(Path("say.wav")) * 30)
    assert np.array_equal(frames, frames_of(Path("two.mp4"))), "the same text, the same film"
    with av.open("one.mp4") as film:
        assert film.streams.audio
    assert "Kokoro-82M" in in_manifest(Path("one.mp4")) and "Hello" not in in_manifest(Path("one.mp4"))
    assert "spoken by hibari heart" in run("verify", "one.mp4").out


@needs_hibari
def test_numbers_of_any_length_and_pages_without_a_comma_are_spoken() -> None:
    """In parts that need little memory, however long the text; what is parted already stays whole."""
    voice = choose_voice("hibari", "en")
    assert sum(len(chunk.samples) for chunk in voice.speak("9" * 40, "en")) > 10 * 24_000
    page = parts_of("the cat and " * 3000)
    assert max(map(len, page)) <= LONGEST_CLAUSE and " ".join(page).split() == ["the", "cat", "and"] * 3000
    letter = "Dear Sir, " * 100
    assert parts_of(letter) == [letter]


@needs_hibari
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file size limits")
def test_a_full_disk_is_said_of_the_file_that_was_asked_for(tmp_path: Path) -> None:
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000));"
        "sys.argv = ['vivant', 'say', 'Hello there.', '-o', 'hello.wav']; from vivant.cli import main; main()"
    )
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and done.stderr.startswith("error: hello.wav was not written because it is larger")
    assert not list(tmp_path.glob("*.wav")) and not list(tmp_path.glob(".*.wav"))


def test_bytes_that_are_no_text_are_told_to_no_voice() -> None:
    """As a terminal of another character set hands them in."""
    assert known_text("\udcff hello") == "? hello"


@pytest.mark.parametrize(("system", "opener"), [("linux", "xdg-open"), ("darwin", "open"), ("win32", "explorer")])
def test_every_system_is_told_how_to_open_a_film(system: str, opener: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert how_to_open(Path("my films/a.mp4")) == f'open it with: {opener} "{Path("my films/a.mp4")}"'
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert how_to_open(Path("a.mp4")) == "open it with any player or browser"


@needs_hibari
def test_the_pages_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "voices.md").read_text(encoding="utf-8")
    exec(re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[0], {})
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["24000", "24000"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["say"], "give the text"),
        (["say", "?!"], "no letters"),
        (["say", "@nowhere.txt"], "cannot read nowhere.txt"),
        (["say", "@."], "cannot read . as a text"),
        (["render", ADA, "line.wav", "--text", "@/dev/zero", "-o", "out.mp4"], "cannot read /dev/zero as a text"),
        (["say", "\udcff."], "no letters"),
        (["say", "Hello.", "-o", "hello.mp3"], "becomes a .wav"),
        (["say", "Hello.", "--voice", "hal"], "no voice named 'hal'"),
        (["say", "Добрый вечер"], "--text-language"),
        (["say", "@line.wav", "-o", "line.wav"], "is also the text that is read"),
        (["render", ADA, "line.wav", "--say", "Hello.", "-o", "out.mp4"], "leave the sound file and --text away"),
        (["render", ADA, "--text", "Hello.", "--say", "Hello.", "-o", "out.mp4"], "leave the sound file and --text away"),
        (["render", ADA, "-o", "out.mp4"], "--say and a text"),
        (["cam", ADA, "--say", "Hello.", "--mic", "tone", "--camera", "null"], "leave --mic away"),
        (["cam", ADA, "--say", "?!", "--camera", "null"], "no letters"),
        (["tell", "say", "Hello."], "no `vivant cam`"),
    ],
)
def test_what_cannot_be_said_is_refused_in_a_sentence(run: Run, arguments: list[str], sentence: str) -> None:
    Path("line.wav").write_text("some text", encoding="utf-8")
    before = Path("line.wav").read_bytes()
    assert sentence in run(*arguments).sentence()
    assert Path("line.wav").read_bytes() == before and [path.name for path in Path().glob("[!.]*")] == ["line.wav"]


def spoken_stage() -> Stage:
    clock, said = LoopClock(), list[str]()

    def choose(language: str) -> Beeps:
        if language != "en":
            raise InputError(f"nobody speaks {language}")
        return Beeps()

    stage = Stage(SpokenSource(choose, clock, said.append, Inline()))
    stage.said = said
    return stage


def test_a_live_face_says_one_text_after_another_and_knows_them() -> None:
    async def story(stage: Stage) -> None:
        await stage.bridge.say("one two", "en")
        await stage.until(0.5)
        await Steering(stage.bridge, 1).obey(["say", "three"])
        await stage.until(4.0)

    stage = run_stage(spoken_stage, story)
    assert isinstance(stage.runtime, Loudness)
    assert stage.runtime.streams[0].texts == [("one two", "en"), ("three", "en")]
    played = np.concatenate(stage.speaker.played)
    assert np.count_nonzero(np.abs(played) > LOUD) / 48_000 == pytest.approx(1.2, rel=0.1)
    assert np.abs(played[-48_000:]).max() < 1e-3, "and then it is silent"


@pytest.mark.parametrize(("word", "said"), [("gulp", "the beeper is broken"), ("crash", "the voice failed: no such tensor")])
def test_a_voice_that_fails_in_the_middle_is_said_and_the_face_lives_on(word: str, said: str) -> None:
    async def story(stage: Stage) -> None:
        await stage.bridge.say(f"one {word} never", "en")
        await stage.bridge.say("two", "en")
        with pytest.raises(InputError, match="nobody speaks fr"):
            await stage.bridge.say("trois", "fr")
        await stage.until(4.0)

    stage = run_stage(spoken_stage, story)
    assert stage.said == [said]
    assert stage.camera.bright(), "it was heard"
    assert np.count_nonzero(np.abs(np.concatenate(stage.speaker.played)) > LOUD) / 48_000 == pytest.approx(0.8, rel=0.15)


def test_a_microphone_is_told_nothing() -> None:
    async def story(stage: Stage) -> None:
        with pytest.raises(InputError, match="start `vivant cam` with --say"):
            await Steering(stage.bridge, 1).obey(["say", "Hello."])

    run_stage(Stage, story)
