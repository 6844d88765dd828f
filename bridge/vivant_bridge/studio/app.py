"""The studio as an ASGI app: its page and its own routes, beside the door of `vivant.web`."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from vivant import Clock, Face, InputError, SpeechMotion
from vivant.bundled import about, portraits
from vivant.extras import install
from vivant.loopback import is_loopback
from vivant.media.atomic import replacing, reporting
from vivant.private import private_folder
from vivant.provenance.consent import parse_consent
from vivant.provenance.settings import config_folder
from vivant.server.host import FaceHost
from vivant.server.limits import Limits
from vivant.server.security import Security as Security
from vivant.v1 import vivant_pb2 as pb
from vivant.web import Door, Guard, answered
from vivant.web.door import offers_webrtc
from vivant.web.face_socket import receive
from vivant.web.frames import PICTURE
from vivant_bridge.health.diagnose import findings
from vivant_bridge.health.probe import gather
from vivant_bridge.picture.sink import FrameSink
from vivant_bridge.studio import gallery, saying
from vivant_bridge.studio.backgrounds import Backgrounds
from vivant_bridge.studio.making import StagedOpener, make
from vivant_bridge.studio.presets import keep_preset, preset_of
from vivant_bridge.studio.show import Piece, Shows
from vivant_bridge.studio.uses import Uses

ASSETS = files("vivant_bridge.studio") / "assets"
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain",
}
Endpoint = Callable[[Request], Awaitable[Response]]
MOST_JSON_BYTES = 64 * 1024
KEPT_S = 3600
"""That a browser keeps a picture of a portrait; it never changes."""
VISEME_PX = 512
SMALL: dict[str, tuple[Callable[[Face], bytes], str]] = {
    "still.jpg": (gallery.still, "image/jpeg"),
    "alive.webp": (gallery.alive, "image/webp"),
}
MOST_SMALL = 256
"""Small pictures that are kept, of 20 to 200 kB; the oldest go. Chosen: two for each portrait that two pages may keep."""
WATCHED = 3
"""Pictures that may wait for a page of OBS; the oldest are left out."""
TOKEN_FILE = "studio.token"


class Studio:
    """What the routes share. On the event loop."""

    def __init__(
        self, door: Door, opener: StagedOpener, backgrounds: Backgrounds, uses: Uses, shows: Shows, watch_token: str
    ) -> None:
        self._door, self._host, self._opener, self._backgrounds = door, door.host, opener, backgrounds
        self._uses, self._shows, self._watch_token = uses, shows, watch_token
        self._drawing = asyncio.Semaphore(1)
        """Small pictures are drawn one after another, so that a live face keeps its time."""
        self._small: dict[tuple[str, str], bytes] = {}
        """What was drawn, by the portrait's id and the kind; ids cannot be guessed."""
        self._cpu = CpuMeter()

    @property
    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self.page),
            Route("/obs", self.obs_page),
            Route("/assets/{name}", self.asset),
            Route("/studio/portraits", self._mine(self.put_portrait), methods=["POST"]),
            Route("/studio/about", self._mine(self.about)),
            Route("/studio/portraits/{portrait}/viseme/{name}.jpg", self._mine(self.viseme)),
            Route("/studio/portraits/{portrait}/{kind}", self._mine(self.small_picture)),
            Route("/studio/presets/{portrait}", self._mine(self.preset), methods=["GET", "PUT"]),
            Route("/studio/backgrounds", self._mine(self.put_background), methods=["POST"]),
            Route("/studio/voice.pcm", self._mine(self.voice)),
            Route("/studio/say", self._mine(self.say), methods=["GET", "POST"]),
            Route("/studio/recording", self._mine(self.recording), methods=["POST"]),
            Route("/studio/films/{name}", self._mine(self.film)),
            Route("/studio/camera", self._mine(self.camera), methods=["POST"]),
            Route("/studio/motion", self._mine(self.motion), methods=["POST"]),
            Route("/studio/doctor", self._mine(self.doctor)),
            Route("/studio/figures", self._mine(self.figures)),
            Route("/studio/obs", self._mine(self.obs_key)),
            WebSocketRoute("/studio/watch", self.watch),
        ]

    def _mine(self, handler: Endpoint) -> Endpoint:
        """An endpoint for those who show the token, where there is one."""

        async def endpoint(request: Request) -> Response:
            self._door.client_of(request)
            return await handler(request)

        return answered(endpoint)

    # Pages, which hold nothing of anybody's

    async def page(self, request: Request) -> Response:
        return _asset("index.html")

    async def obs_page(self, request: Request) -> Response:
        return _asset("obs.html")

    async def asset(self, request: Request) -> Response:
        return _asset(request.path_params["name"])

    # Portraits

    async def put_portrait(self, request: Request) -> Response:
        """Make the body a face; what happens is told as lines of JSON."""
        said = request.query_params.get("consent", "")
        consent = parse_consent(said) if said else None
        client = self._door.client_of(request)
        image = await self._door.body(request, client)
        told = make(image, consent, client, self._host.portraits, self._opener)
        lines = (json.dumps(each).encode() + b"\n" async for each in told)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    async def about(self, request: Request) -> Response:
        """Who the bundled portraits show, in words."""
        return JSONResponse({name: about(name).shows for name in portraits()})

    async def small_picture(self, request: Request) -> Response:
        portrait, kind = request.path_params["portrait"], request.path_params["kind"]
        if kind not in SMALL:
            raise InputError(f"no picture of a portrait is called {kind}")
        draw, media_type = SMALL[kind]
        face = await self._face(request)
        async with self._drawing:
            picture = self._small.get((portrait, kind))
            if picture is None:
                picture = self._small[portrait, kind] = await asyncio.to_thread(draw, face)
            for oldest in list(self._small)[:-MOST_SMALL]:
                del self._small[oldest]
        return _kept(picture, media_type)

    async def viseme(self, request: Request) -> Response:
        face = await self._face(request)
        async with self._drawing:
            picture = await asyncio.to_thread(gallery.viseme, face, request.path_params["name"], VISEME_PX)
        return _kept(picture, "image/jpeg")

    async def preset(self, request: Request) -> Response:
        image = self._host.portraits.image(self._door.client_of(request), request.path_params["portrait"])
        sha256 = (await asyncio.to_thread(hashlib.sha256, image)).hexdigest()
        if request.method == "PUT":
            await asyncio.to_thread(keep_preset, sha256, await _json(request))
            return Response(status_code=204)
        return JSONResponse(await asyncio.to_thread(preset_of, sha256))

    async def voice(self, request: Request) -> Response:
        return _kept(await asyncio.to_thread(gallery.voice_pcm), "application/octet-stream")

    async def say(self, request: Request) -> Response:
        """Which voice would speak, or what it says: PCM of 16 bit, mono, with its rate and the utterance's name in headers."""
        if request.method == "GET":
            return JSONResponse({"voice": await asyncio.to_thread(saying.voice_name), "bringing": install("say")})
        said = await asyncio.to_thread(saying.say, (await _json(request)).get("text"))
        utterance = self._uses.spoken(self._door.client_of(request), said.card)
        headers = {"sample-rate": str(said.rate_hz), "utterance": utterance}
        return Response(said.pcm, media_type="application/octet-stream", headers=headers)

    async def _face(self, request: Request) -> Face:
        reference = pb.PortraitRef(id=request.path_params["portrait"])
        return (await self._host.portraits.open(self._door.client_of(request), reference))[1]

    async def put_background(self, request: Request) -> Response:
        """The body is put behind the person; its name is for the stage."""
        client = self._door.client_of(request)
        return JSONResponse({"background": await self._backgrounds.put(client, await self._door.body(request, client))})

    # Uses

    async def recording(self, request: Request) -> Response:
        return JSONResponse(await self._uses.record(self._door.client_of(request), on=await _switch(request)))

    async def film(self, request: Request) -> Response:
        film = self._uses.of(self._door.client_of(request)).films.get(request.path_params["name"])
        if film is None:
            raise InputError("no film of this page has that name")
        return FileResponse(film, media_type="video/mp4")

    async def camera(self, request: Request) -> Response:
        client, on = self._door.client_of(request), await _switch(request)
        await self._uses.switch_camera(client, on=on)
        return JSONResponse({"on": on})

    async def motion(self, request: Request) -> Response:
        to = (await _json(request)).get("to")
        await self._uses.drive_avatar(self._door.client_of(request), str(to))
        return JSONResponse({"to": to})

    async def doctor(self, request: Request) -> Response:
        found = await asyncio.to_thread(lambda: findings(gather()))
        return JSONResponse({"findings": [{"good": each.good, "what": each.what, "fix": each.fix} for each in found]})

    async def figures(self, request: Request) -> Response:
        page = self._uses.of(self._door.client_of(request))
        said, camera = list(page.said), page.camera
        page.said.clear()
        return JSONResponse(
            {"cpu_percent": self._cpu.percent(), "camera_fps": camera.fps if camera is not None else None, "said": said}
        )

    # OBS

    async def obs_key(self, request: Request) -> Response:
        """What the address of the browser source needs; for this page alone to read."""
        return JSONResponse({"key": self._watch_token})

    async def watch(self, socket: WebSocket) -> None:
        """The pictures of the face that was opened last, to a page of OBS."""
        await socket.accept()
        pictures: asyncio.Queue[bytes] = asyncio.Queue(WATCHED)

        def take(piece: Piece, message: bytes) -> None:
            if piece.kind == PICTURE:
                if pictures.full():
                    pictures.get_nowait()
                pictures.put_nowait(message)

        async def send() -> None:
            while True:
                await socket.send_bytes(await pictures.get())

        try:
            async with asyncio.timeout(self._host.limits.first_message_s):
                shown = await receive(socket)
            if isinstance(shown, bytes) or not secrets.compare_digest(shown.encode(), self._watch_token.encode()):
                await socket.close(4401)
                return
            self._shows.newest_watchers.add(take)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(send())
                while True:  # until it leaves, which may be long before there is a picture
                    await receive(socket)
        except* (WebSocketDisconnect, TimeoutError):
            pass
        finally:
            self._shows.newest_watchers.discard(take)


