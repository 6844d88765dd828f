"""Control channel: `vivant tell` reaches a running `vivant cam` over loopback, with a token that only its user can read."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from vivant import InputError, VivantError
from vivant.errors import OutputError, UnavailableError
from vivant.media.atomic import replacing, reporting
from vivant.private import private_folder
from vivant.provenance.settings import config_folder
from vivant_bridge.steering import Steering

HOST = "127.0.0.1"
LONGEST = 1 << 16
"""Bytes of one request: a text of some pages; chosen."""
WAIT_S = 2.0
"""For a whole request; for its answer twice as long."""
TOO_SLOW = "that was not done in time; say it again when a face is there"
NOBODY = "no `vivant cam` or `vivant motion` runs here that could be told; start one"


def control_file() -> Path:
    """Port and token of the one that was started last."""
    return config_folder() / "control.token"


@asynccontextmanager
async def control_channel(steering: Steering, report: Callable[[str], None]) -> AsyncIterator[None]:
    """Be told by `tell`. Where no port or file can be had, ``report`` hears it and everything else goes on."""
    token = secrets.token_hex(16)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError):  # ValueError: a line without an end
            try:
                async with asyncio.timeout(WAIT_S):
                    error = await _obeyed(await reader.readline(), token, steering)
            except TimeoutError:
                error = TOO_SLOW
            writer.write(json.dumps({"error": error}).encode() + b"\n")
        writer.close()

    server: asyncio.Server | None = None
    try:
        server = await asyncio.start_server(answer, HOST, 0, limit=LONGEST)
        said = json.dumps({"port": server.sockets[0].getsockname()[1], "token": token})
        _write(said)
    except (OSError, OutputError) as error:
        if server is not None:
            server.close()
        report(f"`vivant tell` cannot reach this one: {error}")
        yield
        return
    try:
        yield
    finally:
        server.close()
        with suppress(OSError):
            if control_file().read_text("ascii") == said:  # nobody has started after us
                control_file().unlink()


async def _obeyed(line: bytes, token: str, steering: Steering) -> str | None:
    """What was wrong with a request, in a sentence; None where it was done."""
    try:
        asked = json.loads(line)
        given, words = asked["token"], asked["words"]
        if not secrets.compare_digest(str(given), token) or type(words) is not list or not all(type(w) is str for w in words):
            raise KeyError("token")
    except (ValueError, KeyError, TypeError, RecursionError):
        return "that was said without the token, or in other words than `vivant tell` uses"
    try:
        await steering.obey(words)
    except VivantError as error:
        return str(error)
    return None


def _write(said: str) -> None:
    file = control_file()
    with reporting(file):
        private_folder(file.parent)
    with replacing(file, private=True) as part, reporting(file):
        part.write_text(said, encoding="ascii")


def tell(words: Sequence[str]) -> None:
    """Say it to the one that runs. Raises UnavailableError where none does, and InputError for what it does not understand."""
    try:
        said = json.loads(control_file().read_text("ascii"))
        asked = json.dumps({"token": said["token"], "words": list(words)}).encode() + b"\n"
        if len(asked) > LONGEST:
            raise InputError(f"at most {LONGEST} bytes can be told at once; say a text of that length in pieces")
        with socket.create_connection((HOST, said["port"]), 2 * WAIT_S) as line:
            line.sendall(asked)
            with line.makefile("rb") as answer:
                error = json.loads(answer.readline(LONGEST))["error"]
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as trouble:
        raise UnavailableError(NOBODY) from trouble
    if error is not None:
        raise InputError(str(error))
