"""``vivant render LINES.csv``: a dialogue table becomes videos and motion."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Event, Thread
from time import sleep

import numpy as np
import pytest

from tests.conftest import VOICE_RATE_HZ
from tests.session.command_line import ADA, Run, frames_of, write_wav
from vivant.dialogue import served
from vivant.dialogue.batch import KEYS_FILE, Batch
from vivant.dialogue.lines import Line, Usual, lines_of
from vivant.dialogue.recipe import Recipe
from vivant.server.server import Server, ServerConfig
from vivant.types import Controls, Emotion, Float32Array

pytestmark = pytest.mark.session

SECONDS = 0.6
SMALL = ("--size", "96", "--fps", "24")
IN_TURN = ("--jobs", "1")


@pytest.fixture
def table(tmp_path: Path, voice: Float32Array) -> Path:
    """Two lines of a dialogue, the second with a mood."""
    n = round(SECONDS * VOICE_RATE_HZ)
    for number in range(2):
        write_wav(tmp_path / f"line{number}.wav", voice[number * n : (number + 1) * n], VOICE_RATE_HZ)
    file = tmp_path / "lines.csv"
    file.write_text("file,character,portrait,emotion\nline0.wav,a,ada,\nline1.wav,b,,happy\n")
    return file


def made(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def weights(path: Path) -> Float32Array:
    return np.array([json.loads(line)["weights"] for line in path.read_text().splitlines()[1:]], np.float32)


def test_a_table_becomes_signed_videos_and_motion_of_which_only_what_changed_is_made(run: Run, table: Path) -> None:
    def report(*more: str) -> tuple[int, str]:
        both = ("--format", "mp4", "--format", "jsonl")
        done = run("render", table, "-o", "out", *both, "--portrait", "ada", *SMALL, *IN_TURN, *more)
        return done.code, done.out.splitlines()[-1]

    assert report() == (0, "4 made, 0 kept, 0 failed")
    assert made(Path("out")) == ["a/line0.jsonl", "a/line0.mp4", "b/line1.jsonl", "b/line1.mp4", KEYS_FILE]
    assert "credentials: valid" in run("verify", "out/a/line0.mp4").out
    n_frames = round(SECONDS * 24 + 0.5)
    assert len(frames_of(Path("out/b/line1.mp4"))) == len(weights(Path("out/b/line1.jsonl"))) == n_frames
    assert report() == (0, "0 made, 4 kept, 0 failed")
    table.write_text(table.read_text().replace("happy", "sad"))
    assert report() == (0, "2 made, 2 kept, 0 failed")
    assert report("--size", "64") == (0, "2 made, 2 kept, 0 failed")  # motion has no size
    assert report("--size", "64", "--consent", "me") == (0, "0 made, 4 kept, 0 failed")
    Path("line0.wav").write_bytes(Path("line1.wav").read_bytes())
    assert report("--size", "64") == (0, "2 made, 2 kept, 0 failed")


def test_a_line_is_what_the_single_command_makes(run: Run, table: Path) -> None:
    """The same pictures as `vivant render`, and motion of the same performance."""
    formats = ("--format", "webm", "--format", "jsonl", "--format", ".WebM")
    done = run("render", table, "-o", "out", *formats, "--portrait", "ada", *SMALL, *IN_TURN)
    assert done.code == 0
    assert run("render", "ada", "line1.wav", "-o", "one.webm", *SMALL, "--emotion", "happy").code == 0
    alone, batch = frames_of(Path("one.webm")), frames_of(Path("out/b/line1.webm"))
    assert all(np.array_equal(a, b) for a, b in zip(alone, batch, strict=True))
    assert run("render", "ada", "line1.wav", "-o", "other.webm", *SMALL, "--seed", "5", "--emotion", "happy").code == 0
    assert not np.array_equal(frames_of(Path("other.webm"))[-1], batch[-1])


def test_several_processes_make_the_same(run: Run, table: Path) -> None:
    for jobs in ("1", "2"):
        done = run("render", table, "-o", f"out{jobs}", "--format", "jsonl", "--portrait", "ada", "--jobs", jobs)
        assert (done.code, done.out.splitlines()[-1]) == (0, "2 made, 0 kept, 0 failed")
    for name in ("a/line0.jsonl", "b/line1.jsonl"):
        assert (Path("out1") / name).read_bytes() == (Path("out2") / name).read_bytes()


def test_bad_lines_are_sentences_and_the_others_are_made(run: Run, table: Path) -> None:
    Path("no_face.png").write_bytes(b"\x89PNG nothing")
    rows = ["file,portrait,output", "line0.wav,,a", "line0.wav,nobody.jpg,b", "line0.wav,no_face.png,c", "line1.wav,ada,d"]
    table.write_text("\n".join(rows))
    done = run("render", table, "-o", "out", *SMALL, *IN_TURN)
    assert done.code == 1 and done.out.splitlines()[-1] == "1 made, 0 kept, 3 failed"
    assert [line.split()[1] for line in done.err.splitlines()] == [f"lines.csv:{n}:" for n in (2, 3, 4)]
    assert "--portrait for all lines" in done.err and "Traceback" not in done.err
    assert made(Path("out")) == ["d.mp4", KEYS_FILE]


def test_nothing_that_is_read_is_written_over(run: Run, table: Path) -> None:
    Path("face.mp4").write_bytes(Path(ADA).read_bytes())  # a picture by its content
    table.write_text("file,portrait,output\nline0.wav,face.mp4,face\nline1.wav,ada,line0.wav\n")
    before = {name: Path(name).read_bytes() for name in ("face.mp4", "line0.wav", "line1.wav")}
    done = run("render", table, "-o", ".", *SMALL, *IN_TURN)
    assert done.out.splitlines()[-1] == "1 made, 0 kept, 1 failed" and "would be overwritten" in done.err
    assert before == {name: Path(name).read_bytes() for name in before}
    assert Path("line0.wav.mp4").exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["lines.csv", "line0.wav", "-o", "out"], "leave AUDIO"),
        (["lines.csv", "--drive", "a.mp4", "-o", "out"], "leave AUDIO"),
        (["lines.csv", "-o", "out.mp4"], "name a folder"),
        (["lines.csv", "-o", "line0.wav"], "a file is where a folder should be"),
        (["lines.csv", "-o", "out", "--format", "avi"], "--format is one of mp4"),
        (["missing.csv", "-o", "out"], "missing.csv cannot be read"),
        (["ada", "line0.wav", "-o", "out.mp4", "--jobs", "2"], "go with a table"),
        (["ada", "line0.wav", "-o", "out.mp4", "--format", "gif"], "go with a table"),
        (["ada", "line0.wav", "-o", "out.mp4", "--runtime", "localhost:1"], "go with a table"),
        (["lines.csv", "-o", "out", "--runtime", "localhost:1", "--background", "navy"], "original or transparent"),
        (["lines.csv", "-o", "out", "--runtime", "localhost:1", "--face", "2"], "only without --runtime"),
    ],
)
def test_slips_are_sentences(run: Run, table: Path, arguments: list[str], word: str) -> None:
    assert word in run("render", *arguments).sentence()
    assert not Path("out").exists() and not Path("out.mp4").exists()


def test_a_server_draws_the_same(run: Run, table: Path) -> None:
    """Motion to the bit; pictures with a mark of the server's own, signed here."""
    both = ("--format", "webm", "--format", "jsonl", "--format", "mp4", "--portrait", "ada", *SMALL, *IN_TURN)
    with running_server() as port:
        done = run("render", table, "-o", "served", *both, "--runtime", f"127.0.0.1:{port}")
    assert done.code == 0 and done.out.endswith("6 made, 0 kept, 0 failed\n"), done.err
    assert run("render", table, "-o", "here", *both).code == 0
    for name in ("a/line0", "b/line1"):
        served, here = weights(Path(f"served/{name}.jsonl")), weights(Path(f"here/{name}.jsonl"))
        assert np.array_equal(served, here)
        theirs, ours = frames_of(Path(f"served/{name}.webm")), frames_of(Path(f"here/{name}.webm"))
        assert len(theirs) == len(ours)
        differences = [np.abs(a.astype(int) - b).mean() for a, b in zip(theirs, ours, strict=True)]
        assert max(differences) < 4.0  # of 255: another mark in each, and the codec
    assert "credentials: valid" in run("verify", "served/b/line1.mp4").out
    assert run("render", table, "-o", "served", *both, "--runtime", "127.0.0.1:1").out.endswith("0 made, 6 kept, 0 failed\n")


