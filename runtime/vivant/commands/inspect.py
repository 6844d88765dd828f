"""``vivant inspect PORTRAIT -o SHEET.png``: the picture by which to judge a rig."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from vivant.commands.options import (
    ConsentOption,
    ProviderOption,
    begin_production,
    console,
    open_with_progress,
    portrait_file,
    say,
)
from vivant.media import load_image, write_png
from vivant.portrait import Provider, default_analyser
from vivant.sheet import contact_sheet, layer_sheet


def inspect(
    portrait: Annotated[Path, typer.Argument(help="JPEG, PNG or WebP of a face, or a bundled name such as ada.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The PNG to write.")],
    consent: ConsentOption = None,
    provider: ProviderOption = Provider.AUTO,
) -> None:
    """Draw the landmarks, layers, visemes, expressions and poses of PORTRAIT on one sheet."""
    face = open_with_progress(portrait, provider)
    work = begin_production(face, portrait, None, 0, consent)
    with console.status("drawing the sheet"), portrait_file(portrait) as file:
        image = load_image(file)
        found = default_analyser(provider).faces(image.pixels)[0]
        sheets = [layer_sheet(face, image.pixels, found.landmarks), contact_sheet(face)]
        width = max(sheet.shape[1] for sheet in sheets)
        padded = [np.pad(sheet, ((0, 0), (0, width - sheet.shape[1]), (0, 0))) for sheet in sheets]
        write_png(out, np.concatenate(padded))
        work.sign(out)
    say(f"sheet: {out.resolve()}")
