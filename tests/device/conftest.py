"""Rigs: real devices on a machine without any. ``scripts/test-devices`` installs what they need, names them in VIVANT_DEVICES,
and runs their tests; there a missing part is a failure. Without it their tests are left out, and pytest says so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import vivant
from tests.device.guest_kit import Guest
from tests.device.obs_kit import Obs
from tests.device.sound_kit import SoundServer
from tests.device.three_vrm_kit import ThreeVrm, is_installed
from vivant.testing.voice import VOICE_RATE_HZ, bundled_voice

if TYPE_CHECKING:
    from tests.device.firefox_kit import FirefoxPage
    from tests.device.web_kit import Web
    from tests.session.studio_kit import Studio

RIGS = {"guest", "sound", "browser", "obs", "avatar", "godot", "blender", "web", "studio", "firefox"}
"""Fixtures of that name; ``browser`` lives in the guest."""
AS_IT_CAME = b'{"controls": {}, "stage": {"background": "original", "label_corner": "auto"}}'
"""Preset of a portrait that nobody has steered."""
LEFT_OUT = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    there = set(os.environ.get("VIVANT_DEVICES", "").split())
    left_out = [item for item in items if _rigs_of(item) - there]
    config.stash[LEFT_OUT] = len(left_out)
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _rigs_of(item: pytest.Item) -> set[str]:
    """Those a user asks for by name: the browser's guest comes with it."""
    rigs = RIGS & set(getattr(item, "fixturenames", ()))
    return rigs - {"guest"} if "browser" in rigs else rigs


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    n = config.stash.get(LEFT_OUT, 0)
    if n:
        terminalreporter.write_line(f"{n} tests of real devices were left out; scripts/test-devices installs what they need")


@pytest.fixture(scope="session")
def guest() -> Iterator[Guest]:
    """Booted once; whoever plugs the camera in unplugs it again."""
    with tempfile.TemporaryDirectory() as folder, Guest(Path(os.environ["VIVANT_GUEST"]), Path(folder)) as guest:
        yield guest


@pytest.fixture(scope="session")
def sound() -> Iterator[SoundServer]:
    """Not in the way of the user's own."""
    with tempfile.TemporaryDirectory() as folder, SoundServer(Path(folder)) as server:
        yield server


@pytest.fixture(scope="session")
def browser(guest: Guest) -> Guest:
    """The guest; Chromium is there whenever it is here."""
    assert shutil.which("chromium"), "chromium is not installed"
    return guest


@pytest.fixture(scope="session")
def server() -> Iterator[int]:
    """The port of ``vivant serve`` on this machine, for those in the guest."""
    command = [str(Path(sys.executable).parent / "vivant"), "serve", "--port", "0"]
    with tempfile.TemporaryDirectory() as cache:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "VIVANT_CACHE_DIR": cache})
        with process:
            assert process.stdout is not None
            found = re.search(r":(\d+) ", process.stdout.readline())
            assert found is not None, "vivant serve did not start"
            yield int(found[1])
            process.terminate()


@pytest.fixture(scope="session")
def obs() -> Iterator[Obs]:
    """Not in the way of the user's own."""
    with tempfile.TemporaryDirectory() as folder, Obs(Path(folder)) as obs:
        yield obs


@pytest.fixture(scope="session")
def avatar() -> Iterator[ThreeVrm]:
    """Somebody else's, in a browser of its own."""
    assert is_installed(), "chromium or what examples/three_vrm needs is not installed"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, ThreeVrm(Path(folder)) as avatar:
        yield avatar


@pytest.fixture(scope="session")
def godot() -> Path:
    """The web player of Godot 4."""
    assert shutil.which("chromium"), "chromium is not installed"
    player = Path(os.environ["VIVANT_GODOT"])
    assert (player / "index.wasm").is_file(), f"{player} holds no web player of Godot"
    return player


@pytest.fixture(scope="session")
def web() -> Iterator[Web]:
    """A browser here; the rig `browser` is one in the guest."""
    from tests.device.web_kit import Web, is_installed

    assert is_installed(), "chromium is not installed"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, Web(Path(folder)) as web:
        yield web


@pytest.fixture(scope="session")
def firefox() -> Iterator[FirefoxPage]:
    """With a sound server, without which it plays and hears nothing."""
    from tests.device.firefox_kit import firefox_page, is_installed

    assert is_installed(), "firefox-esr is not installed"
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        SoundServer(Path(folder)) as sound,
        firefox_page(Path(folder), sound.environment) as page,
    ):
        yield page


@pytest.fixture(scope="session")
def blender() -> str:
    """A Python that has it as a module."""
    return os.environ["VIVANT_BLENDER"]


@pytest.fixture(scope="session")
def running_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    from tests.session import studio_kit

    with studio_kit.running_studio(tmp_path_factory.mktemp("studio")) as running:
        yield running


@pytest.fixture
def studio(running_studio: Studio) -> Studio:
    """With its portraits as they came, however others steered them."""
    for portrait in ("ada", "noor"):
        assert running_studio.ask("PUT", f"/studio/presets/{portrait}", AS_IT_CAME).status == 204
    return running_studio


@pytest.fixture(scope="session")
def box() -> tuple[slice, slice]:
    """Rows of ada's mouth and columns of her face in a picture of 512."""
    left, top, right, bottom = (round(512 * share) for share in vivant.open_portrait("ada").face_box)
    height = bottom - top
    width = right - left
    return slice(top + round(0.6 * height), top + round(0.85 * height)), slice(left + width // 4, right - width // 4)


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of silence, then four of speech."""
    from tests.device.studio_page import write_wav

    voice = np.concatenate([np.zeros(4 * VOICE_RATE_HZ), bundled_voice(4.0)])
    return write_wav(tmp_path_factory.mktemp("voice") / "voice.wav", voice.astype(np.float32))
