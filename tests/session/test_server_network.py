"""Slow and distant networks, and clients that read nothing: thinned and never cut, or ended by a sentence that arrives."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import grpc
import numpy as np
import pytest

from tests.session.server_kit import RATE_HZ, SIZE_PX, gone, run_served, serving, settings, tone, until
from tests.session.slow_network import slow_network
from tests.session.virtual_call import StillVoice, StillVoiceState, Wire, call, shared_context
from vivant.client import Client, RemoteConfig, connect
from vivant.client import session as session_module
from vivant.errors import UnavailableError
from vivant.server.call import Call
from vivant.server.limits import Limits
from vivant.server.listener import _options
from vivant.server.outflow import FIRST_FRAMES, HOLD_US, SendWindow
from vivant.server.server import Server, ServerConfig
from vivant.testing import LoopClock, run_virtual
from vivant.types import Interrupted, Output, PixelFormat
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.responses import Response

pytestmark = pytest.mark.session

MOST_UNREAD_S = 1.5
IMPATIENT = ServerConfig(limits=Limits(unread_s=MOST_UNREAD_S))
ADA = pb.PortraitRef(id="ada")
FACE_PX = 512
"""A megabyte for each picture."""


def calls_of(server: Server) -> list[Call]:
    return [member for member in server.shared.load_shedder.members if isinstance(member, Call)]


@pytest.mark.parametrize(
    ("bytes_per_s", "delay_s", "n_frames"),
    [(8e6, 0.0, 20), (1e6, 0.0, 6), (float("inf"), 0.1, 20), (float("inf"), 0.5, 8), (1e6, 0.5, 5)],
)
def test_a_face_over_a_slow_or_distant_network_is_thinned_and_never_old(
    bytes_per_s: float, delay_s: float, n_frames: int
) -> None:
    async def story() -> None:
        async with (
            serving() as (server, _),
            slow_network(server.port, bytes_per_s, delay_s) as network,
            connect(f"127.0.0.1:{network.port}") as client,
            client.animate("ada", RemoteConfig(size_px=FACE_PX, shared_memory=False)) as face,
        ):
            indices = []
            async for item in face:
                indices += [item.motion.index] if isinstance(item, Output) and item.picture is not None else []
                if len(indices) == n_frames:
                    break
            (served,) = calls_of(server)
            assert indices == sorted(indices)
            if bytes_per_s == 1e6:
                on_their_way = int(served.figures["frames_sent"]) - n_frames
                assert on_their_way <= FIRST_FRAMES  # where the system's buffers would take ten
                assert indices[-1] - indices[-2] > 10

    asyncio.run(asyncio.wait_for(story(), 60))


def test_a_client_that_confirms_nothing_is_never_cut_while_bytes_move() -> None:
    async def story() -> None:
        async with (
            serving(IMPATIENT) as (server, _),
            slow_network(server.port, 2e6, 0.5) as network,
            grpc.aio.insecure_channel(f"127.0.0.1:{network.port}") as channel,
        ):
            animate = channel.stream_stream("/vivant.v1.FaceService/Animate")()
            first = pb.AnimateRequest(config=settings(portrait=ADA, size_px=FACE_PX))
            await animate.write(first.SerializeToString())
            n_frames = 0
            while n_frames < 6:
                response = pb.AnimateResponse.FromString(await animate.read())
                n_frames += response.HasField("frame")
            animate.cancel()

    asyncio.run(asyncio.wait_for(story(), 60))


async def unread(server: Server, method: str, *requests: Any, closes: bool) -> tuple[grpc.StatusCode, str]:  # noqa: ANN401
    """A call that is not read until its place is free; its status then."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        never_read = channel.stream_stream(f"/vivant.v1.FaceService/{method}")()
        for request in requests:
            await never_read.write(request.SerializeToString())
        if closes:
            await never_read.done_writing()
        while not server.shared.load_shedder.members:
            await asyncio.sleep(0.01)
        await gone(server)
        try:
            while await never_read.read() is not grpc.aio.EOF:
                pass
        except grpc.aio.AioRpcError as error:
            return error.code(), str(error.details())
        return await never_read.code(), ""


