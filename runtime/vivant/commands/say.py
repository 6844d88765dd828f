"""``vivant say TEXT [PORTRAIT]``: a text as a sound, or a portrait that says it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vivant.commands.options import (
    ConsentOption,
    EmotionOption,
    SizeOption,
    TextLanguageOption,
    VoiceOption,
    console,
    how_to_open,
    note,
    say,
    text_file,
)
from vivant.commands.render import render
from vivant.commands.speech import chosen
from vivant.errors import InputError, UnavailableError
from vivant.media.atomic import replacing, reporting
from vivant.provenance.production import completion_of_speech, require_ready
from vivant.registry import VOICES, find, names
from vivant.types import Emotion
from vivant.voices import AUTO, Voice
from vivant.voices.wav import write_pieces

SOUND = ".wav"


def say_text(
    text: Annotated[str, typer.Argument(metavar="TEXT|@FILE", help="What to say; @speech.txt reads it from a file.")] = "",
    portrait: Annotated[Path | None, typer.Argument(help="Who says it: a picture, or a bundled name such as ada.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="say.wav, or with PORTRAIT say.mp4 (.mov, .mkv, .webm, .gif), unless named."),
    ] = None,
    voice: VoiceOption = AUTO,
    text_language: TextLanguageOption = "",
    emotion: EmotionOption = Emotion.NEUTRAL,
    size: SizeOption = None,
    consent: ConsentOption = None,
    voices: Annotated[bool, typer.Option("--voices", help="List the voices, and who made them.")] = False,
) -> None:
    """Say TEXT with a synthetic voice of this machine: as a .wav, or spoken by PORTRAIT as a video.

    `vivant render --say` has the rest of the options of a video, `vivant cam --say` speaks live.
    """
    if voices:
        _list_voices()
    elif not text:
        raise InputError('give the text, such as `vivant say "Hello there."`, or --voices to see who could say it')
    elif portrait is None:
        _write_sound(text, voice, text_language, out or Path(f"say{SOUND}"))
    else:
        film = out or Path("say.mp4")
        render(portrait, film, said=text, voice=voice, text_language=text_language, emotion=emotion, size=size, consent=consent)
        say(how_to_open(film.resolve()))


def _write_sound(said: str, voice: str, language: str, out: Path) -> None:
    if out.suffix.lower() != SOUND:
        raise InputError(f"without a portrait a text becomes a {SOUND}, not {out.name}; name a portrait for a video")
    require_ready(out, {"text": text_file(said)}, note)
    speaker, text, language = chosen(said, voice, language)
    sign = completion_of_speech(out, speaker.card)
    with console.status(f"{speaker.card.name} speaks"), replacing(out, complete=sign) as part, reporting(out):
        duration_s = write_pieces(speaker.speak(text, language), part)
    say(f"{out}: {duration_s:.1f} s, spoken by {speaker.card.name}\n{how_to_open(out.resolve())}")


def _list_voices() -> None:
    for name in names(VOICES):
        try:
            speaker: Voice = find(VOICES, name)("")
        except UnavailableError as error:
            say(f"{name:<10} not here: {error}")
            continue
        card = speaker.card
        trained = f"; trained on {card.trained_on}" if card.trained_on else "; by rules, trained on nobody"
        say(f"{name:<10} {card.name}, by {card.made_by}; {card.licence}{trained}")
