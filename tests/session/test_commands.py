"""The command line, as a user meets it: what it makes, and the one sentence it says when it cannot."""

from __future__ import annotations

import io
import math
import re
import shutil
import struct
import subprocess
import sys
import wave
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import vivant.commands.demo as demo_command
from tests.conftest import VOICE_RATE_HZ, portrait_path
from vivant import cli
from vivant.errors import InputError
from vivant.face import open_portrait
from vivant.portrait import PortraitAnalyser
from vivant.types import Float32Array, UInt8Array

pytestmark = pytest.mark.session

ADA = str(portrait_path("ada"))
SHORT_S = 0.6
SMALL = ("--size", "96", "--fps", "24")
FRAMES = math.ceil(SHORT_S * 24)


@dataclass(frozen=True)
class Outcome:
    """What a command left behind on the terminal."""

    code: int
    out: str
    err: str

    def sentence(self) -> str:
        """The one sentence of a failure; checks that there is nothing else."""
        assert self.code == 1
        assert "Traceback" not in self.err + self.out
        (line,) = self.err.strip().splitlines()
        assert line.startswith("error: ") and len(line) < 300
        return line


Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def warm_cache(tmp_path_factory: pytest.TempPathFactory, analyser: PortraitAnalyser) -> Path:
    """A cache that knows `ada`, whole and cut out."""
    folder = tmp_path_factory.mktemp("warm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIVANT_CACHE_DIR", str(folder))
        for transparent in (False, True):
            open_portrait(Path(ADA), analyser=analyser, transparent=transparent)
    return folder


@pytest.fixture
def run(warm_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Call ``vivant`` in an empty folder, with a cache that knows `ada`."""
    shutil.copytree(warm_cache, tmp_path / ".cache")
    monkeypatch.setenv("VIVANT_CACHE_DIR", str(tmp_path / ".cache"))
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> Outcome:
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["vivant", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capfd.readouterr()
        code = end.value.code
        return Outcome(code if isinstance(code, int) else 0, printed.out, printed.err)

    yield call
    leftovers = [path.name for path in tmp_path.rglob("*.part-*")]
    assert leftovers == []


@pytest.fixture(scope="module")
def short(voice: Float32Array, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_wav(tmp_path_factory.mktemp("sound") / "short.wav", voice[: round(SHORT_S * VOICE_RATE_HZ)], VOICE_RATE_HZ)


def write_wav(path: Path, samples: Float32Array, rate_hz: int, channels: int = 1) -> Path:
    """(n,) or (n, channels) as 16 bit."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.rint(samples * 32767).astype("<i2").tobytes())
    return path


def frames_of(path: Path) -> list[UInt8Array]:
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]


def pictures(folder: Path) -> list[UInt8Array]:
    return [pixels(path) for path in sorted(folder.glob("*.png"))]


def pixels(path: Path | str) -> UInt8Array:
    with Image.open(path) as image:
        return np.asarray(image)


# What it makes


def test_help_names_every_command_and_option() -> None:
    runner, app = CliRunner(), cli.build_app()
    for arguments, words in (
        ([], ("render", "demo", "inspect", "cache", "--debug")),
        (
            ["render"],
            ("--fps", "--size", "--background", "--seed", "--gaze", "--distance", "--emotion", "--intensity", "--provider"),
        ),
        (["demo"], ("--out", "ada")),
        (["inspect"], ("--out",)),
        (["cache"], ("list", "clear")),
    ):
        shown = runner.invoke(app, [*arguments, "--help"], terminal_width=200, env={"COLUMNS": "200", "NO_COLOR": "1"})
        assert shown.exit_code == 0
        for word in words:
            assert word in shown.output


def test_demo(run: Run, short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "assets").mkdir()
    with av.open(str(short)) as source, av.open(str(tmp_path / "assets" / "voice.flac"), "w") as target:
        stream = target.add_stream("flac", rate=VOICE_RATE_HZ)
        for frame in source.decode(audio=0):
            frame.pts = None
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    monkeypatch.setattr(demo_command, "files", lambda _: tmp_path)
    (tmp_path / "made").mkdir()
    outcome = run("demo", "--out", "made")
    assert outcome.code == 0
    assert len(frames_of(tmp_path / "made" / "demo.mp4")) == math.ceil(SHORT_S * 30)
    for name in ("demo.mp4", "demo_sheet.png"):
        assert str(tmp_path / "made" / name) in outcome.out  # on one line, however long
    assert "real-time factor" in outcome.out
    assert min(pixels(tmp_path / "made" / "demo_sheet.png").shape[:2]) > 1000


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv", "out.webm", "out.gif", "frames", "frames/f_%03d.png"])
def test_render_makes_every_format(run: Run, short: Path, name: str) -> None:
    outcome = run("render", "ada", short, "-o", name, *SMALL)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"{name}: {FRAMES} frames, 0.6 s; ")
    frames = pictures(Path("frames")) if name.startswith("frames") else frames_of(Path(name))
    assert len(frames) == FRAMES or name == "out.gif"  # which leaves out what repeats
    assert all(frame.shape == (96, 96, 3) for frame in frames)
    if name in ("out.mp4", "out.webm"):
        with av.open(name) as container:
            assert container.streams.audio


