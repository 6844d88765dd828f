"""``vivant inspect``: the pictures by which to judge a rig, and what the model makes of a voice."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from vivant.commands.options import (
    ConsentOption,
    FaceOption,
    ProviderOption,
    TrackOption,
    begin_production,
    console,
    note,
    open_with_progress,
    portrait_file,
    say,
    say_notes,
)
from vivant.errors import InputError
from vivant.face import RigFace, default_motion
from vivant.media import load_image, read_sound, write_picture
from vivant.media.apart import require_apart
from vivant.media.sequence import picture_format_of
from vivant.portrait import Provider, default_analyser
from vivant.portrait.choice import choose_face
from vivant.provenance.production import own_files, require_ready
from vivant.sheet import contact_sheet, layer_sheet
from vivant.speech.curves import curves_picture


def inspect(
    out: Annotated[Path, typer.Option("--out", "-o", help="The PNG or JPEG to write.")],
    portrait: Annotated[Path | None, typer.Argument(help="JPEG, PNG or WebP of a face, or a bundled name such as ada.")] = None,
    audio: Annotated[Path | None, typer.Option(help="Instead: draw the curves that this sound becomes.")] = None,
    track: TrackOption = None,
    face: FaceOption = 1,
    consent: ConsentOption = None,
    provider: ProviderOption = Provider.AUTO,
) -> None:
    """Draw the landmarks, layers, visemes, expressions and poses of PORTRAIT on one sheet; or the curves of a sound."""
    if (portrait is None) == (audio is None):
        raise InputError("name a portrait, or a sound with --audio; one of the two")
    picture_format_of(out)
    if audio is not None:
        say_notes(audio, track)
        require_apart(out, {"sound": audio} | own_files())
        with console.status("listening"):
            write_picture(out, curves_picture(*read_sound(audio, track), default_motion()))
    if portrait is not None:
        require_ready(out, {"portrait": portrait}, note)
        _draw_portrait(portrait, out, face, consent, provider)
    say(f"sheet: {out.resolve()}")


def _draw_portrait(portrait: Path, out: Path, number: int, consent: str | None, provider: Provider) -> None:
    face = open_with_progress(portrait, provider, number=number)
    if portrait.suffix == ".vivant":
        raise InputError(f"{portrait} is a rig, whose picture is not in it; give the picture that it was made of")
    assert isinstance(face, RigFace)
    work = begin_production(face, portrait, None, 0, consent)
    with console.status("drawing the sheet"), portrait_file(portrait) as file:
        choice = choose_face(load_image(file), default_analyser(provider), number)
        sheets = [layer_sheet(face, choice.image.pixels, choice.face.landmarks), contact_sheet(face)]
        width = max(sheet.shape[1] for sheet in sheets)
        padded = [np.pad(sheet, ((0, 0), (0, width - sheet.shape[1]), (0, 0))) for sheet in sheets]
        write_picture(out, np.concatenate(padded), work.complete(out))