class CpuMeter:
    """Processor time of this process since it was last asked."""

    def __init__(self) -> None:
        self._before = os.times()

    def percent(self) -> float:
        """Of one core."""
        before, now = self._before, os.times()
        self._before = now
        used_s = now.user + now.system - before.user - before.system
        return 100 * used_s / max(1e-3, now.elapsed - before.elapsed)


def studio_app(
    make_camera: Callable[[], FrameSink],
    clock: Clock,
    *,
    security: Security | None = None,
    limits: Limits | None = None,
    motion: SpeechMotion | None = None,
) -> Starlette:
    """One studio: door, page, and what a face is used for. ``make_camera`` gives a camera that is not open yet."""
    security, limits, shows = security or Security(), limits or Limits(), Shows()
    opener, backgrounds = StagedOpener(limits.portrait_pixels), Backgrounds(limits.portrait_pixels)
    host = FaceHost(limits, clock=clock, opener=opener, motion=motion)
    door = Door(
        host,
        token=security.token,
        backgrounds=backgrounds.of,
        watching=shows.watching,
        offers_webrtc=offers_webrtc(security),
    )
    folder = TemporaryDirectory(prefix="vivant-studio-")  # its mode is 0700
    uses = Uses(shows, host.portraits, make_camera, clock, Path(folder.name))
    shows.on_ready = uses.follow
    studio = Studio(door, opener, backgrounds, uses, shows, watch_token())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with folder:
            async with door.lifespan(app):
                yield
                await uses.close()
        for decoding in (opener, backgrounds):
            decoding.close()

    middleware = [Middleware(Guard, loopback=is_loopback(security.host))]
    return Starlette(routes=[*door.routes, *studio.routes], middleware=middleware, lifespan=lifespan)


