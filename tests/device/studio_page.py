"""A browser before the studio's page: what a person does there, and what they would see."""

from __future__ import annotations

import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vivant.testing.voice import VOICE_RATE_HZ

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--autoplay-policy=user-gesture-required", "--mute-audio")
DESK, PHONE = (1280, 800), (390, 844)
PATIENCE_MS = 60_000
Float64Array = NDArray[np.float64]
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


def until(page: Page, condition: str) -> None:
    """A condition in JavaScript holds; asked from outside, since the page's own rules let nobody evaluate text in it."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(50)


def calm(page: Page) -> None:
    """The head is still from now on, so that what moves is the mouth."""
    page.fill("#control-head_motion", "0")


SAMPLER = """([box, seconds]) => new Promise(done => {
  const [top, bottom, left, right] = box, face = document.getElementById("face"), level = document.getElementById("level");
  const small = new OffscreenCanvas(24, 16).getContext("2d", { willReadFrequently: true });
  const found = [], began = performance.now();
  const look = () => {
    const now = performance.now() - began;
    small.drawImage(face, left, top, right - left, bottom - top, 0, 0, 24, 16);
    found.push([now / 1000, level.value, ...small.getImageData(0, 0, 24, 16).data.filter((_, i) => i % 4 < 3)]);
    if (now < 1000 * seconds) setTimeout(look, 50);
    else done(found);
  };
  look();
})"""
WHOLE = (slice(0, 512), slice(0, 512))


@dataclass(frozen=True)
class Sampled:
    """What a part of the face's canvas held, some 20 times a second."""

    time_s: Float64Array
    """(n,)"""
    level: Float64Array
    """(n,) of the microphone, 0 to 1."""
    pixels: Float64Array
    """(n, 1152), 24 by 16 of them."""

    @property
    def change(self) -> Float64Array:
        """(n - 1,) mean change to the next one, in grey levels."""
        return np.asarray(np.abs(np.diff(self.pixels, axis=0)).mean(axis=1))


def sampled(page: Page, seconds: float, box: tuple[slice, slice] = WHOLE) -> Sampled:
    """Taken in the page itself, which costs it little."""
    rows, columns = box
    found = np.array(page.evaluate(SAMPLER, [[rows.start, rows.stop, columns.start, columns.stop], seconds]), np.float64)
    return Sampled(found[:, 0], found[:, 1], found[:, 2:])


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