@pytest.mark.parametrize("kind", ["live", "confirming", "ring", "half-closed", "Synthesize"])
def test_a_client_that_reads_nothing_is_ended_by_a_sentence_and_its_place_is_free(kind: str) -> None:
    config = settings(portrait=ADA, size_px=FACE_PX, confirms_frames=kind == "confirming")
    if kind == "ring":
        config.frame_transport = pb.FRAME_TRANSPORT_SHARED_MEMORY
    if kind == "half-closed":
        config.delivery = pb.DELIVERY_IMMEDIATE

    async def story(server: Server, client: Client) -> None:
        if kind == "Synthesize":
            request = pb.SynthesizeRequest(config=config, samples=bytes(4 * RATE_HZ))
            code, sentence = await unread(server, "Synthesize", request, closes=True)
        elif kind == "half-closed":
            audio = pb.AnimateRequest(audio=pb.Audio(samples=bytes(4 * RATE_HZ)))
            code, sentence = await unread(server, "Animate", pb.AnimateRequest(config=config), audio, closes=True)
        else:
            code, sentence = await unread(server, "Animate", pb.AnimateRequest(config=config), closes=False)
        assert code == grpc.StatusCode.DEADLINE_EXCEEDED
        assert f"read nothing for {MOST_UNREAD_S} seconds" in sentence

    run_served(story, IMPATIENT, wait_s=40)


class CountingVoice(StillVoice):
    """How much sound it was given."""

    n_heard = 0

    def open(self, fps: Any, seed: int, face: object = None) -> StillVoiceState:  # noqa: ANN401
        counted = self

        class State(StillVoiceState):
            def push(self, chunk: Any, controls: Any) -> Any:  # noqa: ANN401
                counted.n_heard += len(chunk.samples)
                return super().push(chunk, controls)

        return State(fps, self.look_ahead_ms)


def test_nothing_is_inferred_for_a_client_that_does_not_read_until_it_reads_again() -> None:
    async def story() -> None:
        voice, reads = CountingVoice(), asyncio.Event()
        shared = shared_context()
        object.__setattr__(shared, "motion", voice)

        class Stuck(Wire):
            async def write(self, response: Response) -> None:
                await super().write(response)
                if LoopClock().now_us() > 1_000_000:
                    await reads.wait()

        wire = Stuck(lambda response: None)
        calling = asyncio.create_task(call(shared, wire))
        await LoopClock().sleep_until(HOLD_US + 2_500_000)
        held = voice.n_heard
        await LoopClock().sleep_until(HOLD_US + 4_500_000)
        assert voice.n_heard == held > 0
        reads.set()
        await LoopClock().sleep_until(HOLD_US + 6_500_000)
        assert voice.n_heard > held
        wire.close()
        await calling

    run_virtual(story())


def test_a_window_opens_for_distance_and_closes_for_a_queue() -> None:
    window, now_us = SendWindow(), 0
    for number in range(1, 400):  # far away, and room for all: 25 frames a second, each confirmed a second later
        now_us += 40_000
        if not window.is_full:
            window.sent(number, now_us)
        while window.oldest_us is not None and window.oldest_us + 1_000_000 <= now_us:
            window.confirmed(window._sent[0][0], now_us)
    assert window.size > 12
    for number in range(400, 800):  # near, but each takes half a second
        window.sent(number, now_us)
        window.sent(number + 1000, now_us)
        now_us += 500_000
        window.confirmed(number, now_us)
        now_us += 500_000
        window.confirmed(number + 1000, now_us)
    assert window.size < 5


def test_connections_have_deadlines() -> None:
    told = dict(_options(Limits(idle_s=7, handshake_s=3, connections=5)))
    assert told["grpc.max_connection_idle_ms"] == 7000
    assert told["grpc.server_handshake_timeout_ms"] == 3000
    assert told["grpc.max_allowed_incoming_connections"] == 5


