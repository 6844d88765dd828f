"""A page in Debian's Chromium: `vivant serve --web`, a web server for the page, and a microphone that is a file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import wave
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from tests.device.guest_kit import ROOT, free_port
from vivant.testing import VOICE_RATE_HZ, bundled_voice
from vivant.types import Float32Array

PATIENCE_MS = 240_000
"""On a machine that may be busy, where a rig is built first."""
FLAGS = (
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--use-angle=swiftshader",  # draws without a graphics card
    "--enable-unsafe-swiftshader",
)
PAGE = "tests/device/web_page.html"


def is_installed() -> bool:
    return shutil.which("chromium") is not None


def write_microphone(path: Path, samples: Float32Array, rate_hz: int) -> Path:
    """A file that Chromium plays as a microphone, over and over."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.clip(samples * 32767, -32768, 32767).astype("<i2").tobytes())
    return path


class WebServe:
    """``vivant serve --web`` in a process of its own; it can be killed and started again at the same port."""

    def __init__(self, folder: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        self._folder, self._options, self._environment = folder, options, environment or {}
        self.port = free_port()
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [str(Path(sys.executable).parent / "vivant"), "serve", "--port", "0", "--web", "--web-port", str(self.port)]
        environment = {**os.environ, "VIVANT_CACHE_DIR": str(self._folder / "cache"), **self._environment}
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self._options], stdout=subprocess.PIPE, stderr=log, text=True, env=environment
            )
        assert self.process.stdout is not None
        while not re.search("door for web pages", line := self.process.stdout.readline()):
            assert line, "vivant serve --web did not start"

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.communicate()


@contextmanager
def pages(folder: Path = ROOT) -> Iterator[str]:
    """The address of a web server for a folder's files."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{web.server_port}"
        web.shutdown()


@contextmanager
def chromium(microphone: Path | None = None) -> Iterator[Any]:
    """A context of headless Chromium whose pages may use the microphone."""
    flags = [*FLAGS, *([f"--use-file-for-fake-audio-capture={microphone}"] if microphone else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        context = browser.new_context(permissions=["microphone"])
        context.set_default_timeout(PATIENCE_MS)
        yield context
        browser.close()


class Web:
    """A browser that hears the bundled voice, and the address its pages come from: one for all tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Web:
        voice = bundled_voice()[: 6 * VOICE_RATE_HZ]
        microphone = write_microphone(self.folder / "voice.wav", voice, VOICE_RATE_HZ)
        with ExitStack() as opened:
            self.origin = opened.enter_context(pages())
            self.browser = opened.enter_context(chromium(microphone))
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @contextmanager
    def serving(self, *options: str, environment: dict[str, str] | None = None) -> Iterator[WebServe]:
        """A server that takes these pages."""
        server = WebServe(self.folder, "--web-origin", self.origin, *options, environment=environment)
        server.start()
        try:
            yield server
        finally:
            server.kill()

    def page(self, server: WebServe, **options: Any) -> Page:  # noqa: ANN401
        """As `started`."""
        return started(self.browser, self.origin, server, **options)


def started(browser: Any, origin: str, server: WebServe, **options: Any) -> Page:  # noqa: ANN401
    """A page with a face; ``box`` is the part of the picture that is looked at, left, top, width and height in shares of it."""
    page: Page = browser.new_page()
    page.goto(f"{origin}/{PAGE}")
    page.wait_for_function("!!window.start")
    box = options.pop("box", [0, 0, 1, 1])
    page.evaluate("([url, options, box]) => { start(url, options, box) }", [server.url, options, box])
    return page


def until(page: Page, condition: str) -> None:
    """Until it holds in the page."""
    page.wait_for_function(condition, polling=50)
