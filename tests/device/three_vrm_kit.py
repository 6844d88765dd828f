"""Somebody else's receiver: three-vrm in headless Chromium, with an avatar of nobody, fed by examples/three_vrm."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.device.chromium_kit import Chromium, running, told
from tests.device.guest_kit import ROOT, free_port
from vivant.types import UInt8Array

EXAMPLE = ROOT / "examples" / "three_vrm"


class ThreeVrm:
    """The avatar in its page; what is sent to ``vmc_port`` moves it."""

    def __init__(self, folder: Path, width_px: int = 480, height_px: int = 560) -> None:
        self.vmc_port = 0
        self._folder, self._size_px = folder, (width_px, height_px)
        self._opened = ExitStack()

    def __enter__(self) -> ThreeVrm:
        with ExitStack() as opened:
            avatar = self._folder / "avatar.vrm"
            subprocess.run([sys.executable, str(EXAMPLE / "avatar.py"), str(avatar)], check=True)
            web_port = free_port()
            bridge = [sys.executable, str(EXAMPLE / "bridge.py"), str(avatar), "--vmc-port", "0", "--web-port", str(web_port)]
            self.vmc_port = int(told(running(opened, *bridge).stdout, r"vmc:(\d+)"))
            self._page = opened.enter_context(Chromium(self._folder, *self._size_px))
            self._page.go(f"http://127.0.0.1:{web_port}/")
            self.until("window.vrm")
            self._opened = opened.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._opened.close()

    def value(self, script: str) -> Any:  # noqa: ANN401
        return self._page.value(script)

    def until(self, condition: str) -> None:
        self._page.until(condition)

    def picture(self) -> UInt8Array:
        return self._page.picture()


def is_installed() -> bool:
    return shutil.which("chromium") is not None and (EXAMPLE / "node_modules" / "three").is_dir()
