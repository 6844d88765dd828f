"""``vivant tell WORDS``: what a running `vivant cam` is told, by a stream deck, a script or a key of the desktop."""

from __future__ import annotations

from typing import Annotated

import typer

from vivant_bridge.control import tell as say_to_it
from vivant_bridge.steering import HELP


def tell(words: Annotated[list[str], typer.Argument(help=f"{HELP}. A negative number stands after --.")]) -> None:
    """Tell a running `vivant cam` or `vivant motion` what to do: tell happy, tell gaze 10 0, tell pause."""
    say_to_it(words)
