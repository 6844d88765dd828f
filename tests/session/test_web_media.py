"""WebRTC beside the door: pictures and their sound come together, and what is no offer is a sentence."""

from __future__ import annotations

import asyncio

import av
import numpy as np
import pytest

from vivant import MonotonicClock, PixelFormat, VideoFrame
from vivant.errors import InputError
from vivant.pixels import encoded

pytest.importorskip("aiortc")
import aiortc

from vivant.server.security import Security
from vivant.web.door import offers_webrtc
from vivant.web.frames import HEAD, PICTURE, SOUND
from vivant.web.media import MOST_SDP_CHARACTERS, Media

pytestmark = [pytest.mark.session, pytest.mark.realtime]

RATE_HZ, FRAME_US, SIDE_PX, TONE_HZ = 48_000, 40_000, 64, 500
LEAD_US = 80_000
"""Sound comes before its pictures, as the door has it."""
FLASHES, LONG = (25, 50, 75), 6
"""Frames from which on it is white, and loud; and how many are, since a busy machine may leave some out."""


def flashes(index: int) -> bool:
    return any(0 <= index - first < LONG for first in FLASHES)


def picture(index: int) -> bytes:
    pixels = np.full((SIDE_PX, SIDE_PX, 3), 255 * flashes(index), np.uint8)
    jpeg = encoded(VideoFrame(index, 0, pixels, PixelFormat.RGB), PixelFormat.JPEG).pixels.tobytes()
    return HEAD.pack(PICTURE, 1, SIDE_PX, 0, index * FRAME_US, index, len(jpeg)) + jpeg


def sound(index: int) -> bytes:
    tone = 20_000 * flashes(index) * np.sin(np.arange(RATE_HZ * FRAME_US // 1_000_000) * 2 * np.pi * TONE_HZ / RATE_HZ)
    return HEAD.pack(SOUND, 1, 0, 0, index * FRAME_US, RATE_HZ, 0) + tone.astype("<i2").tobytes()


async def connected(media: Media) -> tuple[aiortc.RTCPeerConnection, dict[str, aiortc.MediaStreamTrack]]:
    """A page's side, and what it gets."""
    page = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
    tracks: dict[str, aiortc.MediaStreamTrack] = {}
    page.on("track", lambda track: tracks.update({track.kind: track}))
    for kind in ("video", "audio"):
        page.addTransceiver(kind, direction="recvonly")
    await page.setLocalDescription(await page.createOffer())
    answer = await media.answer(page.localDescription.sdp)
    await page.setRemoteDescription(aiortc.RTCSessionDescription(answer, "answer"))
    return page, tracks


def _level(frame: object) -> float:
    if isinstance(frame, av.VideoFrame):
        return float(frame.to_ndarray(format="gray").mean() / 255)
    assert isinstance(frame, av.AudioFrame)
    return float(np.abs(frame.to_ndarray()).max() / 32768)


async def times_s(track: aiortc.MediaStreamTrack) -> list[float]:
    """When each flash, or each noise, came."""
    found: list[float] = []
    clock, was = MonotonicClock(), False
    while len(found) < len(FLASHES):
        frame = await track.recv()
        level = _level(frame)
        if level > 0.3 and not was:
            found.append(clock.now_us() / 1e6)
        was = level > 0.3
    return found


def test_a_picture_and_its_sound_come_together() -> None:
    async def story() -> None:
        clock = MonotonicClock()
        media = Media(RATE_HZ, clock)
        page, tracks = await connected(media)
        while not media.carries(picture(0)):  # until the connection is there
            await clock.sleep_until(clock.now_us() + FRAME_US)
        began_us = clock.now_us()
        seen = [asyncio.create_task(times_s(tracks[kind])) for kind in ("video", "audio")]
        for index in range(1, 100):
            assert media.carries(sound(index + LEAD_US // FRAME_US)) and media.carries(picture(index))
            await clock.sleep_until(began_us + index * FRAME_US)
        pictured, heard = await asyncio.wait_for(asyncio.gather(*seen), 10)
        apart_ms = 1000 * np.median(np.subtract(heard, pictured))
        assert abs(apart_ms) < 100, apart_ms
        await media.close()
        await page.close()
        assert not media.carries(picture(0)), "then it is left to the WebSocket"

    asyncio.run(asyncio.wait_for(story(), 30))


@pytest.mark.parametrize(
    "offer", ["", "v=0", "x" * (MOST_SDP_CHARACTERS + 1), "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 50]
)
def test_what_is_no_offer_is_a_sentence(offer: str) -> None:
    async def story() -> None:
        media = Media(RATE_HZ, MonotonicClock())
        with pytest.raises(InputError, match="offer"):
            await media.answer(offer)
        await media.close()

    asyncio.run(story())


def test_it_is_for_other_machines_only() -> None:
    assert not offers_webrtc(Security())


def test_nobody_is_asked_for_addresses() -> None:
    async def story() -> None:
        media = Media(RATE_HZ, MonotonicClock())
        page, _ = await connected(media)
        assert "srflx" not in page.remoteDescription.sdp
        await media.close()
        await page.close()

    asyncio.run(asyncio.wait_for(story(), 20))
