"""``vivant motion VOICE... -o OUT``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from vivant.commands.options import FpsOption, MotionOption, SeedOption, TrackOption, console, say
from vivant.errors import InputError
from vivant.face import as_fps
from vivant.media.apart import require_apart
from vivant.motion.model import SpeechMotion
from vivant.motion_files import FORMATS, write_motion, writer_of
from vivant.offline import motion_of
from vivant.registry import MOTIONS, find
from vivant.types import Controls, Emotion


def motion(
    voices: Annotated[list[Path], typer.Argument(help="Sound or video files, for instance all lines of a dialogue.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help=f"A motion file ({', '.join(FORMATS)}), or a folder for one of each voice.")
    ],
    kind: Annotated[str, typer.Option("--format", help=f"In a folder: {', '.join(kind[1:] for kind in FORMATS)}.")] = "csv",
    fps: FpsOption = "60",
    track: TrackOption = None,
    seed: SeedOption = None,
    emotion: Annotated[Emotion, typer.Option(help="Colours the voice's own expression.")] = Emotion.NEUTRAL,
    intensity: Annotated[float, typer.Option(help="Strength of the emotion, 0 to 2.")] = 1.0,
    head_motion: Annotated[float, typer.Option(help="Amount of head motion, 0 to 2.")] = 1.0,
    mouth: Annotated[float, typer.Option(help="Amount of mouth motion, 0 to 2.")] = 1.0,
    model: MotionOption = "voice",
) -> None:
    """Write what VOICE does to a face, as motion for engines and editors; no portrait is needed."""
    rate, controls = as_fps(fps), Controls((0, 0), 1.0, emotion, intensity, head_motion, mouth)
    speech: SpeechMotion = find(MOTIONS, model)()
    jobs = list(_jobs(voices, out, kind))
    for _, path in jobs:
        require_apart(path, {f"sound {voice.name}": voice for voice in voices})
    with console.status("hearing") as status:
        for n, (voice, path) in enumerate(jobs):
            status.update(f"{n + 1} of {len(jobs)}: {voice.name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_motion(path, motion_of(voice, rate, seed=seed, controls=controls, motion=speech, track=track), rate)
            say(f"{path}")


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
