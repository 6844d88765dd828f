"""``vivant serve --embedded``: a server that belongs to the program that started it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

import pytest

from vivant.client import connect
from vivant.errors import UnavailableError

pytestmark = pytest.mark.session

SERVE = [sys.executable, "-c", "from vivant.cli import main; main()", "serve", "--embedded", "--port", "0"]
WAIT_S = 30
GAME = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
child.stdin.write("token\\n")
child.stdin.flush()
print(child.stdout.readline(), flush=True)
child.wait()
"""


@contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


async def n_bundled(port: int, token: str | None) -> int:
    async with connect(f"127.0.0.1:{port}", token=token) as client:
        return len((await client.capabilities()).bundled_portraits)


def test_it_hears_its_token_says_where_it_listens_and_ends_with_its_standard_input() -> None:
    with started([*SERVE, "--web", "--web-port", "0"]) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("a secret\n")
        process.stdin.flush()
        said = json.loads(process.stdout.readline())
        assert said["host"] == "127.0.0.1" and said["port"] > 0
        assert asyncio.run(n_bundled(said["port"], "a secret")) > 5
        door = Request(f"http://127.0.0.1:{said['web_port']}/v1/portraits", headers={"authorization": "Bearer a secret"})
        with urlopen(door) as answer:
            assert answer.status == 200
        with pytest.raises(UnavailableError, match="token"):
            asyncio.run(n_bundled(said["port"], None))
        out, errors = process.communicate(timeout=WAIT_S)  # which closes its standard input
        assert (process.returncode, out) == (0, "") and "a secret" not in errors


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_it_ends_with_a_program_that_is_killed() -> None:
    with started([sys.executable, "-c", GAME, *SERVE]) as process:
        assert process.stdout is not None and process.stderr is not None
        assert json.loads(process.stdout.readline())["port"] > 0
        process.send_signal(signal.SIGKILL)
        process.stderr.read()  # of which the server has the other end, too: this returns when it is gone


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (b"\n", "the token as the first line of standard input"),
        (b"\xff\xfe\n", "a token is one line of ASCII"),
        ("täuschend\n".encode(), "a token is one line of ASCII"),
    ],
)
def test_without_a_token_it_is_a_sentence(given: bytes, sentence: str) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}  # as in most locales
    done = subprocess.run(SERVE, input=given, env=environment, capture_output=True, check=False)
    assert done.returncode == 1 and sentence in done.stderr.decode().replace("\n", " ")
