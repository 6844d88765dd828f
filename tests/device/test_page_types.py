"""TypeScript reads the JavaScript client and the studio's page, which is built on it."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.device.guest_kit import ROOT

pytestmark = [pytest.mark.device, pytest.mark.usefixtures("studio")]


@pytest.fixture
def studio() -> None:
    """What the rig of that name installs is enough."""


def test_client_and_page_agree_in_their_types() -> None:
    npm = shutil.which("npm")
    assert npm is not None, "npm is not installed"
    checked = subprocess.run([npm, "run", "check"], cwd=ROOT / "client" / "js", capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
