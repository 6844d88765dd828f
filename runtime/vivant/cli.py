"""The `vivant` command: loads the commands that are installed and turns errors into sentences."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def ending_cleanly() -> Iterator[None]:
    """SIGTERM and a closed terminal end the block like an exception, so that nothing half-written stays; exit 143 or 129."""
    names = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    ends = [getattr(signal, name) for name in names if getattr(signal, name, None) is not None]
    ours = [end for end in ends if signal.getsignal(end) is signal.SIG_DFL]  # nohup stays nohup
    came: list[int] = []

    def end(number: int, _: object) -> None:
        for other in ours:
            signal.signal(other, signal.SIG_IGN)
        came.append(number)
        sys.exit(128 + number)

    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
        if came:  # even where a library took the exception for an error of its own
            sys.exit(128 + came[0])


def main() -> None:
    """Run; exit 1 with one sentence on errors, 130 on Ctrl-C, 143 and 129 on SIGTERM and SIGHUP."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        with ending_cleanly():
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
