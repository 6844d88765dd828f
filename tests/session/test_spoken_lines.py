"""Dialogue tables with texts and no sounds: a voice of this machine speaks them, once."""

from __future__ import annotations

import importlib.util
import json
import wave
from collections.abc import Callable
from pathlib import Path

import c2pa
import numpy as np
import pytest

from tests.session.command_line import Run
from tests.session.test_render_lines import running_server
from vivant.dialogue.batch import KEYS_FILE

pytestmark = [
    pytest.mark.session,
    pytest.mark.skipif(importlib.util.find_spec("hibari") is None, reason="the extra say is not installed"),
]

ROWS = ["text,character,emotion,voice", "Hello there.,ada,happy,hibari", "Good bye.,bram,,"]
HELLO, BYE = "out/ada/hello_there", "out/bram/good_bye"
Report = Callable[..., str]


@pytest.fixture
def report(run: Run) -> Report:
    """Of the table's motion; what was said meanwhile is no error."""

    def make(*more: str) -> str:
        done = run("motion", "--lines", "lines.csv", "-o", "out", "--format", "jsonl", "--fps", "30", *more)
        assert done.code == 0, done.err
        return done.out

    Path("lines.csv").write_text("\n".join(ROWS))
    return make


def n_frames(path: str) -> int:
    return len(Path(path).read_text().splitlines()) - 1


def length_s(path: str) -> float:
    with wave.open(path) as file:
        return float(file.getnframes() / file.getframerate())


def test_texts_are_spoken_beside_their_motion_and_again_only_where_they_changed(report: Report) -> None:
    out = report()
    assert f"{HELLO}.wav: {length_s(f'{HELLO}.wav'):.1f} s, spoken by hibari heart" in out
    assert out.splitlines()[-1] == "2 made, 0 kept, 0 failed, 2 spoken"
    for name in (HELLO, BYE):
        assert n_frames(f"{name}.jsonl") == np.ceil(length_s(f"{name}.wav") * 30)
    with c2pa.Reader(f"{HELLO}.wav") as credentials:
        said = str(credentials.json())
    assert "trainedAlgorithmicMedia" in said and "Kokoro-82M" in said and "Hello" not in said
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    assert report().splitlines()[-1] == "0 made, 2 kept, 0 failed"
    assert before == {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}

    Path("lines.csv").write_text("\n".join(ROWS).replace("happy", "sad"))
    assert report().splitlines()[-1] == "1 made, 1 kept, 0 failed"
    Path("lines.csv").write_text("\n".join(ROWS).replace("Hello there.", "Hello there!?"))
    assert report().splitlines()[-1] == "1 made, 1 kept, 0 failed, 1 spoken"
    Path(f"{BYE}.wav").unlink()
    assert report().splitlines()[-1] == "1 made, 1 kept, 0 failed, 1 spoken"


def test_the_same_table_is_the_same_motion(report: Report) -> None:
    """Though a sound's credentials bear the time."""
    report()
    before = Path(f"{HELLO}.jsonl").read_bytes(), Path(f"{BYE}.jsonl").read_bytes()
    for path in Path("out").rglob("*.*"):
        path.unlink()
    report()
    assert before == (Path(f"{HELLO}.jsonl").read_bytes(), Path(f"{BYE}.jsonl").read_bytes())


def test_one_sound_of_all_formats_in_a_film_that_names_the_voice(run: Run, report: Report) -> None:
    both = ("--format", "mp4", "--format", "anim", "--portrait", "ada", "--size", "96", "--fps", "24", "--jobs", "1")
    done = run("render", "lines.csv", "-o", "out", *both, "--voice", "hibari:heart")
    assert done.out.splitlines()[-1] == "4 made, 0 kept, 0 failed, 2 spoken", done.err
    assert "spoken by hibari heart" in run("verify", f"{BYE}.mp4").out


def test_a_server_moves_what_is_spoken_here(run: Run, report: Report) -> None:
    with running_server() as port:
        command = ("render", "lines.csv", "-o", "served", "--format", "jsonl", "--jobs", "1", "--fps", "30")
        done = run(*command, "--runtime", f"127.0.0.1:{port}")
    assert done.out.splitlines()[-1] == "2 made, 0 kept, 0 failed, 2 spoken", done.err
    report()
    served, here = (Path(f"{folder}/ada/hello_there.jsonl").read_text().splitlines() for folder in ("served", "out"))
    assert [json.loads(line)["weights"] for line in served[1:]] == [json.loads(line)["weights"] for line in here[1:]]


def test_a_text_that_cannot_be_spoken_is_a_sentence_and_the_others_are_made(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine without the program of other languages."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.platform", "linux")
    rows = [
        "text,output,voice,file",
        "Ich weiß nicht.,a,,",
        "Hello.,b,hal,",
        "?!,c,,",
        "Hello.,d,,",
        "Good bye.,d.glb,,",
        "Hello.,lines,,",
        "Hello.,e,,lines.wav",
    ]
    Path("lines.csv").write_text("\n".join(rows))
    Path("lines.wav").write_bytes(b"somebody's recording")
    done = run("motion", "--lines", "lines.csv", "-o", ".", "--format", "jsonl")
    assert done.out.splitlines()[-1] == "1 made, 0 kept, 6 failed, 1 spoken"
    sentences = dict(line.removeprefix("error: lines.csv:").split(": ", 1) for line in done.err.splitlines())
    assert "no voice on this machine reads 'de'; `sudo apt-get install espeak-ng`" in sentences["2"]
    assert "no voice named 'hal'" in sentences["3"] and "neither" in sentences["4"]
    assert "d.wav is already that of another text" in sentences["6"]
    assert "lines.wav is also a file that is read" in sentences["7"]
    assert Path("lines.wav").read_bytes() == b"somebody's recording"
    assert sorted(path.name for path in Path().glob("d*")) == ["d.jsonl", "d.wav"] and Path(KEYS_FILE).exists()
