"""Options that name what other packages may bring. Apart from the others, which load what reads and writes films."""

from __future__ import annotations

from typing import Annotated

import typer

from vivant.named import DEFAULT_ANALYSER as DEFAULT_ANALYSER

GeneratorOption = Annotated[str, typer.Option(metavar="NAME", help="What draws the face: rig, or what another package brings.")]
MotionOption = Annotated[str, typer.Option(metavar="NAME", help="What moves the face: voice, or what another package brings.")]
AnalyserOption = Annotated[
    str, typer.Option(metavar="NAME", help="What reads the portrait: networks, or what another package brings.")
]
