"""Media: one page's pictures and delayed sound by WebRTC, for pages that a network keeps waiting. Needs the extra ``webrtc``.

The page offers, over its WebSocket; what is carried here comes there as its head alone (docs/web.md).
"""

from __future__ import annotations

import asyncio
from fractions import Fraction

import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame
from av import VideoFrame as AvFrame
from numpy.typing import NDArray

from vivant.clock import Clock
from vivant.errors import InputError
from vivant.pixels import decoded
from vivant.types import PixelFormat, VideoFrame
from vivant.web.frames import HEAD, PICTURE, SOUND

MOST_SDP_CHARACTERS = 20_000
"""Of an offer; a browser's has some 6000."""
VIDEO_CLOCK = Fraction(1, 90_000)
"""RFC 6184 and RFC 7741: of pictures' times."""
PIECE_MS = 20
"""Of sound in one packet, as RFC 7587 has it by default."""
MOST_APART_US = 60_000
"""That sound may drift from its pictures before it jumps to them; chosen, little more than ITU-R BT.1359 lets nobody notice."""


class PictureTrack(MediaStreamTrack):
    """The newest picture, whenever the encoder wants one."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._newest: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(1)

    def put(self, pts_us: int, jpeg: bytes) -> None:
        if self._newest.full():
            self._newest.get_nowait()
        self._newest.put_nowait((pts_us, jpeg))

    async def recv(self) -> AvFrame:
        pts_us, jpeg = await self._newest.get()
        frame = await asyncio.to_thread(_decoded, jpeg)
        frame.pts, frame.time_base = pts_us * 9 // 100, VIDEO_CLOCK
        return frame


def _decoded(jpeg: bytes) -> AvFrame:
    pixels = decoded(VideoFrame(0, 0, np.frombuffer(jpeg, np.uint8), PixelFormat.JPEG))[..., :3]
    return AvFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24").reformat(format="yuv420p")


class SoundTrack(MediaStreamTrack):
    """The sound of the picture that is sent now, silence where there is none; in real time."""

    kind = "audio"

    def __init__(self, rate_hz: int, clock: Clock) -> None:
        super().__init__()
        self._rate_hz, self._clock = rate_hz, clock
        self._sound, self._first = np.zeros(0, np.int16), 0
        """What has come and was not sent, and the index of its first sample since the stream began."""
        self._n_sent, self._began_us = 0, 0
        self._offset_us: int | None = None
        """From the clock to the time of the picture that is sent."""
        self._at: int | None = None
        """Index of the next sample."""

    def put(self, pts_us: int, samples: NDArray[np.int16]) -> None:
        first = round(pts_us * self._rate_hz / 1_000_000)
        if abs(first - (self._first + len(self._sound))) > 1:  # another utterance, or one that was interrupted
            self._sound, self._first = np.zeros(0, np.int16), first
        self._sound = np.concatenate([self._sound, samples])

    def follow(self, pts_us: int) -> None:
        """A picture is sent just now."""
        self._offset_us = pts_us - self._clock.now_us()

    async def recv(self) -> AudioFrame:
        n = self._rate_hz * PIECE_MS // 1000
        self._began_us = self._began_us or self._clock.now_us()
        await self._clock.sleep_until(self._began_us + self._n_sent * 1_000_000 // self._rate_hz)
        frame = AudioFrame.from_ndarray(self._next(n)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = self._rate_hz, self._n_sent, Fraction(1, self._rate_hz)
        self._n_sent += n
        return frame

    def _next(self, n: int) -> NDArray[np.int16]:
        if self._offset_us is None:
            return np.zeros(n, np.int16)
        due = (self._clock.now_us() + self._offset_us) * self._rate_hz // 1_000_000
        if self._at is None or abs(due - self._at) * 1_000_000 > MOST_APART_US * self._rate_hz:
            self._at = due
        piece, gone = np.zeros(n, np.int16), self._at - self._first
        there = self._sound[max(0, gone) : max(0, gone + n)]
        piece[max(0, -gone) :][: len(there)] = there
        self._at += n
        self._forget(self._at)
        return piece

    def _forget(self, until: int) -> None:
        n_gone = min(len(self._sound), max(0, until - self._first))
        self._sound, self._first = self._sound[n_gone:], self._first + n_gone


class Media:
    """One page's connection. On the event loop."""

    def __init__(self, sample_rate_hz: int, clock: Clock) -> None:
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))  # nobody else is asked for addresses
        self._pictures, self._sound = PictureTrack(), SoundTrack(sample_rate_hz, clock)

    async def answer(self, offer: str) -> str:
        """To a page's offer, both as SDP with all addresses in it. Raises InputError for what is none."""
        if len(offer) > MOST_SDP_CHARACTERS:
            raise InputError(f"an offer may have {MOST_SDP_CHARACTERS} characters")
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            for track in (self._pictures, self._sound):
                self._peer.addTrack(track)
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except Exception as error:  # whatever its parser makes of a stranger's text
            raise InputError("the offer is no session description that can be answered") from error
        return str(self._peer.localDescription.sdp)

    def carries(self, frame: bytes) -> bool:
        """Takes a frame of the door and is true, or leaves it to the WebSocket."""
        if self._peer.connectionState != "connected":
            return False
        kind, _, _, _, pts_us, _, n_colours = HEAD.unpack_from(frame)
        body = memoryview(frame)[HEAD.size :]
        if kind == PICTURE:
            self._pictures.put(pts_us, bytes(body[:n_colours]))
            self._sound.follow(pts_us)
        elif kind == SOUND:
            self._sound.put(pts_us, np.frombuffer(body, "<i2"))
        return kind in (PICTURE, SOUND)

    async def close(self) -> None:
        await self._peer.close()
