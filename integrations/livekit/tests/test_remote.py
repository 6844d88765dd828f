"""A face on a server: the voice stays whole and in time whatever becomes of the server, and the face comes back."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from half_an_hour import EARLIEST_MS, LATEST_MS
from livekit import rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.voice.avatar import AudioSegmentEnd
from livekit.plugins import vivant
from livekit.plugins.vivant.remote import RemoteVideoGenerator
from local_room import LocalRoom
from scripted import RATE_HZ, ClipTTS, ScriptedLLM, voice
from serving import Serving
from sync_kit import MeasuredRemote
from test_avatar import loudest
from test_generator import interrupted_a_hundred_times, push, run, taken

import vivant as core
from vivant.server.server import Server, ServerConfig
from vivant.testing import PlainFace

SIDE_PX = 128


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with Serving() as server:
        yield server


async def opened(kind: Any, address: str, **how: Any) -> Any:
    face = kind(address, "ada", sample_rate_hz=RATE_HZ, size_px=SIDE_PX, seed=1, **how)
    await face.open()
    return face


async def seen(out: Any, n: int = 1) -> None:
    """So many pictures more."""
    count = lambda: sum(isinstance(item, rtc.VideoFrame) for item in out.items)  # noqa: E731
    before = count()
    while count() < before + n:
        await asyncio.sleep(0.01)


def test_lines_come_out_to_the_bit_each_with_its_end_once(server: Serving) -> None:
    async def lines() -> None:
        face, parts = await opened(RemoteVideoGenerator, server.address), [voice(0.7), voice(0.31), voice(0.01), voice(2)]
        async with taken(face) as out:
            await seen(out)
            n = len(out.items)
            for part in parts:
                await push(face, part)
            await out.until(len(parts))
            await asyncio.sleep(0.2)
            assert np.array_equal(out.sound, np.concatenate(parts)) and out.n_ends == len(parts)
            pictures = [item for item in out.items[n:] if isinstance(item, rtc.VideoFrame)]
            assert len(pictures) > 30 and {(picture.width, picture.height) for picture in pictures} == {(SIDE_PX, SIDE_PX)}

    run(lines())


def test_a_hundred_interruptions_leave_nothing_behind(server: Serving) -> None:
    async def interrupt() -> None:
        face = await opened(RemoteVideoGenerator, server.address)
        async with taken(face) as out:
            await seen(out)
            await interrupted_a_hundred_times(face, out)

    run(interrupt())


async def talk(face: RemoteVideoGenerator, out: Any, line: np.ndarray) -> None:
    """One segment without an end, a piece whenever less than three seconds are left."""
    n_pushed = 0
    while True:
        if n_pushed - len(out.sound) < 3 * RATE_HZ:
            await push(face, line, ends=False)
            n_pushed += len(line)
        await asyncio.sleep(0.1)


@pytest.mark.slow
def test_a_server_that_is_killed_and_back_in_mid_sentence_takes_nothing_of_the_voice() -> None:
    async def lose() -> None:
        with Serving() as first:
            face, line = await opened(RemoteVideoGenerator, first.address), voice(2)
            async with taken(face) as out:
                await seen(out)
                talking = asyncio.create_task(talk(face, out, line))
                await seen(out, 25)
                first.kill()
                await asyncio.sleep(0.5)
                n_away, n_said = len(out.items), len(out.sound)
                second = await asyncio.to_thread(Serving(port=first.port).__enter__)
                try:
                    await seen(out, 25)
                    talking.cancel()
                    await face.push_audio(AudioSegmentEnd())
                    assert out.n_ends == 0
                    await out.until(1)
                    await asyncio.sleep(0.3)
                finally:
                    second.kill()
                n_lines = len(out.sound) // len(line)
                assert np.array_equal(out.sound, np.tile(line, n_lines)) and out.n_ends == 1 and face.n_faces == 2
                assert len(out.sound) > n_said and any(isinstance(item, rtc.AudioFrame) for item in out.items[n_away:][:10])

    run(lose())


def test_pictures_are_in_time_with_the_voice_also_after_the_server_was_away() -> None:
    async def measure() -> None:
        server = await Server(ServerConfig(0), opener=lambda *_, **__: PlainFace()).__aenter__()
        face = await opened(MeasuredRemote, f"127.0.0.1:{server.port}")
        async with taken(face) as out:
            await seen(out)
            await push(face, voice(6))
            await seen(out, 40)
            await server.__aexit__()
            await asyncio.sleep(0.3)
            server = await Server(ServerConfig(server.port), opener=lambda *_, **__: PlainFace()).__aenter__()
            await out.until(1)
            skews = np.array(face.measure.skews_ms)
            assert face.n_faces == 2 and len(skews) > 60
            assert np.percentile(skews, 5) > EARLIEST_MS and np.percentile(skews, 90) < LATEST_MS, np.percentile(
                skews, [0, 5, 50, 90, 100]
            )
        await server.__aexit__()

    run(measure())


def test_a_voice_that_comes_slowly_is_filled_with_silence_and_stays_in_time(server: Serving) -> None:
    async def trickle() -> None:
        face, piece = await opened(RemoteVideoGenerator, server.address), voice(0.1)
        async with taken(face) as out:
            await seen(out)
            for _ in range(6):
                await push(face, piece, ends=False)
                await asyncio.sleep(0.25)
            await push(face, piece)
            await out.until(1)
            heard = out.sound[np.flatnonzero(out.sound)]
            assert np.array_equal(heard, np.tile(piece[piece != 0], 7))
            assert len(out.sound) > 1.2 * RATE_HZ

    run(trickle())


def test_without_a_server_the_voice_goes_on() -> None:
    async def alone() -> None:
        face, line = await opened(RemoteVideoGenerator, "127.0.0.1:9"), voice(0.5)
        async with taken(face) as out:
            await push(face, line)
            await out.until(1)
            assert np.array_equal(out.sound, line)
            assert len([item for item in out.items if isinstance(item, rtc.VideoFrame)]) == 1

    run(alone())


def test_an_agent_speaks_with_a_face_over_tls_and_is_cut_short(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    key, certificate, token = tmp_path / "key.pem", tmp_path / "cert.pem", tmp_path / "token"
    token.write_text("a-token-of-this-test")
    made = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout {key} -out {certificate}"
    names = ["-subj", "/CN=vivant", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(["openssl", *made.split(), *names], check=True, capture_output=True)

    async def talk(address: str) -> None:
        room, clock = LocalRoom(), asyncio.get_running_loop()
        session = AgentSession(llm=ScriptedLLM("A long story."), tts=ClipTTS(20), vad=None)
        secret = {"token": token.read_text(), "ca": certificate.read_bytes()}
        avatar = vivant.AvatarSession("ada", size_px=SIDE_PX, server=address, **secret)  # type: ignore[arg-type]
        await avatar.start(session, room)  # type: ignore[arg-type]
        await session.start(Agent(instructions=""))
        viewer = await room.viewer()
        reply = session.generate_reply(user_input="tell me")
        while loudest(viewer, 0) < 3000:
            await asyncio.sleep(0.02)
        await session.interrupt()
        await reply
        since = clock.time() + 0.1
        await asyncio.sleep(0.6)
        assert reply.interrupted and loudest(viewer, since) < 100 and len(viewer.pictures) > 10
        await viewer.aclose()
        await avatar.aclose()
        await session.aclose()

    with Serving("--tls-cert", str(certificate), "--tls-key", str(key), "--token-file", str(token)) as server:
        run(talk(server.address))


def test_what_a_server_cannot_take_is_said(server: Serving) -> None:
    with pytest.raises(core.InputError, match="say which"):
        vivant.AvatarSession("ada", token="secret")
    with pytest.raises(core.InputError, match="opens its portraits itself"):
        vivant.AvatarSession(PlainFace(), server=server.address)
    with pytest.raises(core.InputError, match="in the clear"):
        asyncio.run(opened(RemoteVideoGenerator, "192.0.2.1:50750", token="secret"))
    with pytest.raises(core.InputError):
        asyncio.run(RemoteVideoGenerator(server.address, "nobody", sample_rate_hz=RATE_HZ).open())
