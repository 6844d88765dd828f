"""``vivant motion``: voices to motion files, without a portrait."""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import VOICE_RATE_HZ
from tests.session.command_line import Run, write_wav
from vivant.dialogue.batch import KEYS_FILE, Batch, Made
from vivant.dialogue.lines import Line, Usual, lines_of
from vivant.dialogue.making import make_line
from vivant.dialogue.recipe import Recipe
from vivant.types import Controls, Float32Array

pytestmark = pytest.mark.session


@pytest.fixture
def lines(tmp_path: Path, voice: Float32Array) -> list[Path]:
    """Two lines of a dialogue."""
    return [
        write_wav(tmp_path / f"line {n}.wav", voice[first : first + VOICE_RATE_HZ], VOICE_RATE_HZ)
        for n, first in enumerate((0, VOICE_RATE_HZ))
    ]


def weights(path: Path) -> Float32Array:
    return np.array([json.loads(line)["weights"] for line in path.read_text().splitlines()[1:]], np.float32)


def test_a_folder_of_lines_in_one_call(run: Run, tmp_path: Path, lines: list[Path]) -> None:
    out = tmp_path / "new" / "motion"
    done = run("motion", *map(str, lines), "-o", str(out), "--format", "jsonl", "--fps", "30")
    *made, _, report = done.out.splitlines()
    assert (done.code, report) == (0, "2 made, 0 kept, 0 failed")
    assert [line.rpartition("/")[2] for line in made] == ["line 0.jsonl", "line 1.jsonl"]
    first, second = (weights(out / f"line {n}.jsonl") for n in range(2))
    assert first.shape == second.shape == (30, 52) and first.max() > 0.1
    assert not np.array_equal(first, second)


def test_a_table_of_lines_makes_only_what_changed(run: Run, tmp_path: Path, lines: list[Path]) -> None:
    table, out = tmp_path / "lines.csv", tmp_path / "out"
    table.write_text("file,character,emotion\nline 0.wav,ada,happy\nline 1.wav,bram,\n")

    def report(*more: str) -> tuple[int, str]:
        done = run("motion", "--lines", str(table), "-o", str(out), "--format", "jsonl", "--fps", "30", *more)
        return done.code, done.out.splitlines()[-1]

    assert report() == (0, "2 made, 0 kept, 0 failed")
    happy = weights(out / "ada" / "line 0.jsonl")
    assert report() == (0, "0 made, 2 kept, 0 failed")
    table.write_text(table.read_text().replace("happy", "sad"))
    assert report() == (0, "1 made, 1 kept, 0 failed")
    assert not np.array_equal(weights(out / "ada" / "line 0.jsonl"), happy)
    lines[1].write_bytes(lines[0].read_bytes())  # another sound under the same name
    assert report() == (0, "1 made, 1 kept, 0 failed")
    (out / "bram" / "line 1.jsonl").unlink()
    assert report() == (0, "1 made, 1 kept, 0 failed")
    assert report("--seed", "4") == (0, "2 made, 0 kept, 0 failed")
    assert sorted(path.name for path in out.rglob("*") if path.is_file()) == [
        "line 0.jsonl",
        "line 1.jsonl",
        "vivant_lines.json",
    ]