def test_the_seed_decides(run: Run, short: Path) -> None:
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert run("render", "ada", short, "-o", folder, "--seed", str(seed), *SMALL).code == 0
    a, b, c = ([path.read_bytes() for path in sorted(Path(folder).glob("*.png"))] for folder in "abc")
    assert a == b
    assert a != c


def test_backgrounds(run: Run, short: Path) -> None:
    Image.new("RGB", (200, 100), (0, 0, 255)).save("blue.png")
    for folder, background in (("clear", "transparent"), ("green", "#00ff00"), ("blue", "blue.png"), ("same", "original")):
        assert run("render", "ada", short, "-o", folder, "--background", background, *SMALL).code == 0
    corner = {folder: pictures(Path(folder))[0][0, 0].tolist() for folder in ("clear", "green", "blue", "same")}
    assert corner["clear"] == [0, 0, 0, 0]
    assert corner["green"] == [0, 255, 0]
    assert corner["blue"] == [0, 0, 255]
    assert len(corner["same"]) == 3 and corner["same"] not in (corner["green"], corner["blue"])


def test_options_reach_the_face(run: Run, short: Path) -> None:
    options = {
        "plain": (),
        "gaze": ("--gaze", "25", "-10"),
        "far": ("--distance", "1.25"),
        "sad": ("--emotion", "sad", "--intensity", "1.5"),
        "still": ("--head-motion", "0"),
    }
    for folder, more in options.items():
        assert run("render", "ada", short, "-o", folder, *SMALL, *more).code == 0
    seen = {path.read_bytes() for folder in options for path in sorted(Path(folder).glob("*.png"))[-1:]}
    assert len(seen) == len(options)


def test_a_saved_rig_is_a_portrait_too(run: Run, short: Path, tmp_path: Path) -> None:
    (kept,) = (tmp_path / ".cache" / "rigs").glob("*whole*")
    shutil.copy(kept, "ada.vivant")
    assert run("render", "ada.vivant", short, "-o", "out.mp4", *SMALL).code == 0


def test_inspect(run: Run) -> None:
    for portrait in ("ada", ADA):
        outcome = run("inspect", portrait, "-o", "sheet.png")
        assert outcome.code == 0 and "sheet.png" in outcome.out
        assert min(pixels("sheet.png").shape[:2]) > 1000


def test_cache_list_and_clear(run: Run, tmp_path: Path) -> None:
    outcome = run("cache", "list")
    assert outcome.out.count("ada.jpg") == 2 and f"2 rigs in {tmp_path}" in outcome.out
    assert "deleted 2 rigs" in run("cache", "clear").out
    assert "0 rigs" in run("cache", "list").out


def test_several_faces_are_said_and_the_largest_speaks(run: Run, short: Path) -> None:
    with Image.open(ADA) as ada, Image.open(portrait_path("noor")) as noor:
        pair = Image.new("RGB", (1100, 640), (120, 120, 120))
        pair.paste(ada.convert("RGB").resize((640, 640)), (0, 0))
        pair.paste(noor.convert("RGB").resize((460, 460)), (640, 100))
    pair.save("pair.png")
    outcome = run("render", "pair.png", short, "-o", "out.mp4", *SMALL)
    assert outcome.code == 0
    assert "note: 2 faces were found; the largest is used" in outcome.out


