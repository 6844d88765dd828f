"""Show: what one page's live face sends, seen by whoever else of this page uses it: a film, a camera, OBS, an avatar.

Everything comes from the messages that the door sends anyway, so a face is drawn once, and all of them show what the
page shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from vivant.errors import InputError
from vivant.server.clients import Client, Clients
from vivant.types import ARKIT_NAMES, Float32Array, MotionFrame, Pose
from vivant.web.door import Watch
from vivant.web.frames import HEAD

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
        head, gaze, tongue, body = rest[:6], (rest[6], rest[7]), (rest[8], rest[9]), rest[10:16]
        return MotionFrame(self.number, self.pts_us, weights, tongue, Pose(*head), gaze, Pose(*body))


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
        self.size_px = 0
        """Side of its pictures; 0 where it has none."""
        self.watchers: set[Watcher] = set()
        self.on_end: set[Callable[[], None]] = set()

    def take(self, message: str | bytes, *others: Watcher) -> None:
        """What the page is sent; ``others`` watch it, too."""
        if isinstance(message, bytes):
            if watchers := (*self.watchers, *others):
                piece = Piece.parse(message)
                for watcher in watchers:
                    watcher(piece, message)
        elif not self.client or any(kind in message for kind in CHANGES):
            self._learn(json.loads(message))

    def _learn(self, said: dict[str, Any]) -> None:
        if said["type"] == "ready":
            self.client, self.session_id = Clients.named(said["client"], "").key, int(said["session"], 16)
            config = said["config"]
            self.portrait, self.fps = config["portrait"], Fraction(config["fps"])
            self.sample_rate_hz = int(config["sample_rate_hz"])
            self.size_px = 0 if config["pictures"] == "none" else int(config["size_px"])
        elif said["type"] == "portrait_changed":
            self.portrait = said["portrait"]
        elif said["type"] == "utterance_started":
            self.utterance = said["utterance_id"]
        elif said["type"] in ("utterance_finished", "interrupted") and said["utterance_id"] == self.utterance:
            self.utterance = ""


class Shows:
    """All whose face has woken, the newest last. On the event loop."""

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

    @contextmanager
    def watching(self) -> Iterator[Watch]:
        """As a `Door` wants it: what one page is sent, from the beginning to the end of its call."""
        show = Show()
        try:
            yield partial(self.pass_on, show)
        finally:
            if show in self._shows:
                self._shows.remove(show)
            for ended in tuple(show.on_end):
                ended()

    def pass_on(self, show: Show, message: str | bytes) -> None:
        """What a page is sent."""
        was_ready = bool(show.client)
        show.take(message, *(self.newest_watchers if self._shows[-1:] == [show] else ()))
        if show.client and not was_ready:
            self._shows.append(show)
            self.on_ready(show)
