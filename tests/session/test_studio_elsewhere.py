"""``vivant studio --host``: other machines reach it by TLS and with its token, or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.session.command_line import Run
from tests.session.studio_kit import Studio, studio_elsewhere
from tests.session.web_kit import Page
from tests.unit.test_server_parts import pair

pytest.importorskip("starlette")
websockets = pytest.importorskip("websockets.asyncio.client")
pytestmark = [pytest.mark.session, pytest.mark.realtime]

TOKEN = "as-long-as-it-is-kept"
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}
OWN = (
    "/studio/about", "/studio/portraits/ada/still.jpg", "/studio/portraits/ada/viseme/aa.jpg", "/studio/presets/ada",
    "/studio/voice.pcm", "/studio/say", "/studio/films/vivant-1.mp4", "/studio/doctor", "/studio/figures", "/studio/obs",
    "/v1/portraits",
)  # fmt: skip
CHANGES = (
    *(("POST", f"/studio/{name}") for name in ("portraits", "backgrounds", "say", "recording", "camera", "motion")),
    ("PUT", "/studio/presets/ada"),
    ("POST", "/v1/portraits"),
    ("DELETE", "/v1/portraits/ada"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def studio(folder: Path) -> Iterator[Studio]:
    with studio_elsewhere(folder, TOKEN, VIVANT_LOG="debug") as running:
        yield running


def test_the_page_is_for_everybody_and_holds_nothing(studio: Studio) -> None:
    for path in ("/", "/obs", "/assets/main.js", "/client/vivant.js"):
        answer = studio.ask("GET", path)
        assert answer.status == 200 and TOKEN.encode() not in answer.body
        assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("shown", [{}, {"Authorization": "Bearer wrong"}, {"Vivant-Client": "somebody"}], ids=range(3))
def test_without_the_token_nothing_is_given_or_done(studio: Studio, shown: dict[str, str]) -> None:
    for method, path in (*(("GET", path) for path in OWN), *CHANGES):
        refused = studio.ask(method, path, b"{}" if method != "GET" else None, shown)
        assert refused.status == 401, (method, path)
        assert refused.json["error"]["message"] == "the token is missing or wrong"


def test_with_the_token_it_is_as_on_its_own_machine(studio: Studio) -> None:
    about = studio.ask("GET", "/studio/about", headers=WITH_TOKEN)
    assert about.status == 200 and "ada" in about.json
    assert studio.ask("GET", "/studio/portraits/ada/still.jpg", headers=WITH_TOKEN).status == 200


def test_pages_of_other_origins_are_refused_even_with_the_token(studio: Studio) -> None:
    for origin in ("https://evil.example", "null", f"http://127.0.0.1:{studio.port}"):
        assert studio.ask("GET", "/studio/about", headers=WITH_TOKEN | {"Origin": origin}).status == 403
    assert studio.ask("GET", "/studio/about", headers=WITH_TOKEN | {"Origin": studio.url}).status == 200


@pytest.mark.parametrize(("token", "answer"), [(TOKEN, "ready"), ("", "error")])
def test_a_face_opens_for_the_token_alone(studio: Studio, token: str, answer: str) -> None:
    studio.ask("GET", "/studio/portraits/ada/still.jpg", headers=WITH_TOKEN)  # its rig is there, or made now

    async def story() -> None:
        address = f"wss://127.0.0.1:{studio.port}/v1/face"
        async with websockets.connect(address, proxy=None, ssl=studio.tls, origin=studio.url) as socket:
            page = Page(socket)
            await page.say("config", token=token, size_px=64)
            heard = await page.hear()
            assert isinstance(heard, dict) and heard["type"] == answer and TOKEN not in json.dumps(heard)

    asyncio.run(asyncio.wait_for(story(), 30))


def test_no_log_holds_the_token(studio: Studio, folder: Path) -> None:
    studio.ask("GET", "/studio/obs", headers=WITH_TOKEN)
    said = (folder / "log").read_text()
    assert said and TOKEN not in said, "the log of everything above"


def test_an_address_without_tls_or_token_is_refused_at_the_start(run: Run, tmp_path: Path) -> None:
    certificate, key = pair(tmp_path, "studio")
    for options in ((), ("--tls-cert", str(certificate), "--tls-key", str(key))):
        assert "TLS and a token are required" in run("studio", "--no-open", "--host", "0.0.0.0", *options).sentence()
