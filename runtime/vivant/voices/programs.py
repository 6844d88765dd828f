"""Programs that speak: run without a shell, given the text on standard input, so that no list of processes shows it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO

from vivant.errors import UnavailableError

ANSWER_S = 20.0
"""For what a program says of itself; Windows takes seconds to list its voices. Chosen."""


def output_of(*command: str) -> str:
    """What a program prints, as UTF-8. Raises UnavailableError where it fails or does not answer."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=ANSWER_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise UnavailableError(f"{command[0]} does not answer") from error
    return done.stdout.decode("utf-8", "replace")


@contextmanager
def told(text: str, *command: str) -> Iterator[IO[bytes]]:
    """The standard output of a program that was given a text; leaving it by an exception stops the program.

    Raises UnavailableError, with the program's own words, where it does not start or fails.
    """
    with TemporaryFile() as words, TemporaryFile() as complaint:
        words.write(text.encode())
        words.seek(0)
        try:
            program = subprocess.Popen(command, stdin=words, stdout=subprocess.PIPE, stderr=complaint)
        except OSError as error:
            raise UnavailableError(f"{command[0]} does not start: {error.strerror or error}") from error
        with program:
            assert program.stdout is not None
            try:
                yield program.stdout
                program.stdout.read()
            except BaseException:
                program.kill()
                raise
        if program.returncode:
            complaint.seek(0)
            lines = complaint.read().decode("utf-8", "replace").split("\n")
            said = next((line.strip() for line in lines if line.strip()), f"exit code {program.returncode}")
            raise UnavailableError(f"{command[0]} failed: {said}")
