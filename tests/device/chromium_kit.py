"""Headless Chromium with one page, driven by its DevTools protocol."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import urlopen

import numpy as np
from PIL import Image
from websockets.sync.client import ClientConnection, connect

from vivant.types import UInt8Array

CHROMIUM = (
    "chromium", "--headless=new", "--no-sandbox", "--no-first-run", "--remote-debugging-port=0",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",  # draws without a graphics card
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
PATIENCE_S = 120
"""Chromium draws on the CPU."""


class Chromium:
    """One page of it."""

    def __init__(self, folder: Path, width_px: int = 480, height_px: int = 560) -> None:
        self._folder, self._size_px = folder, (width_px, height_px)
        self._opened = ExitStack()
        self._asked = 0

    def __enter__(self) -> Chromium:
        with ExitStack() as opened:
            self._line = opened.enter_context(self._page(opened))
            self._opened = opened.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._opened.close()

    def go(self, url: str) -> None:
        self._ask("Page.navigate", url=url)

    def value(self, script: str) -> Any:  # noqa: ANN401
        """Of an expression in the page; promises are awaited."""
        answer = self._ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, condition: str) -> None:
        """Until it holds in the page, looked at with every picture that is drawn."""
        look = f"const look = () => ({condition}) ? resolve(1) : requestAnimationFrame(look); look()"
        self.value(f"new Promise((resolve) => {{ {look} }})")

    def picture(self) -> UInt8Array:
        """(height, width, 3)"""
        png = base64.b64decode(self._ask("Page.captureScreenshot", format="png")["data"])
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))

    def _page(self, opened: ExitStack) -> ClientConnection:
        size = f"--window-size={self._size_px[0]},{self._size_px[1]}"
        process = running(opened, *CHROMIUM, size, f"--user-data-dir={self._folder / 'chromium'}", "about:blank")
        port = told(process.stderr, r"DevTools listening on ws://[\d.]+:(\d+)/")
        with urlopen(f"http://127.0.0.1:{port}/json", timeout=PATIENCE_S) as answer:
            page = next(target for target in json.load(answer) if target["type"] == "page")
        return connect(page["webSocketDebuggerUrl"], max_size=None)

    def _ask(self, method: str, **parameters: object) -> dict[str, Any]:
        self._asked += 1
        self._line.send(json.dumps({"id": self._asked, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._line.recv(timeout=PATIENCE_S))
            if answer.get("id") == self._asked:
                assert "result" in answer, answer
                return dict(answer["result"])


def running(opened: ExitStack, *command: str) -> subprocess.Popen[str]:
    """Until ``opened`` is closed."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    opened.enter_context(process)
    opened.callback(process.terminate)
    return process


def told(stream: Any, pattern: str) -> str:  # noqa: ANN401
    """What a program says of itself as it starts."""
    for line in stream:
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError(f"ended without a word on {pattern}")
