"""``vivant motion``: voices to motion files, without a portrait."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import VOICE_RATE_HZ
from tests.session.command_line import Run, write_wav
from vivant.types import Float32Array

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
    assert done.code == 0 and [line.rpartition("/")[2] for line in done.out.splitlines()] == ["line 0.jsonl", "line 1.jsonl"]
    first, second = (weights(out / f"line {n}.jsonl") for n in range(2))
    assert first.shape == second.shape == (30, 52) and first.max() > 0.1
    assert not np.array_equal(first, second)


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
        (["line 0.wav", "-o", "folder", "--format", "fbx"], "ends in .csv"),
        (["line 0.wav", "x/line 0.mp3", "-o", "folder"], "two voices are named"),
        (["missing.wav", "-o", "a.csv"], "missing.wav"),
        (["line 0.csv", "-o", "line 0.csv"], "overwritten"),
        (["line 0.wav", "--to", "vmc"], "either --to and a tool"),
        (["--mic", "none"], "either --to and a tool"),
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
