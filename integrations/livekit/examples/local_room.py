"""A room of one process: LiveKit's own sources, tracks and streams, without a server between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from livekit import rtc


@dataclass
class Publication:
    """Of a local track, to which somebody subscribes when ``listens`` is set."""

    track: rtc.LocalTrack
    source: rtc.TrackSource.ValueType
    kind: rtc.TrackKind.ValueType
    listens: asyncio.Event

    async def wait_for_subscription(self) -> None:
        await self.listens.wait()


@dataclass
class LocalParticipant:
    identity: str = "agent"
    kind: Any = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    track_publications: dict[str, Publication] = field(default_factory=dict)
    listens: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish_track(self, track: rtc.LocalTrack, options: rtc.TrackPublishOptions) -> Publication:
        publication = Publication(track, options.source, track.kind, self.listens)
        self.track_publications[track.name] = publication
        return publication


class LocalRoom(rtc.EventEmitter[str]):
    """Room: connected from the start, with nobody in it but the agent; what it publishes is heard and seen by `viewer`."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "room"
        self.local_participant = LocalParticipant()
        self.remote_participants: dict[str, Any] = {}

    def isconnected(self) -> bool:
        return True

    async def viewer(self) -> Viewer:
        """Somebody who subscribes to both tracks, once they are published."""
        self.local_participant.listens.set()
        tracks = self.local_participant.track_publications
        while len(tracks) < 2:
            await asyncio.sleep(0.005)
        return Viewer(**{name: publication.track for name, publication in tracks.items()})


class Viewer:
    """Viewer: what somebody in the room would see and hear, with times on the loop's clock."""

    def __init__(self, avatar_audio: rtc.Track, avatar_video: rtc.Track) -> None:
        self.pictures: list[float] = []
        """When each came."""
        self.sounds: list[tuple[float, rtc.AudioFrame]] = []
        self.show: Callable[[rtc.VideoFrame], object] = lambda picture: None
        """Called with each picture."""
        self._streams = (
            rtc.AudioStream.from_track(track=avatar_audio, sample_rate=24_000),
            rtc.VideoStream.from_track(track=avatar_video),
        )
        self._tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._see())]

    async def _hear(self) -> None:
        async for event in self._streams[0]:
            self.sounds.append((asyncio.get_running_loop().time(), event.frame))

    async def _see(self) -> None:
        async for event in self._streams[1]:
            self.pictures.append(asyncio.get_running_loop().time())
            self.show(event.frame)

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for stream in self._streams:
            await stream.aclose()
