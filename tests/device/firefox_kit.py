"""Debian's Firefox without a screen, with one page, driven by WebDriver BiDi (W3C)."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.device.chromium_kit import told

PATIENCE_S = 120.0
PREFERENCES = {
    "media.navigator.streams.fake": True,  # a tone for a microphone
    "media.navigator.permission.disabled": True,
    "network.proxy.type": 0,
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
}


def is_installed() -> bool:
    return shutil.which("firefox-esr") is not None


class FirefoxPage:
    """The one page of a browser."""

    def __init__(self, line: ClientConnection) -> None:
        self._line, self._numbers = line, itertools.count(1)
        self._ask("session.new", capabilities={})
        self._context = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def go(self, url: str) -> None:
        self._ask("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def value(self, script: str) -> Any:  # noqa: ANN401
        """Of an expression, as after a click of somebody's."""
        target = {"context": self._context}
        answer = self._ask("script.evaluate", expression=script, target=target, awaitPromise=True, userActivation=True)
        assert answer["type"] == "success", answer
        return answer["result"].get("value")

    def until(self, condition: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not self.value(condition):
            assert time.monotonic() < end, condition
            time.sleep(0.1)

    def save(self, path: Path) -> None:
        """What it shows, as PNG."""
        path.write_bytes(base64.b64decode(self._ask("browsingContext.captureScreenshot", context=self._context)["data"]))

    def _ask(self, method: str, **params: object) -> dict[str, Any]:
        number = next(self._numbers)
        self._line.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._line.recv(timeout=PATIENCE_S))
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return dict(answer["result"])


@contextmanager
def firefox_page(folder: Path, environment: Mapping[str, str]) -> Iterator[FirefoxPage]:
    """With a profile of its own in ``folder``."""
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
    profile = folder / "firefox"
    profile.mkdir()
    (profile / "user.js").write_text("\n".join(lines))
    command = ["firefox-esr", "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    surroundings = os.environ | dict(environment)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=surroundings) as process:
        try:
            port = told(process.stderr, r"WebDriver BiDi listening on ws://[\d.]+:(\d+)")
            with connect(f"ws://127.0.0.1:{port}/session", proxy=None, max_size=None) as line:
                yield FirefoxPage(line)
        finally:
            process.terminate()
