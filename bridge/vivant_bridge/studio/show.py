"""Show: what one page's live face sends, seen by whoever else of this page uses it: a film, a camera, OBS, an avatar.

Everything comes from the messages that the door sends anyway, so a face is drawn once, and all of them show what the
page shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vivant.errors import InputError
from vivant.server.clients import Client, Clients
from vivant.types import ARKIT_NAMES, Float32Array, MotionFrame, Pose
from vivant.web.frames import HEAD

FACE = "/v1/face"
"""Where the door is."""
CHANGES = ('"portrait_changed"', '"utterance_started"', '"utterance_finished"', '"interrupted"')
"""Types of the messages that a show learns from; others are not parsed."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One binary message of the door."""

    kind: int
    side_px: int
    epoch: int
    pts_us: int
    number: int
    n_colours: int
    body: memoryview

    @classmethod
    def parse(cls, message: bytes) -> Piece:
        kind, _, side_px, epoch, pts_us, number, n_colours = HEAD.unpack_from(message)
        return cls(kind, side_px, epoch, pts_us, number, n_colours, memoryview(message)[HEAD.size :])

    @property
    def colours(self) -> memoryview:
        """A picture's JPEG."""
        return self.body[: self.n_colours]

    @property
    def alpha(self) -> memoryview:
        """Its alpha's JPEG; empty where nobody is cut out."""
        return self.body[self.n_colours :]

    @property
    def samples(self) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        """Of sound."""
        return np.frombuffer(self.body, "<i2")

    def motion(self) -> MotionFrame:
        """Of motion."""
        values: Float32Array = np.frombuffer(self.body, "<f4")
        weights, rest = values[: len(ARKIT_NAMES)], [float(value) for value in values[len(ARKIT_NAMES) :]]
        return MotionFrame(self.number, self.pts_us, weights, (rest[8], rest[9]), Pose(*rest[:6]), (rest[6], rest[7]))


Watcher = Callable[[Piece, bytes], None]
"""Hears each binary message of a show, parsed and as it was sent. On the event loop; it may not hold it up."""


class Show:
    """One connection's live face. On the event loop."""

    def __init__(self) -> None:
        self.client = ""
        """Key of the page's `Client`; empty before the face is ready."""
        self.session_id = 0
        self.portrait = ""
        self.utterance = ""
        """Name of the one that is spoken, as the page gave it."""
        self.fps, self.sample_rate_hz = Fraction(30), 48_000
        self.watchers: set[Watcher] = set()
        self.on_end: set[Callable[[], None]] = set()

    def take(self, message: Message, *others: Watcher) -> None:
        """What the door sends; ``others`` watch it, too."""
        data = message.get("bytes")
        if data:
            if watchers := (*self.watchers, *others):
                piece = Piece.parse(data)
                for watcher in watchers:
                    watcher(piece, data)
        elif not self.client or any(kind in (message.get("text") or "") for kind in CHANGES):
            self._learn(json.loads(message["text"]))

    def _learn(self, said: dict[str, Any]) -> None:
        if said["type"] == "ready":
            self.client, self.session_id = Clients.named(said["client"], "").key, int(said["session"], 16)
            config = said["config"]
            self.portrait, self.fps = config["portrait"], Fraction(config["fps"])
            self.sample_rate_hz = int(config["sample_rate_hz"])
        elif said["type"] == "portrait_changed":
            self.portrait = said["portrait"]
        elif said["type"] == "utterance_started":
            self.utterance = said["utterance_id"]
        elif said["type"] in ("utterance_finished", "interrupted") and said["utterance_id"] == self.utterance:
            self.utterance = ""


class Shows:
    """All that run, the newest last. On the event loop."""

    def __init__(self) -> None:
        self._shows: list[Show] = []
        self.newest_watchers: set[Watcher] = set()
        """Of the face that was opened last, whichever that is."""
        self.on_ready: Callable[[Show], None] = lambda show: None
        """Hears of each whose face has woken."""

    def of(self, client: Client) -> Show:
        """The page's own. Raises InputError where no face of it lives."""
        for show in reversed(self._shows):
            if show.client == client.key:
                return show
        raise InputError("no face of this page is awake; choose a portrait first")

    def begin(self, show: Show) -> None:
        self._shows.append(show)

    def pass_on(self, show: Show, message: Message) -> None:
        """What the door sends for that one."""
        was_ready, is_newest = bool(show.client), show is self._shows[-1]
        show.take(message, *(self.newest_watchers if is_newest else ()))
        if show.client and not was_ready:
            self.on_ready(show)

    def end(self, show: Show) -> None:
        self._shows.remove(show)
        for ended in tuple(show.on_end):
            ended()


class ShowMiddleware:
    """ASGI middleware: a `Show` of every face that the door opens."""

    def __init__(self, app: ASGIApp, shows: Shows) -> None:
        self._app, self._shows = app, shows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket" or scope["path"] != FACE:
            await self._app(scope, receive, send)
            return
        show = Show()

        async def seen(message: Message) -> None:
            await send(message)
            if message["type"] == "websocket.send":
                self._shows.pass_on(show, message)

        self._shows.begin(show)
        try:
            await self._app(scope, receive, seen)
        finally:
            self._shows.end(show)
