"""Loggers: an engineer can follow what happens, and nothing of what is said, shown or named stands in a line."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from tests.session.command_line import ADA, SMALL, Run
from tests.session.live import live, opened, push_all
from tests.session.test_bridge_trouble import run_unplugged
from vivant.face import open_portrait
from vivant.provenance.consent import Consent, keep_consent
from vivant.session.pace import LateLog
from vivant.session.session import Session
from vivant.testing import LoopClock
from vivant.types import Float32Array
from vivant_bridge.delay import AdaptiveDelay

pytestmark = pytest.mark.session

PLAIN = (bool, int, float, str, Fraction, type(None))
NAME = "Annas_secret"
"""Of a portrait, an utterance and a microphone: never in a line."""


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    for name in ("vivant", "vivant_bridge"):
        caplog.set_level(logging.DEBUG, name)
    return caplog


ODD = """
import logging, typer
from vivant import cli

def build():
    app = typer.Typer()
    @app.command()
    def odd():
        for level in (logging.INFO, logging.ERROR):
            logging.getLogger("vivant.server").log(level, "level %d", level)
    return app

cli.main(build)
"""


@pytest.mark.parametrize(("level", "heard"), [("", [40]), ("info", [20, 40])])
def test_what_nobody_foresaw_is_logged_unasked(level: str, heard: list[int]) -> None:
    """The studio answers a page that its log says why."""
    environment = os.environ | {"VIVANT_LOG": level}
    done = subprocess.run([sys.executable, "-c", ODD], env=environment, capture_output=True, text=True, check=True)
    assert [int(line.rpartition(" ")[2]) for line in done.stderr.splitlines()] == heard


def said(lines: pytest.LogCaptureFixture) -> str:
    """All lines, each of which is short, of plain values, and silent about `NAME`."""
    assert lines.records
    for record in lines.records:
        assert record.name.partition(".")[0] in ("vivant", "vivant_bridge")
        for value in record.args if isinstance(record.args, tuple) else ():
            fields = [getattr(value, slot) for slot in getattr(value, "__dataclass_fields__", ())]
            assert all(isinstance(one, (*PLAIN, tuple)) for one in fields or [value]), value
        message = record.getMessage()
        assert len(message) < 300 and "array(" not in message
        assert NAME not in message and not any(answer.value in message.split() for answer in Consent)
    return lines.text


def test_a_session_tells_of_itself_and_not_of_what_is_said(voice: Float32Array, lines: pytest.LogCaptureFixture) -> None:
    async def story(session: Session) -> None:
        await session.begin(NAME, text=NAME)
        await session.say_text(NAME)
        await session.push(voice[:16_000])
        await LoopClock().sleep_until(400_000)
        await session.interrupt()
        await push_all(session, voice[:8_000])

    live(story, lambda: opened())
    text = said(lines)
    assert "session opened: SessionConfig(fps=Fraction(30, 1), size_px=Size(width=64, height=64)" in text
    assert "epoch 1 begins" in text and "session closed: SessionStats(frames=" in text


def test_late_pictures_are_told_once_a_second(lines: pytest.LogCaptureFixture) -> None:
    late = LateLog()
    for index in range(90):
        late.count(index < 40, index * 33_333)
    assert [record.getMessage() for record in lines.records] == [
        "31 pictures came late in second 0",
        "9 pictures came late in second 1",
    ]


def test_a_portrait_is_not_named(
    warm_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: pytest.LogCaptureFixture
) -> None:
    """At no level: its file, its hash, who it shows."""
    kept = shutil.copytree(warm_cache, tmp_path / "cache")
    monkeypatch.setenv("VIVANT_CACHE_DIR", str(kept))
    monkeypatch.setenv("VIVANT_CONFIG_DIR", str(kept / "config"))
    face = open_portrait(Path(shutil.copy(ADA, tmp_path / f"{NAME}.jpg")))
    keep_consent(face.portrait_sha256, Consent.AGREED)
    assert [record.getMessage() for record in lines.records] == ["opened a kept rig (whole)"]


def test_a_bridge_tells_of_devices_and_delay_without_their_names(lines: pytest.LogCaptureFixture) -> None:
    stage = run_unplugged(2, 4, 8, NAME)
    text = said(lines)
    assert any(NAME in sentence for sentence in stage.said), "its user is told by name"
    for told in ("Plug opened\n", "Plug lost in use", "Plug cannot be opened: DeviceLostError", "Plug opened again"):
        assert told in text
    assert "StampedCamera opened at 64 x 64, 30 fps" in text and "face 1 opened" in text


def test_the_delay_says_where_it_goes(lines: pytest.LogCaptureFixture) -> None:
    delay = AdaptiveDelay(100_000)
    delay.shrink(0)
    delay.grow(0)
    delay.raise_to(300_000)
    assert [record.getMessage() for record in lines.records] == [
        "the delay goes from 100 to 120 ms",
        "a device raises the delay to 300 ms",
    ]


def test_the_command_line_turns_them_on(run: Run, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("render", ADA, str(short), "-o", "out.mp4", *SMALL)
    root, loggers = logging.getLogger(), [logging.getLogger(name) for name in ("vivant", "vivant_bridge")]
    monkeypatch.setattr(root, "handlers", [])
    try:
        assert run(*command).err == ""
        assert "INFO vivant.rig.cache: opened a kept rig (whole)" in run("--verbose", *command).err
        monkeypatch.setattr(root, "handlers", [])
        monkeypatch.setenv("VIVANT_LOG", "info")
        assert "INFO vivant.rig.cache: opened a kept rig (whole)" in run(*command).err
        monkeypatch.setenv("VIVANT_LOG", "loud")
        assert "VIVANT_LOG must be one of debug, info, warning, error, got 'loud'" in run(*command).sentence()
    finally:
        for logger in loggers:
            logger.setLevel(logging.NOTSET)


@pytest.mark.parametrize("name", ["vivant", "vivant_bridge"])
def test_nobody_who_asked_for_no_lines_gets_any(name: str) -> None:
    __import__(name)
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger(name).handlers)
