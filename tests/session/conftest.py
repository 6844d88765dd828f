"""A command line to call, a cache that knows `ada`, and a short sound to speak."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import VOICE_RATE_HZ
from tests.session.command_line import ADA, SHORT_S, Outcome, Run, write_wav
from vivant import cli
from vivant.face import open_portrait
from vivant.portrait import PortraitAnalyser
from vivant.types import Float32Array, UInt8Array


@pytest.fixture(scope="session")
def warm_cache(tmp_path_factory: pytest.TempPathFactory, analyser: PortraitAnalyser) -> Path:
    """A cache that knows `ada`, whole and cut out, and the configuration folder ``config`` that sealed it."""
    folder = tmp_path_factory.mktemp("warm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIVANT_CACHE_DIR", str(folder))
        patch.setenv("VIVANT_CONFIG_DIR", str(folder / "config"))
        for transparent in (False, True):
            open_portrait(Path(ADA), analyser=analyser, transparent=transparent)
    return folder


@pytest.fixture
def run(warm_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Call ``vivant`` in an empty folder, with a cache that knows `ada`."""
    shutil.copytree(warm_cache, tmp_path / ".cache")
    monkeypatch.setenv("VIVANT_CACHE_DIR", str(tmp_path / ".cache"))
    monkeypatch.setenv("VIVANT_CONFIG_DIR", str(tmp_path / ".cache" / "config"))
    monkeypatch.setenv("VIVANT_CONSENT", "synthetic")
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


@pytest.fixture(scope="session")
def short(voice: Float32Array, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_wav(tmp_path_factory.mktemp("sound") / "short.wav", voice[: round(SHORT_S * VOICE_RATE_HZ)], VOICE_RATE_HZ)


@pytest.fixture
def ada_mouth(analyser: PortraitAnalyser) -> Callable[[UInt8Array], float]:
    """How far a picture's lips are apart, in eye distances."""

    def gap(pixels: UInt8Array) -> float:
        found = analyser.faces(np.ascontiguousarray(pixels))[0].landmarks
        return float(np.linalg.norm(found[13, :2] - found[14, :2]) / np.linalg.norm(found[33, :2] - found[263, :2]))

    return gap
