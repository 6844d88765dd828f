"""``vivant learn --manner FOLDER|VIDEO ... --name NAME``: how a person moves, for ``--manner NAME`` wherever a face is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vivant.commands.options import ConsentOption, console, note, say
from vivant.errors import InputError


def learn(
    manner: Annotated[
        list[Path],
        typer.Option(
            metavar="FOLDER|VIDEO",
            help="Captured motion (.csv, .jsonl) with a sound of the same name, or a film of the person; may be repeated.",
        ),
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="How --manner will call it: letters, digits, - and _.")],
    consent: ConsentOption = None,
) -> None:
    """Learn how a person moves from some minutes of them: head, brows, eyes and lips, on this machine."""
    teach_manner(manner, name, consent)


def teach_manner(recorded: list[Path], name: str, consent: str | None) -> None:
    """Raises InputError for recordings without consent, or that hold too little."""
    from vivant.learn.manner import learn_manner
    from vivant.learn.recordings import recordings
    from vivant.motion.learned.manner import DEFAULT, keep_manner, manner_path
    from vivant.motion.learned.network import shipped
    from vivant.provenance.consent import require_consent, stated_consent
    from vivant.provenance.production import sha256_of

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
