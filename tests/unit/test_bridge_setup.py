"""`vivant setup`: the doctor's remedies as commands, and one onnxruntime in the place of another."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from vivant.extras import NETWORKS, networks_requirement, requirements
from vivant_bridge.health.diagnose import PLAIN_NETWORKS, Finding
from vivant_bridge.health.mend import Step, networks_step, pip, steps

pytestmark = pytest.mark.unit

FOUND = [
    Finding(True, "all is well here", "never run"),
    Finding(False, "the camera library is missing", extra="camera"),
    Finding(False, "no driver", "sudo apt install v4l2loopback-dkms", "then restart"),
    Finding(False, "two of a kind", PLAIN_NETWORKS),
    Finding(False, "one core is little", note="buy another"),
]


def test_every_fault_that_a_command_mends_is_a_step(tmp_path: Path) -> None:
    camera, driver, networks = steps(FOUND, (NETWORKS,), tmp_path)
    assert camera.command == pip("install", *requirements("camera")) and "pyvirtualcam" in camera.command
    assert (driver.command, driver.needs_root, camera.needs_root) == ("sudo apt install v4l2loopback-dkms", True, False)
    assert driver.unasked() == "sudo apt install -y v4l2loopback-dkms"
    assert networks == networks_step((NETWORKS,), tmp_path, gpu=False)
    assert [finding.runs for finding in FOUND if not finding.good] == [True, True, True, False]


def test_what_parts_bring_is_known_without_a_source() -> None:
    assert requirements("cpu") == []  # an alias of today's commands
    assert any(text.startswith("sounddevice") for text in requirements("mic"))
    plain, gpu = networks_requirement(NETWORKS), networks_requirement("onnxruntime-gpu")
    assert gpu.removeprefix("onnxruntime-gpu") == plain.removeprefix(NETWORKS) and "<1.33" in gpu


def test_a_step_says_whether_it_worked(tmp_path: Path) -> None:
    made = tmp_path / "made"
    touch = f'"{sys.executable}" -c "import pathlib; pathlib.Path({str(made)!r}).touch()"'
    assert Step("makes a file", touch).run() and made.exists()
    assert not Step("fails", f'"{sys.executable}" -c "raise SystemExit(3)"').run()


def wheel(folder: Path, name: str) -> None:
    """A distribution that, like all of onnxruntime's, writes ``onnxruntime/__init__.py``."""
    stem = f"{name.replace('-', '_')}-1.30.0"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as out:
        out.writestr("onnxruntime/__init__.py", f"FLAVOUR = {name!r}\n")
        out.writestr(f"{stem}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.30.0\n")
        out.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        out.writestr(f"{stem}.dist-info/RECORD", "")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="commands are those of a POSIX shell")
def test_one_onnxruntime_takes_the_place_of_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an environment of its own, from an index that is a folder; also out of a state with both."""
    shelf, home = tmp_path / "shelf", tmp_path / "venv"
    shelf.mkdir()
    for name in ("onnxruntime", "onnxruntime-gpu"):
        wheel(shelf, name)
    venv.create(home, with_pip=True)
    python = str(home / "bin" / "python")
    monkeypatch.setattr(sys, "executable", python)
    for name, value in (("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", str(shelf)), ("PIP_QUIET", "1")):
        monkeypatch.setenv(name, value)

    def flavour() -> str:
        done = subprocess.run([python, "-c", "import onnxruntime as o; print(o.FLAVOUR)"], capture_output=True, text=True)
        return done.stdout.strip()

    subprocess.run([python, "-m", "pip", "install", "onnxruntime", "onnxruntime-gpu"], check=True, env=os.environ)
    for gpu, wanted in ((True, "onnxruntime-gpu"), (False, "onnxruntime")):
        assert networks_step(("onnxruntime", "onnxruntime-gpu"), tmp_path / "downloads", gpu=gpu).run()
        assert flavour() == wanted
    (shelf / "onnxruntime_gpu-1.30.0-py3-none-any.whl").unlink()
    assert not networks_step(("onnxruntime",), tmp_path / "elsewhere", gpu=True).run(), "there is none"
    assert flavour() == "onnxruntime", "and what was there stays"
