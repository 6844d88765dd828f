"""The studio's routes: what a page gets, and what is refused."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Semaphore, Thread

import pytest
from PIL import Image

from tests.session.studio_kit import Studio, running_studio
from vivant import MonotonicClock
from vivant.bundled import portrait_bytes

pytest.importorskip("starlette")
from websockets.asyncio.client import connect as connect_live
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from vivant.web import WebServer
from vivant.web.frames import HEAD, PICTURE
from vivant_bridge.picture.sink import NullCamera
from vivant_bridge.studio.app import studio_app, watch_token

pytestmark = [pytest.mark.session, pytest.mark.realtime]

PRESET = {"controls": {"emotion": "happy", "gaze": [10, 5]}, "stage": {"background": "#102030", "label_corner": "top left"}}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with running_studio(tmp_path_factory.mktemp("studio")) as running:
        yield running


@pytest.fixture(scope="module")
def picture() -> bytes:
    """Of somebody whom the library does not know."""
    out = io.BytesIO()
    Image.open(io.BytesIO(portrait_bytes("noor"))).resize((480, 480)).save(out, "PNG")
    return out.getvalue()


def test_the_page_runs_nothing_inline(studio: Studio) -> None:
    page = studio.ask("GET", "/")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    assert b"<script>" not in page.body and b"style=" not in page.body and b"onclick" not in page.body


@pytest.mark.parametrize("name", ["studio.css", "main.js", "texts.js", "icon.svg", "figtree.woff2"])
def test_assets_are_there(studio: Studio, name: str) -> None:
    assert studio.ask("GET", f"/assets/{name}").status == 200


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "/etc/passwd", "nothing.js", "__init__.py"])
def test_nothing_else_is_an_asset(studio: Studio, name: str) -> None:
    assert studio.ask("GET", f"/assets/{name}").status == 404


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "127.0.0.1.evil.example"}],
)
def test_foreign_hosts_and_origins_are_refused(studio: Studio, headers: dict[str, str]) -> None:
    for path in ("/", "/studio/obs", "/v1/portraits"):
        assert studio.ask("GET", path, headers=headers).status == 403


def test_a_small_picture_is_drawn_and_labelled(studio: Studio) -> None:
    still = studio.ask("GET", "/studio/portraits/noor/still.jpg")
    film = Image.open(io.BytesIO(studio.ask("GET", "/studio/portraits/noor/alive.webp").body))
    assert Image.open(io.BytesIO(still.body)).size == (288, 288) == film.size
    assert film.n_frames > 60  # type: ignore[attr-defined]
    assert studio.ask("GET", "/studio/portraits/noor/viseme/aa.jpg").status == 200
    refused = studio.ask("GET", "/studio/portraits/noor/viseme/xx.jpg")
    assert refused.status == 400 and "no sound is called xx" in refused.json["error"]["message"]
    assert studio.ask("GET", "/studio/portraits/nobody/still.jpg").status == 404


def test_a_picture_becomes_a_face_after_one_question(studio: Studio, picture: bytes) -> None:
    mine, other = studio.page(), studio.page()
    assert mine.ask("POST", "/studio/portraits", picture).lines == [{"ask": True}]
    told = mine.ask("POST", "/studio/portraits?consent=synthetic", picture).lines
    assert [line["stage"] for line in told[:-1]][-1] and len(told) > 3
    portrait = told[-1]["portrait"]["id"]
    assert mine.ask("GET", f"/studio/portraits/{portrait}/still.jpg").status == 200
    assert other.ask("GET", f"/studio/portraits/{portrait}/still.jpg").status == 404
    assert all(each["portrait"] != portrait for each in other.ask("GET", "/v1/portraits").json["portraits"])
    assert "portrait" in other.ask("POST", "/studio/portraits", picture).lines[-1], "the answer was kept"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG"),
        (b"<!doctype html><script>alert(1)</script>", "not"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 500, "damaged"),
        (b"", "not a readable image"),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(studio: Studio, content: bytes, sentence: str) -> None:
    told = studio.page().ask("POST", "/studio/portraits?consent=me", content)
    said = told.lines[-1].get("error") or told.json["error"]["message"]
    assert sentence in said


def test_two_hundred_megabytes_are_not_read(studio: Studio) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):  # given up while it was still sent
        assert studio.ask("POST", "/studio/portraits?consent=me", bytes(200_000_000)).status == 413
    assert studio.ask("GET", "/").status == 200


def test_who_does_not_agree_is_refused(studio: Studio, picture: bytes) -> None:
    refused = studio.ask("POST", "/studio/portraits?consent=other", picture)
    assert refused.status == 400 and "has not agreed" in refused.json["error"]["message"]


def test_a_preset_is_kept_for_its_portrait(studio: Studio) -> None:
    assert studio.ask("PUT", "/studio/presets/ada", json.dumps(PRESET).encode()).status == 204
    assert studio.ask("GET", "/studio/presets/ada").json == PRESET
    assert studio.ask("GET", "/studio/presets/noor").json == {}


@pytest.mark.parametrize(
    "preset",
    [
        b"no JSON",
        b"[]",
        b'{"controls": {"emotion": "hungry"}, "stage": {"background": "original", "label_corner": "auto"}}',
        b'{"controls": {"wings": 2}, "stage": {"background": "original", "label_corner": "auto"}}',
        b'{"controls": {}, "stage": {"background": "/etc/passwd", "label_corner": "auto"}}',
        b'{"controls": {}, "stage": {"background": "original", "label_corner": "nowhere"}}',
        b'{"a": "' + b"x" * 100_000 + b'"}',
    ],
)
def test_a_preset_that_is_none_is_refused(studio: Studio, preset: bytes) -> None:
    assert studio.ask("PUT", "/studio/presets/ada", preset).status == 400


def test_uses_need_a_face(studio: Studio) -> None:
    page = studio.page()
    for path, body in (("recording", b'{"on": true}'), ("camera", b'{"on": true}'), ("motion", b'{"to": "vmc"}')):
        refused = page.ask("POST", f"/studio/{path}", body)
        assert refused.status == 400 and "no face of this page is awake" in refused.json["error"]["message"]
    assert page.ask("POST", "/studio/motion", b'{"to": "file:/tmp/x"}').status == 400
    assert page.ask("GET", "/studio/films/..%2f..%2fetc%2fpasswd").status in (400, 404)


@contextmanager
def awake(page: Studio) -> Iterator[Semaphore]:
    """A face of the page; one is released for each picture that comes."""
    with connect(f"ws://127.0.0.1:{page.port}/v1/face", proxy=None, max_size=None) as line:
        line.send(json.dumps({"type": "config", "client": page.headers["Vivant-Client"], "sound": True}))
        while b'"ready"' not in (said := line.recv(decode=False)):
            assert b'"error"' not in said
        pictures = Semaphore(0)
        looking = Thread(target=look_at, args=(line, pictures))
        looking.start()
        yield pictures
        line.close()
        looking.join()


def look_at(line: ClientConnection, pictures: Semaphore) -> None:
    with suppress(ConnectionClosed):
        while True:
            message = line.recv(decode=False)
            if message[0] == PICTURE:
                line.send(json.dumps({"type": "shown", "picture": HEAD.unpack_from(message)[5]}))
                pictures.release()


def clicked(page: Studio, use: str, *, on: bool) -> list[int]:
    """Four times at once."""
    with ThreadPoolExecutor(4) as hands:
        body = json.dumps({"on": on}).encode()
        return sorted(hands.map(lambda _: page.ask("POST", f"/studio/{use}", body).status, range(4)))


def test_whoever_clicks_twice_has_one_film_and_one_camera(tmp_path: Path) -> None:
    with running_studio(tmp_path, camera=f"tcp:127.0.0.1:{free_port()}") as running:
        page = running.page()
        with awake(page) as pictures:
            assert clicked(page, "recording", on=True) == [200, 400, 400, 400]
            for _ in range(20):
                assert pictures.acquire(timeout=10)
            assert clicked(page, "recording", on=False) == [200, 400, 400, 400]
            assert clicked(page, "camera", on=True) == [200] * 4, "a second one would find the port taken"
            assert clicked(page, "camera", on=False) == [200] * 4


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_pages_of_obs_that_leave_are_forgotten() -> None:
    """Also while no face sends pictures, which would find them gone."""

    async def story() -> None:
        async with WebServer(studio_app(NullCamera, MonotonicClock())) as web:
            before = len(asyncio.all_tasks())
            for said in (watch_token(), b"no text", "a wrong one"):
                async with connect_live(f"ws://127.0.0.1:{web.port}/studio/watch", proxy=None) as page:
                    await page.send(said)
                    if said != watch_token():
                        await asyncio.wait_for(page.wait_closed(), 10)
                        assert page.close_code == 4401
            async with asyncio.timeout(10):
                while len(asyncio.all_tasks()) > before:
                    await asyncio.sleep(0.01)

    asyncio.run(story())


def test_what_cannot_be_kept_is_told_and_is_no_fault_of_the_servers(tmp_path: Path) -> None:
    (tmp_path / "config" / "studio.json").mkdir(parents=True)
    with running_studio(tmp_path) as running:
        refused = running.ask("PUT", "/studio/presets/ada", json.dumps(PRESET).encode())
    assert refused.status == 429 and "studio.json is a folder" in refused.json["error"]["message"]


def test_the_doctor_answers(studio: Studio) -> None:
    found = studio.ask("GET", "/studio/doctor").json["findings"]
    assert found and all(set(each) == {"good", "what", "fix"} for each in found)


def test_the_address_for_obs_stays(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        with running_studio(tmp_path) as running:
            keys.append(running.ask("GET", "/studio/obs").json["key"])
    assert keys[0] == keys[1]
    assert (tmp_path / "config" / "studio.token").stat().st_mode & 0o077 == 0
