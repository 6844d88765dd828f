"""``vivant-server``: `vivant serve` alone, for a bundle that players run without Python (scripts/bundle)."""

from __future__ import annotations

import runpy
import sys

import typer

from vivant import cli
from vivant.commands.serve import serve


def main() -> None:
    """Serve; or, as a Python of its own, run the script behind ``-P``: the server's decoder of pictures is started so."""
    if sys.argv[1:2] == ["-P"]:
        runpy.run_path(sys.argv[2], run_name="__main__")
    else:
        cli.main(_build, "vivant-server")


def _build() -> typer.Typer:
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(serve)
    return app


if __name__ == "__main__":
    main()
