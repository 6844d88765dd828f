"""A second engine: Godot, headless and without a plugin, gets a face's pictures from a real server and saves one."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.session.server_kit import open_tint, serving, tone

pytestmark = pytest.mark.device

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "godot" / "face.gd"
GODOT = shutil.which("godot3-server")


@pytest.mark.skipif(GODOT is None, reason="godot3-server is missing")
def test_godot_gets_pictures_and_saves_one(tmp_path: Path) -> None:
    (tmp_path / "voice.pcm").write_bytes((tone(1) * 32767).round().astype("<i2").tobytes())

    async def story() -> str:
        async with serving() as (server, _):
            process = await asyncio.create_subprocess_exec(
                str(GODOT),
                *("-s", str(SCRIPT), str(server.port), str(tmp_path / "voice.pcm"), str(tmp_path / "out.png")),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd=tmp_path,  # it leaves logs where it runs
                env={**os.environ, "HOME": str(tmp_path), "LANG": "C.UTF-8"},
            )
            try:
                said, _ = await asyncio.wait_for(process.communicate(), 30)
            finally:
                if process.returncode is None:
                    process.kill()
            assert process.returncode == 0, said.decode()
            return said.decode()

    assert "25 pictures, the last at 960000 us" in asyncio.run(story())
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.size == (256, 256)
        ada = (Path(str(SCRIPT.parents[2])) / "runtime" / "vivant" / "assets" / "portraits" / "ada.jpg").read_bytes()
        assert abs(np.median(np.asarray(picture)[..., 0]) - open_tint(ada, transparent=False).tint) <= 3
