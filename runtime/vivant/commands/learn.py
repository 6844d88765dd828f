"""``vivant learn VIDEO --portrait ME.png -o ME.vivant``: a rig that has learnt how this person's own mouth looks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from vivant.commands.options import (
    DEFAULT_ANALYSER,
    AnalyserOption,
    ConsentOption,
    FaceOption,
    ProviderOption,
    console,
    note,
    open_with_progress,
    require_answer,
    say,
)
from vivant.errors import InputError
from vivant.face import RigFace
from vivant.learn.learning import USUAL_STEPS, Learnt, forget
from vivant.learn.learning import learn as learn_from
from vivant.media.apart import require_apart
from vivant.media.atomic import replacing, require_place
from vivant.portrait import PortraitAnalyser, Provider
from vivant.provenance.consent import require_consent
from vivant.provenance.policy import Policy
from vivant.provenance.production import own_files, sha256_of
from vivant.registry import ANALYSERS, find
from vivant.rig.seal import seal


def learn(
    video: Annotated[Path, typer.Argument(help="A film of the person talking, a minute or so, from the front.")],
    portrait: Annotated[Path, typer.Option("--portrait", help="Their portrait: an image file, or a .vivant rig.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="OUT.vivant, to be given wherever a portrait is.")],
    face: FaceOption = 1,
    steps: Annotated[int, typer.Option(min=1, max=100_000, help="Of training; more take longer.")] = USUAL_STEPS,
    consent: ConsentOption = None,
    analyser: AnalyserOption = DEFAULT_ANALYSER,
    provider: ProviderOption = Provider.AUTO,
) -> None:
    """Teach a portrait its own teeth, tongue and lips from a film of the same person; broken off, it goes on the next time."""
    if out.suffix.lower() != ".vivant":
        raise InputError(f"{out.name} must end in .vivant: what is learnt becomes part of a rig")
    require_apart(out, {"video": video, "portrait": portrait} | own_files())
    require_place(out)
    film_sha256 = sha256_of(video, "video")
    opened = open_with_progress(portrait, provider, number=face, analyser=analyser)
    assert isinstance(opened, RigFace)
    Policy.load().allow_portrait(opened.portrait_sha256, portrait.name)
    answer = require_answer(opened.portrait_sha256, portrait, consent)
    require_consent(film_sha256, video.name, answer, note)
    learnt = _learn_with_bar(video, opened, find(ANALYSERS, analyser)(provider), answer.value, steps)
    with replacing(out, private=True) as part:
        learnt.rig.save(part)
        seal(part)
    forget(film_sha256, opened)
    said = f"error {learnt.before:.2f} before, {learnt.after:.2f} after ({learnt.after / learnt.before:.2f})"
    say(f"inside the lips, on the last third of the film: {said}")
    say(f"{out}: give it wherever a portrait is, as in `vivant render {out} VOICE -o OUT.mp4`")


def _learn_with_bar(video: Path, face: RigFace, reader: PortraitAnalyser, answer: str, steps: int) -> Learnt:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, share: float) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=1.0)
                if not console.is_terminal:
                    say(stage)
            bar.update(tasks[stage], completed=share)

        return learn_from(video, face, reader, consent=answer, steps=steps, progress=show)
