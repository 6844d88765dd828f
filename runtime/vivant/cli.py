"""The `vivant` command: loads the commands that are installed and turns errors into sentences."""

from __future__ import annotations

import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint, entry_points, version
from io import TextIOWrapper

import typer
from rich.console import Console
from rich.markup import escape

from vivant.errors import UnavailableError, VivantError

GROUP = "vivant.commands"


def build_app() -> typer.Typer:
    """One application from all entry points of the group ``vivant.commands``: functions are commands, Typer objects groups."""
    app = typer.Typer(
        help="A portrait that speaks, live.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )

    @app.callback()
    def options(
        debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
        version: bool = typer.Option(
            False, "--version", help="Say which version this is.", callback=_say_version, is_eager=True
        ),
    ) -> None:
        pass

    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        _add(app, entry)
    return app


def _add(app: typer.Typer, entry: EntryPoint) -> None:
    """A command whose module or library is missing says so when it is called; the others work."""
    try:
        command = entry.load()
    except (ImportError, AttributeError) as error:
        anything = {"allow_extra_args": True, "ignore_unknown_options": True}
        missing = _missing(f"the command {entry.name} is not part of this installation: {error}")
        app.command(entry.name, help="(not installed)", context_settings=anything, add_help_option=False)(missing)
        return
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=entry.name)
    else:
        app.command(entry.name)(command)


def _missing(sentence: str) -> Callable[[], None]:
    def refuse() -> None:
        raise UnavailableError(sentence)

    return refuse


def _say_version(asked: bool) -> None:
    if asked:
        print(f"vivant {version('vivant')} (Python {platform.python_version()}, {platform.system()} {platform.machine()})")
        raise typer.Exit


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
    _take_every_character()
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        with ending_cleanly():
            build_app()(args=arguments, prog_name="vivant")
    except Exception as error:
        full = _refusal_of_stdout(error)
        if debug and full is None:
            raise
        _say_error(error if full is None else full)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _say_error(error: Exception) -> None:
    unforeseen = f"{type(error).__name__}: {error}; this is a fault of vivant, please report what --debug shows"
    sentence = escape(str(error) if isinstance(error, VivantError) else unforeseen)
    with suppress(OSError):  # standard error may be as full as standard output
        Console(stderr=True).print(f"[bold red]error:[/] {sentence}", soft_wrap=True, highlight=False)


def _take_every_character() -> None:
    """What a terminal or a pipe cannot show is escaped, whatever prints it; no result is lost over a name."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _refusal_of_stdout(error: Exception) -> VivantError | None:
    """Why standard output takes no more, such as a full disk, if that was the error; it is then left alone to the very end."""
    if not isinstance(error, OSError) or error.filename is not None or sys.stdout is None:
        return None
    try:
        print(flush=True)
    except OSError as refusal:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return VivantError(f"standard output takes no more ({refusal.strerror}); what was made before that is there")
    return None
