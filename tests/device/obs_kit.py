"""OBS Studio on a screen in memory, steered by its websocket."""

from __future__ import annotations

import base64
import io
import os
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from PIL import Image

from tests.device.guest_kit import free_port
from vivant.types import UInt8Array

START_S = 120.0
SETTINGS = """
[General]
FirstRun=true
[OBSWebSocket]
FirstLoad=false
ServerEnabled=true
ServerPort={port}
AuthRequired=false
"""
SCENE, SOURCE = "Scene", "Vivant"


class Obs:
    """Runs from entering to leaving, with a fresh configuration in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._screen: subprocess.Popen[str] | None = None
        self._obs: subprocess.Popen[bytes] | None = None
        self._client: Any = None

    def __enter__(self) -> Obs:
        screen = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"]
        self._screen = subprocess.Popen(screen, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert self._screen.stdout is not None
            self._start(f":{self._screen.stdout.readline().strip()}")
            self._client = self._connect()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.disconnect()
        self._stop()

    def play(self, url: str, file_format: str) -> None:
        """A media source, set up as the guide for OBS says."""
        settings = {"is_local_file": False, "input": url, "input_format": file_format, "buffering_mb": 0}
        self._client.create_input(SCENE, SOURCE, "ffmpeg_source", settings, True)

    def screenshot(self, width: int, height: int) -> UInt8Array:
        """(height, width, 3) of what the source shows; black while it shows nothing."""
        response = self._client.get_source_screenshot(SOURCE, "png", width, height, -1)
        data = base64.b64decode(response.image_data.partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    def _start(self, display: str) -> None:
        home, run = self._folder / ".config" / "obs-studio", self._folder / "run"
        home.mkdir(parents=True)
        run.mkdir(mode=0o700)
        (home / "global.ini").write_text(SETTINGS.format(port=self._port))
        environment = {"HOME": str(self._folder), "XDG_RUNTIME_DIR": str(run), "DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1"}
        with (self._folder / "log").open("wb") as log:
            command = ["obs", "--multi", "--minimize-to-tray", "--disable-updater"]
            self._obs = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log)

    def _connect(self) -> Any:  # noqa: ANN401
        import obsws_python

        give_up_s = time.monotonic() + START_S
        while time.monotonic() < give_up_s and self._obs is not None and self._obs.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port)).close()
                return obsws_python.ReqClient(host="127.0.0.1", port=self._port, timeout=30)
            except ConnectionRefusedError:
                time.sleep(0.5)
        raise AssertionError(f"OBS did not start:\n{(self._folder / 'log').read_text(errors='replace')[-2000:]}")

    def _stop(self) -> None:
        for process in (self._obs, self._screen):
            if process is not None:
                with process:  # closes its output
                    process.kill()
