"""What strangers send, how the server ends, and who may call it."""

from __future__ import annotations

import asyncio
import errno
import json
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from tests.session.server_kit import SIZE_PX, gone, picture, raw_stub, run_served, settings, tone, until
from vivant.client import Client, Event, connect
from vivant.errors import InputError, UnavailableError
from vivant.provenance.consent import Consent
from vivant.server.limits import Limits
from vivant.server.logs import is_news
from vivant.server.security import Security
from vivant.server.server import Server, ServerConfig
from vivant.types import Output
from vivant.v1 import vivant_pb2 as pb

pytestmark = [pytest.mark.session, pytest.mark.realtime]

N_FUZZ = 10_000
CONFIG = pb.AnimateRequest(config=settings(portrait=pb.PortraitRef(id="ada"), outputs=pb.OUTPUTS_MOTION)).SerializeToString()


def random_message(chance: random.Random) -> bytes:
    """Garbage, or a message of the contract with values from anywhere."""
    big = chance.choice((0, 1, 2**31, 2**63, 2**64 - 1))
    wild = chance.choice((0.0, 1e30, -1e30, float("nan"), float("inf"), 5.0))
    makers: list[Any] = [
        lambda: pb.AnimateRequest(audio=pb.Audio(samples=chance.randbytes(2 * chance.randrange(50)))),
        lambda: pb.AnimateRequest(utterance_start=pb.UtteranceStart(utterance_id="x" * chance.choice((0, 3, 64)))),
        lambda: pb.AnimateRequest(utterance_end=pb.UtteranceEnd()),
        lambda: pb.AnimateRequest(interrupt=pb.Interrupt()),
        lambda: pb.AnimateRequest(keep_alive=pb.KeepAlive()),
        lambda: pb.AnimateRequest(ring_release=pb.RingRelease(sequence=big)),
        lambda: pb.AnimateRequest(portrait=pb.PortraitRef(id=chance.choice(("ada", "nobody", "../../etc")))),
        lambda: pb.AnimateRequest(controls=pb.Controls(gaze_yaw_deg=chance.uniform(-30, 30))),
        lambda: pb.AnimateRequest(controls=pb.Controls(gaze_yaw_deg=wild)),
        lambda: pb.AnimateRequest(importance=pb.Importance(priority=chance.randrange(101), distance_m=wild)),
        lambda: pb.AnimateRequest(audio=pb.Audio(samples=b"abc")),
        lambda: pb.AnimateRequest(interrupt=pb.Interrupt(epoch=big)),
        lambda: pb.AnimateRequest(config=pb.SessionConfig()),
    ]
    if chance.random() < 0.03:
        return chance.randbytes(chance.randrange(40))
    weights = [8] * 8 + [0.2] * 5
    return bytes(chance.choices(makers, weights)[0]().SerializeToString())


def test_ten_thousand_random_messages_while_another_face_speaks() -> None:
    async def story(server: Server, client: Client) -> None:
        channel, animate = raw_stub(server)
        chance, sent = random.Random(4), 0
        async with client.animate("ada", settings()) as face:
            listening = asyncio.create_task(until(face, "UTTERANCE_FINISHED"))
            while sent < N_FUZZ:
                call = animate()
                await call.write(CONFIG)
                try:
                    for _ in range(chance.randrange(400)):
                        sent += 1
                        await call.write(random_message(chance))
                    await call.done_writing()
                    call.cancel()
                except (grpc.aio.AioRpcError, asyncio.InvalidStateError, asyncio.CancelledError):
                    pass
            await face.push(tone(0.5))
            await face.end()
            await listening
        await channel.close()
        await gone(server)
        codes = {
            sample.labels["code"]
            for metric in server.metrics.registry.collect()
            for sample in metric.samples
            if "code" in sample.labels
        }
        assert "InputError" in codes and codes <= {"InputError", "StatusError"}, codes

    run_served(story, ServerConfig(limits=Limits(messages_per_s=100_000)), wait_s=60)