def test_bad_lines_are_sentences_and_the_others_are_made(run: Run, tmp_path: Path, lines: list[Path]) -> None:
    rows = ["file,emotion,output", "missing.wav,,a", "line 0.wav,hapy,b", "line 0.wav,,c", "line 1.wav,,C", "empty.wav,,d"]
    write_wav(tmp_path / "empty.wav", np.zeros(0, np.float32), VOICE_RATE_HZ)
    (tmp_path / "lines.csv").write_text("\n".join(rows))
    done = run("motion", "--lines", "lines.csv", "-o", "out")
    assert done.code == 1 and done.out.splitlines()[-1] == "1 made, 0 kept, 4 failed"
    assert [line.split()[1] for line in done.err.splitlines()] == [f"lines.csv:{n}:" for n in (2, 3, 5, 6)]
    assert "already that of lines.csv:4" in done.err and "Traceback" not in done.err
    assert [path.name for path in (tmp_path / "out").glob("*.csv")] == ["c.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
def test_a_pipe_is_a_sentence_and_not_waited_for(tmp_path: Path, lines: list[Path]) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    batch = Batch(tmp_path / "out", Recipe("30"))
    pipe, line = batch.make(lines_of([tmp_path / "pipe.wav", lines[0]], Usual(".jsonl", Controls(), 1)))
    assert "is not a regular file" in str(pipe) and isinstance(line, Made)


def test_no_result_replaces_what_is_read(run: Run, tmp_path: Path, lines: list[Path]) -> None:
    (tmp_path / "b.csv").hardlink_to(lines[1])
    (tmp_path / "lines.csv").write_text("file,output\nline 0.wav,lines\nline 1.wav,\nline 0.wav,b\n")
    before = (tmp_path / "lines.csv").read_bytes(), (tmp_path / "b.csv").read_bytes()
    done = run("motion", "--lines", "lines.csv", "-o", ".")
    assert done.out.splitlines()[-1] == "1 made, 0 kept, 2 failed" and done.err.count("would be overwritten") == 2
    assert before == ((tmp_path / "lines.csv").read_bytes(), (tmp_path / "b.csv").read_bytes())


def test_a_table_that_is_named_as_the_keys_are_is_not_replaced(run: Run, tmp_path: Path, lines: list[Path]) -> None:
    table = tmp_path / KEYS_FILE
    table.write_text(json.dumps([{"file": lines[0].name}]))
    before = table.read_bytes()
    done = run("motion", "--lines", str(table), "-o", str(tmp_path), "--format", "jsonl")
    assert done.code == 1 and "would be overwritten" in done.err and table.read_bytes() == before


def test_what_was_made_before_an_end_is_kept(run: Run, tmp_path: Path, lines: list[Path]) -> None:
    """A broken list of keys, too, is only made anew."""
    batch = Batch(tmp_path / "out", Recipe("30"))
    table = lines_of(lines, Usual(".jsonl", Controls(), None))
    with closing(batch.make(table)) as results:  # type: ignore[type-var]
        assert isinstance(next(results), Made)
    assert [result.was_kept for result in batch.make(table) if isinstance(result, Made)] == [True, False]
    for broken in ("", "[]", '{"vivant_lines": 1, "keys": 3}'):
        (tmp_path / "out" / KEYS_FILE).write_text(broken)
        assert [result.was_kept for result in batch.make(table) if isinstance(result, Made)] == [False, False]


def test_whoever_is_killed_leaves_no_old_key_beside_a_new_result(tmp_path: Path, lines: list[Path]) -> None:
    """It would be taken for up to date when the line is what it was before."""
    folder, seen = tmp_path / "out", []

    def make(line: Line, path: Path, recipe: Recipe) -> float:
        seen.append(json.loads((folder / KEYS_FILE).read_text())["keys"])
        return make_line(line, path, recipe)

    for made, seed in ((make_line, 1), (make, 2)):
        list(Batch(folder, Recipe("30"), make=made).make(lines_of(lines, Usual(".jsonl", Controls(), seed))))
    assert seen == [{}, {}] and len(json.loads((folder / KEYS_FILE).read_text())["keys"]) == 2


def test_the_same_voice_and_seed_are_the_same_motion(run: Run, tmp_path: Path, lines: list[Path]) -> None:
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        assert run("motion", str(lines[0]), "-o", str(tmp_path / f"{name}.csv"), "--seed", seed).code == 0
    a, b, c = ((tmp_path / f"{name}.csv").read_bytes() for name in "abc")
    assert a == b != c


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["line 0.wav", "-o", "line 0.wav"], "ends in .csv"),
        (["line 0.wav", "-o", "a.fbx"], "ends in .csv"),
        (["line 0.wav", "line 1.wav", "-o", "a.csv"], "name a folder"),
        (["line 0.wav", "-o", "folder", "--format", "fbx"], "--format is one of csv"),
        (["missing.wav", "-o", "a.csv"], "missing.wav"),
        (["line 0.csv", "-o", "line 0.csv"], "overwritten"),
        (["line 0.wav", "--to", "vmc"], "either --to and a tool"),
        (["--mic", "none"], "either --to and a tool"),
        (["line 0.wav", "--drive", "line 0.csv", "-o", "folder"], "--drive goes with --to"),
        (["line 0.wav", "--lines", "a.csv", "-o", "folder"], "either --to and a tool"),
        (["--to", "vmc", "--lines", "a.csv", "--seconds", "0"], "either --to and a tool"),
        (["--lines", "a.csv"], "either --to and a tool"),
        (["--lines", "a.csv", "-o", "b.csv"], "name a folder"),
        (["--lines", "a.csv", "-o", "folder"], "a.csv cannot be read"),
        (["--to", "nobody"], "there is no receiver named 'nobody'"),
        (["--to", "vmc:here:99999"], "HOST:PORT"),
    ],
)
def test_slips_are_sentences_and_nothing_is_lost(
    run: Run, tmp_path: Path, lines: list[Path], arguments: list[str], word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "line 0.csv").write_bytes(lines[0].read_bytes())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert word in run("motion", *arguments).sentence()
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}


def test_a_voice_without_sound_leaves_no_file(run: Run, tmp_path: Path) -> None:
    silent = write_wav(tmp_path / "empty.wav", np.zeros(0, np.float32), VOICE_RATE_HZ)
    assert "has no samples" in run("motion", str(silent), "-o", str(tmp_path / "a.vrma")).sentence()
    assert not (tmp_path / "a.vrma").exists()


def test_live_motion_reaches_a_listener_and_draws_nothing(run: Run) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        port = listener.getsockname()[1]
        done = run("motion", "--to", f"live-link-face:{port}", "--mic", "tone", "--fps", "30", "--seconds", "3")
        listener.setblocking(False)
        packets = []
        with suppress(BlockingIOError):
            while True:
                packets.append(listener.recv(4096))
    assert done.code == 0 and f"127.0.0.1:{port}" in done.out
    assert len(packets) > 10 and len(set(packets)) > 10
