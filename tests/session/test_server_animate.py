"""``Animate`` over a real connection: voice in, frames and events out."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

import vivant
from tests.session.server_kit import RATE_HZ, SIZE_PX, gone, kind_of, picture, picture_in, run_served, settings, tone, until
from vivant.client import Client, Event, RemoteConfig
from vivant.errors import InputError, UnavailableError
from vivant.provenance.consent import Consent
from vivant.provenance.watermark_detector import detect
from vivant.server.limits import Limits
from vivant.server.portraits import BUNDLED
from vivant.server.ring import SLOTS
from vivant.server.server import Server, ServerConfig
from vivant.session.stream import FaceStream
from vivant.testing import PlainFace, index_in
from vivant.types import ARKIT_NAMES, Marker, Output, PixelFormat, UtteranceEnd, UtteranceStart
from vivant.v1 import vivant_pb2 as pb

pytestmark = [pytest.mark.session, pytest.mark.realtime]


def test_started_echoes_the_config_in_effect() -> None:
    async def story(server: Server, client: Client) -> None:
        async with client.animate("ada", pb.SessionConfig(outputs=pb.OUTPUTS_MOTION)) as face:
            config = face.started.config
            assert (config.size_px, config.sample_rate_hz, config.fps.numerator) == (512, 16_000, 25)
            assert config.pixel_format == pb.PIXEL_FORMAT_RGBA and config.controls.distance == 1.0
            assert (config.disclosure.label, config.disclosure.watermark) == (pb.LABEL_MODE_ON, pb.WATERMARK_MODE_ON)
            assert tuple(face.started.weight_names) == ARKIT_NAMES
            assert face.started.delay_us > 0 and face.started.notes == ["a test face"]

    run_served(story)


def test_immediate_frames_cover_the_audio_once_and_in_order() -> None:
    async def story(server: Server, client: Client) -> None:
        config = settings(delivery=pb.DELIVERY_IMMEDIATE, outputs=pb.OUTPUTS_FRAMES_AND_MOTION)
        async with client.animate("ada", config) as face:
            await face.begin("line 1")
            await face.push(tone(2))
            await face.end()
            await face.finish()
            items = [item async for item in face]
        frames = [item for item in items if isinstance(item, Output)]
        assert [frame.motion.index for frame in frames] == list(range(len(frames)))
        assert [frame.picture and frame.picture.index for frame in frames] == list(range(len(frames)))
        assert 50 <= len(frames) <= 52
        assert all(frame.pts_us == frame.motion.index * 40_000 for frame in frames)
        assert {frame.utterance for frame in frames} <= {1, None}
        assert [item for item in items if isinstance(item, Marker)] == [UtteranceStart(1), UtteranceEnd(1, 2_000_000)]

    run_served(story)


@pytest.mark.parametrize("transport", [pb.FRAME_TRANSPORT_INLINE, pb.FRAME_TRANSPORT_SHARED_MEMORY])
@pytest.mark.parametrize(
    "pixel_format", [pb.PIXEL_FORMAT_RGBA, pb.PIXEL_FORMAT_RGB, pb.PIXEL_FORMAT_I420, pb.PIXEL_FORMAT_JPEG]
)
def test_pixels_arrive(transport: pb.FrameTransport, pixel_format: pb.PixelFormat) -> None:
    async def story(server: Server, client: Client) -> None:
        shared = transport == pb.FRAME_TRANSPORT_SHARED_MEMORY
        delivery = pb.DELIVERY_PACED if shared else pb.DELIVERY_IMMEDIATE
        config = settings(delivery=delivery, frame_transport=transport, pixel_format=pixel_format)
        async with client.animate(picture(200), config) as face:
            await face.push(tone(0.5))
            await face.end()
            frames, _ = await until(face, "UTTERANCE_FINISHED")
        assert len(frames) > SLOTS  # they come back to the ring
        for frame in frames:
            if pixel_format == pb.PIXEL_FORMAT_I420:
                assert frame.picture is not None and frame.picture.size_px == (SIZE_PX, SIZE_PX)
                planes = frame.picture.pixels.reshape(-1)
                assert len(planes) == SIZE_PX**2 * 3 // 2
                luma, v = (np.median(plane) for plane in (planes[: SIZE_PX**2], planes[-(SIZE_PX**2) // 4 :]))
                assert abs(luma - (16 + 200 * 219 / 255)) <= 3 and abs(v - 128) <= 2
            else:
                assert picture_in(frame).shape[2] == (3 if pixel_format == pb.PIXEL_FORMAT_RGB else 4)
                assert abs(np.median(picture_in(frame)[..., 0]) - 200) <= 3
                if pixel_format != pb.PIXEL_FORMAT_JPEG:
                    assert index_in(picture_in(frame)) == frame.motion.index

    run_served(story)


def test_interrupt_is_heard_past_a_long_clip_and_the_next_line_starts_clean() -> None:
    async def story(server: Server, client: Client) -> None:
        async with client.animate("ada", settings()) as face:
            await face.begin("long")
            await face.push(tone(30))
            await until(face, "UTTERANCE_STARTED")
            await face.interrupt()
            await face._send(pb.AnimateRequest(interrupt=pb.Interrupt(epoch=1)))  # sent again: it does nothing more
            await face.begin("next")
            await face.push(tone(0.5))
            await face.end()
            frames, events = await until(face, "UTTERANCE_FINISHED")
        assert [kind_of(event) for event in events] == ["INTERRUPTED", "UTTERANCE_STARTED", "UTTERANCE_FINISHED"]
        assert events[0].utterance_id == "long" and events[-1].utterance_id == "next"
        assert {frame.epoch for frame in frames} == {1}
        assert {frame.utterance for frame in frames} <= {2, None}

    run_served(story)


def test_silence_goes_on_living_and_a_half_closed_call_ends() -> None:
    async def story(server: Server, client: Client) -> None:
        async with client.animate("ada", settings()) as face:
            seen = 0
            async for item in face:
                seen += isinstance(item, Output)
                if seen == 10:
                    await face.finish()
            assert seen >= 10
        await gone(server)

    run_served(story)


def test_frames_are_labelled_and_marked_with_the_session() -> None:
    async def story(server: Server, client: Client) -> None:
        config = settings(size_px=512, delivery=pb.DELIVERY_IMMEDIATE)
        async with client.animate(picture(120), config) as face:
            await face.push(tone(0.3))
            await face.end()
            frames, _ = await until(face, "UTTERANCE_FINISHED")
            session = face.started.session_id
        mark = detect(picture_in(frame) for frame in frames)
        assert mark is not None and f"{mark.session_id:08x}" == session
        red = picture_in(frames[0])[..., 0].astype(int)
        assert np.ptp(red[300:]) > 100 or np.ptp(red[:200]) > 100

    run_served(story)


def test_the_label_goes_only_for_a_reason() -> None:
    async def story(server: Server, client: Client) -> None:
        off = pb.Disclosure(label=pb.LABEL_MODE_OFF)
        with pytest.raises(InputError, match="reason"):
            async with client.animate("ada", settings(disclosure=off)):
                pass
        off.label_off_reason = "characters of our own game"
        async with client.animate("ada", settings(disclosure=off)) as face:
            assert face.started.config.disclosure.label == pb.LABEL_MODE_OFF
            assert face.started.config.disclosure.watermark == pb.WATERMARK_MODE_ON

    run_served(story)


def test_portrait_swap_and_a_portrait_without_a_face() -> None:
    async def story(server: Server, client: Client) -> None:
        async with client.animate(picture(50), settings()) as face:
            await face.set_portrait(picture(90) + b"nobody")
            _, events = await until(face, "PORTRAIT_FAILED")
            assert isinstance(events[-1], Event) and events[-1].detail == "no face was found"
            await face.set_portrait(picture(90))
            frames, _ = await until(face, "PORTRAIT_CHANGED")
            assert all(abs(np.median(picture_in(frame)[..., 0]) - 50) <= 3 for frame in frames)
            async for item in face:
                if isinstance(item, Output):
                    assert abs(np.median(picture_in(item)[..., 0]) - 90) <= 3
                    return

    run_served(story)


def test_a_portrait_is_visible_to_its_owner_alone() -> None:
    async def story(server: Server, client: Client) -> None:
        from vivant.client import connect

        portrait = await client.put_portrait(picture(7), Consent.UNREAL)
        async with connect(f"127.0.0.1:{server.port}") as other:
            assert await other.portraits() == list(BUNDLED)
            for steal in (other.warm_up(portrait), other.delete_portrait(portrait)):
                with pytest.raises(InputError, match="no portrait"):
                    await steal
        assert await client.portraits() == [*BUNDLED, portrait]
        await client.delete_portrait(portrait)
        with pytest.raises(InputError, match="no portrait"):
            await client.warm_up(portrait)

    run_served(story)


def test_a_picture_speaks_only_when_somebody_said_who_it_shows() -> None:
    async def story(server: Server, client: Client) -> None:
        silent = settings(consent=None)
        with pytest.raises(InputError, match="nobody has said yet who this portrait shows"):
            async with client.animate(picture(5), silent):
                pass
        for refused in (client.put_portrait(picture(5)), client.warm_up(picture(5))):
            with pytest.raises(InputError, match=r"consent\.basis"):
                await refused
        assert await client.portraits() == list(BUNDLED)
        portrait = await client.put_portrait(picture(5), Consent.ME)
        for known in (portrait, picture(5)):  # said once
            async with client.animate(known, silent) as face:
                assert face.started.config.consent.basis == pb.CONSENT_BASIS_ME
        async with client.animate("ada", silent) as face:
            assert face.started.config.consent.basis == pb.CONSENT_BASIS_SYNTHETIC
            await face.set_portrait(picture(6))  # what holds for a bundled portrait says nothing of this one
            _, events = await until(face, "PORTRAIT_FAILED")
            assert isinstance(events[-1], Event) and "nobody has said yet" in events[-1].detail
        async with client.animate("ada", silent, Consent.AGREED) as face:
            await face.set_portrait(picture(6))
            await until(face, "PORTRAIT_CHANGED")

    run_served(story)


def test_the_policy_of_the_machine_holds_for_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = hashlib.sha256(picture(5)).hexdigest()
    (tmp_path / "policy.toml").write_text(f'portraits = ["{allowed}"]')
    monkeypatch.setenv("VIVANT_POLICY", str(tmp_path / "policy.toml"))

    async def story(server: Server, client: Client) -> None:
        assert await client.put_portrait(picture(5), Consent.ME)
        for other in (client.put_portrait(picture(6), Consent.ME), client.warm_up("ada")):
            with pytest.raises(InputError, match="policy of this machine"):
                await other

    run_served(story)


def test_a_full_server_refuses_with_a_hint_and_takes_the_next_when_one_leaves() -> None:
    async def story(server: Server, client: Client) -> None:
        async with client.animate("ada", settings()):
            with pytest.raises(UnavailableError, match="RESOURCE_EXHAUSTED"):
                async with client.animate("ada", settings()):
                    pass
        await gone(server)
        async with client.animate("ada", settings()) as face:
            assert face.started.session_id

    run_served(story, ServerConfig(limits=Limits(sessions=1)))


def test_synthesize_gives_the_items_of_a_local_stream() -> None:
    async def story(server: Server, client: Client) -> None:
        voice = (tone(1) * 32767).round().astype("<i2")
        config = RemoteConfig(size_px=SIZE_PX, sample_rate_hz=RATE_HZ, seed=3)
        items = [item async for item in client.synthesize("ada", voice, config)]
        with FaceStream(PlainFace(), fps=25, sample_rate_hz=RATE_HZ, seed=3, pictures=False) as stream:
            local = [*stream.push(voice.astype(np.float32) / 32768), *stream.finish()]
        assert [type(item) for item in items] == [type(item) for item in local]
        assert [item for item in items if not isinstance(item, Output)] == [
            item for item in local if not isinstance(item, Output)
        ]
        outputs = [item for item in items if isinstance(item, Output)]
        for one, other in zip(outputs, (item for item in local if isinstance(item, Output)), strict=True):
            assert (one.pts_us, one.utterance, one.portrait) == (other.pts_us, other.utterance, "ada")
            assert np.array_equal(one.motion.weights, other.motion.weights)
            assert one.picture is not None and index_in(one.picture.pixels) == one.motion.index

    run_served(story)


def test_synthesize_is_refused_as_everything_else() -> None:
    async def story(server: Server, client: Client) -> None:
        with pytest.raises(InputError, match="nobody has said yet"):
            async for _ in client.synthesize(picture(1), tone(0.1), RemoteConfig(size_px=SIZE_PX)):
                pass

    run_served(story)


def test_capabilities_are_values() -> None:
    async def story(server: Server, client: Client) -> None:
        able = await client.capabilities()
        assert set(able.pixel_formats) == set(PixelFormat)
        assert (able.version, able.sessions, able.shared_memory) == (vivant.__version__, 0, True)
        assert "ada" in able.bundled_portraits
        assert able.limits.size_px == Limits().size_px and able.limits.sessions == Limits().sessions

    run_served(story)


def test_audio_beyond_the_queue_is_refused() -> None:
    """By the server, to a client that does not count by itself."""

    async def story(server: Server, client: Client) -> None:
        with pytest.raises(UnavailableError, match="send it later"):
            async with client.animate("ada", settings(audio_queue_ms=1000)) as face:
                await face._send(pb.AnimateRequest(audio=pb.Audio(samples=bytes(10 * RATE_HZ))))
                await until(face, "NEVER")

    run_served(story)
