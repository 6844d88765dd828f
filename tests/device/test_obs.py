"""OBS shows ``vivant cam`` as the guide for OBS says: as a media source, without a camera driver."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.device.guest_kit import free_port
from tests.device.living import require_living_face
from tests.device.obs_kit import Obs
from vivant.face import RigFace

pytestmark = pytest.mark.device

SIZE_PX = 512
PATIENCE_S = 120.0


def test_obs_shows_a_living_face(obs: Obs, ada: RigFace) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    options = ["--camera", address.replace("//", ""), "--size", "square", "--fps", "25", "--mic", "tone", "--quiet"]
    with subprocess.Popen([Path(sys.executable).parent / "vivant", "cam", "ada", *options], env=os.environ) as cam:
        try:
            obs.play(address, "yuv4mpegpipe")
            require_living_face(ada, lambda: [obs.screenshot(SIZE_PX, SIZE_PX)], PATIENCE_S)
        finally:
            cam.terminate()
