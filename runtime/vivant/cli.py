"""The `vivant` command: loads the commands that are installed and turns errors into sentences."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import typer
from rich.console import Console
from rich.markup import escape

from vivant.errors import VivantError

GROUP = "vivant.commands"


def build_app() -> typer.Typer:
    """One application from all entry points of the group ``vivant.commands``: functions are commands, Typer objects groups."""
    app = typer.Typer(
        help="A portrait that speaks, live.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )

    @app.callback()
    def options(debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error.")) -> None:
        pass

    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        command = entry.load()
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=entry.name)
        else:
            app.command(entry.name)(command)
    return app


def main() -> None:
    """Run; exit 1 with one sentence on errors, 130 on Ctrl-C."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        build_app()(args=arguments, prog_name="vivant")
    except Exception as error:
        if debug:
            raise
        unforeseen = f"{type(error).__name__}: {error}; this is a fault of vivant, please report what --debug shows"
        sentence = escape(str(error) if isinstance(error, VivantError) else unforeseen)
        Console(stderr=True).print(f"[bold red]error:[/] {sentence}", soft_wrap=True, highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
