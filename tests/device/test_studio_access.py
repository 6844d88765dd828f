"""The studio's page for everybody: axe-core finds no fault in any state, light or dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.device.studio_page import PHONE, Page, browser, drop, page_at, wait_for
from tests.session.studio_kit import Studio

pytestmark = [pytest.mark.device, pytest.mark.usefixtures("studio")]
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

TABS = ("steer", "look", "use", "quality")


def faults(page: Page) -> list[tuple[Any, ...]]:
    """Rule, and the elements that break it."""
    page.wait_for_timeout(500)  # until what fades in is there
    found = axe.Axe().run(page).response["violations"]
    return [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_nothing_is_amiss(studio: Studio, scheme: str, tmp_path: Path) -> None:
    picture = tmp_path / "me.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    with browser() as chromium, page_at(chromium, studio.url, color_scheme=scheme) as page:
        page.wait_for_selector('[data-portrait="ada"]')
        assert faults(page) == []
        drop(page, picture)
        page.wait_for_selector("#consent[open]")
        assert faults(page) == []
        page.click("#consent-answers button >> nth=0")
        page.wait_for_selector("#making-error:not([hidden])")
        assert faults(page) == []
        page.click("#making-close")
        page.click('[data-portrait="ada"] button')
        wait_for(page, "speaking")
        for tab in TABS:
            page.click(f"#tab-{tab}")
            assert faults(page) == [], tab


@pytest.mark.slow
def test_nothing_is_amiss_on_a_phone(studio: Studio) -> None:
    with browser() as chromium, page_at(chromium, f"{studio.url}/#ada", PHONE) as page:
        wait_for(page, "ready")
        assert faults(page) == []