@trying(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(garbage=st.binary(max_size=200))
def test_garbage_first_is_refused(garbage: bytes) -> None:
    async def story(server: Server, client: Client) -> None:
        channel, animate = raw_stub(server)
        call = animate()
        await call.write(garbage)
        await call.done_writing()
        assert await call.code() in (
            grpc.StatusCode.FAILED_PRECONDITION,
            grpc.StatusCode.INVALID_ARGUMENT,
            grpc.StatusCode.INTERNAL,
        )
        await channel.close()
        assert (await client.capabilities()).sessions == 0

    run_served(story)


def test_a_portrait_that_is_no_picture_and_one_that_is_too_large() -> None:
    async def story(server: Server, client: Client) -> None:
        with pytest.raises(InputError, match="not a readable image"):
            await client.put_portrait(b"hello")
        with pytest.raises(InputError, match="1000 bytes"):
            await client.put_portrait(bytes(1001))

    run_served(story, ServerConfig(limits=Limits(portrait_bytes=1000)))


def test_pictures_of_clients_who_left_make_room_for_new_ones() -> None:
    async def story(server: Server, client: Client) -> None:
        first = await client.put_portrait(picture(1), Consent.UNREAL)
        async with connect(f"127.0.0.1:{server.port}") as other:
            second = await other.put_portrait(picture(2), Consent.UNREAL)
            assert second in await other.portraits()
        assert first not in await client.portraits()

    run_served(story, ServerConfig(limits=Limits(kept_portrait_bytes=len(picture(1)) + 10)))


def test_too_many_messages_per_second_end_the_call() -> None:
    async def story(server: Server, client: Client) -> None:
        with pytest.raises(UnavailableError):  # with gRPC's own words where a write of the client met the end first
            async with client.animate("ada", settings()) as face:
                for _ in range(200):
                    await face.end()
                await until(face, "NEVER")
        await gone(server)

    run_served(story, ServerConfig(limits=Limits(messages_per_s=50)))


def test_a_token_is_asked_for_and_health_is_open() -> None:
    async def story(server: Server, client: Client) -> None:
        with pytest.raises(UnavailableError, match="UNAUTHENTICATED"):
            await client.capabilities()
        with pytest.raises(UnavailableError, match="UNAUTHENTICATED"):
            async with client.animate("ada", settings()):
                pass
        async with connect(f"127.0.0.1:{server.port}", token="secret") as known:
            assert (await known.capabilities()).version
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
            assert answer.status == health_pb2.HealthCheckResponse.SERVING

    run_served(story, ServerConfig(security=Security(token="secret")))


def test_a_token_never_leaves_the_machine_in_the_clear() -> None:
    with pytest.raises(InputError, match="would travel in the clear"):
        connect("192.0.2.1:50051", token="secret")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_off_loopback_a_face_speaks_over_tls_with_the_token(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout {key} -out {certificate}"
    names = ["-subj", "/CN=vivant", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(["openssl", *made.split(), *names], check=True, capture_output=True)

    async def story(server: Server, plain: Client) -> None:
        address, ca = f"127.0.0.1:{server.port}", certificate.read_bytes()
        with pytest.raises(UnavailableError):
            await plain.capabilities()
        async with connect(address, token="secret", ca=ca) as client, client.animate("ada", settings()) as face:
            await face.push(tone(0.3))
            await face.end()
            await until(face, "UTTERANCE_FINISHED")

    run_served(story, ServerConfig(security=Security("0.0.0.0", certificate, key, "secret")))


def test_draining_tells_calls_and_takes_no_new_ones() -> None:
    async def story(server: Server, client: Client) -> None:
        async with client.animate("ada", settings()) as face:
            draining = asyncio.create_task(server.drain(5))
            await until(face, "DRAINING")
            with pytest.raises(UnavailableError):
                await client.capabilities()
            await face.finish()
            assert [item async for item in face if isinstance(item, Output)]  # what was queued still comes
        await draining

    run_served(story)


def test_vivant_serve_says_where_it_listens_logs_lines_of_json_and_ends_on_sigterm(cache_dir: Path) -> None:
    code = "from vivant.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", "--port", "0"]

    async def refused(port: str) -> None:
        async with connect(f"127.0.0.1:{port}") as client:
            with pytest.raises(InputError):
                await client.warm_up("a portrait of somebody")

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        said = process.stdout.readline()
        assert said.startswith("vivant listens on 127.0.0.1:")
        asyncio.run(refused(said.split("127.0.0.1:")[1].split()[0]))
        process.send_signal(signal.SIGTERM)
        errors = process.stderr.read()
        assert process.wait(10) == 0
    lines = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
    assert any(line["event"] == "call refused" and line["reason"] == "StatusError" for line in lines)
    assert "somebody" not in errors


@pytest.mark.parametrize("method", ["GetCapabilities", "PutPortrait", "WarmUp", "DeletePortrait", "Synthesize"])
def test_garbage_to_a_call_of_one_message_is_answered_in_a_sentence(method: str, caplog: pytest.LogCaptureFixture) -> None:
    async def story(server: Server, client: Client) -> None:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            call = channel.unary_stream(f"/vivant.v1.FaceService/{method}")(b"\xff\xff garbage")
            assert await call.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert "is not of the kind" in await call.details()

    run_served(story)
    assert not [record for record in caplog.records if record.levelname == "ERROR" and is_news(record)]


def test_a_call_that_never_says_its_config_ends() -> None:
    async def story(server: Server, client: Client) -> None:
        channel, animate = raw_stub(server)
        call = animate()
        assert await call.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert "within 0.2 seconds" in await call.details()
        await channel.close()

    run_served(story, ServerConfig(limits=Limits(first_message_s=0.2)))


def test_after_the_last_epoch_an_interruption_is_still_one() -> None:
    async def story(server: Server, client: Client) -> None:
        async with client.animate("ada", settings()) as face:
            for epoch in (2**64 - 1, 0, 0):
                await face.begin("line")
                await face.push(tone(10))
                await until(face, "UTTERANCE_STARTED")
                await face._send(pb.AnimateRequest(interrupt=pb.Interrupt(epoch=epoch)))
                _, events = await until(face, "INTERRUPTED")
                assert events[-1].epoch == 2**64 - 1

    run_served(story, wait_s=30)


def test_without_shared_memory_frames_come_inline_and_a_note_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(name: str, n_bytes: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("vivant.server.ring.make", full)

    async def story(server: Server, client: Client) -> None:
        async with client.animate("ada", settings(frame_transport=pb.FRAME_TRANSPORT_SHARED_MEMORY)) as face:
            assert face.started.config.frame_transport == pb.FRAME_TRANSPORT_INLINE
            assert "No space left on device" in face.started.notes[-1]
            async for item in face:
                if isinstance(item, Output):
                    assert item.picture is not None and item.picture.pixels.shape == (SIZE_PX, SIZE_PX, 4)
                    return

    run_served(story)


def test_memory_that_is_gone_in_the_middle_ends_in_inline_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(server: Server, client: Client) -> None:
        async with client.animate("ada", settings(frame_transport=pb.FRAME_TRANSPORT_SHARED_MEMORY)) as face:
            await anext(aiter(face))
            (call,) = server.shared.load_shedder.members

            def full(first: int, data: object) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

            monkeypatch.setattr(call._ring._memory, "write", full)  # type: ignore[attr-defined]
            _, events = await until(face, "QUALITY_CHANGED")
            assert isinstance(events[-1], Event) and "inline from here on: No space left" in events[-1].detail
            async for item in face:
                if isinstance(item, Output):
                    assert item.picture is not None and item.picture.pixels.shape == (SIZE_PX, SIZE_PX, 4)
                    return

    run_served(story)


def test_why_a_label_was_left_away_is_recorded(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "vivant.server")

    async def story(server: Server, client: Client) -> None:
        off = pb.Disclosure(label=pb.LABEL_MODE_OFF, label_off_reason="characters of our game")
        async with client.animate("ada", settings(disclosure=off)) as face:
            assert face.started.config.disclosure.label_off_reason == "characters of our game"
            (said,) = [record for record in caplog.records if record.getMessage() == "label left away"]
            assert (said.session_id, said.reason) == (face.started.session_id, "characters of our game")  # type: ignore[attr-defined]
        async with client.animate("ada", settings()):
            pass
        assert server.metrics.registry.get_sample_value("vivant_labels_off_total") == 1

    run_served(story)


def test_motion_counts_as_frames_where_no_pictures_are_wanted() -> None:
    async def story(server: Server, client: Client) -> None:
        config = settings(outputs=pb.OUTPUTS_MOTION, delivery=pb.DELIVERY_IMMEDIATE)
        async with client.animate("ada", config) as face:
            await face.push(tone(1))
            await face.finish()
            (call,) = server.shared.load_shedder.members
            n_frames = len([item async for item in face if isinstance(item, Output)])
        assert n_frames >= 20
        assert call.figures["frames_sent"] == n_frames  # type: ignore[attr-defined]
        assert server.metrics.registry.get_sample_value("vivant_frames_sent_total") == n_frames

    run_served(story)
