"""``vivant cam``, ``devices`` and ``doctor``, as a user meets them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.session.bridge_kit import Stage, run_stage
from tests.session.command_line import ADA, Run, frames_of
from tests.session.test_bridge import for_seconds  # the same story
from vivant import cli
from vivant.testing import LoopClock
from vivant_bridge import device_registry
from vivant_bridge.keys import _split
from vivant_bridge.sound.portaudio import SoundDevice
from vivant_bridge.status import figures_line, panel

pytestmark = pytest.mark.session


def test_cam_writes_what_a_camera_would_show(run: Run, tmp_path: Path) -> None:
    outcome = run(
        "cam", ADA, "--mic", "tone", "--speaker", "null", "--camera", "file:out.y4m", "--size", "square", "--seconds", "2"
    )
    assert outcome.code == 0
    assert "512x512 at 30 fps, drawn in this process; voice from a test tone, to null" in outcome.out
    assert "picture - sound" in outcome.out
    frames = frames_of(tmp_path / "out.y4m")
    assert len(frames) > 40
    changes = [np.abs(frame.astype(int) - frames[0]).mean() for frame in frames]
    assert max(changes) > 2, "a face moves, whether or not a card came before it"


@pytest.mark.parametrize("fill", ["blur", "crop"])
def test_a_background_is_behind_the_person_all_over_the_picture(run: Run, tmp_path: Path, fill: str) -> None:
    Image.new("RGB", (128, 72), "#00ff00").save(tmp_path / "green.png")
    for background in ("#00ff00", "green.png"):
        arguments = ("--mic", "none", "--size", "480p", "--fill", fill, "--seconds", "3", "--background", background)
        done = run("cam", ADA, "--camera", "file:out.y4m", *arguments)
        assert done.code == 0, done.err
        frame = frames_of(tmp_path / "out.y4m")[-1].astype(int)
        for corner in (frame[4, 4], frame[4, 120]):
            assert corner[1] > 200 and corner[[0, 2]].max() < 60, "beside the person and beside the square"
        assert frame[240, 320, 0] > 90, "skin"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--background", "#00ff00", "--fill", "navy"], "--background #00ff00 fills the whole picture"),
        (["--background", "nowhere"], "background must be original, blur"),
        (["--background", "transparent"], "takes RGBA"),
        (["--background", "blur", "--runtime", "127.0.0.1:9"], "--background is for faces that are drawn here"),
        (["--hotkeys"], "--hotkeys needs combinations"),
    ],
)
def test_words_that_do_not_go_together(run: Run, arguments: list[str], sentence: str) -> None:
    assert sentence in run("cam", ADA, "--mic", "none", "--camera", "null", "--seconds", "1", *arguments).sentence()


def test_quiet_says_nothing(run: Run) -> None:
    outcome = run("cam", ADA, "--mic", "none", "--camera", "null", "--size", "square", "--seconds", "0.2", "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_a_recording_never_overwrites_what_is_read(run: Run, short: Path) -> None:
    for name, source in (("me.jpg", Path(ADA)), ("talk.wav", short), ("behind.png", Path(ADA))):
        shutil.copy(source, name)
    before = {path.name: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    read = ("me.jpg", "--mic", "file:talk.wav", "--fill", "behind.png")
    for name, noun in (("me.jpg", "portrait"), ("./talk.wav", "sound"), ("behind.png", "fill")):
        assert f"is also the {noun}" in run("cam", *read, "--camera", f"file:{name}").sentence()
    assert {path.name: path.read_bytes() for path in Path().iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--size", "4k"], "--size is 720p, 480p, square"),
        (["--sync-offset", "900"], "--sync-offset is from -200 to 500 ms, got 900"),
        (["--gate", "5"], "--gate is from -90 (off) to -10 dB, got 5"),
        (["--gate", "-91"], "--gate is from"),
        (["--gate", "nan"], "--gate is from"),
        (["--camera", "webcam"], "--camera is auto, obs"),
        (["--fill", "wallpaper"], "--fill is blur, crop"),
        (["--mic", "tcp:10.0.0.1:80"], "on this machine only"),
        (["--mic", "tcp:127.0.0.1:80", "--pcm-channels", "0"], "raw PCM needs 1 to 32 channels, got 0"),
        (["--mirror", "--runtime", "127.0.0.1:1"], "turn the portrait itself"),
        (["--fps", "11"], "fps must be from 12 to 60"),
        (["--mic", "file:none.wav", "--camera", "null"], "none.wav does not exist"),
        (["--no-label", " "], "leaving the label away needs a reason"),
        (["--send", "nobody"], "there is no receiver named 'nobody'; known are ifacialmocap"),
        (["--motion", "nothing"], "there is no motion model named 'nothing'; known are learned, voice"),
        (["--generator", "nothing"], "there is no kind of face named 'nothing'; known are liveportrait, rig"),
        (["--analyser", "nothing"], "there is no analyser named 'nothing'; known are networks"),
        (["--generator", "mine", "--runtime", "127.0.0.1:1"], "with --runtime give it to `vivant serve`"),
        (["--motion", "mine", "--runtime", "127.0.0.1:1"], "--motion is for faces that are drawn here"),
        (["--runtime", "127.0.0.1:1", "--token-file", "none"], "none does not exist; check the name of the token file"),
        ([ADA] * 9, "at most 9 portraits, one for each key; got 10"),
    ],
)
def test_bad_options_are_one_sentence(run: Run, arguments: list[str], sentence: str) -> None:
    mic = [] if "--mic" in arguments else ["--mic", "none"]
    camera = [] if "--camera" in arguments else ["--camera", "null"]
    assert sentence in run("cam", ADA, *mic, *camera, *arguments).sentence()


def test_nobody_is_animated_without_consent(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIVANT_CONSENT")
    me = tmp_path / "me.jpg"
    me.write_bytes(Path(ADA).read_bytes() + b"\0")
    for more in ([], ["--runtime", "127.0.0.1:1"]):
        assert "--consent me, agreed" in run("cam", me, "--mic", "none", "--camera", "null", *more).sentence()


@pytest.mark.parametrize(
    ("module", "arguments", "sentence"),
    [
        ("pyvirtualcam", ["--mic", "none"], 'pip install ".[camera]"'),
        ("sounddevice", ["--camera", "null"], 'pip install ".[mic]"'),
        ("vivant.client", ["--mic", "none", "--camera", "null", "--runtime", "127.0.0.1:1"], 'pip install ".[server]"'),
    ],
)
def test_a_missing_extra_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, module: str, arguments: list[str], sentence: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert sentence in run("cam", ADA, *arguments).sentence()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("none", "silence"),
        ("tone", "a test tone"),
        ("file:talk.wav", "talk.wav"),
        ("loop:talk.wav", "talk.wav"),
        ("tcp:127.0.0.1:5050", "tcp 127.0.0.1:5050"),
        ("default", "default"),
        ("pulse:mine", "pulse:mine"),
        ("USB Audio: - (hw:1,0)", "USB Audio: - (hw:1,0)"),
        ("file", "file"),  # microphones may be called like this
        *([("monitor", "pulse:@DEFAULT_MONITOR@"), ("monitor:mine", "pulse:mine.monitor")] if sys.platform == "linux" else []),
    ],
)
def test_words_for_a_source(text: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_registry, "sounddevice", lambda: None)
    assert device_registry.choose_source(text, LoopClock(), pcm_rate_hz=48_000, pcm_channels=1).name == name


def test_a_speaker_that_is_not_there_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    there = [SoundDevice(0, "USB Headset", "ALSA", 1, 2, 48_000), SoundDevice(1, "Webcam", "ALSA", 1, 0, 48_000)]
    monkeypatch.setattr(device_registry, "sound_devices", lambda: there)
    monkeypatch.setattr(device_registry, "sounddevice", lambda: None)
    sentence = run("cam", ADA, "--mic", "none", "--camera", "null", "--speaker", "CABLE Input").sentence()
    assert "no output is called 'CABLE Input'; there are: 'USB Headset'" in sentence
    assert "Webcam" not in sentence


def test_a_token_is_not_sent_in_the_clear(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVANT_TOKEN", "secret")
    outcome = run("cam", ADA, "--mic", "none", "--camera", "null", "--runtime", "192.0.2.1:50750")
    assert "the token would travel in the clear" in outcome.sentence()


def test_devices_and_doctor_start_on_any_machine(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    devices = run("devices")
    assert devices.code == 0
    assert devices.out.splitlines()[0] == "cameras"
    assert "extra 'mic'" in devices.out
    doctor = run("doctor")
    assert doctor.code == 1
    assert 'fix: pip install ".[mic]"' in doctor.out
    assert doctor.out.splitlines()[-1].endswith("to mend; `vivant setup` does what it can of it")


def test_setup_shows_the_doctors_commands_and_runs_none_unasked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setattr(shutil, "which", lambda _: None)  # so that looking around runs nothing, either
    monkeypatch.setattr(subprocess, "run", lambda *words, **_: pytest.fail(f"runs {words}"))
    assert "--yes runs the commands, --dry-run shows them" in run("setup").sentence()
    shown = run("setup", "--dry-run")
    assert shown.code == 0 and "-m pip install 'sounddevice" in shown.out
    swapped = run("setup", "--gpu", "--dry-run")
    assert swapped.code == 0 and swapped.out.count("onnxruntime-gpu") >= 3 and "pip uninstall --yes onnxruntime" in swapped.out


def test_help() -> None:
    shown = CliRunner().invoke(cli.build_app(), ["cam", "--help"], terminal_width=200, env={"COLUMNS": "200", "NO_COLOR": "1"})
    for word in ("--mic", "--speaker", "--camera", "--size", "--fill", "--mirror", "--runtime", "--sync-offset", "--consent"):
        assert word in shown.output


def test_status_of_a_running_bridge() -> None:
    stage = run_stage(Stage, for_seconds(2))
    stage.bridge.gate.muted = True
    stage.bridge.pause(True)
    line = figures_line(stage.bridge.figures())
    assert line.startswith("30.0 fps; delay 15")
    from rich.console import Console

    console = Console(width=200, record=True)
    console.print(panel(stage.bridge))
    text = console.export_text()
    for word in ("portrait 1", "neutral", "looks at the camera", "MUTED", "PAUSED", "q quit", "picture - sound +0 ms"):
        assert word in text


def test_arrows_are_keys() -> None:
    assert _split("e\x1b[A\x1b[D9q") == ["e", "up", "left", "9", "q"]
