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
    how_to_open,
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
from vivant.types import CAMERA_EYE_CONTACT, Controls, Emotion
from vivant.voices.hibari import card_of

PAINTING, PERSON = "painting", "person"
"""Names of the bundled speeches."""
FILMS = {"demo.mp4": (Path("mona_lisa"), PAINTING), "demo_person.mp4": (Path("noor"), PERSON)}
"""Who says what."""
FRIENDLY = Controls(eye_contact=CAMERA_EYE_CONTACT, emotion=Emotion.HAPPY, intensity=0.5)
"""Chosen by eye: at 1 the smile stays where the text has none."""
VOICE = card_of("heart", "0.2.1")
"""Who spoke the bundled speeches; assets/voice.md says how."""


def demo(
    portrait: Annotated[
        Path | None, typer.Option(help=f"Who speaks instead, in demo.mp4: a picture of yours, or one of {', '.join(BUNDLED)}.")
    ] = None,
    face: FaceOption = 1,
    folder: Annotated[Path, typer.Option("--out", "-o", help="The folder for what is made.")] = Path(),
    size: SizeOption = None,
    seed: SeedOption = None,
    consent: ConsentOption = None,
    language: LanguageOption = None,
    provider: ProviderOption = Provider.AUTO,
) -> None:
    """Let a painting and a person speak: writes demo.mp4 and demo_person.mp4, and all looks of the latter as demo_sheet.png."""
    films = FILMS if portrait is None else {"demo.mp4": (portrait, PERSON)}
    sheet = folder / "demo_sheet.png"
    for out in (*(folder / name for name in films), sheet):
        require_ready(out, {"portrait": portrait}, note)
    made = []
    for name, (shown, speech) in films.items():
        opened = open_with_progress(shown, provider, number=face)
        with as_file(files("vivant") / "assets" / "speech") as spoken:
            sound, text = spoken / f"{speech}.ogg", (spoken / f"{speech}.txt").read_text(encoding="utf-8")
            work = begin_production(opened, shown, sound, seed, consent, language=language, voice=VOICE)
            video, side = folder / name, size or USUAL_SIZE
            report = render_with_bar(work, sound, video, fps="30", size=side, controls=FRIENDLY, said=(text, "en"))
        made.append(f"video: {video.resolve()}\n{summary(report)}")
    with console.status("drawing the contact sheet"):
        work = begin_production(opened, shown, None, seed, consent)
        write_picture(sheet, contact_sheet(opened), work.complete(sheet))
    say("\n".join([*made, f"sheet: {sheet.resolve()}", how_to_open((folder / next(iter(films))).resolve())]))
