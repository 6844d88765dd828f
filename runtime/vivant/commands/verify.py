"""``vivant verify FILE``: what a file says of its origin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vivant.commands.options import say
from vivant.provenance.verify import verify as examine


def verify(
    file: Annotated[Path, typer.Argument(help="A picture, a video or a .wav.")],
    trust: Annotated[
        Path | None, typer.Option(help="PEM certificates of signers you know, beside your own key; or VIVANT_TRUST.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of sentences.")] = False,
) -> None:
    """Look for content credentials and for Vivant's invisible mark in FILE.

    Exit code 0: signed by your key or one you trust; 3: nothing found; 4: broken or contradicting; 5: signed by nobody known;
    6: marked, without credentials; 7: marked, but not said to be synthetic; 1: the file cannot be read.
    """
    findings = examine(file, trust)
    say(findings.as_json() if json else findings.as_text())
    raise typer.Exit(findings.exit_code)
