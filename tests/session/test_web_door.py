"""The web door over a real socket: what a page sends and gets, and how a slow one is served."""

from __future__ import annotations

import asyncio
import io
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed

from tests.session.server_kit import RATE_HZ, SIZE_PX, open_tint, settings, tone
from tests.session.web_kit import Frame, Page, paging, run_door
from vivant.bundled import portrait_bytes
from vivant.client import connect
from vivant.samples import pcm_s16le
from vivant.server.limits import Limits
from vivant.server.outflow import FIRST_FRAMES
from vivant.server.security import Security
from vivant.server.server import Server
from vivant.session.background import Background
from vivant.types import ARKIT_NAMES, Float32Array
from vivant.v1 import vivant_pb2 as pb
from vivant.web import Door, WebServer
from vivant.web.frames import MOTION, N_VALUES, PICTURE, SOUND
from vivant.web.messages import SOUND_LEAD_MS
from vivant.web.serving import WebConfig, open_door

pytestmark = [pytest.mark.session, pytest.mark.realtime]

TINT = portrait_bytes("ada")[-1]
"""Of the quick face that stands for ada."""


def voice(seconds: float) -> Float32Array:
    sound: Float32Array = np.asarray(tone(seconds), np.float32)
    return sound


def pixels_of(jpeg: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(jpeg)))


def test_a_page_gets_what_it_asked_for() -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with paging(web, fps=30, seed=7, controls={"emotion": "happy"}, motion=True) as page:
            config = page.ready["config"]
            assert (config["portrait"], config["fps"], config["seed"], config["size_px"]) == ("ada", 30, 7, SIZE_PX)
            assert config["controls"]["emotion"] == "happy" and page.ready["weight_names"] == list(ARKIT_NAMES)
            assert page.ready["delay_ms"] > 0
            first, before = await page.until(PICTURE)
            assert pixels_of(first.body).shape == (SIZE_PX, SIZE_PX, 3) and first.first_bytes == len(first.body)
            assert np.median(pixels_of(first.body)) == pytest.approx(TINT, abs=3)
            assert [frame.kind for frame in before if isinstance(frame, Frame)][-1] == MOTION, "right before its picture"
            second = await page.picture()
            assert (first.number, second.number) == (1, 2) and second.pts_us > first.pts_us

    run_door(story)


def test_an_utterance_from_its_begin_to_its_end() -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with paging(web, sample_rate_hz=RATE_HZ) as page:
            await page.say("begin", utterance_id="a", text="Hello", language="en")
            await page.socket.send(pcm_s16le(voice(0.5)))
            await page.say("end")
            started, before = await page.until("utterance_started")
            assert started["utterance_id"] == "a" and not any(isinstance(f, Frame) and f.speaking for f in before)
            finished, spoken = await page.until("utterance_finished")
            assert finished["position_us"] - started["position_us"] == pytest.approx(500_000, abs=50_000)
            pictures = [frame for frame in spoken if isinstance(frame, Frame)]
            assert len(pictures) >= 10 and all(frame.speaking for frame in pictures)
            assert not (await page.picture()).speaking
            await page.say("finish")
            with pytest.raises(ConnectionClosed):
                await page.until("nothing")
            assert page.socket.close_code == 1000

    run_door(story)


