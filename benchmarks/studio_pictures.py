"""The studio's page in every state, as pictures: python -m benchmarks.studio_pictures --out docs/studio"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from PIL import Image

from tests.device.studio_page import DESK, PHONE, Page, browser, drop, page_at, until, wait_for, write_wav
from tests.session.studio_kit import Studio, running_studio
from vivant.bundled import portrait_bytes
from vivant.testing.voice import bundled_voice

MOST_BYTES = 150_000
TABS = ("look", "use", "quality")
NAMES = (
    *("gallery", "dark-gallery", "phone-gallery", "speaking", "live", "dark-live", "phone-live", *TABS),
    *("consent", "making", "refused", "dropping", "denied", "old", "away"),  # the last one ends the studio
)
Walk = Callable[[Page], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[], help="any state of any screen, such as phone-dark-quality")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        _all(Path(folder), arguments.out, arguments.only)


def _all(folder: Path, out: Path, only: list[str]) -> None:
    voice = write_wav(folder / "voice.wav", bundled_voice(8.0))
    picture = folder / "me.png"
    Image.open(io.BytesIO(portrait_bytes("lena"))).resize((470, 470)).save(picture)
    with running_studio(folder) as studio:
        warm(studio)
        walks = Walks(studio, picture)
        for name in only or NAMES:
            size, scheme = PHONE if "phone" in name else DESK, "dark" if "dark" in name else "light"
            with (
                browser(voice, denied=name == "denied") as opened,
                page_at(opened, studio.url, size, color_scheme=scheme) as page,
            ):
                walks.of(name)(page)
                save(page, out / f"{name}.webp")


def warm(studio: Studio) -> None:
    """Every portrait moves before the first picture is taken."""
    for each in studio.ask("GET", "/v1/portraits").json["portraits"]:
        studio.ask("GET", f"/studio/portraits/{each['portrait']}/alive.webp")


@dataclass(frozen=True)
class Walks:
    """What is done before each picture."""

    studio: Studio
    picture: Path
    """Of a person, to be dropped."""

    def of(self, name: str) -> Walk:
        """By a picture's name, which may begin with the kind of screen."""
        state = name.rpartition("-")[2]
        return self.tab(state) if state in TABS else cast("Walk", getattr(self, state))

    def gallery(self, page: Page) -> None:
        page.wait_for_selector('[data-portrait="walter"] img[src^="blob:"]')
        page.wait_for_timeout(400)

    def speaking(self, page: Page, portrait: str = "ada") -> None:
        page.click(f'[data-portrait="{portrait}"] button')
        wait_for(page, "speaking")
        page.wait_for_timeout(2200)

    def live(self, page: Page) -> None:
        self.speaking(page, "noor")
        page.click("#microphone")
        page.wait_for_selector("#delay:not([hidden])")
        until(page, "parseInt(document.getElementById('delay').textContent) < 1000")  # as it is after some seconds
        loud(page)

    def tab(self, name: str) -> Walk:
        def walk(page: Page) -> None:
            self.live(page)
            page.click(f"#tab-{name}")
            page.wait_for_timeout(8000 if name == "quality" else 1500)
            loud(page)

        return walk

    def consent(self, page: Page) -> None:
        self._dropped(page, self.picture)
        page.wait_for_timeout(300)

    def making(self, page: Page) -> None:
        self.consent(page)
        page.click("#consent-answers button >> nth=3")
        page.wait_for_selector("#stages li >> nth=3")

    def refused(self, page: Page) -> None:
        self._dropped(page, write(self.picture.parent / "drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"))
        page.click("#consent-answers button >> nth=0")
        page.wait_for_selector("#making-error:not([hidden])")

    def dropping(self, page: Page) -> None:
        self.gallery(page)
        page.evaluate("document.getElementById('drop').hidden = false")

    def denied(self, page: Page) -> None:
        self.speaking(page)
        page.click("#microphone")
        page.wait_for_selector("#bar-error:not([hidden])")

    def away(self, page: Page) -> None:
        """Ends the studio."""
        self.speaking(page)
        self.studio.process.terminate()
        wait_for(page, "away")
        page.wait_for_timeout(600)

    def old(self, page: Page) -> None:
        page.add_init_script("delete window.AudioWorkletNode")
        page.reload()
        page.wait_for_selector("#old:not([hidden])")

    def _dropped(self, page: Page, file: Path) -> None:
        self.gallery(page)
        drop(page, file)
        page.wait_for_selector("#consent[open]")


def loud(page: Page) -> None:
    """Until somebody speaks into the microphone, and a little longer."""
    until(page, "document.getElementById('level').value > 0.4")
    page.wait_for_timeout(250)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def save(page: Page, path: Path) -> None:
    """As small as it has to be."""
    shot = Image.open(io.BytesIO(page.screenshot()))
    for quality in (88, 80, 70, 60):
        shot.save(path, quality=quality, method=6)
        if path.stat().st_size <= MOST_BYTES:
            return


if __name__ == "__main__":
    main()
