"""The JavaScript client in Chromium with `vivant serve --web`: a voice in, a face that moves with it, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.device.web_kit import Web, WebServe, pages, started, until
from vivant.types import ARKIT_NAMES

pytestmark = [pytest.mark.device, pytest.mark.realtime]

MOUTH = [0.4, 0.56, 0.2, 0.14]
"""Of ada in her picture: left, top, width, height in shares."""
STILL = {"controls": {"head_motion": 0}, "seed": 3}
Opened = tuple[WebServe, Any, str]


@pytest.fixture(scope="module")
def opened(web: Web) -> Iterator[Opened]:
    with web.open() as opened:
        yield opened


def far(page: Any, condition: str) -> np.ndarray[Any, Any]:  # noqa: ANN401
    """How far the part that is looked at was from its first picture, for those pictures."""
    return np.array(page.evaluate(f"run.pictures.filter(p => {condition}).map(p => p.far)"))


def test_the_mouth_moves_with_the_microphone(opened: Opened) -> None:
    server, browser, origin = opened
    page = started(browser, origin, server, box=MOUTH, **STILL)
    until(page, "run.pictures.length > 30")
    page.evaluate("run.face.listen()")
    until(page, "run.pictures.filter(p => p.speaking).length > 120 && run.delays.length > 2")
    quiet, spoken = far(page, "!p.speaking")[5:], far(page, "p.speaking")
    assert spoken.std() > 4 * quiet.std() and np.percentile(spoken, 90) > 3 * np.percentile(quiet, 90)
    delays = page.evaluate("run.delays")
    assert 100 < np.median(delays) < 500
    page.evaluate("run.face.deafen()")
    until(page, "run.said.some(m => m.type === 'utterance_finished')")
    page.close()


def test_an_interruption_leaves_nothing_old(opened: Opened) -> None:
    server, browser, origin = opened
    page = started(browser, origin, server, box=MOUTH, sample_rate_hz=16000, **STILL)
    page.evaluate("run.tone = Float32Array.from({length: 80000}, (_, i) => 0.3 * Math.sin(i / 12))")
    page.evaluate("run.face.ready.then(() => run.face.push(run.tone))")
    until(page, "run.pictures.filter(p => p.speaking).length > 20")
    page.evaluate("run.told = performance.now(), run.face.interrupt()")
    until(page, "run.said.some(m => m.type === 'interrupted') && run.pictures.filter(p => p.epoch === 1).length > 10")
    assert page.evaluate("run.pictures.every(p => p.at_ms < run.told || p.epoch === 1)"), "what was on its way is not drawn"
    assert page.evaluate("run.said.find(m => m.type === 'interrupted').at_ms - run.told") < 300
    assert not page.evaluate("run.pictures.some(p => p.epoch === 1 && p.speaking)")
    page.close()


def test_a_server_that_was_killed_is_found_again(web: Web) -> None:
    with web.open() as (server, browser, origin):
        page = started(browser, origin, server)
        page.evaluate("run.face.listen()")
        until(page, "run.pictures.filter(p => p.speaking).length > 10")
        page.evaluate("run.face.interrupt()")
        server.kill()
        until(page, "run.said.some(m => m.type === 'lost')")
        server.start()
        page.evaluate("run.pictures.length = 0")
        until(page, "run.pictures.filter(p => p.speaking && p.epoch === 1).length > 10")
        assert len(page.evaluate("run.said.filter(m => m.type === 'ready')")) == 2


def test_two_pages_have_a_face_each(opened: Opened) -> None:
    server, browser, origin = opened
    both = [started(browser, origin, server, portrait=name, size_px=256) for name in ("ada", "walter")]
    for page in both:
        until(page, "run.pictures.length > 20")
    one, other = (np.array(page.evaluate("[...run.look()]")).reshape(512, 512, 4) for page in both)
    assert np.abs(one.astype(int) - other).mean() > 20
    for page in both:
        page.close()


def test_a_page_that_stood_still_gets_the_newest_picture(opened: Opened) -> None:
    server, browser, origin = opened
    page = started(browser, origin, server, size_px=256)
    until(page, "run.pictures.length > 30")
    page.evaluate("const end = performance.now() + 2000; while (performance.now() < end); run.stood = run.pictures.length")
    until(page, "run.pictures.length > run.stood + 12")
    before, *after = page.evaluate("run.pictures.slice(run.stood - 1).map(p => [p.pts_us, p.number])")
    fresh = [pts_us - before[0] > 1_700_000 for pts_us, _ in after]
    assert sum(not new for new in fresh) <= 8, "what was on its way when it stopped"
    assert all(fresh[8:]) and after[-1][1] - before[1] < 30, "and nothing of the two seconds between"
    page.close()


def test_a_person_is_cut_out(opened: Opened) -> None:
    server, browser, origin = opened
    page = started(browser, origin, server, pictures="jpeg-alpha", label_corner="bottom left")
    until(page, "run.pictures.length > 10")
    alpha = np.array(page.evaluate("[...run.look()]")).reshape(512, 512, 4)[..., 3]
    assert alpha[:20, 480:].max() < 30 and alpha[200:300, 200:300].min() > 225
    page.evaluate("run.face.stage({ background: '#00ff00' })")
    until(page, "run.look()[4 * (512 * 10 + 500) + 1] > 200")
    page.close()


def test_motion_alone_moves_a_mesh(opened: Opened) -> None:
    server, browser, origin = opened
    page = started(browser, origin, server, canvas=None)
    page.evaluate("run.jaw = [], run.face.on('motion', (m) => run.jaw.push(m.weights[m.names.indexOf('jawOpen')]))")
    page.evaluate("run.face.listen()")
    until(page, "run.jaw.length > 150")
    assert page.evaluate("run.face.ready.then(r => r.weight_names)") == list(ARKIT_NAMES)
    assert np.ptp(page.evaluate("run.jaw")) > 0.15 and not page.evaluate("run.pictures.length")
    page.close()


def test_the_delayed_sound_is_played_in_time_with_its_pictures(opened: Opened) -> None:
    server, browser, origin = opened
    page = started(browser, origin, server, sound=True, size_px=256)
    page.evaluate("run.sound = [], run.face.on('sound', (s) => run.sound.push([s.pts_us, s.samples.length / s.number]))")
    page.evaluate("run.face.listen()")
    until(page, "run.sound.length > 60 && run.face.playing")
    skews = page.evaluate("run.skews") if page.evaluate("'skews' in run") else []
    assert all(abs(skew) < 80 for skew in skews)
    ends = np.cumsum([length for _, length in page.evaluate("run.sound")])
    pts = np.array([pts_us for pts_us, _ in page.evaluate("run.sound")]) / 1e6
    assert np.allclose(pts[1:] - pts[0], ends[:-1], atol=1e-3), "without a gap"
    page.close()


def test_pages_of_other_origins_and_without_the_token_get_a_reason(web: Web) -> None:
    with web.open(environment={"VIVANT_TOKEN": "secret"}) as (server, browser, origin):
        page = started(browser, origin, server, token="wrong")
        until(page, "run.said.some(m => m.type === 'failed')")
        assert page.evaluate("run.said.find(m => m.type === 'failed').message") == "the token is missing or wrong"
        page = started(browser, origin, server, token="secret")
        until(page, "run.pictures.length > 3")
        with pages() as elsewhere:
            page = started(browser, elsewhere, server, token="secret")
            until(page, "run.said.some(m => m.type === 'lost')")
            assert not page.evaluate("run.pictures.length")


def test_the_example_speaks_with_whoever_talks(opened: Opened, tmp_path: Path) -> None:
    server, browser, origin = opened
    page = browser.new_page()
    page.goto(f"{origin}/examples/web/index.html?server={server.url}")
    page.click("button")
    until(page, "document.querySelector('output').value.startsWith('microphone to picture')")
    page.close()