def test_delayed_sound_is_what_was_pushed_and_comes_before_its_pictures() -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with paging(web, sample_rate_hz=RATE_HZ, sound=True) as page:
            pushed = pcm_s16le(voice(0.6))
            await page.socket.send(pushed)
            await page.say("end")
            _, heard = await page.until("utterance_finished")
            frames = [frame for frame in heard if isinstance(frame, Frame)]
            sound = [frame for frame in frames if frame.kind == SOUND and frame.body]
            joined = b"".join(frame.body for frame in sound)
            assert joined.rstrip(b"\0") == pushed.rstrip(b"\0"), "to the bit, and silence behind it"
            ends = np.cumsum([len(frame.body) // 2 for frame in sound]) * 1e6 / RATE_HZ + sound[0].pts_us
            assert [frame.pts_us for frame in sound[1:]] == pytest.approx(ends[:-1].tolist(), abs=70)
            assert {frame.number for frame in sound} == {RATE_HZ}
            at = frames.index(sound[0])
            first = next(frame for frame in frames[at:] if frame.kind == PICTURE)
            assert ends[0] - first.pts_us >= 1000 * SOUND_LEAD_MS, "so that a player can fill its buffer"

    run_door(story)


async def late_s(web: WebServer, *, live: bool) -> float:
    """How long after it was sent a cry is heard, where two seconds of quiet came at once a moment before it."""
    piece = np.zeros(RATE_HZ // 50, np.float32)
    async with paging(web, sample_rate_hz=RATE_HZ, sound=True) as page:
        await page.say("begin", live=live)
        for _ in range(100):
            await page.socket.send(pcm_s16le(piece))
        await page.frames(PICTURE, 15)
        sent_s = time.monotonic()
        await page.socket.send(pcm_s16le(piece + 0.9))
        while not np.frombuffer((await page.until(SOUND))[0].body, "<i2").max(initial=0) > 20_000:
            pass
        return time.monotonic() - sent_s


def test_a_live_voice_that_was_held_up_is_in_time_again_and_what_is_read_out_loses_nothing() -> None:
    async def story(door: Door, web: WebServer) -> None:
        read_s, live_s = await late_s(web, live=False), await late_s(web, live=True)
        assert live_s < 1 < read_s - live_s

    run_door(story)


def test_motion_alone_takes_a_few_kilobytes_a_second() -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with paging(web, pictures="none", fps=30) as page:
            frames = await page.frames(MOTION, 30)
            values = np.frombuffer(frames[-1].body, "<f4")
            assert len(values) == N_VALUES and np.isfinite(values).all() and values[57] == pytest.approx(1, abs=0.2)
            assert sum(len(frame.body) + 24 for frame in frames) < 10_000
            assert frames[-1].number - frames[0].number == 29

    run_door(story)


def test_an_interruption_comes_at_once_and_everything_after_it_is_of_its_epoch() -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with paging(web, sample_rate_hz=RATE_HZ) as page:
            await page.socket.send(pcm_s16le(voice(5.0)))
            await page.until("utterance_started")
            await page.say("interrupt", epoch=4)
            interrupted, _ = await page.until("interrupted")
            assert interrupted["epoch"] == 4
            after = await page.frames(PICTURE, 3)
            assert [(frame.epoch, frame.speaking) for frame in after] == [(4, 0)] * 3

    run_door(story)


def test_a_slow_page_gets_the_newest_picture_and_no_queue() -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with paging(web, fps=30) as page:
            unconfirmed = await listened(page, seconds=1.0)
            assert len(unconfirmed) == FIRST_FRAMES, "then none is sent until one is confirmed"
            await page.say("shown", picture=unconfirmed[-1].number)
            newest = await page.picture()
            assert newest.number == FIRST_FRAMES + 1
            assert newest.pts_us > unconfirmed[-1].pts_us + 500_000, "what would have been old by now was never sent"

    run_door(story)


async def listened(page: Page, seconds: float) -> list[Frame]:
    """The pictures that come within a time when none is confirmed."""
    pictures = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                data = await page.socket.recv()
                if isinstance(data, bytes):
                    pictures.append(Frame.parse(data))
    except TimeoutError:
        return pictures


def test_a_page_that_confirms_nothing_is_told_so_and_its_place_is_free() -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with paging(web) as page:
            with pytest.raises(ConnectionClosed):
                while True:
                    await page.socket.recv()
            assert page.socket.close_code == 4408 and "read nothing" in str(page.socket.close_reason)
        assert not door.host.service.calls

    run_door(story, Limits(unread_s=1.0))


def test_steering_portraits_and_acts_while_it_lives() -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with paging(web, motion=True) as page:
            await page.say("controls", gaze=[10, -5])
            await page.say("controls", attention="listening")
            await page.say("act", act="nod")
            await page.say("portrait", portrait="lena")
            changed, _ = await page.until("portrait_changed")
            assert changed["portrait"] == "lena"
            await page.say("portrait", portrait="nobody")
            failed, _ = await page.until("portrait_failed")
            assert "no portrait" in failed["message"]
            await page.picture()

    run_door(story)


def test_stage_and_transparency() -> None:
    blue = Background(np.broadcast_to(np.array((0, 0, 255), np.uint8), (SIZE_PX, SIZE_PX, 3)))

    async def story(door: Door, web: WebServer) -> None:
        async with paging(web, pictures="jpeg-alpha") as page:
            assert page.ready["config"]["background"] == "transparent"
            first = await page.picture()
            alpha = pixels_of(first.body[first.first_bytes :])
            assert alpha.shape == (SIZE_PX, SIZE_PX) and np.median(alpha) == 255, "this face is opaque"
            await page.say("stage", background="picture:1", mirror=True)
            while len((frame := await page.picture()).body) != frame.first_bytes:
                pass  # RGB before a picture has no alpha
            await page.say("stage", background="file.png")
            refused, _ = await page.until("refused")
            assert "background must be" in refused["message"]

    run_door(story, backgrounds=lambda client, name: blue if name == "picture:1" else None)


def test_a_wrong_value_is_refused_in_a_sentence_and_the_face_goes_on() -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with paging(web) as page:
            for kind, fields, sentence in (
                ("controls", {"gaze": [90, 0]}, "gaze yaw must be from -30 to 30"),
                ("controls", {"nose": 1}, "controls has no field 'nose'"),
                ("act", {"act": "dance"}, "act must be one of nod"),
                ("dance", {}, "unknown type 'dance'"),
                ("stage", {"background": "transparent"}, "jpeg-alpha"),
                ("interrupt", {"epoch": -1}, "epoch must be from 0"),
                ("begin", {"live": "yes"}, "live must be True or False"),
                ("offer", {"sdp": "v=0"}, "where ready says so"),
            ):
                await page.say(kind, **fields)
                refused, _ = await page.until("refused")
                assert sentence in refused["message"]
            await page.picture()

    run_door(story)


def test_a_full_server_says_when_to_come_again() -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with paging(web), paging(web, pictures="none"):
            with pytest.raises(ConnectionClosed) as closed:
                async with paging(web):
                    pass
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 4429

    run_door(story, Limits(sessions=2))


def test_pages_and_grpc_share_one_admission() -> None:
    async def story() -> None:
        async with (
            Server(opener=open_tint) as server,
            open_door(server.host, Security(), WebConfig(0)) as (_, web),
            paging(web) as page,
            connect(f"127.0.0.1:{server.port}") as client,
            client.animate("ada", settings(outputs=pb.OUTPUTS_MOTION)) as face,
        ):
            await page.picture()
            await anext(aiter(face))
            assert len(server.shared.load_shedder.members) == len(server.host.service.calls) == 2

    asyncio.run(asyncio.wait_for(story(), 10))


def test_draining_is_told_and_waited_for() -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with paging(web) as page:
            draining = asyncio.create_task(door.drain())
            await page.until("draining")
            with pytest.raises(ConnectionClosed) as closed:
                async with paging(web):
                    pass
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 4503
            assert not draining.done()
            await page.say("finish")
            await asyncio.wait_for(draining, 5)

    run_door(story)


def test_a_page_that_is_gone_frees_its_place() -> None:
    async def story(door: Door, web: WebServer) -> None:
        async with paging(web) as page:
            await page.picture()
            page.socket.transport.abort()
        while door.host.shared.load_shedder.members:
            await asyncio.sleep(0.01)

    run_door(story)