@pytest.mark.parametrize("preface", [b"", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"])
def test_a_connection_without_a_call_does_not_stay(preface: bytes) -> None:
    """Neither one that says nothing at all, nor one that speaks HTTP/2 and then calls nothing."""

    async def story(server: Server, client: Client) -> None:
        idle = await asyncio.open_connection("127.0.0.1", server.port)
        idle[1].write(preface)
        while await idle[0].read(1024):
            pass  # until the server hangs up
        idle[1].close()

    run_served(story, ServerConfig(limits=Limits(idle_s=1, handshake_s=1)), wait_s=30)


def test_no_more_connections_are_taken_than_there_may_be() -> None:
    async def story(server: Server, client: Client) -> None:
        await client.portraits()
        with socket.create_connection(("127.0.0.1", server.port)) as second:
            second.settimeout(20)
            assert await asyncio.to_thread(second.recv, 1 << 16) == b""
        assert "ada" in await client.portraits()

    run_served(story, ServerConfig(limits=Limits(connections=1)), wait_s=40)


def test_a_voice_longer_than_the_queue_and_any_message_is_synthesized() -> None:
    seconds, most = 40, Limits(audio_queue_ms=2_000, message_bytes=256 << 10)
    assert 2 * RATE_HZ * seconds > most.message_bytes

    async def story(server: Server, client: Client) -> None:
        config = RemoteConfig(size_px=SIZE_PX, sample_rate_hz=RATE_HZ)
        outputs = [item async for item in client.synthesize("ada", tone(seconds), config) if isinstance(item, Output)]
        assert [item.motion.index for item in outputs] == list(range(25 * seconds))
        assert all(item.picture is not None for item in outputs)

    run_served(story, ServerConfig(limits=most), wait_s=60)


def test_a_live_push_waits_for_room_and_ends_with_an_interruption() -> None:
    async def story(server: Server, client: Client) -> None:
        async with client.animate("ada", RemoteConfig(size_px=SIZE_PX, sample_rate_hz=RATE_HZ)) as face:
            pushing = asyncio.create_task(face.push(tone(1800)))
            async for item in face:
                if isinstance(item, Output) and item.utterance is not None and item.motion.index > 25:
                    break
            (served,) = calls_of(server)
            assert not pushing.done() and 0 < served._session.stream.queued_ms <= 8_000
            await face.interrupt()
            await until(face, "INTERRUPTED")
            await pushing
            assert served._session.stream.queued_ms == 0
            await face.push(tone(0.3))
            await face.end()
            _, said = await until(face, "UTTERANCE_FINISHED")
            assert not [item for item in said if isinstance(item, Interrupted)]

    run_served(story, ServerConfig(limits=Limits(audio_queue_ms=8_000)), wait_s=30)


def test_a_refusal_reaches_whoever_pushes_with_its_reason() -> None:
    async def story(server: Server, client: Client) -> None:
        async with client.animate("ada", RemoteConfig(size_px=FACE_PX, shared_memory=False)) as face:
            with pytest.raises(UnavailableError, match="at most 20 messages per second"):
                for _ in range(2000):
                    await face.push(tone(0.01))

    run_served(story, ServerConfig(limits=Limits(messages_per_s=20)), wait_s=30)


def test_memory_is_shared_by_itself_and_not_where_somebody_says_no(monkeypatch: pytest.MonkeyPatch) -> None:
    async def shares(client: Client, **how: Any) -> bool:  # noqa: ANN401
        config = RemoteConfig(size_px=SIZE_PX, **how)
        async with client.animate("ada", config) as face:
            async for item in face:
                if isinstance(item, Output) and item.picture is not None:
                    assert config.pixel_format is PixelFormat.JPEG or np.asarray(item.picture.pixels).size == 4 * SIZE_PX**2
                    break
            notes = [note for note in face.started.notes if "inline" in note]
            assert not face.started.HasField("ring") or not notes
            return face.started.HasField("ring") or bool(notes)

    async def story(server: Server, client: Client) -> None:
        assert await shares(client)
        assert not await shares(client, shared_memory=False)
        assert not await shares(client, pixel_format=PixelFormat.JPEG)

        def denied(name: str) -> Any:  # noqa: ANN401
            raise PermissionError(name)

        monkeypatch.setattr(session_module, "attach", denied)
        async with client.animate("ada", RemoteConfig(size_px=SIZE_PX)) as face:
            assert session_module.NO_MEMORY in face.started.notes and not face.started.HasField("ring")
            assert [item async for item in first_pictures(face)]
        with pytest.raises(UnavailableError, match="not on this machine"):
            await shares(client, shared_memory=True)

    run_served(story, wait_s=30)


async def first_pictures(face: Any) -> Any:  # noqa: ANN401
    async for item in face:
        if isinstance(item, Output) and item.picture is not None:
            yield item
            return
