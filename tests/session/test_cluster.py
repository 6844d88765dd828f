"""Ray itself, on loopback: faces placed, added and taken away between lines by Serve, and tables made by tasks."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import VOICE_RATE_HZ, portrait_path
from tests.session.command_line import write_wav
from tests.session.server_kit import tone, until
from vivant.client import Event, RemoteConfig, RemoteSession, connect
from vivant.errors import UnavailableError
from vivant.types import Float32Array

pytestmark = [
    pytest.mark.session,
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra cluster is not installed; scripts/test-cluster brings it"),
]

SMALL = RemoteConfig(size_px=64, shared_memory=False, seed=1)
LINE_S = 4.0
LEFT = "the server is about to stop; animate the face again"


COMMAND = [sys.executable, "-c", "from vivant.cli import main; main()"]
FEWER = """
from vivant.cluster.application import Scale, deploy
from vivant.cluster.joining import joined
from vivant.cluster.replica import ReplicaConfig
from vivant.server.limits import Limits

with joined():
    deploy(Scale(1, 1, 1, 4), ReplicaConfig(Limits(), {store!r}))
"""


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[int]:
    """``vivant serve --cluster``: its port. Ends well on SIGTERM, and leaves nothing running."""
    words = ["serve", "--cluster", "--port", "0", "--replica-cores", "1", "--portraits", str(folder / "store"), *options]
    with (folder / "errors").open("w") as errors:
        process = subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=errors, text=True)
    with process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert "vivant listens on 127.0.0.1:" in said, (folder / "errors").read_text()
            yield int(said.split("127.0.0.1:")[1].split()[0])
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    assert process.returncode == 0, (folder / "errors").read_text()
    assert not replicas()


def commands() -> dict[str, bytes]:
    """Of all processes, by their number."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found[path.parent.name] = path.read_bytes()
    return found


def replicas() -> set[str]:
    """Processes of the application's."""
    return {pid for pid, command in commands().items() if command.startswith(b"ray::ServeReplica:vivant:face")}


def ray_address() -> str:
    """Of what was started here."""
    (address,) = {each[1] for command in commands().values() if (each := re.search(rb"--gcs-address=([\d.]+:\d+)", command))}
    return address.decode()


async def spoken(face: RemoteSession, seconds: float = 0.3) -> float:
    """Seconds of a line, from its beginning to its end as they came."""
    await face.push(tone(seconds))
    await face.end()
    began, ended = [item for item in (await until(face, "UTTERANCE_FINISHED"))[1] if not isinstance(item, Event)]
    return (ended.position_us - began.position_us) / 1e6


def test_vivant_serve_adds_a_replica_where_faces_are_more_and_ends_on_sigterm(cache_dir: Path, tmp_path: Path) -> None:
    async def story() -> None:
        async with connect(f"127.0.0.1:{port}") as client, AsyncExitStack() as stack:
            faces = [await stack.enter_async_context(client.animate("ada", SMALL)) for _ in range(2)]
            async with asyncio.timeout(90):
                while len(replicas()) < 2:
                    assert all(spoken_s > 0.2 for spoken_s in await asyncio.gather(*map(spoken, faces)))

    with serving(tmp_path, "--replicas", "1:2", "--replica-faces", "1") as port:
        asyncio.run(asyncio.wait_for(story(), 120))


def test_a_replica_that_is_taken_away_lets_its_lines_end_and_its_clients_find_another(cache_dir: Path, tmp_path: Path) -> None:
    async def end_of(face: RemoteSession) -> str:
        with pytest.raises(UnavailableError) as ended:
            async for _ in face:
                pass
        return str(ended.value)

    async def story() -> None:
        async with connect(f"127.0.0.1:{port}") as client, AsyncExitStack() as stack:
            faces = [await stack.enter_async_context(client.animate("ada", SMALL)) for _ in range(6)]
            lines = [asyncio.create_task(spoken(face, LINE_S)) for face in faces]
            fewer = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                FEWER.format(store=str(tmp_path / "store")),
                env={**os.environ, "RAY_ADDRESS": ray_address()},
            )
            assert all(spoken_s > 0.95 * LINE_S for spoken_s in await asyncio.gather(*lines)), "a line was cut"
            ends = [asyncio.create_task(end_of(face)) for face in faces]
            done, others = await asyncio.wait(ends, timeout=60, return_when=asyncio.FIRST_COMPLETED)
            assert {task.result().partition("UNAVAILABLE: ")[2] for task in done} == {LEFT}
            async with client.animate("ada", SMALL) as again:
                assert await spoken(again) > 0.2
            for task in others:
                task.cancel()
            assert await fewer.wait() == 0
            while len(replicas()) > 1:
                await asyncio.sleep(0.2)

    with serving(tmp_path, "--replicas", "2:2", "--replica-faces", "4") as port:
        asyncio.run(asyncio.wait_for(story(), 180))


@pytest.fixture
def table(tmp_path: Path, voice: Float32Array) -> Path:
    """Four lines of motion and one film."""
    n = round(0.6 * VOICE_RATE_HZ)
    for number in range(4):
        write_wav(tmp_path / f"line{number}.wav", voice[number * n : (number + 1) * n], VOICE_RATE_HZ)
    portrait = tmp_path / "me.jpg"
    portrait.write_bytes(portrait_path("noor").read_bytes())
    file = tmp_path / "lines.csv"
    rows = [f"line{number}.wav,line{number}.jsonl," for number in range(4)] + [
        "line0.wav,film.mp4,me.jpg",
        "none.wav,no.jsonl,",
    ]
    file.write_text("\n".join(["file,output,portrait", *rows]) + "\n")
    return file


def test_a_table_is_made_by_tasks_as_it_is_made_here(cache_dir: Path, table: Path) -> None:
    def render(out: str, *more: str) -> tuple[int, str]:
        size = ("--size", "96", "--fps", "24", "--consent", "synthetic")
        words = ["render", str(table), "-o", out, *size, *more]
        done = subprocess.run([*COMMAND, *words], cwd=table.parent, capture_output=True, text=True, check=False)
        assert "none.wav" in done.stderr and "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout.splitlines()[-1]

    here, there = table.parent / "here", table.parent / "there"
    assert render("here", "--jobs", "1") == (1, "5 made, 0 kept, 1 failed")
    assert render("there", "--cluster") == (1, "5 made, 0 kept, 1 failed")
    assert render("there", "--cluster") == (1, "0 made, 5 kept, 1 failed")
    assert sorted(path.name for path in there.iterdir()) == sorted(path.name for path in here.iterdir())
    for number in range(4):
        assert (there / f"line{number}.jsonl").read_bytes() == (here / f"line{number}.jsonl").read_bytes()
    verified = subprocess.run([*COMMAND, "verify", there / "film.mp4"], capture_output=True, text=True, check=False)
    assert "credentials: valid" in verified.stdout
