"""Headless Chromium, asked through its debugger."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.sync.client import connect

CHROMIUM = (
    "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0",
    "--autoplay-policy=no-user-gesture-required", "--mute-audio",
)  # fmt: skip
PATIENCE_S = 60


def is_installed() -> bool:
    return shutil.which(CHROMIUM[0]) is not None


class Browser:
    """Use as ``with Browser(folder) as page``."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._opened, self._n_asked = folder, ExitStack(), 0

    def __enter__(self) -> Browser:
        with ExitStack() as opened:
            command = [*CHROMIUM, f"--user-data-dir={self._folder}", "about:blank"]
            process = opened.enter_context(running(command, stderr=subprocess.PIPE))
            port = told(process.stderr, r"DevTools listening on ws://[\d.]+:(\d+)/")
            with urlopen(f"http://127.0.0.1:{port}/json", timeout=PATIENCE_S) as answer:
                page = next(target for target in json.load(answer) if target["type"] == "page")
            self._line = opened.enter_context(connect(page["webSocketDebuggerUrl"], max_size=None, proxy=None))
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def open(self, url: str) -> None:
        self._ask("Page.navigate", url=url)
        self.value("new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))")

    def value(self, script: str) -> Any:
        """Of an expression in the page; promises are awaited."""
        answer = self._ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def _ask(self, method: str, **parameters: object) -> dict[str, Any]:
        self._n_asked += 1
        self._line.send(json.dumps({"id": self._n_asked, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._line.recv(timeout=PATIENCE_S))
            if answer.get("id") == self._n_asked:
                assert "result" in answer, answer
                return dict(answer["result"])


@contextmanager
def running(command: list[str], **how: Any) -> Iterator[subprocess.Popen[str]]:
    """A program, ended with the block."""
    with subprocess.Popen(command, text=True, **how) as process:
        try:
            yield process
        finally:
            process.terminate()


def told(stream: Any, pattern: str) -> str:
    """What a program says of itself as it starts."""
    for line in stream:
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError(f"ended without a word on {pattern}")
