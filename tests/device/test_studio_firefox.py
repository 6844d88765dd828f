"""The studio's page in Debian's Firefox: a click, and a portrait speaks; another, and it speaks with the microphone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.device.firefox_kit import FirefoxPage
from tests.session.studio_kit import running_studio

pytestmark = pytest.mark.device

PICTURE = "[...document.getElementById('face').getContext('2d').getImageData(128, 128, 256, 256).data].reduce((a, b) => a + b)"


def state(wanted: str) -> str:
    return f"document.getElementById('frame').dataset.state === '{wanted}'"


def test_a_portrait_speaks_by_itself_and_with_the_microphone(firefox: FirefoxPage, tmp_path: Path) -> None:
    with running_studio(tmp_path) as studio:
        firefox.go(studio.url)
        firefox.until("!!document.querySelector('[data-portrait=ada]')")
        firefox.value("document.querySelector('[data-portrait=ada] button').click()")
        firefox.until(state("speaking"))
        before = firefox.value(PICTURE)
        firefox.until(f"{PICTURE} !== {before}")
        firefox.value("document.getElementById('microphone').click()")
        firefox.until(state("live"))
        firefox.until("!document.getElementById('delay').hidden && document.getElementById('level').value > 0.2")
        firefox.value("document.getElementById('tab-use').click()")
        assert "lets no page choose its speaker" in firefox.value("document.getElementById('use').textContent")
        firefox.value("document.getElementById('to-gallery').click()")