@contextmanager
def knocked_in_vain() -> Iterator[int]:
    """The port of a server that is there only once somebody has tried to reach it."""
    over = Event()
    door = socket.create_server(("127.0.0.1", 0))
    port: int = door.getsockname()[1]

    def come() -> None:
        with door:
            door.accept()[0].close()
        with running_server(port):
            over.wait()

    thread = Thread(target=come)
    thread.start()
    try:
        yield port
    finally:
        over.set()
        thread.join()


def test_a_server_that_is_away_for_a_moment_is_waited_for(run: Run, table: Path) -> None:
    with knocked_in_vain() as port:
        done = run("render", table, "-o", "out", "--format", "jsonl", *IN_TURN, "--runtime", f"127.0.0.1:{port}")
    assert (done.code, done.out.splitlines()[-1]) == (0, "2 made, 0 kept, 0 failed"), done.err


def test_a_server_that_stays_away_ends_the_table_with_one_sentence(
    run: Run, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "PAUSES_S", (0.01, 0.01))
    done = run("render", table, "-o", "out", "--format", "jsonl", *IN_TURN, "--runtime", "127.0.0.1:1")
    assert (done.code, done.out.splitlines()[-1]) == (1, "0 made, 0 kept, 1 failed, 1 not tried")
    assert len(done.err.splitlines()) == 1 and "run the command again for what is missing" in done.err