def test_the_installed_script(tmp_path: Path, warm_cache: Path, short: Path) -> None:
    script = shutil.which("vivant", path=str(Path(sys.executable).parent))
    assert script is not None

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"VIVANT_CACHE_DIR": str(warm_cache), "PATH": ""}
        return subprocess.run([script, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    done = call("render", "ada", str(short), "-o", "out.mp4", *SMALL)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out.mp4").stat().st_size > 1000
    for arguments, traceback in (
        (("render", "ada", "no.wav", "-o", "x.mp4"), False),
        (("--debug", "render", "ada", "no.wav", "-o", "x.mp4"), True),
    ):
        failed = call(*arguments)
        assert failed.returncode == 1
        assert ("Traceback" in failed.stderr) is traceback
        assert "no.wav does not exist" in failed.stderr
    assert version("vivant")


# What it cannot


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


def test_a_wrong_extension_does_not_matter(run: Run, short: Path) -> None:
    shutil.copy(ADA, "ada.png")
    assert run("render", "ada.png", short, "-o", "out.mp4", *SMALL).code == 0


@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (192_000, 1), (48_000, 2), (44_100, 6)])
def test_sound_of_any_kind_is_spoken(run: Run, voice: Float32Array, rate_hz: int, channels: int) -> None:
    times = np.arange(0, SHORT_S, 1 / rate_hz)
    samples = np.interp(times * VOICE_RATE_HZ, np.arange(len(voice)), voice).astype(np.float32)
    write_wav(Path("voice.wav"), np.repeat(samples[:, None], channels, axis=1), rate_hz, channels)
    assert run("render", "ada", "voice.wav", "-o", "out.webm", *SMALL).code == 0
    assert len(frames_of(Path("out.webm"))) == FRAMES


def test_a_silent_sound_keeps_the_mouth_shut(run: Run, ada_mouth: Callable[[UInt8Array], float]) -> None:
    write_wav(Path("silent.wav"), np.zeros(VOICE_RATE_HZ, np.float32), VOICE_RATE_HZ)
    assert run("render", "ada", "silent.wav", "-o", "frames", "--size", "256", "--fps", "24", "--head-motion", "0").code == 0
    frames = pictures(Path("frames"))
    assert len(frames) == 24
    assert max(ada_mouth(frame) for frame in frames[::6]) < 0.03


@pytest.fixture
def ada_mouth(analyser: PortraitAnalyser) -> Callable[[UInt8Array], float]:
    """How far a picture's lips are apart, in eye distances."""

    def gap(pixels: UInt8Array) -> float:
        found = analyser.faces(np.ascontiguousarray(pixels))[0].landmarks
        return float(np.linalg.norm(found[13, :2] - found[14, :2]) / np.linalg.norm(found[33, :2] - found[263, :2]))

    return gap


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
        (("-o", "out.gif", "--fps", "60"), "at most 50"),
        (("-o", "out.mp4", "--background", "transparent"), "no transparency"),
        (("-o", "out.mp4", "--background", "pink"), "background must be"),
        (("-o", "out.mp4", "--background", "#12345g"), "background must be"),
        (("-o", "out.mp4", "--background", "folder.mp4"), "is a folder"),
        (("-o", "out.mp4", "--fps", "23"), "from 24 to 60"),
        (("-o", "out.mp4", "--fps", "nan"), "fps must be"),
        (("-o", "out.mp4", "--fps", "1/0"), "fps must be"),
        (("-o", "out.mp4", "--gaze", "31", "0"), "gaze yaw must be from -30 to 30"),
        (("-o", "out.mp4", "--distance", "2"), "distance must be from 0.8 to 1.25"),
        (("-o", "out.mp4", "--distance", "nan"), "distance must be from 0.8 to 1.25"),
        (("-o", "out.mp4", "--intensity", "-1"), "intensity must be"),
        (("-o", "out.mp4", "--head-motion", "3"), "head_motion must be"),
        (("-o", "out.mp4", "--provider", "cuda"), "provider cuda is not available"),
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


@pytest.mark.parametrize(
    "options", [("--emotion", "bored"), ("--size", "10"), ("--size", "4000"), ("--provider", "abacus"), ("--seed", "x")]
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


def test_an_error_of_ours_is_a_sentence_too(run: Run, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(cli, "build_app", broken)
    sentence = run("render", "ada", short, "-o", "out.mp4").sentence()
    assert "ZeroDivisionError" in sentence and "--debug" in sentence


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file size limits")
@pytest.mark.parametrize("out", ["out.mp4", "frames", "out.gif"])
def test_a_full_disk(tmp_path: Path, warm_cache: Path, voice: Float32Array, out: str) -> None:
    sound = write_wav(tmp_path / "long.wav", voice, VOICE_RATE_HZ)
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000));"
        f"import sys; sys.argv = ['vivant', 'render', 'ada', {str(sound)!r}, '-o', {out!r}, '--size', '128'];"
        "from vivant.cli import main; main()"
    )
    environment = {"VIVANT_CACHE_DIR": str(warm_cache), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert re.search("larger than this disk|disk is full", Outcome(done.returncode, done.stdout, done.stderr).sentence())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.wav"]
