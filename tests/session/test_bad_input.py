"""The command line, as a user meets it: the one sentence it says when it cannot."""

from __future__ import annotations

import io
import re
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from PIL import Image

from tests.conftest import VOICE_RATE_HZ
from tests.session.command_line import ADA, Outcome, Run, write_wav
from vivant import cli
from vivant.errors import InputError
from vivant.face import RigFace

pytestmark = pytest.mark.session


def picture_bytes(image: Image.Image, kind: str = "PNG") -> bytes:
    data = io.BytesIO()
    image.save(data, kind)
    return data.getvalue()


def bomb() -> bytes:
    """A PNG header that claims 100,000 x 100,000 pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunks = (header, b"IDAT" + zlib.compress(bytes(1_000_000)), b"IEND")
    packed = [struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def landscape() -> bytes:
    y, x = np.mgrid[:300, :400]
    return picture_bytes(Image.fromarray(np.stack([x * 0.6, y * 0.8, 255 - y * 0.5], axis=-1).astype(np.uint8)))


def tiny_face() -> bytes:
    with Image.open(ADA) as image:
        return picture_bytes(image.convert("RGB").resize((120, 120), Image.Resampling.LANCZOS))


BAD_PORTRAITS: dict[str, tuple[Callable[[], bytes], str]] = {
    "landscape.png": (landscape, "no face was found"),
    "tiny.png": (tiny_face, "the face is only .. px wide; at least 64"),
    "truncated.jpg": (lambda: Path(ADA).read_bytes()[:50_000], "truncated or damaged"),
    "text.png": (lambda: b"hello, I am a text file", "not a readable image"),
    "sound.jpg": (lambda: b"RIFF\x24\x00\x00\x00WAVEfmt ", "not a readable image"),
    "empty.png": (lambda: b"", "is empty"),
    "bomb.png": (bomb, "too large"),
    "small.png": (lambda: picture_bytes(Image.new("RGB", (40, 40))), "at least 64"),
    "other.vivant": (lambda: b"PK", "not a readable rig"),
}


@pytest.mark.parametrize("name", list(BAD_PORTRAITS))
@pytest.mark.parametrize("command", ["render", "inspect"])
def test_a_bad_portrait_is_one_sentence(run: Run, short: Path, name: str, command: str) -> None:
    make, words = BAD_PORTRAITS[name]
    Path(name).write_bytes(make())
    arguments = (name, short, "-o", "out.mp4") if command == "render" else (name, "-o", "out.png")
    assert re.search(words, run(command, *arguments).sentence())
    assert not Path("out.mp4").exists() and not Path("out.png").exists()


def no_samples() -> bytes:
    write_wav(Path("none.wav"), np.zeros(0, np.float32), VOICE_RATE_HZ)
    return Path("none.wav").read_bytes()


BAD_SOUNDS: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.wav": (lambda: b"", "is empty"),
    "header.wav": (no_samples, "sound"),
    "corrupt.mp3": (lambda: bytes(range(256)) * 40, "corrupt.mp3"),
    "picture.wav": (lambda: picture_bytes(Image.new("RGB", (64, 64))), "sound"),
    "text.flac": (lambda: b"fLaC but not really", "text.flac"),
}


@pytest.mark.parametrize("name", list(BAD_SOUNDS))
def test_a_bad_sound_is_one_sentence(run: Run, name: str) -> None:
    make, words = BAD_SOUNDS[name]
    Path(name).write_bytes(make())
    for out in ("out.mp4", "frames"):
        assert re.search(words, run("render", "ada", name, "-o", out).sentence())
        assert not Path(out).exists()


def test_a_bad_sound_spares_an_earlier_result(run: Run) -> None:
    Path("none.wav").write_bytes(no_samples())
    Path("out.mp4").write_bytes(b"earlier")
    run("render", "ada", "none.wav", "-o", "out.mp4").sentence()
    assert Path("out.mp4").read_bytes() == b"earlier"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-o", "missing/out.mp4"), "missing does not exist"),
        (("-o", "folder.mp4"), "is a folder"),
        (("-o", "file"), "is a file"),
        (("-o", "out.xyz"), "unknown video type"),
        (("-o", "out.jpg"), "unknown video type"),
        (("-o", "out.mp4", "--size", "101"), "even"),
        (("-o", "out.mp4", "--size", "201x128"), "even width, got 201"),
        (("-o", "out.mp4", "--size", "128x201"), "even height, got 201"),
        (("-o", "out.gif", "--fps", "60"), "at most 50"),
        (("-o", "out.mp4", "--background", "transparent"), "no transparency"),
        (("-o", "out.mp4", "--background", "pinkish"), "background must be"),
        (("-o", "out.mp4", "--background", "#12345g"), "background must be"),
        (("-o", "out.mp4", "--background", "folder.mp4"), "is a folder"),
        (("-o", "out.mp4", "--fps", "11"), "from 12 to 60"),
        (("-o", "out.mp4", "--fps", "nan"), "fps must be"),
        (("-o", "out.mp4", "--fps", "1/0"), "fps must be"),
        (("-o", "out.mp4", "--gaze", "31", "0"), "gaze yaw must be from -30 to 30"),
        (("-o", "out.mp4", "--distance", "2"), "distance must be from 0.8 to 1.25"),
        (("-o", "out.mp4", "--distance", "nan"), "distance must be from 0.8 to 1.25"),
        (("-o", "out.mp4", "--intensity", "-1"), "intensity must be"),
        (("-o", "out.mp4", "--head-motion", "3"), "head_motion must be"),
        (("-o", "out.mp4", "--provider", "cuda"), "provider cuda is not in the installed onnxruntime"),
        (("-o", "[bold].xyz"), r"\[bold\]\.xyz"),
    ],
)
def test_bad_options_are_one_sentence(run: Run, short: Path, options: tuple[str, ...], words: str) -> None:
    Path("folder.mp4").mkdir()
    Path("file").write_bytes(b"earlier")
    before = sorted(Path().iterdir())
    assert re.search(words, run("render", "ada", short, *options).sentence())
    assert sorted(Path().iterdir()) == before
    assert Path("file").read_bytes() == b"earlier"


def test_a_sheet_of_a_rig_is_refused_as_what_it_is(run: Run, ada: RigFace) -> None:
    ada.rig.save(Path("ada.vivant"))
    assert "ada.vivant is a rig" in run("inspect", "ada.vivant", "-o", "sheet.png").sentence()
    assert not Path("sheet.png").exists()


@pytest.mark.parametrize(
    "options",
    [
        ("--emotion", "bored"),
        ("--size", "10"),
        ("--size", "4000"),
        ("--size", "720x"),
        ("--size", "0x64"),
        ("--size", "1920x-1080"),
        ("--provider", "abacus"),
        ("--seed", "x"),
    ],
)
def test_unknown_choices_are_usage_errors(run: Run, short: Path, options: tuple[str, ...]) -> None:
    outcome = run("render", "ada", short, "-o", "out.mp4", *options)
    assert outcome.code == 2
    assert options[0] in outcome.err and "Traceback" not in outcome.err
    assert not Path("out.mp4").exists()


@pytest.mark.parametrize("command", ["demo", "inspect"])
def test_other_commands_report_their_output_too(run: Run, command: str) -> None:
    arguments = ("--out", "missing") if command == "demo" else ("ada", "-o", "missing/sheet.png")
    assert "missing does not exist" in run(command, *arguments).sentence()


def test_a_missing_portrait(run: Run, short: Path) -> None:
    assert "nobody.png does not exist" in run("render", "nobody.png", short, "-o", "out.mp4").sentence()


def test_debug_shows_the_traceback(run: Run, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["vivant", "render", "ada", str(short), "-o", "out.xyz", "--debug"])
    with pytest.raises(InputError):
        cli.main()


def test_an_error_of_ours_is_a_sentence_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> NoReturn:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(sys, "argv", ["vivant"])
    with pytest.raises(SystemExit) as ended:
        cli.main(broken)
    sentence = Outcome(int(ended.value.code or 0), *capsys.readouterr()).sentence()
    assert "ZeroDivisionError" in sentence and "--debug" in sentence


@pytest.mark.parametrize(
    ("token", "words"),
    [(b"\x84\xff\x00", "holds no text"), (b" \n", "holds no token"), (b"two\nlines", "a token is one line")],
)
def test_a_token_file_that_holds_no_token(run: Run, tmp_path: Path, token: bytes, words: str) -> None:
    (tmp_path / "token").write_bytes(token)
    assert words in run("serve", "--port", "0", "--token-file", tmp_path / "token").sentence()


@pytest.mark.parametrize("options", [("--metrics-port", "99999"), ("--sessions", str(2**40))])
def test_numbers_of_a_server_have_bounds(run: Run, options: tuple[str, str]) -> None:
    outcome = run("serve", "--port", "0", *options)
    assert outcome.code == 2 and options[0] in outcome.err
