"""``vivant learn VIDEO --portrait ME.png -o ME.vivant``: a rig that has learnt how this person's own mouth and lids look.
``vivant learn --manner FOLDER|VIDEO --name NAME``: how a person moves, for ``--manner NAME`` wherever a face is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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
from vivant.face import Face, RigFace
from vivant.learn.learning import USUAL_STEPS, Learnt, forget
from vivant.learn.learning import learn as learn_from
from vivant.media.apart import require_apart
from vivant.media.atomic import replacing, require_place
from vivant.portrait import PortraitAnalyser, Provider
from vivant.provenance.consent import require_consent, stated_consent
from vivant.provenance.policy import Policy
from vivant.provenance.production import own_files, sha256_of
from vivant.registry import ANALYSERS, find
from vivant.rig.seal import seal

WHERE = {"mouth": "inside the lips", "eyes": "around moved lids"}


def learn(
    video: Annotated[Path | None, typer.Argument(help="A film of the person talking, a minute or so, from the front.")] = None,
    portrait: Annotated[
        Path | None, typer.Option("--portrait", help="Their portrait: an image file, or a .vivant rig.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="OUT.vivant, to be given wherever a portrait is.")] = None,
    manner: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER|VIDEO",
            help="Learn how somebody moves instead: captured motion (.csv, .jsonl, .vmc) with a sound of the same name, or a "
            "film of the person; may be repeated.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="How --manner will call it: letters, digits, - and _.")
    ] = None,
    face: FaceOption = 1,
    steps: Annotated[int, typer.Option(min=1, max=100_000, help="Of training; more take longer.")] = USUAL_STEPS,
    consent: ConsentOption = None,
    analyser: AnalyserOption = DEFAULT_ANALYSER,
    provider: ProviderOption = Provider.AUTO,
) -> None:
    """Teach a portrait its own teeth, tongue and lids from a film of the same person, or, with --manner, how a person moves;
    broken off, the first goes on the next time."""
    if manner and name and not (video or portrait or out):
        teach_manner(manner, name, consent)
    elif video and portrait and out and not (manner or name):
        opened = partial(open_with_progress, portrait, provider, number=face, analyser=analyser)
        teach_finish(video, portrait, out, opened, find(ANALYSERS, analyser)(provider), steps, consent)
    else:
        raise InputError(
            "give VIDEO, --portrait and --out to learn mouth and lids, or --manner and --name to learn how somebody moves"
        )


def teach_finish(
    video: Path,
    portrait: Path,
    out: Path,
    opened: Callable[[], Face],
    reader: PortraitAnalyser,
    steps: int,
    consent: str | None,
) -> None:
    """Raises InputError for a film without consent, or whose lips cannot be learnt."""
    if out.suffix.lower() != ".vivant":
        raise InputError(f"{out.name} must end in .vivant: what is learnt becomes part of a rig")
    require_apart(out, {"video": video, "portrait": portrait} | own_files())
    require_place(out)
    film_sha256 = sha256_of(video, "video")
    face = opened()
    assert isinstance(face, RigFace)
    Policy.load().allow_portrait(face.portrait_sha256, portrait.name)
    answer = require_answer(face.portrait_sha256, portrait, consent)
    require_consent(film_sha256, video.name, answer, note)
    learnt = _learn_with_bar(video, face, reader, answer.value, steps)
    with replacing(out, private=True) as part:
        learnt.rig.save(part)
        seal(part)
    forget(film_sha256, face)
    for name, taught in learnt.parts.items():
        said = f"error {taught.before:.2f} before, {taught.after:.2f} after ({taught.after / taught.before:.2f})"
        say(f"{WHERE[name]}, on the last third of the film: {said}")
    say(f"{out}: give it wherever a portrait is, as in `vivant render {out} VOICE -o OUT.mp4`")


def teach_manner(recorded: list[Path], name: str, consent: str | None) -> None:
    """Raises InputError for recordings without consent, or that hold too little."""
    from vivant.learn.manner import learn_manner
    from vivant.learn.recordings import recordings
    from vivant.motion.learned.manner import DEFAULT, keep_manner, manner_path
    from vivant.motion.learned.network import shipped

    if name == DEFAULT:
        raise InputError(f"{DEFAULT!r} is the manner of nobody; choose another --name")
    out, runs = manner_path(name), []
    with console.status("learning a manner") as status:
        for path, found in recordings(recorded):
            status.update(f"reading {path.name}")
            require_consent(sha256_of(path, "recording"), path.name, stated_consent(consent), note)
            runs += found
        learnt = learn_manner(name, runs, shipped(), status.update)
    keep_manner(learnt, out)
    say(f"{out}: {out.stat().st_size / 1000:.0f} KB; `vivant render PORTRAIT VOICE --manner {name} -o OUT.mp4` moves in it")


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
