"""The `vivant` command: finds the commands that are installed, loads the one that is called, turns errors into sentences."""

from __future__ import annotations

import ast
import logging
import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint, entry_points, version
from importlib.util import find_spec
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from vivant.errors import InputError, UnavailableError, VivantError

GROUP = "vivant.commands"
LOGGERS = ("vivant", "vivant_bridge")
LEVELS = ("debug", "info", "warning", "error")
USUAL_LEVEL = "error"
"""What nobody foresaw: a server, or the studio, says that its log has it."""
LAST_STREAM = 2
"""Number of standard error; standard input and output are before it."""


class LazyCommand(TyperCommand):
    """A command of which only the help line is known; its module is imported when it is called."""

    def __init__(self, entry: EntryPoint) -> None:
        super().__init__(entry.name, help=_help_of(entry))
        self._entry = entry

    def make_context(self, *arguments: Any, **extra: Any) -> Any:  # noqa: ANN401
        return _load(self._entry).make_context(*arguments, **extra)


class Commands(TyperGroup):
    """All entry points of the group ``vivant.commands``: functions are commands, Typer objects groups."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401
        super().__init__(**attributes)
        for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
            self.add_command(LazyCommand(entry))


def build_app() -> typer.Typer:
    """The application with its commands, none of which is loaded yet."""
    app = typer.Typer(
        cls=Commands,
        help="A portrait that speaks, live.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def options(
        debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
        verbose: bool = typer.Option(False, "--verbose", help="Tell what happens inside, on standard error."),
        version: bool = typer.Option(
            False, "--version", help="Say which version this is.", callback=_say_version, is_eager=True
        ),
    ) -> None:
        pass

    return app


def _help_of(entry: EntryPoint) -> str:
    """From the source, which is not run: the docstring of the function, or of the module where a group is meant."""
    try:
        spec = find_spec(entry.module)
    except ImportError:
        spec = None
    if spec is None or spec.origin is None:
        return "(not installed)"
    module = ast.parse(Path(spec.origin).read_bytes())
    functions = (node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == entry.attr)
    return ast.get_docstring(next(functions, module)) or ""


def _load(entry: EntryPoint) -> Any:  # noqa: ANN401
    """The command itself. Raises UnavailableError where its module or a library of it is missing; the others work."""
    try:
        found = entry.load()
    except (ImportError, AttributeError) as error:
        raise UnavailableError(f"the command {entry.name} is not part of this installation: {error}") from error
    app = typer.Typer()
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=entry.name)
    else:
        app.command(entry.name)(found)
    return typer.main.get_group(app).commands[entry.name]


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


def main(build: Callable[[], typer.Typer] = build_app, name: str = "vivant") -> None:
    """Run an application; exit 1 with one sentence on errors, 130 on Ctrl-C, 143 and 129 on SIGTERM and SIGHUP."""
    _open_closed_streams()
    _take_every_character()
    debug, verbose = "--debug" in sys.argv, "--verbose" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument not in ("--debug", "--verbose")]
    try:
        log_to_stderr("debug" if verbose else os.environ.get("VIVANT_LOG"))
        with ending_cleanly():
            build()(args=arguments, prog_name=name)
    except Exception as error:
        full = _refusal_of_stdout(error)
        if debug and full is None:
            raise
        say_error(error if full is None else full)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def log_to_stderr(level: str | None) -> None:
    """Lines of the program's own loggers from that level upwards. Where none is named, errors alone, but for a command that
    keeps a log of its own."""
    if level and level.lower() not in LEVELS:
        raise InputError(f"VIVANT_LOG must be one of {', '.join(LEVELS)}, got {level!r}")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=USUAL_LEVEL.upper())
    for name in LOGGERS if level else ():
        logging.getLogger(name).setLevel(level.upper())


def say_error(error: Exception) -> None:
    """One sentence on standard error, also of what was not foreseen."""
    unforeseen = f"{type(error).__name__}: {error}; this is a fault of vivant, please report what --debug shows"
    with suppress(OSError):  # standard error may be as full as standard output
        typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
        typer.echo(str(error) if isinstance(error, VivantError) else unforeseen, err=True)


def _open_closed_streams() -> None:
    """Standard streams that whoever started us has closed lead nowhere. Left closed, the next file that is opened would have
    their number, and be written to by whatever writes to standard error; and Python has None in their place."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= LAST_STREAM:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123  until the very end
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w", encoding="utf-8") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115, PTH123


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
