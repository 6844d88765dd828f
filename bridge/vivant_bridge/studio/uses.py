"""Uses: what a page's face is used for beside being seen: films, the virtual camera, another avatar. On the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from vivant import Clock, InputError, Output
from vivant.arguments import shown
from vivant.server.clients import Client
from vivant.server.portraits import Portraits
from vivant.v1 import vivant_pb2 as pb
from vivant.voices import VoiceCard
from vivant.web.frames import MOTION
from vivant.wire.values import consent_of
from vivant_bridge.bridge import on_a_thread
from vivant_bridge.delay import AdaptiveDelay, PresentationClock
from vivant_bridge.device_registry import choose_receiver
from vivant_bridge.picture.sink import FrameSink
from vivant_bridge.receiver import MotionSender
from vivant_bridge.studio.camera import DELAY_US, StudioCamera
from vivant_bridge.studio.recording import Recording, production_of
from vivant_bridge.studio.show import Piece, Show, Shows

AVATARS = ("vmc", "vtube-studio", "live-link-face", "ifacialmocap")
MOST_FILMS = 20
"""Of one page; the oldest go. Chosen."""
MOST_VOICES = 500
"""Utterances of one page whose voice is remembered; the oldest go. Chosen."""


@dataclass
class PageUses:
    """One page's."""

    recording: Recording | None = None
    films: dict[str, Path] = field(default_factory=dict)
    camera: StudioCamera | None = None
    avatar: MotionLink | None = None
    voices: dict[str, VoiceCard] = field(default_factory=dict)
    """Who spoke what was typed, by the utterance's name."""
    said: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    """What went wrong and is well again, in sentences, until the page has heard it."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """A use is begun and ended by one request after the other: whoever clicks twice has one camera."""


class MotionLink:
    """A show's motion on its way to one receiver."""

    def __init__(self, to: str, show: Show, clock: Clock, report: Callable[[str], None]) -> None:
        """Raises InputError for a receiver that is none, and UnavailableError where its extra is missing."""
        presentation = PresentationClock(clock, clock.now_us(), AdaptiveDelay(DELAY_US))
        self._sender = MotionSender(choose_receiver(to), presentation, report)
        self._presentation, self._clock, self._show = presentation, clock, show
        self._sending = asyncio.ensure_future(on_a_thread(self._sender.run))
        self.follow(show)

    def follow(self, show: Show) -> None:
        """Another face of the page."""
        self._show.watchers.discard(self._take)
        self._show = show
        show.watchers.add(self._take)

    async def stop(self) -> None:
        self._show.watchers.discard(self._take)
        self._sender.stop()
        await asyncio.gather(self._sending, return_exceptions=True)

    def _take(self, piece: Piece, _: bytes) -> None:
        if piece.kind == MOTION:
            output = Output(piece.motion(), None, self._show.portrait, None, piece.epoch, None, "")
            self._sender.take(self._clock.now_us() - self._presentation.start_us, output)


class Uses:
    """Of all pages, by their clients."""

    def __init__(
        self, shows: Shows, portraits: Portraits, make_camera: Callable[[], FrameSink], clock: Clock, folder: Path
    ) -> None:
        """``folder`` is for films and goes with the studio."""
        self._shows, self._portraits, self._make_camera = shows, portraits, make_camera
        self._clock, self._folder = clock, folder
        self._pages: dict[str, PageUses] = {}
        self._n_films = 0

    def of(self, client: Client) -> PageUses:
        """As they are now; nothing is kept of a page that uses nothing."""
        return self._pages.get(client.key) or PageUses()

    def _used(self, client: Client) -> tuple[PageUses, Show]:
        """With its show. Raises InputError where no face of the page lives."""
        show = self._shows.of(client)
        return self._pages.setdefault(client.key, PageUses()), show

    async def record(self, client: Client, *, on: bool) -> dict[str, object]:
        """Begin a film of the page's face, or end it; then its name and address come back. Raises a VivantError."""
        if on:
            page, show = self._used(client)
            async with page.turn:
                if page.recording is not None:
                    raise InputError("a film of this page is being made already")
                page.recording = await self._begin_film(client, show)
            return {}
        page = self.of(client)
        recording, page.recording = page.recording, None
        if recording is None:
            raise InputError("no film of this page is being made")
        await asyncio.to_thread(recording.finish)
        return self._keep_film(page, recording)

    async def _begin_film(self, client: Client, show: Show) -> Recording:
        _, face = await self._portraits.open(client, pb.PortraitRef(id=show.portrait))
        image = self._portraits.image(client, show.portrait)
        basis = self._portraits.consent(client, show.portrait)
        portrait = self._folder / f"portrait-{hashlib.sha256(image).hexdigest()[:16]}"
        portrait.write_bytes(image)
        consent = consent_of(pb.Consent(basis=basis))
        production = await asyncio.to_thread(production_of, face, portrait, consent, show)
        self._n_films += 1
        voices = self.of(client).voices
        return Recording(show, self._folder / f"vivant-{self._n_films}.mp4", production, voices)

    def _keep_film(self, page: PageUses, recording: Recording) -> dict[str, object]:
        page.films[recording.out.name] = recording.out
        for name in list(page.films)[:-MOST_FILMS]:
            page.films.pop(name).unlink(missing_ok=True)
        name = recording.out.name
        return {"name": name, "address": f"/studio/films/{name}", "seconds": round(recording.seconds)}

    def spoken(self, client: Client, card: VoiceCard) -> str:
        """The name that the page gives the utterance, so that a film of it names the voice."""
        voices, name = self._pages.setdefault(client.key, PageUses()).voices, secrets.token_urlsafe(12)
        voices[name] = card
        for old in list(voices)[:-MOST_VOICES]:
            del voices[old]
        return name

    async def switch_camera(self, client: Client, *, on: bool) -> None:
        """Raises a VivantError, with the command that mends it where no camera can be had."""
        page, show = self._used(client) if on else (self.of(client), None)
        async with page.turn:
            if page.camera is not None:
                camera, page.camera = page.camera, None
                await camera.stop()
            if show is not None:
                camera = StudioCamera(self._make_camera(), self._clock, page.said.append)
                await camera.start(show)
                page.camera = camera

    async def drive_avatar(self, client: Client, to: str) -> None:
        """``to`` is one of `AVATARS`, or ``none``. Raises a VivantError."""
        if to not in (*AVATARS, "none"):
            raise InputError(f"motion goes to {', '.join(AVATARS)} or none, got {shown(to)}")
        page, show = self._used(client) if to != "none" else (self.of(client), None)
        async with page.turn:
            if page.avatar is not None:
                avatar, page.avatar = page.avatar, None
                await avatar.stop()
            if show is not None:
                page.avatar = MotionLink(to, show, self._clock, page.said.append)

    def follow(self, show: Show) -> None:
        """A page's face lives anew, after a reload or with another portrait: what it is used for follows it."""
        page = self._pages.get(show.client)
        if page is not None and page.camera is not None:
            page.camera.follow(show)
        if page is not None and page.avatar is not None:
            page.avatar.follow(show)

    async def close(self) -> None:
        for page in self._pages.values():
            if page.recording is not None:
                await asyncio.gather(asyncio.to_thread(page.recording.finish), return_exceptions=True)
            if page.camera is not None:
                await page.camera.stop()
            if page.avatar is not None:
                await page.avatar.stop()
