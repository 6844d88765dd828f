"""Every way to extend Vivant, by a package of its own that is installed beside it: not a line of Vivant knows of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import c2pa
import numpy as np
import pytest

from tests.session.command_line import ADA, frames_of, write_wav
from vivant.client import RemoteConfig, connect
from vivant.types import Output

pytestmark = pytest.mark.session

TOYS = Path(__file__).parents[1] / "toy_package"
PINK = (200, 40, 120)
WAIT_S = 60
LOUD, JAW = 0.25, 1.0


def install(package: Path, target: Path) -> None:
    """What pip writes into a folder of ``PYTHONPATH``: the module, and beside it name, version and entry points."""
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    about = target / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in named.items())
        for group, named in project["entry-points"].items()
    ]
    (about / "entry_points.txt").write_text("\n".join(lines))
    for module in package.glob("*.py"):
        shutil.copy(module, target)


@pytest.fixture
def beside(warm_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which ``vivant`` finds the toys."""
    install(TOYS, tmp_path / "site")
    shutil.copytree(warm_cache, tmp_path / "cache")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), *sys.path]))
    monkeypatch.setenv("VIVANT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("VIVANT_CONFIG_DIR", str(tmp_path / "cache" / "config"))
    monkeypatch.chdir(tmp_path)
    write_wav(tmp_path / "loud.wav", np.where(np.arange(9_600) // 50 % 2, LOUD, -LOUD).astype(np.float32), 16_000)
    return tmp_path


def vivant(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from vivant.cli import main; main()", *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(vivant(*arguments), capture_output=True, text=True, timeout=WAIT_S, check=False)


def is_pink(pixel: object) -> bool:
    return bool(np.abs(np.asarray(pixel, int)[:3] - PINK).max() < 14)


def is_black(pixel: object) -> bool:
    return bool(np.asarray(pixel, int)[:3].max() < 30)


TOY_NAMES = ("toy face 1.2", "toy motion 1.2", "read by toy analyser 1.2")


def models_in(video: Path) -> set[str]:
    with c2pa.Reader(str(video)) as reader:
        manifest = reader.json()
    return {name for name in TOY_NAMES if name in manifest} | set(re.findall(r"vivant rig \d+", manifest))


def test_render_draws_another_face_by_another_motion_and_signs_their_names(beside: Path) -> None:
    done = run("render", ADA, "loud.wav", "-o", "toy.mp4", "--size", "96", "--generator", "toy", "--motion", "toy")
    assert done.returncode == 0, done.stderr
    assert "note: a toy face" in done.stdout
    for frame in frames_of(beside / "toy.mp4")[2:-2]:
        assert is_pink(frame[80, 48]) and is_black(frame[48, 48]), "the mouth is open as the voice is loud"
    assert models_in(beside / "toy.mp4") == {"toy face 1.2", "toy motion 1.2"}


def test_another_analyser_reads_the_portrait_and_its_rig_is_kept_apart(beside: Path) -> None:
    done = run("render", ADA, "loud.wav", "-o", "ada.mp4", "--size", "64", "--analyser", "toy")
    assert done.returncode == 0, done.stderr
    assert "built the rig (networks on toys on cpu)" in done.stdout, "the rig that our networks made is kept, and not taken"
    named = models_in(beside / "ada.mp4")
    assert "read by toy analyser 1.2" in named and len(named) == 2, "and the rig's own name"


def test_a_name_that_nobody_has_registered(beside: Path) -> None:
    done = run("render", ADA, "loud.wav", "-o", "toy.mp4", "--generator", "toys")
    assert (done.returncode, done.stderr) == (
        1,
        "error: there is no kind of face named 'toys'; known are liveportrait, rig, toy\n",
    )


def test_a_driver_of_another_package_moves_an_avatar(beside: Path) -> None:
    to = ("--to", "toy:motion.jsonl", "--mic", "none", "--seconds", "4")
    done = run("motion", "--drive", "toy:0.5", "--lips", "camera", *to)
    assert done.returncode == 0, done.stderr
    assert "the toy plays" in done.stdout
    jaws = [json.loads(line)["jaw"] for line in (beside / "motion.jsonl").read_text().splitlines()]
    assert jaws and set(jaws) == {0.5}


def test_a_voice_of_another_package_speaks_and_is_named(beside: Path) -> None:
    done = run("render", ADA, "--say", "five words of a toy", "--voice", "toy:300", "-o", "toy.mp4", "--size", "64")
    assert done.returncode == 0, done.stderr
    assert "1.0 s" in done.stdout, "a fifth of a second a word"
    with c2pa.Reader(str(beside / "toy.mp4")) as reader:
        assert {"toy voice 1.2", "the toy makers", "CC0-1.0"} <= set(re.findall(r'"([^"]+)"', reader.json()))
    assert "spoken by toy voice 1.2" in run("verify", "toy.mp4").stdout
    assert "toy        toy voice 1.2, by the toy makers; CC0-1.0" in run("say", "--voices").stdout


def test_cam_says_a_text_by_a_voice_of_another_package(beside: Path) -> None:
    line = (
        "--say",
        "five words of a toy",
        "--voice",
        "toy",
        "--camera",
        "null",
        "--send",
        "toy:motion.jsonl",
        "--seconds",
        "4",
    )
    done = run("cam", ADA, "--generator", "toy", "--motion", "toy", "--size", "square", *line)
    assert done.returncode == 0, done.stderr
    assert "voice from a synthetic voice, to none" in done.stdout and "hint: nobody hears what is said" in done.stdout
    jaws = np.array([json.loads(line)["jaw"] for line in (beside / "motion.jsonl").read_text().splitlines()])
    assert 10 < np.count_nonzero(jaws > 0.5) < 40, "it speaks for a second, about 30 pictures, and then no more"


def test_a_command_of_another_package(beside: Path) -> None:
    assert run("toy").stdout == "a toy command\n"


@contextmanager
def served(*arguments: str) -> Iterator[str]:
    """The address of a ``vivant serve`` in a process of its own."""
    with subprocess.Popen(
        vivant("serve", "--port", "0", *arguments), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            said = re.search(r"listens on (\S+)", server.stdout.readline())
            assert said is not None
            yield said.group(1)
        finally:
            server.terminate()


def test_serve_draws_another_face_by_another_motion(beside: Path) -> None:
    async def story(address: str) -> list[Output]:
        config = RemoteConfig(size_px=96, sample_rate_hz=16_000, paced=False)
        async with connect(address) as client, client.animate(Path(ADA), config) as session:
            await session.push(np.full(8_000, LOUD, np.float32))
            await session.finish()
            return [item async for item in session if isinstance(item, Output)]

    with served("--generator", "toy", "--motion", "toy") as address:
        outputs = asyncio.run(asyncio.wait_for(story(address), WAIT_S))
    assert len(outputs) == 13
    for output in outputs:
        assert output.picture is not None and output.motion.weights.max() == pytest.approx(JAW, abs=1e-3)
        assert is_pink(output.picture.pixels[80, 48]) and is_black(output.picture.pixels[48, 48])


def cam(*arguments: str) -> subprocess.CompletedProcess[str]:
    toys = ("--generator", "toy", "--motion", "toy", "--size", "square", "--seconds", "2.5")
    return run("cam", ADA, *toys, "--mic", f"toy:{round(2 * LOUD * 32768)}", *arguments)


def test_cam_between_another_source_camera_and_receiver(beside: Path) -> None:
    done = cam("--camera", "toy:out.rgba", "--fill", "transparent", "--send", "toy:motion.jsonl", "--send", "broken:x")
    assert done.returncode == 0, done.stderr
    assert "the toy out.rgba: 512x512 at 30 fps, drawn in this process; voice from a toy wave" in done.stdout
    assert "the toy x takes no motion today; it gets no motion" in done.stdout
    frames = np.fromfile(beside / "out.rgba", np.uint8).reshape(-1, 512, 512, 4)
    shown = [frame for frame in frames if is_pink(frame[400, 256])]
    assert shown, "colour as the face has it, not converted"
    for frame in shown:
        assert frame[400, 256, 3] == 255 and not frame[200:400, 40, 3].any(), (
            "the person is cut out, for the camera takes alpha"
        )
    assert any(is_black(frame[256, 256]) for frame in shown), "the left channel's voice, in full scale of its format"
    sent = [json.loads(line) for line in (beside / "motion.jsonl").read_text().splitlines()]
    times_us = [each["pts_us"] for each in sent]
    assert len(times_us) > 5 and times_us == sorted(times_us)
    assert max(each["jaw"] for each in sent) == pytest.approx(JAW, abs=1e-2)


def test_cam_sends_the_motion_of_a_face_on_a_server(beside: Path) -> None:
    with served("--generator", "toy", "--motion", "toy") as address:
        mic = f"toy:{round(2 * LOUD * 32768)}"
        there = ("--runtime", address, "--mic", mic, "--camera", "null", "--size", "square", "--seconds", "2.5")
        done = run("cam", ADA, *there, "--send", "toy:motion.jsonl")
    assert done.returncode == 0, done.stderr
    sent = [json.loads(line) for line in (beside / "motion.jsonl").read_text().splitlines()]
    assert max(each["jaw"] for each in sent) == pytest.approx(JAW, abs=1e-2)


def test_a_camera_without_alpha_shows_no_transparency(beside: Path) -> None:
    done = cam("--camera", "null", "--fill", "transparent")
    assert (done.returncode, done.stderr) == (
        1,
        "error: --fill transparent needs a camera that takes RGBA; this one takes I420\n",
    )
    assert "file:OUT.y4m, toy or null; got 'toys'" in cam("--camera", "toys").stderr
