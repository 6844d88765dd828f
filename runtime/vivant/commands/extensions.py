"""Options that name what other packages may bring. Apart from the others, which load what reads and writes films."""

from __future__ import annotations

from typing import Annotated

import typer

from vivant.finish.synthetic import FinishKind
from vivant.named import DEFAULT_ANALYSER as DEFAULT_ANALYSER

GeneratorOption = Annotated[str, typer.Option(metavar="NAME", help="What draws the face: rig, or what another package brings.")]
FinishOption = Annotated[
    FinishKind | None,
    typer.Option(help="What is painted where no film taught: none, or synthetic, learnt from rendered people."),
]
MotionOption = Annotated[
    str, typer.Option(metavar="NAME", help="What moves the face: voice (rules), learned, or what another package brings.")
]
MannerOption = Annotated[
    str | None,
    typer.Option(metavar="NAME|default", help="Learned motion in a manner of `vivant learn --manner`; default is nobody's."),
]
AnalyserOption = Annotated[
    str, typer.Option(metavar="NAME", help="What reads the portrait: networks, or what another package brings.")
]


def in_manner(motion: str, manner: str | None) -> str:
    """The motion model by its name; a manner is the learned one's."""
    return motion if manner is None else f"learned:{manner}"
