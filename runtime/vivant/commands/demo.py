"""``vivant demo``: the first thing a newcomer sees."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from vivant.commands.options import (
    BUNDLED,
    ConsentOption,
    FaceOption,
    LanguageOption,
    ProviderOption,
    SeedOption,
    SizeOption,
    begin_production,
    console,
    note,
    open_with_progress,
    say,
)
from vivant.commands.render import render_with_bar, summary
from vivant.media import write_picture
from vivant.portrait import Provider
from vivant.provenance.production import require_ready
from vivant.sheet import contact_sheet
from vivant.size import USUAL_SIZE
from vivant.types import CAMERA_EYE_CONTACT, Controls


def demo(
    portrait: Annotated[Path, typer.Option(help=f"A picture of yours, or one of {', '.join(BUNDLED)}.")] = Path("ada"),
    face: FaceOption = 1,
    folder: Annotated[Path, typer.Option("--out", "-o", help="Where demo.mp4 and demo_sheet.png go.")] = Path(),
    size: SizeOption = None,
    seed: SeedOption = None,
    consent: ConsentOption = None,
    language: LanguageOption = None,
    provider: ProviderOption = Provider.AUTO,
) -> None:
    """Let a bundled portrait speak with a bundled voice: writes demo.mp4 and demo_sheet.png."""
    video, sheet = folder / "demo.mp4", folder / "demo_sheet.png"
    for out in (video, sheet):
        require_ready(out, {"portrait": portrait}, note)
    opened = open_with_progress(portrait, provider, number=face)
    with as_file(files("vivant") / "assets" / "voice.flac") as voice:
        work = begin_production(opened, portrait, voice, seed, consent, language=language)
        controls = Controls(eye_contact=CAMERA_EYE_CONTACT)
        report = render_with_bar(work, voice, video, fps="30", size=size or USUAL_SIZE, controls=controls)
    with console.status("drawing the contact sheet"):
        work = begin_production(opened, portrait, None, seed, consent)
        write_picture(sheet, contact_sheet(opened), work.complete(sheet))
    say(f"video: {video.resolve()}\nsheet: {sheet.resolve()}\n{summary(report)}")
