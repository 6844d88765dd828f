"""Who may use the web door, and what it does not let in."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.session.server_kit import picture
from tests.session.web_kit import Page, asked, json_of, opening, paging, run_door
from vivant.bundled import portrait_bytes
from vivant.errors import InputError
from vivant.server.limits import Limits
from vivant.web import CSP, Door, WebServer
from vivant.web.serving import WebConfig

pytestmark = [pytest.mark.session, pytest.mark.realtime]

FRIEND = "https://app.example"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Host": "", "Origin": "http://"},
    ],
    ids=lambda headers: " ".join(f"{name}={value}" for name, value in headers.items()),
)
def test_foreign_pages_and_foreign_names_get_nowhere(headers: dict[str, str]) -> None:
    given: dict[str, Any] = dict(headers)

    async def story(door: Door, web: WebServer) -> None:
        for path in ("/v1/portraits", "/client/vivant.js", "/nothing"):
            status, _, body = await asked(web, "GET", path, **given)
            assert status == 403 and (b"origins" in body or b"names of this machine" in body)
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13"}
        upgrade["Sec_WebSocket_Key"] = "x3JJHMbDL1EzLkh9GBhXDw=="
        status, _, _ = await asked(web, "GET", "/v1/face", **(upgrade | given))
        assert status == 403 and not door.host.service.calls

    run_door(story, origins=[FRIEND])


def test_the_pages_own_origin_and_allowed_ones_come_in() -> None:
    async def story(door: Door, web: WebServer) -> None:
        for origin in (f"http://127.0.0.1:{web.port}", FRIEND):
            async with paging(web, headers={"Origin": origin}) as page:
                await page.picture()
        status, headers, _ = await asked(web, "GET", "/v1/portraits", Origin=FRIEND)
        assert (status, headers["access-control-allow-origin"]) == (200, FRIEND)
        asking: dict[str, Any] = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "vivant-client"}
        status, headers, _ = await asked(web, "OPTIONS", "/v1/portraits", Origin=FRIEND, **asking)
        assert (status, headers["access-control-allow-origin"]) == (200, FRIEND)

    run_door(story, origins=[FRIEND])


def test_what_is_no_origin_is_said_at_the_start() -> None:
    for text in ("app.example", "https://", "https://app.example/page", "*", "file://x"):
        with pytest.raises(InputError, match="an origin is"):
            WebConfig(0, [text])


def test_every_answer_has_its_policy() -> None:
    async def story(door: Door, web: WebServer) -> None:
        for path, status in (("/client/vivant.js", 200), ("/v1/portraits", 200), ("/client/%2e%2e/door.py", 404), ("/x", 404)):
            found, headers, _ = await asked(web, "GET", path)
            assert (found, headers["content-security-policy"], headers["x-content-type-options"]) == (status, CSP, "nosniff")
        assert "unsafe" not in CSP and "server" not in headers

    run_door(story)


@pytest.mark.parametrize("token", ["", "wrong", "täuschend"])
def test_without_the_token_nothing_is_opened(token: str) -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with opening(web) as page:
            await page.say("config", portrait="ada", token=token)
            error, _ = await page.until("error")
            assert error == {"type": "error", "code": "unauthenticated", "message": "the token is missing or wrong"}
            with pytest.raises(ConnectionClosed):
                await page.hear()
            assert page.socket.close_code == 4401
        status, answer = await json_of(web, "GET", "/v1/portraits", Authorization=f"Bearer {token.encode().decode('latin-1')}")
        assert (status, answer["error"]["code"]) == (401, "unauthenticated")
        assert not door.host.shared.load_shedder.members
        async with paging(web, token="right") as page:
            assert "token" not in json.dumps(page.ready)
            await page.picture()
        assert (await json_of(web, "GET", "/v1/portraits", Authorization="Bearer right"))[0] == 200

    run_door(story, token="right")


def test_an_upload_that_is_broken_off_is_no_fault_of_the_servers(caplog: pytest.LogCaptureFixture) -> None:
    async def story(door: Door, web: WebServer) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", web.port)
        head = f"POST /v1/portraits?consent=me HTTP/1.1\r\nHost: localhost:{web.port}\r\nContent-Length: 1000\r\n\r\n"
        writer.write(head.encode() + b"some of it")
        await writer.drain()
        await asked(web, "GET", "/v1/portraits")
        writer.close()
        for _ in range(3):
            assert (await asked(web, "GET", "/v1/portraits"))[0] == 200

    run_door(story)
    assert not caplog.records


async def closing_code(page: Page, message: str | bytes) -> int | None:
    """With which the door closes after that message."""
    await page.socket.send(message)
    with suppress(ConnectionClosed):
        while True:
            await page.hear()
    return page.socket.close_code


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", 4400),
        ("[" * 100_000, 4400),
        ('{"type": 3}', 4400),
        ('{"type": "begin"}', 4400),
        ('{"type": "config", "size_px": 1e999}', 4400),
        ('{"type": "config", "portrait": "../../etc/passwd"}', 4404),
        ('{"type": "config", "background": "/etc/passwd"}', 4400),
        ('{"type": "config", "token": 3}', 4400),
        ('{"type": "config", "client": "\\ud800", "size_px": 1}', 4400),
        (b"\0\0", 4400),
        (b"\0" * (2 * 1024 * 1024 + 1), 1009),
    ],
    ids=range(11),
)
def test_a_first_message_that_is_none(message: str | bytes, code: int) -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with opening(web) as page:
            assert await closing_code(page, message) == code
        assert not door.host.shared.load_shedder.members

    run_door(story)


@pytest.mark.parametrize("message", ["{", b"\0", "[]", b"\0" * (2 * 1024 * 1024 + 1)], ids=range(4))
def test_garbage_within_a_call_ends_it_with_a_reason(message: str | bytes) -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with paging(web) as page:
            assert await closing_code(page, message) in (4400, 1009)
        async with paging(web) as page:
            await page.picture()

    run_door(story)


def test_who_says_nothing_is_not_waited_for() -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with opening(web) as page:
            error, _ = await page.until("error")
            assert error["code"] == "deadline_exceeded"

    run_door(story, Limits(first_message_s=0.2))


def test_a_flood_of_messages_ends() -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with paging(web, pictures="none") as page:
            with suppress(ConnectionClosed):
                for _ in range(200):
                    await page.say("nonsense")
                while True:
                    await page.hear()
            assert page.socket.close_code == 4429

    run_door(story, Limits(messages_per_s=50))


def test_portraits_are_their_owners_alone() -> None:
    async def story(door: Door, web: WebServer) -> None:
        status, mine = await json_of(web, "POST", "/v1/portraits?consent=me", picture(40))
        assert status == 200 and mine["notes"] == ["a test face"]
        name, portrait = mine["client"], mine["portrait"]
        _, listed = await json_of(web, "GET", "/v1/portraits", Vivant_Client=name)
        assert {"portrait": portrait, "bundled": False} in listed["portraits"] and listed["client"] == name
        async with paging(web, portrait=portrait, client=name) as page:
            assert page.ready["config"]["portrait"] == portrait and page.ready["config"]["consent"] == "me"
        for stranger in ("", "made.up", name + "0"):
            _, listed = await json_of(web, "GET", "/v1/portraits", Vivant_Client=stranger)
            assert all(each["bundled"] for each in listed["portraits"])
            assert (await json_of(web, "DELETE", f"/v1/portraits/{portrait}", Vivant_Client=stranger))[0] == 404
            async with opening(web) as page:
                await page.say("config", portrait=portrait, client=stranger)
                assert (await page.until("error"))[0]["code"] == "not_found"
        assert (await asked(web, "DELETE", f"/v1/portraits/{portrait}", Vivant_Client=name))[0] == 204
        assert (await asked(web, "DELETE", f"/v1/portraits/{portrait}", Vivant_Client=name))[0] == 404

    run_door(story)


def test_uploads_that_are_refused() -> None:
    async def story(door: Door, web: WebServer) -> None:
        for path, body, status, sentence in (
            ("/v1/portraits", picture(40), 400, "consent must be one of"),
            ("/v1/portraits?consent=none", picture(40), 400, "may not be animated"),
            ("/v1/portraits?consent=me", b"<svg onload='x()'/>", 400, "portrait"),
            ("/v1/portraits?consent=me", b"<html>" + picture(40), 400, "portrait"),
            ("/v1/portraits?consent=me", b"", 400, "portrait"),
            ("/v1/portraits?consent=me", picture(40) + bytes(10_000), 413, "10000 bytes"),
        ):
            found, answer = await json_of(web, "POST", path, body)
            assert found == status and sentence in answer["error"]["message"], answer

    run_door(story, Limits(portrait_bytes=10_000))


def test_bundled_pictures_and_nothing_else_are_handed_out() -> None:
    async def story(door: Door, web: WebServer) -> None:
        status, headers, body = await asked(web, "GET", "/v1/portraits/ada/picture")
        assert (status, headers["content-type"], body) == (200, "image/jpeg", portrait_bytes("ada"))
        for name in ("..%2f..%2fvoice.flac", "nobody", "%00"):
            assert (await asked(web, "GET", f"/v1/portraits/{name}/picture"))[0] == 404

    run_door(story)


def test_http_is_refused_where_a_websocket_is_expected() -> None:
    async def story(door: Door, web: WebServer) -> None:
        assert (await asked(web, "GET", "/v1/face"))[0] == 404

    run_door(story)
