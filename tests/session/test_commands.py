"""The command line, as a user meets it: what it makes, as long as the disk has room."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import vivant.commands.demo as demo_command
from tests.conftest import VOICE_RATE_HZ, portrait_path
from tests.session.command_line import ADA, FRAMES, SHORT_S, SMALL, Outcome, Run, frames_of, pictures, pixels, write_wav
from vivant import cli
from vivant.types import Float32Array, UInt8Array

pytestmark = pytest.mark.session


def test_help_names_every_command_and_option() -> None:
    runner, app = CliRunner(), cli.build_app()
    for arguments, words in (
        ([], ("render", "demo", "inspect", "cache", "--debug")),
        (
            ["render"],
            ("--fps", "--size", "--background", "--seed", "--gaze", "--distance", "--emotion", "--intensity", "--provider"),
        ),
        (["demo"], ("--out", "ada", "mona_lisa")),
        (["inspect"], ("--out",)),
        (["cache"], ("list", "clear")),
    ):
        shown = runner.invoke(app, [*arguments, "--help"], terminal_width=200, env={"COLUMNS": "200", "NO_COLOR": "1"})
        assert shown.exit_code == 0
        for word in words:
            assert word in shown.output


def test_demo(run: Run, short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speech = tmp_path / "assets" / "speech"
    speech.mkdir(parents=True)
    for name in (demo_command.PAINTING, demo_command.PERSON):
        shutil.copy(short, speech / f"{name}.ogg")
        (speech / f"{name}.txt").write_text("Hello!", encoding="utf-8")
    monkeypatch.setattr(demo_command, "files", lambda _: tmp_path)
    monkeypatch.setattr(
        demo_command, "FILMS", {name: (Path("ada"), speech) for name, (_, speech) in demo_command.FILMS.items()}
    )
    (tmp_path / "made").mkdir()
    outcome = run("demo", "--out", "made")
    assert outcome.code == 0, outcome.err
    made = ("demo.mp4", "demo_person.mp4", "demo_sheet.png")
    for name in made[:2]:
        assert len(frames_of(tmp_path / "made" / name)) == math.ceil(SHORT_S * 30)
        assert "spoken by hibari heart" in run("verify", tmp_path / "made" / name).out
    for name in made:
        assert str(tmp_path / "made" / name) in outcome.out  # on one line, however long
        assert "credentials: valid" in run("verify", tmp_path / "made" / name).out
    assert "real-time factor" in outcome.out and "open it with" in outcome.out
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
    a, b, c = ([picture.tobytes() for picture in pictures(Path(folder))] for folder in "abc")  # credentials hold the time
    assert a == b
    assert a != c


def test_backgrounds(run: Run, short: Path) -> None:
    Image.new("RGB", (200, 100), (0, 0, 255)).save("blue.png")
    for folder, background in (("clear", "transparent"), ("green", "#00ff00"), ("blue", "blue.png"), ("same", "original")):
        assert run("render", "ada", short, "-o", folder, "--background", background, *SMALL).code == 0
    corner = {folder: pictures(Path(folder))[0][0, 0].tolist() for folder in ("clear", "green", "blue", "same")}
    assert corner["clear"] == [0, 0, 0, 0]
    np.testing.assert_allclose(corner["green"], [0, 255, 0], atol=12)  # the mark is in it
    np.testing.assert_allclose(corner["blue"], [0, 0, 255], atol=12)
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
    seen = {pictures(Path(folder))[-1].tobytes() for folder in options}
    assert len(seen) == len(options)


def test_the_words_of_a_text_may_choose_the_emotion(run: Run, short: Path) -> None:
    text = ("--text", "Such sad news, I am so sorry.")
    for folder, more in (("words", ("--text-emotion",)), ("sad", ("--emotion", "sad")), ("plain", ())):
        assert run("render", "ada", short, "-o", folder, *SMALL, *text, *more).code == 0
    words, sad, plain = (pictures(Path(folder))[-1] for folder in ("words", "sad", "plain"))  # pixels: credentials have a date
    assert np.array_equal(words, sad) and not np.array_equal(words, plain)


def test_a_saved_rig_is_a_portrait_too(run: Run, short: Path, tmp_path: Path) -> None:
    (kept,) = (tmp_path / ".cache" / "rigs").glob("*whole*")
    shutil.copy(kept, "ada.vivant")
    assert run("render", "ada.vivant", short, "-o", "out.mp4", *SMALL).code == 0


def test_inspect(run: Run) -> None:
    for portrait in ("ada", ADA):
        outcome = run("inspect", portrait, "-o", "sheet.png")
        assert outcome.code == 0 and "sheet.png" in outcome.out
        assert "credentials: valid" in run("verify", "sheet.png").out
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
        environment = {"VIVANT_CACHE_DIR": str(warm_cache), "VIVANT_CONFIG_DIR": str(warm_cache / "config"), "PATH": ""}
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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file size limits")
@pytest.mark.parametrize("out", ["out.mp4", "frames", "out.gif"])
def test_a_full_disk(tmp_path: Path, warm_cache: Path, voice: Float32Array, out: str) -> None:
    sound = write_wav(tmp_path / "long.wav", voice, VOICE_RATE_HZ)
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000));"
        f"import sys; sys.argv = ['vivant', 'render', 'ada', {str(sound)!r}, '-o', {out!r}, '--size', '128'];"
        "from vivant.cli import main; main()"
    )
    # Without bytecode: Python would cut its own caches off at the limit, and never look at them again.
    environment = {
        "VIVANT_CACHE_DIR": str(warm_cache),
        "VIVANT_CONFIG_DIR": str(warm_cache / "config"),
        "PATH": "",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert re.search("larger than this disk|disk is full", Outcome(done.returncode, done.stdout, done.stderr).sentence())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.wav"]


def test_a_background_fills_a_frame_of_any_size(run: Run, short: Path) -> None:
    """As large as it must be and cut on both sides alike, never stretched."""
    stripes = np.zeros((100, 300, 3), np.uint8)
    stripes[:, 100:200] = (20, 220, 40)
    Image.fromarray(stripes).save("behind.png")
    options = ("--size", "96x160", "--fps", "24", "--background", "behind.png")
    assert run("render", "ada", short, "-o", "frames", *options).code == 0
    with Image.open("frames/frame_000002.png") as frame:
        assert frame.size == (96, 160)
        beside = np.asarray(frame, np.int16)[:24, :12]
    assert np.abs(beside - (20, 220, 40)).max() < 40  # the middle third of what lies behind is wider than the frame


def test_a_blurred_background_is_the_portraits_own_out_of_focus(run: Run, tmp_path: Path) -> None:
    (Path("short.wav")).write_bytes(write_wav(tmp_path / "s.wav", np.zeros(4_000, np.float32), 16_000).read_bytes())
    for word in ("original", "blur"):
        assert run("render", ADA, "short.wav", "-o", word, "--background", word, "--size", "256", "--fps", "12").code == 0
    sharp, soft = (pictures(tmp_path / word)[0].astype(int) for word in ("original", "blur"))
    face, wall = (slice(110, 150), slice(110, 150)), (slice(60, 200), slice(4, 40))
    assert np.abs(sharp[face] - soft[face]).max() <= 2, "the person stays sharp"
    assert np.abs(np.diff(soft[wall], axis=0)).mean() < 0.7 * np.abs(np.diff(sharp[wall], axis=0)).mean()
    assert (
        "is for square videos"
        in run("render", ADA, "short.wav", "-o", "a.mp4", "--background", "blur", "--size", "96x128").sentence()
    )