def watch_token() -> str:
    """What a browser source of OBS shows, the same for ever, so that its address stays."""
    file = config_folder() / TOKEN_FILE
    with suppress(OSError, ValueError):
        if kept := file.read_text("ascii").strip():
            return kept
    token = secrets.token_urlsafe(16)
    with reporting(file):
        private_folder(file.parent)
    with replacing(file, private=True) as part, reporting(file):
        part.write_text(token, encoding="ascii")
    return token


def _asset(name: str) -> Response:
    """A file of the page, by a name that is among them."""
    found = next((file for file in ASSETS.iterdir() if file.name == name), None)
    if found is None:
        return Response(status_code=404)
    return Response(found.read_bytes(), media_type=KINDS[Path(name).suffix], headers={"cache-control": "no-cache"})


def _kept(data: bytes, media_type: str) -> Response:
    return Response(data, media_type=media_type, headers={"cache-control": f"private, max-age={KEPT_S}"})


async def _json(request: Request) -> dict[str, Any]:
    """Raises InputError for what is no JSON object, or too much of it."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_JSON_BYTES:
            raise InputError(f"a request may have {MOST_JSON_BYTES} bytes")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise InputError("a request must be a JSON object")
    return said


async def _switch(request: Request) -> bool:
    """Whether something is wanted on or off. Raises InputError."""
    on = (await _json(request)).get("on")
    if not isinstance(on, bool):
        raise InputError("on must be true or false")
    return on
