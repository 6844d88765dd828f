"""``vivant motion``: what a voice does to a face, for avatars of other programs: live (``--to``), or as files (``-o``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vivant import Controls, Emotion, InputError, MonotonicClock, MotionFrame, SpeechMotion
from vivant.commands.dialogue import folder_for, listed, make_all, suffix_of
from vivant.commands.options import (
    DriveConsentOption,
    DriveOption,
    EmotionOption,
    HeadMotionOption,
    IntensityOption,
    LipsOption,
    MannerOption,
    MotionOption,
    MouthOption,
    SeedOption,
    TextLanguageOption,
    TextOption,
    TrackOption,
    VoiceOption,
    console,
    driver_of,
    in_manner,
    known_text,
    say,
    text_file,
)
from vivant.dialogue.lines import Line, Usual, lines_of
from vivant.dialogue.recipe import Recipe
from vivant.face import as_fps
from vivant.media.apart import require_apart
from vivant.motion.driven import Lips, driving
from vivant.motion_files import FORMATS, write_motion, writer_of
from vivant.offline import motion_of
from vivant.registry import motion_model
from vivant.voices import AUTO
from vivant_bridge.bridge import Bridge
from vivant_bridge.commands.cam import MicOption, QuietOption, SecondsOption, SpeakerOption
from vivant_bridge.commands.running import run_on_terminal
from vivant_bridge.device_registry import choose_receiver, choose_source, choose_speaker
from vivant_bridge.picture.compositor import Compositor, Fill
from vivant_bridge.picture.sink import NullCamera
from vivant_bridge.runtime.motion import MotionRuntime
from vivant_bridge.sound.output import AudioSink
from vivant_bridge.sound.source import AudioSource

JobsOption = Annotated[int | None, typer.Option(min=1, max=1024, help="Files made at the same time; one for each core.")]
UNSEEN_PX = 64
"""Of the picture that nobody sees."""


NEITHER = "give either --to and a tool, such as --to vmc, or voices (or --lines) and -o with the name of a file or folder"
LinesOption = Annotated[
    Path | None,
    typer.Option(
        metavar="TABLE",
        help="Instead of VOICE: .csv, .tsv, .json with columns file, text, voice, character, emotion, intensity, seed, output.",
    ),
]
ToOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME[:ARGUMENT]",
        help="Live, to vmc, vtube-studio, live-link-face, ifacialmocap or what another package brings; may be repeated.",
    ),
]


def motion(
    voices: Annotated[
        list[Path] | None, typer.Argument(help="Sound or video files, for instance all lines of a dialogue.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help=f"A file ({', '.join(FORMATS)}), or a folder for one of each voice.")
    ] = None,
    lines: LinesOption = None,
    kind: Annotated[str, typer.Option("--format", help=f"In a folder: {', '.join(kind[1:] for kind in FORMATS)}.")] = "csv",
    to: ToOption = None,
    drive: DriveOption = None,
    lips: LipsOption = Lips.BOTH,
    drive_consent: DriveConsentOption = None,
    mic: MicOption = "default",
    speaker: SpeakerOption = "none",
    fps: Annotated[str, typer.Option(help="Frames per second, 12 to 60; 23.976 and 30000/1001 work.")] = "60",
    track: TrackOption = None,
    seed: SeedOption = None,
    emotion: EmotionOption = Emotion.NEUTRAL,
    intensity: IntensityOption = 1.0,
    head_motion: HeadMotionOption = 1.0,
    mouth: MouthOption = 1.0,
    text: TextOption = "",
    text_language: TextLanguageOption = "",
    voice: VoiceOption = AUTO,
    seconds: SecondsOption = None,
    quiet: QuietOption = False,
    model: MotionOption = "voice",
    manner: MannerOption = None,
    jobs: JobsOption = None,
) -> None:
    """Move avatars of other programs by a voice: live (--to vmc), or write its motion to files (VOICE... -o OUT).

    --text @FOLDER holds the text of each voice under its name: line1.txt for line1.wav. A table has a column text.
    """
    if drive is not None and not to:
        raise InputError("--drive goes with --to; `vivant capture VIDEO -o FILE` writes what a face does to a motion file")
    rate, controls = as_fps(fps), Controls((0, 0), 1.0, emotion, intensity, head_motion, mouth)
    driver, model = driver_of(drive, drive_consent), in_manner(model, manner)
    speech: SpeechMotion = driving(driver, lips)(motion_model(model))
    if to and not voices and lines is None and out is None:
        clock = MonotonicClock()
        receivers = [choose_receiver(text) for text in to]
        source, output = choose_source(mic, clock, pcm_rate_hz=48_000, pcm_channels=1), choose_speaker(speaker, clock)
        if not quiet:
            say(f"motion at {fps} fps to {', '.join(receiver.name for receiver in receivers)}; voice from {source.name}")
        bridge = partial(Bridge, fps=rate, seed=seed, receivers=receivers, driver=driver, clock=clock, report=say)
        make = partial(_without_picture, bridge, MotionRuntime(speech), source, output, controls)
        run_on_terminal(make, clock, 0, seconds, quiet=quiet)
    elif out is not None and bool(voices) != (lines is not None) and not to:
        if voices and out.suffix and not out.is_dir():
            of_voice = partial(motion_of, seed=seed, controls=controls, motion=speech, track=track, language=text_language)
            _write_one(voices, out, partial(of_voice, text=_text_of(voices[0], text)), rate)
        else:
            folder, usual = folder_for(out), Usual(suffix_of(kind, FORMATS), controls, seed, voice=voice)
            all_lines = listed(lines, usual) if lines is not None else _with_texts(lines_of(voices or [], usual), text)
            make_all(folder, Recipe(fps, model, track, text_language), all_lines, [lines] if lines else [], jobs)
    else:
        raise InputError(NEITHER)


def _write_one(voices: list[Path], out: Path, of_voice: Callable[..., Iterator[MotionFrame]], fps: Fraction) -> None:
    writer_of(out)
    if len(voices) > 1:
        raise InputError(f"{len(voices)} voices make as many files; name a folder instead of {out.name}")
    require_apart(out, {"sound": voices[0]})
    with console.status(f"hearing {voices[0].name}"):
        write_motion(out, of_voice(voices[0], fps), fps)
    say(f"{out}")


def _with_texts(lines: list[Line | InputError], option: str) -> list[Line | InputError]:
    return [replace(line, text=_text_of(line.sound, option)) if isinstance(line, Line) else line for line in lines]


def _text_of(voice: Path, option: str) -> str:
    """Of a folder of texts the one of that voice, if it is there."""
    folder = text_file(option)
    if folder is None or not folder.is_dir():
        return known_text(option)
    own = folder / f"{voice.stem}.txt"
    return known_text(f"@{own}") if own.exists() else ""


def _without_picture(
    make: partial[Bridge], runtime: MotionRuntime, source: AudioSource, speaker: AudioSink | None, controls: Controls
) -> Bridge:
    unseen = Compositor(UNSEEN_PX, UNSEEN_PX, Fill.parse("blur"))
    bridge = make(runtime, source, NullCamera(), unseen, speaker)
    bridge.supervisor.controls = controls
    return bridge
