"""The studio's page in Debian's Chromium, before a real studio."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.device.studio_page import (
    PHONE,
    Float64Array,
    browser,
    calm,
    drop,
    page_at,
    sampled,
    state,
    until,
    wait_for,
)
from tests.session.studio_kit import Studio, running_studio, studio_elsewhere
from vivant.bundled import portrait_bytes

pytestmark = [pytest.mark.device, pytest.mark.usefixtures("studio")]

TOKEN = "as-long-as-it-is-kept"
CORNER = "document.getElementById('face').getContext('2d').getImageData(20, 20, 1, 1).data"


@pytest.fixture
def own_picture(tmp_path: Path) -> Path:
    path = tmp_path / "Grandma's best.png"
    Image.open(io.BytesIO(portrait_bytes("lena"))).resize((470, 470)).save(path)
    return path


def test_one_click_and_a_portrait_speaks(studio: Studio, box: tuple[slice, slice]) -> None:
    with browser() as chromium, page_at(chromium, studio.url) as page:
        page.click('[data-portrait="ada"] button')
        wait_for(page, "speaking")
        calm(page)
        page.wait_for_timeout(2500)
        speaking = sampled(page, 5, box).change.mean()
        page.click("#speak")
        wait_for(page, "ready")
        page.wait_for_timeout(2500)
        assert speaking > 1.5 * sampled(page, 5, box).change.mean()


def test_three_clicks_and_it_speaks_with_the_microphone(studio: Studio, spoken: Path, box: tuple[slice, slice]) -> None:
    with browser(spoken) as chromium, page_at(chromium, studio.url) as page:
        page.click('[data-portrait="ada"] button')
        wait_for(page, "speaking")
        page.click("#microphone")  # the third is the browser's own question
        wait_for(page, "live")
        calm(page)
        page.wait_for_selector("#delay:not([hidden])")
        mouth = sampled(page, 24, box)
        delay_s = int(page.inner_text("#delay").split()[0]) / 1000
        heard = np.interp(mouth.time_s[1:] - delay_s, mouth.time_s, mouth.level)
        loud = np.convolve(heard > 0.4, np.ones(11), "same") > 0  # with the pauses between words
        assert 0.2 < loud.mean() < 0.8
        assert mouth.change[loud].mean() > 1.5 * mouth.change[~loud].mean()
        assert 0.1 < delay_s < 5


@pytest.mark.slow
def test_the_pad_turns_the_eyes(studio: Studio) -> None:
    with browser() as chromium, page_at(chromium, f"{studio.url}/#ada") as page:
        wait_for(page, "ready")
        pad = page.locator("#pad").bounding_box()

        def looking(share: float) -> Float64Array:
            page.mouse.click(pad["x"] + share * pad["width"], pad["y"] + pad["height"] / 2)
            page.wait_for_timeout(2500)
            return sampled(page, 2).pixels

        left, right = looking(0.05), looking(0.95)
        middle = len(left) // 2
        apart = np.abs(left.mean(axis=0) - right.mean(axis=0)).mean()
        assert apart > 2 * np.abs(left[:middle].mean(axis=0) - left[middle:].mean(axis=0)).mean()


def test_a_dropped_picture_becomes_a_face_of_this_page_alone(studio: Studio, own_picture: Path) -> None:
    with browser() as chromium, page_at(chromium, studio.url) as page, page_at(chromium, studio.url) as other:
        drop(page, own_picture)
        page.wait_for_selector("#consent[open]")
        page.click("#consent-answers button >> nth=3")
        page.wait_for_selector("#stages li >> nth=2")
        wait_for(page, "speaking")
        assert page.inner_text("#name") == "Grandma's best"
        page.reload()
        wait_for(page, "ready")
        page.click("#to-gallery")
        assert page.locator(".card-remove").count() == 1
        other.reload()
        other.wait_for_selector('[data-portrait="ada"]')
        assert other.locator(".card-remove").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<!doctype html><p>hello", b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_picture_is_a_sentence(studio: Studio, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "me.png").write_bytes(content)
    with browser() as chromium, page_at(chromium, studio.url) as page:
        drop(page, tmp_path / "me.png")
        page.wait_for_selector("#consent[open], #making-error:not([hidden])")
        if page.locator("#consent[open]").count():
            page.click("#consent-answers button >> nth=0")
        page.wait_for_selector("#making-error:not([hidden])")
        assert len(page.inner_text("#making-error")) > 20


@pytest.mark.slow
def test_a_picture_of_ones_own_hangs_behind_the_person(studio: Studio, tmp_path: Path) -> None:
    Image.new("RGB", (640, 360), (200, 20, 20)).save(tmp_path / "wall.png")
    with browser() as chromium, page_at(chromium, f"{studio.url}/#ada") as page:
        wait_for(page, "ready")
        page.click("#tab-look")
        with page.expect_file_chooser() as asked:
            page.click('[data-background="picture"]')
        asked.value.set_files(tmp_path / "wall.png")
        page.wait_for_selector('[data-background="picture"][aria-pressed="true"]')
        until(page, f"(([r, g, b]) => r > 150 && g < 60 && b < 60)({CORNER})")
        with page.expect_file_chooser() as asked:
            page.click('[data-background="picture"]')
        (tmp_path / "no.png").write_bytes(b"<svg/>")
        asked.value.set_files(tmp_path / "no.png")
        page.wait_for_selector("#look .error:not([hidden])")


@pytest.mark.slow
def test_a_reload_in_mid_sentence_comes_back(studio: Studio) -> None:
    with browser() as chromium, page_at(chromium, studio.url) as page:
        page.click('[data-portrait="noor"] button')
        wait_for(page, "speaking")
        with page.expect_response(lambda answer: answer.request.method == "PUT"):
            page.keyboard.press("2")
        page.reload()
        wait_for(page, "ready")
        assert page.get_attribute('[data-mood="happy"]', "aria-pressed") == "true", "the preset was kept"


@pytest.mark.slow
def test_a_studio_that_stops_is_said_and_comes_back(tmp_path: Path) -> None:
    with browser() as chromium:
        with running_studio(tmp_path) as running:
            port = running.port
            person = page_at(chromium, f"{running.url}/#ada")
            page = person.__enter__()
            wait_for(page, "ready")
        wait_for(page, "away")
        assert "vivant studio" in page.inner_text("#notice")
        with running_studio(tmp_path, port):
            wait_for(page, "ready")
            person.__exit__(None, None, None)


@pytest.mark.slow
def test_where_no_speaker_is_a_face_speaks_all_the_same_and_no_voice_comes_in(studio: Studio) -> None:
    with browser() as chromium, page_at(chromium, studio.url) as page:
        page.add_init_script(
            "AudioContext.prototype.resume = () => new Promise(() => {});"
            "Object.defineProperty(AudioContext.prototype, 'state', { get: () => 'suspended' });"  # as Firefox has it there
        )
        page.reload()
        page.click('[data-portrait="ada"] button')
        wait_for(page, "speaking")
        page.click("#microphone")
        page.wait_for_selector("#bar-error:not([hidden])")
        assert "no speaker" in page.inner_text("#bar-error")


@pytest.mark.slow
def test_no_microphone_is_a_sentence(studio: Studio) -> None:
    with browser(denied=True) as chromium, page_at(chromium, f"{studio.url}/#ada") as page:
        wait_for(page, "ready")
        page.click("#microphone")
        page.wait_for_selector("#bar-error:not([hidden])")
        assert "microphone" in page.inner_text("#bar-error") and state(page) == "ready"


def test_an_old_browser_is_told_what_it_lacks(studio: Studio) -> None:
    with browser() as chromium:
        person = chromium.new_context()
        person.add_init_script("delete window.AudioWorkletNode")
        page = person.new_page()
        page.goto(studio.url)
        page.wait_for_selector("#old:not([hidden])")
        assert "AudioWorklet" in page.inner_text("#old")


def test_the_keyboard_is_enough(studio: Studio) -> None:
    with browser() as chromium, page_at(chromium, studio.url) as page:
        page.wait_for_selector('[data-portrait="ada"]')
        while "ada" not in (page.evaluate("document.activeElement.closest('li')?.dataset.portrait") or ""):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        wait_for(page, "speaking")
        page.keyboard.press("Space")
        wait_for(page, "ready")
        page.keyboard.press("4")
        assert page.get_attribute('[data-mood="angry"]', "aria-pressed") == "true"
        page.focus("#pad input")
        page.keyboard.press("ArrowLeft")
        assert page.input_value("#pad input") == "-2"
        page.keyboard.press("Escape")
        page.wait_for_selector("#gallery:not([hidden])")


def test_a_phone_shows_it_without_scrolling_sideways(studio: Studio) -> None:
    with browser() as chromium, page_at(chromium, studio.url, PHONE) as page:
        for choose in ('[data-portrait="ada"] button', "#tab-look", "#tab-use", "#tab-quality"):
            page.click(choose)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], choose


def test_from_another_machine_it_asks_for_its_token_and_keeps_it_to_itself(tmp_path: Path) -> None:
    asked: list[str] = []
    with (
        studio_elsewhere(tmp_path, TOKEN) as running,
        browser() as chromium,
        page_at(chromium, running.url, ignore_https_errors=True) as page,
        page_at(chromium, f"{running.url}/#token={TOKEN}", ignore_https_errors=True) as invited,
    ):
        invited.on("request", lambda request: asked.append(request.url + request.headers.get("referer", "")))
        page.fill("#token", "wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector("#door-error:not([hidden])")
        page.fill("#token", TOKEN)
        page.keyboard.press("Enter")
        for each in (page, invited):
            each.click('[data-portrait="ada"] button')
            wait_for(each, "speaking")
            assert each.url == f"{running.url}/#ada"
        invited.reload()
        wait_for(invited, "ready")
        assert asked and not any(TOKEN in each for each in asked)


def test_from_another_machine_pictures_and_voice_come_by_webrtc(tmp_path: Path, box: tuple[slice, slice]) -> None:
    pytest.importorskip("aiortc")
    sizes: list[int] = []
    with (
        studio_elsewhere(tmp_path, TOKEN) as running,
        browser() as chromium,
        page_at(chromium, f"{running.url}/#token={TOKEN}", ignore_https_errors=True) as page,
    ):
        page.on("websocket", lambda line: line.on("framereceived", lambda payload: sizes.append(len(payload))))
        page.click('[data-portrait="ada"] button')
        wait_for(page, "speaking")
        calm(page)
        page.wait_for_timeout(2500)
        sizes.clear()
        speaking = sampled(page, 4, box).change.mean()
        assert len(sizes) > 30 and max(sizes) < 2000, "no picture comes by the WebSocket any more"
        page.click("#speak")
        wait_for(page, "ready")
        page.wait_for_timeout(2500)
        assert speaking > 1.5 * sampled(page, 4, box).change.mean()
