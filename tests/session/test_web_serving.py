"""``vivant serve --web``, TLS, and an app that mounts the door beside routes of its own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from websockets.asyncio.client import connect

from tests.session.command_line import Run
from tests.session.server_kit import SIZE_PX, open_tint
from tests.session.web_kit import Page, asked, json_of, paging
from tests.unit.test_server_parts import pair
from vivant.errors import InputError
from vivant.server.host import FaceHost
from vivant.server.security import Security
from vivant.web import Door, Guard, WebServer, answered
from vivant.web.serving import app_of

pytestmark = [pytest.mark.session, pytest.mark.realtime]


def test_the_command_opens_the_door_beside_grpc_and_ends_on_sigterm(cache_dir: Path) -> None:
    code = "from vivant.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", "--port", "0", "--web", "--web-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None and process.stderr is not None
        said = process.stdout.readline() + process.stdout.readline()
        found = re.search(r"the door for web pages is http://127\.0\.0\.1:(\d+)\n", said)
        assert said.startswith("vivant listens on 127.0.0.1:") and found

        async def story() -> None:
            async with connect(f"ws://127.0.0.1:{found[1]}/v1/face", proxy=None) as socket:
                page = Page(socket)
                await page.say("config", portrait="somebody")
                assert (await page.until("error"))[0]["code"] == "not_found"

        asyncio.run(story())
        process.send_signal(signal.SIGTERM)
        errors = process.stderr.read()
        assert process.wait(60) == 0
    lines = [json.loads(line) for line in errors.splitlines()]
    assert any(line["event"] == "call refused" for line in lines)
    assert "somebody" not in errors and "127.0.0.1" not in errors, "neither whom it shows nor who called"


def test_a_port_that_is_taken_and_an_origin_that_is_none_are_said(run: Run) -> None:
    async def story() -> None:
        async with FaceHost(opener=open_tint) as host, WebServer(app_of(Door(host))) as web:
            with pytest.raises(InputError, match=f"cannot listen on 127.0.0.1:{web.port}"):
                async with WebServer(app_of(Door(host)), port=web.port):
                    pass

    asyncio.run(story())
    assert "an origin is" in run("serve", "--port", "0", "--web", "--web-origin", "app.example").sentence()


def test_over_tls_with_its_token_on_every_address(tmp_path: Path) -> None:
    certificate, key = pair(tmp_path, "server")
    security = Security("0.0.0.0", certificate, key, "secret")
    trusting = ssl.create_default_context(cafile=str(certificate))
    trusting.check_hostname = False

    async def story() -> None:
        async with FaceHost(opener=open_tint) as host:
            app = app_of(Door(host, token="secret"), loopback=False)
            async with WebServer(app, security=security) as web:
                assert web.url.startswith("https://")
                address = f"wss://127.0.0.1:{web.port}/v1/face"
                async with connect(address, proxy=None, ssl=trusting, origin=f"https://127.0.0.1:{web.port}") as socket:  # type: ignore[arg-type]
                    page = Page(socket)
                    await page.say("config", token="secret", size_px=SIZE_PX)
                    await page.until("ready")
                    await page.picture()

    asyncio.run(asyncio.wait_for(story(), 20))


def test_an_app_of_ones_own_has_the_door_beside_its_routes() -> None:
    host = FaceHost(opener=open_tint)
    door = Door(host)

    async def mine(request: Request) -> Response:
        client = door.client_of(request)
        if request.method == "POST":
            return JSONResponse({"bytes": len(await door.body(request, client))})
        raise InputError("this is said as the door says it")

    app = Starlette(
        routes=[*door.routes, Route("/mine", answered(mine), methods=["GET", "POST"])],
        middleware=[Middleware(Guard)],
        lifespan=door.lifespan,
    )

    async def story() -> None:
        async with WebServer(app) as web:
            assert host.shared.load_shedder.cost is not None, "measured before the first page comes"
            async with paging(web) as page:
                await page.picture()
            assert (await json_of(web, "POST", "/mine", b"abc"))[1] == {"bytes": 3}
            status, answer = await json_of(web, "GET", "/mine")
            assert (status, answer["error"]["message"]) == (400, "this is said as the door says it")
            assert (await asked(web, "GET", "/mine", Host="evil.example"))[0] == 403
            assert (await asked(web, "GET", "/client/vivant.js"))[0] == 200

    asyncio.run(asyncio.wait_for(story(), 20))
