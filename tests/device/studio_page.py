"""A browser before the studio's page: what a person does there, and what they would see."""

from __future__ import annotations

import io
import wave
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vivant.testing.voice import VOICE_RATE_HZ
from vivant.types import UInt8Array

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--autoplay-policy=user-gesture-required", "--mute-audio")
DESK, PHONE = (1280, 800), (390, 844)
PATIENCE_MS = 60_000
Page = Any
"""Of Playwright, which brings no types that are used here."""


@contextmanager
def browser(voice: Path | None = None, *, denied: bool = False) -> Iterator[Any]:
    """Headless Chromium; ``voice`` is what its microphone hears, again and again."""
    if not CHROMIUM.exists():
        pytest.skip(f"needs {CHROMIUM}")
    flags = [*FLAGS, "--use-fake-device-for-media-stream"]
    flags += [] if denied else ["--use-fake-ui-for-media-stream"]
    flags += [] if voice is None else [f"--use-file-for-fake-audio-capture={voice}"]
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def page_at(opened: Any, url: str, size: tuple[int, int] = DESK, **context: Any) -> Iterator[Page]:  # noqa: ANN401
    """A page of a person of its own; whatever it reports as an error fails the test."""
    person = opened.new_context(viewport={"width": size[0], "height": size[1]}, **context)
    page, errors = person.new_page(), []
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console", lambda line: errors.append(line.text) if line.type == "error" and "Content Security" in line.text else None
    )
    try:
        page.goto(url)
        yield page
        assert errors == []
    finally:
        person.close()


def state(page: Page) -> str:
    """What the face does."""
    return str(page.get_attribute("#frame", "data-state"))


def wait_for(page: Page, wanted: str) -> None:
    page.wait_for_selector(f'#frame[data-state="{wanted}"]')


def shown(page: Page) -> UInt8Array:
    """(512, 512, 3): what the face's canvas holds."""
    data = page.evaluate("document.getElementById('face').toDataURL('image/png')")
    return np.asarray(Image.open(io.BytesIO(b64decode(data.split(",")[1]))).convert("RGB"))


def shots(page: Page, n: int, every_ms: int = 80) -> UInt8Array:
    """(n, 512, 512, 3), some time apart."""
    found = []
    for _ in range(n):
        found.append(shown(page))
        page.wait_for_timeout(every_ms)
    return np.stack(found)


def motion_of(pictures: UInt8Array) -> float:
    """Mean change from one picture to the next, in grey levels."""
    return float(np.abs(np.diff(pictures.astype(np.float32), axis=0)).mean())


def write_wav(path: Path, samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(VOICE_RATE_HZ)
        file.writeframes((32767 * samples).astype("<i2").tobytes())
    return path


def drop(page: Page, *files: Path) -> None:
    """Files let go over the page."""
    data = [[file.name, list(file.read_bytes())] for file in files]
    page.evaluate(
        """files => {
          const data = new DataTransfer();
          for (const [name, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name));
          for (const type of ["dragover", "drop"]) dispatchEvent(new DragEvent(type, { dataTransfer: data, cancelable: true }));
        }""",
        data,
    )