@contextmanager
def running_server(port: int = 0) -> Iterator[int]:
    """In a thread of its own, for commands run a loop of their own."""
    loop = asyncio.new_event_loop()

    async def begin() -> Server:
        return await Server(ServerConfig(port)).__aenter__()

    thread = Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    try:
        yield server.port
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def vivant(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-c", "from vivant.cli import main; main()", *map(str, arguments)]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM cannot be heard there")
def test_a_killed_batch_leaves_nothing_half_written_and_goes_on_later(run: Run, table: Path) -> None:
    """`run` looks for what is left over at its end."""
    rows = [f"line{number % 2}.wav,ada,{number}" for number in range(12)]
    table.write_text("\n".join(["file,portrait,output", *rows]))
    command = vivant("render", table, "-o", "out", *SMALL, "--jobs", "2")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("out")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
    there = made(Path("out"))
    assert KEYS_FILE in there and 1 < len(there) < 13
    for name in there:
        assert name == KEYS_FILE or frames_of(Path("out") / name)
    done = run("render", table, "-o", "out", *SMALL, *IN_TURN)
    n_made, n_kept, n_failed = (int(word.split()[0]) for word in done.out.splitlines()[-1].split(", "))
    assert n_made + n_kept == 12 and n_kept >= 1 and n_failed == 0


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no locks there")
def test_batches_in_one_folder_take_turns(run: Run, table: Path) -> None:
    """Otherwise one would keep the other's result for its own."""

    def batch(emotion: Emotion) -> Iterator[object]:
        def make(line: Line, out: Path, recipe: Recipe) -> float:
            out.write_text(line.controls.emotion.value)
            return 1.0

        sounds = [table.parent / f"line{number}.wav" for number in range(2)]
        lines = lines_of(sounds, Usual(".jsonl", Controls(emotion=emotion), 1))
        return Batch(Path("out"), Recipe(), make=make).make(lines)

    happy = batch(Emotion.HAPPY)
    next(happy)
    sad = Thread(target=lambda: list(batch(Emotion.SAD)))
    sad.start()
    sad.join(0.2)  # without turns it would be over by now
    list(happy)
    sad.join()
    list(batch(Emotion.HAPPY))
    assert [path.read_text() for path in sorted(Path("out").glob("*.jsonl"))] == ["happy", "happy"]


HANGING = """
import os, signal, sys
from vivant.dialogue.workers import workers

def work(pauses):
    print(os.getpid(), flush=True)
    if pauses:
        signal.pause()

if __name__ == "__main__":
    with workers(2) as pool:
        pool.submit(work, "at work" in sys.argv)
        signal.pause()
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in Linux's /proc")
@pytest.mark.parametrize("state", ["waiting", "at work"])
def test_no_worker_outlives_a_command_that_is_killed_at_once(tmp_path: Path, state: str) -> None:
    (tmp_path / "hanging.py").write_text(HANGING)
    command = [sys.executable, str(tmp_path / "hanging.py"), state]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        worker = process.stdout.readline().strip()
        assert is_alive(worker)
        process.kill()
    while is_alive(worker):
        sleep(0.05)


def is_alive(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("server", [nullcontext, lambda: running_server()], ids=["here", "on a server"])
def test_a_hundred_lines_become_motion_and_video_by_one_command(
    run: Run, table: Path, server: Callable[[], AbstractContextManager[int | None]]
) -> None:
    rows = [f"line{number % 2}.wav,{'ab'[number % 2]},{number:03}" for number in range(100)]
    table.write_text("\n".join(["file,character,output", *rows]))
    command = vivant("render", table, "-o", "out", "--portrait", "ada", "--format", "mp4", "--format", "anim", *SMALL)
    with server() as port:
        command += [] if port is None else ["--runtime", f"127.0.0.1:{port}"]
        first = subprocess.run(command, capture_output=True, text=True, check=True)
    assert first.stdout.splitlines()[-1] == "200 made, 0 kept, 0 failed"
    names = made(Path("out"))
    assert len(names) == 201 and len({name.casefold() for name in names}) == 201
    for number in range(0, 100, 9):
        stem = f"out/{'ab'[number % 2]}/{number:03}"
        assert len(frames_of(Path(f"{stem}.mp4"))) == round(SECONDS * 24 + 0.5)
        assert Path(f"{stem}.anim").read_text().startswith("%YAML 1.1")
    before = {name: os.stat(Path("out") / name).st_mtime_ns for name in names}  # noqa: PTH116
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stdout.splitlines()[-1] == "0 made, 200 kept, 0 failed"
    assert before == {name: os.stat(Path("out") / name).st_mtime_ns for name in names}  # noqa: PTH116
