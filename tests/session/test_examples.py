"""Every example runs as a user runs it, in a process of its own; served ones on a server that queues less than their voice."""

from __future__ import annotations

import asyncio
import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import VOICE_RATE_HZ, bundled_voice
from tests.session.command_line import ADA, frames_of, write_wav
from vivant.server.limits import Limits
from vivant.server.server import Server, ServerConfig
from vivant.types import ARKIT_NAMES

pytestmark = pytest.mark.session

FOLDER = Path(__file__).resolve().parents[2] / "examples"
SHORT_S, LONG_S = 0.6, 4.0
QUEUE_MS = 2500
WAIT_S = 90.0
PIPE_RATE_HZ = 22_050


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The portrait is built once for all of them."""
    return tmp_path_factory.mktemp("examples")


@pytest.fixture(scope="module")
def short(kept: Path) -> Path:
    return write_wav(kept / "short.wav", bundled_voice()[: round(SHORT_S * VOICE_RATE_HZ)], VOICE_RATE_HZ)


def environment(kept: Path) -> dict[str, str]:
    return os.environ | {"VIVANT_CACHE_DIR": str(kept / "cache"), "PYTHONWARNINGS": "error::DeprecationWarning:__main__"}


def ran(kept: Path, name: str, *arguments: str | Path) -> str:
    """Standard output of an example that must succeed."""
    command = [sys.executable, FOLDER / name, *arguments]
    done = subprocess.run(command, capture_output=True, env=environment(kept), timeout=WAIT_S, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_speak(kept: Path, short: Path) -> None:
    said = ran(kept, "speak.py", ADA, short, kept / "out.mp4")
    assert "18 frames" in said and len(frames_of(kept / "out.mp4")) == 18


def test_live(kept: Path, short: Path) -> None:
    said = ran(kept, "live.py", ADA, short)
    assert said.count("UtteranceStart(") == said.count("UtteranceEnd(") == 1 and said.count(" s\r") >= 3


def test_motion(kept: Path, short: Path) -> None:
    head, *rows = csv.reader(ran(kept, "motion.py", ADA, short).splitlines())
    assert head == ["time_s", *ARKIT_NAMES, "yaw_deg", "pitch_deg", "roll_deg"] and len(rows) == 18
    values = np.array(rows, float)
    assert np.ptp(values[:, head.index("jawOpen")]) > 0.02 and np.all(np.diff(values[:, 0]) > 0)


async def served(kept: Path, name: str, *arguments: str | Path, pipe: bytes = b"") -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, FOLDER / name, *arguments, stdin=-1, stdout=-1, stderr=-1, env=environment(kept)
    )
    try:
        out, error = await asyncio.wait_for(process.communicate(pipe), WAIT_S)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, error.decode()
    return out.decode()


@pytest.mark.slow
def test_served(kept: Path, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A voice longer than the server's queue is spoken to its end: it is sent as it is needed, and read while it is sent."""
    long = write_wav(kept / "long.wav", bundled_voice()[: round(LONG_S * VOICE_RATE_HZ)], VOICE_RATE_HZ)
    tone = 9000 * np.sin(np.arange(round(SHORT_S * PIPE_RATE_HZ)) * 2 * np.pi * 150 / PIPE_RATE_HZ)
    monkeypatch.setenv("VIVANT_CACHE_DIR", str(kept / "cache"))

    async def story() -> tuple[str, str, str]:
        async with Server(ServerConfig(limits=Limits(audio_queue_ms=QUEUE_MS))) as server:
            address = f"127.0.0.1:{server.port}"
            await served(kept, "served_picture.py", short, address, kept / "face.png")
            return await asyncio.gather(
                served(kept, "served_file.py", long, address),
                served(kept, "served_motion.py", short, address),
                served(kept, "served_pipe.py", address, pipe=tone.astype("<i2").tobytes()),
            )

    spoken, motion, piped = asyncio.run(story())
    assert LONG_S * 1000 > QUEUE_MS
    assert spoken.count("UtteranceStart(") == spoken.count("UtteranceEnd(") == 1
    times = [float(part.split()[-2]) for part in spoken.split("\r") if part.endswith(" s")]
    assert max(times) > LONG_S - 0.1
    assert any("#" in line for line in motion.splitlines()) and len(motion.splitlines()) >= round(SHORT_S * 25)
    assert piped.count("UtteranceStart(") == piped.count("UtteranceEnd(") == 1
    with Image.open(kept / "face.png") as face:
        assert face.size == (256, 256) and np.asarray(face).std() > 20


def test_these_are_all() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{path.name}"' in text for path in FOLDER.glob("*.py")) and len(list(FOLDER.glob("*.py"))) == 7
