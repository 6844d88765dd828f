"""``vivant motion``: what a voice does to a face, for avatars of other programs: live (``--to``), or as files (``-o``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vivant import Controls, Emotion, InputError, MonotonicClock, MotionFrame, SpeechMotion
from vivant.commands.options import (
    MotionOption,
    SeedOption,
    TextLanguageOption,
    TextOption,
    TrackOption,
    console,
    known_text,
    say,
    text_file,
)
from vivant.face import as_fps
from vivant.media.apart import require_apart
from vivant.motion_files import FORMATS, write_motion, writer_of
from vivant.offline import motion_of
from vivant.registry import MOTIONS, find
from vivant_bridge.bridge import Bridge
from vivant_bridge.choose import choose_receiver, choose_source, choose_speaker
from vivant_bridge.commands.cam import MicOption, QuietOption, SecondsOption, SpeakerOption
from vivant_bridge.commands.running import run_on_terminal
from vivant_bridge.picture.compositor import Compositor, Fill
from vivant_bridge.picture.sink import NullCamera
from vivant_bridge.runtime.motion import MotionRuntime

UNSEEN_PX = 64
"""Of the picture that nobody sees."""


def motion(
    voices: Annotated[
        list[Path] | None, typer.Argument(help="Sound or video files, for instance all lines of a dialogue.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help=f"A file ({', '.join(FORMATS)}), or a folder for one of each voice.")
    ] = None,
    kind: Annotated[str, typer.Option("--format", help=f"In a folder: {', '.join(kind[1:] for kind in FORMATS)}.")] = "csv",
    to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:ARGUMENT]",
            help="Live, to vmc, vtube-studio, live-link-face, ifacialmocap or what another package brings; may be repeated.",
        ),
    ] = None,
    mic: MicOption = "default",
    speaker: SpeakerOption = "none",
    fps: Annotated[str, typer.Option(help="Frames per second, 12 to 60; 23.976 and 30000/1001 work.")] = "60",
    track: TrackOption = None,
    seed: SeedOption = None,
    emotion: Annotated[Emotion, typer.Option(help="Colours the voice's own expression.")] = Emotion.NEUTRAL,
    intensity: Annotated[float, typer.Option(help="Strength of the emotion, 0 to 2.")] = 1.0,
    head_motion: Annotated[float, typer.Option(help="Amount of head motion, 0 to 2.")] = 1.0,
    mouth: Annotated[float, typer.Option(help="Amount of mouth motion, 0 to 2.")] = 1.0,
    text: TextOption = "",
    text_language: TextLanguageOption = "",
    seconds: SecondsOption = None,
    quiet: QuietOption = False,
    model: MotionOption = "voice",
) -> None:
    """Move avatars of other programs by a voice: live (--to vmc), or write its motion to files (VOICE... -o OUT).

    --text @FOLDER holds the text of each voice under its name: line1.txt for line1.wav.
    """
    rate, controls = as_fps(fps), Controls((0, 0), 1.0, emotion, intensity, head_motion, mouth)
    speech: SpeechMotion = find(MOTIONS, model)()
    if to and not voices and out is None:
        receivers, clock = [choose_receiver(text) for text in to], MonotonicClock()
        source, output = choose_source(mic, clock, pcm_rate_hz=48_000, pcm_channels=1), choose_speaker(speaker, clock)
        unseen = Compositor(UNSEEN_PX, UNSEEN_PX, Fill.parse("blur"))
        around = partial(Bridge, MotionRuntime(speech), source, NullCamera(), unseen, output, receivers=receivers, report=say)
        if not quiet:
            say(f"motion at {fps} fps to {', '.join(receiver.name for receiver in receivers)}; voice from {source.name}")
        make = partial(_steered, partial(around, fps=rate, seed=seed, clock=clock), controls)
        run_on_terminal(make, clock, 0, seconds, quiet=quiet)
    elif voices and out is not None and not to:
        of_voice = partial(motion_of, fps=rate, seed=seed, controls=controls, motion=speech, track=track)
        _write_all(
            list(_jobs(voices, out, kind)),
            lambda voice: of_voice(voice, text=_text_of(voice, text), language=text_language),
            rate,
        )
    else:
        raise InputError("give either --to and a tool, such as --to vmc, or voices and -o with the name of a file or folder")


def _write_all(jobs: list[tuple[Path, Path]], of_voice: Callable[[Path], Iterator[MotionFrame]], fps: Fraction) -> None:
    for _, path in jobs:
        require_apart(path, {f"sound {voice.name}": voice for voice, _ in jobs})
    with console.status("hearing") as status:
        for n, (voice, path) in enumerate(jobs):
            status.update(f"{n + 1} of {len(jobs)}: {voice.name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_motion(path, of_voice(voice), fps)
            say(f"{path}")


def _text_of(voice: Path, option: str) -> str:
    """Of a folder of texts the one of that voice, if it is there."""
    folder = text_file(option)
    if folder is None or not folder.is_dir():
        return known_text(option)
    own = folder / f"{voice.stem}.txt"
    return known_text(f"@{own}") if own.exists() else ""


def _steered(make: partial[Bridge], controls: Controls) -> Bridge:
    bridge = make()
    bridge.supervisor.controls = controls
    return bridge


def _jobs(voices: list[Path], out: Path, kind: str) -> Iterator[tuple[Path, Path]]:
    """Each voice and its file. Raises InputError where two would be one."""
    if out.suffix and not out.is_dir():
        writer_of(out)
        if len(voices) > 1:
            raise InputError(f"{len(voices)} voices make as many files; name a folder instead of {out.name}")
        yield voices[0], out
        return
    writer_of(Path(f"x.{kind.lstrip('.')}"))
    names = [voice.stem for voice in voices]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"two voices are named {twice!r}, and so would be their files; give them in two calls")
    for voice in voices:
        yield voice, out / f"{voice.stem}.{kind.lstrip('.')}"
