"""A text that is known goes with its utterance: the same lips in a stream, a session, on a server and in a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from tests.conftest import VOICE_RATE_HZ
from tests.session.command_line import Run, write_wav
from tests.session.live import push_all
from tests.session.test_motion_command import weights
from vivant.client import RemoteConfig, connect
from vivant.errors import InputError
from vivant.server.server import Server
from vivant.session.session import Session, SessionConfig
from vivant.session.stream import FaceStream
from vivant.testing import PlainFace
from vivant.types import Float32Array, Item, Output
from vivant.v1 import vivant_pb2 as pb
from vivant.v1.vivant_pb2_grpc import FaceServiceStub

pytestmark = pytest.mark.session

TEXT = "Hello! I am a portrait, and this is my voice."
SEED = 11


@pytest.fixture
def samples(voice: Float32Array) -> Float32Array:
    """As int16 carries it, which is what goes over the wire."""
    return (np.round(voice * 32767).astype(np.int16) / np.float32(32768)).astype(np.float32)


def opened() -> FaceStream:
    return FaceStream(PlainFace(), size_px=64, sample_rate_hz=VOICE_RATE_HZ, seed=SEED, pictures=False)


def lips(items: list[Item]) -> Float32Array:
    return np.stack([item.motion.weights for item in items if isinstance(item, Output)])


def said(samples: Float32Array, *texts: str) -> Float32Array:
    with opened() as stream:
        for text in texts:
            stream.say_text(text, "en")
        return lips([*stream.push(samples), *stream.finish()])


def test_stream_session_and_server_say_a_text_alike_to_the_bit(samples: Float32Array) -> None:
    async def local() -> list[Item]:
        config = SessionConfig(size_px=64, sample_rate_hz=VOICE_RATE_HZ, seed=SEED, paced=False, pictures=False)
        async with Session(PlainFace(), config) as session:
            await session.begin("line", TEXT, "en")
            pushing = asyncio.create_task(push_all(session, samples))
            items = [item async for item in session]
            await pushing
        return items

    async def remote() -> list[Item]:
        config = RemoteConfig(fps=30, size_px=64, sample_rate_hz=VOICE_RATE_HZ, seed=SEED, paced=False, pictures=False)
        async with Server() as server, connect(f"127.0.0.1:{server.port}") as client, client.animate("ada", config) as session:
            await session.begin("line", TEXT[:20], "en")
            await session.say_text(TEXT[20:], "en")
            await session.push((samples * 32768).astype(np.int16))
            await session.finish()
            return [item async for item in session if isinstance(item, Output)]

    whole = said(samples, TEXT)
    assert np.array_equal(whole, said(samples, TEXT[:8], TEXT[8:]))
    assert np.array_equal(whole, lips(asyncio.run(local())))
    assert np.array_equal(whole, lips(asyncio.run(remote())))
    assert 0.01 < np.abs(whole - said(samples)).max() < 0.5


def test_however_the_sound_is_cut_a_text_comes_at_its_place(samples: Float32Array) -> None:
    def spoken(piece: int) -> Float32Array:
        with opened() as stream:
            items = []
            for half, text in zip(np.split(samples, 2), (TEXT[:25], TEXT[25:]), strict=True):
                stream.say_text(text, "en")
                for first in range(0, len(half), piece):
                    items += list(stream.push(half[first : first + piece]))
            return lips([*items, *stream.finish()])

    assert np.array_equal(spoken(len(samples)), spoken(1_111))


def test_a_text_ends_with_its_utterance(samples: Float32Array) -> None:
    def spoken(text: str) -> Float32Array:
        with opened() as stream:
            stream.begin("one", text, "en")
            items = [*stream.push(samples), *stream.end()]
            return lips([*items, *stream.push(samples), *stream.finish()])

    known, unknown = spoken(TEXT * 9), spoken("")
    second = len(known) // 2 + 10
    assert np.array_equal(known[second:], unknown[second:]) and not np.array_equal(known, unknown)


def test_an_interruption_forgets_the_text(samples: Float32Array) -> None:
    with opened() as stream:
        stream.say_text(TEXT)
        stream.interrupt()
        assert stream.queued_chars == 0
        heard = lips([*stream.push(samples), *stream.finish()])
    assert np.array_equal(heard, said(samples))


@pytest.mark.parametrize("wrong", [b"Hello", 5, None])
def test_what_is_no_text_is_refused_in_a_sentence(wrong: str) -> None:
    calls: list[Callable[[FaceStream], None]] = [
        lambda stream: stream.say_text(wrong),
        lambda stream: stream.begin("line", text=wrong),
        lambda stream: stream.say_text("Hello", language=wrong),
    ]
    for call in calls:
        with opened() as stream, pytest.raises(InputError, match="must be a text, got"):
            call(stream)


def test_any_text_may_go_to_a_server(samples: Float32Array) -> None:
    """More of it than a message holds, and halves of characters."""

    async def story() -> list[Item]:
        config = RemoteConfig(size_px=64, sample_rate_hz=VOICE_RATE_HZ, paced=False, pictures=False)
        async with Server() as server, connect(f"127.0.0.1:{server.port}") as client, client.animate("ada", config) as session:
            await session.say_text("\ud83d Grüße, 你好 🙂 " * 10_000)
            await session.push(samples[:24_000])
            await session.finish()
            return [item async for item in session if isinstance(item, Output)]

    assert len(asyncio.run(story())) == 25


def test_files_are_made_with_their_texts(run: Run, tmp_path: Path, samples: Float32Array) -> None:
    voice = write_wav(tmp_path / "line.wav", samples, VOICE_RATE_HZ)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "line.txt").write_text(TEXT)
    for name, option in (
        ("alone", ""),
        ("typed", TEXT),
        ("file", f"@{tmp_path}/texts/line.txt"),
        ("folder", f"@{tmp_path}/texts"),
    ):
        assert run("motion", str(voice), "-o", str(tmp_path / f"{name}.jsonl"), "--text", option, "--seed", "1").code == 0
    alone, typed, file, folder = (weights(tmp_path / f"{name}.jsonl") for name in ("alone", "typed", "file", "folder"))
    assert np.array_equal(typed, file) and np.array_equal(typed, folder) and not np.array_equal(typed, alone)
    assert "cannot read" in run("motion", str(voice), "-o", str(tmp_path / "x.csv"), "--text", "@missing").sentence()
    assert not (tmp_path / "x.csv").exists()
    render = ("render", "ada", str(voice), "--size", "96", "--fps", "12", "--text")
    assert "cannot read" in run(*render, "@missing", "-o", str(tmp_path / "x.mp4")).sentence()
    assert run(*render, f"@{tmp_path}/texts/line.txt", "-o", str(tmp_path / "x.mp4")).code == 0


def test_a_language_is_a_tag_and_no_text_is_nothing() -> None:
    with opened() as stream:
        with pytest.raises(InputError, match="language must be a tag such as de"):
            stream.say_text("Hello", "x" * 65)
        stream.say_text("")
        stream.push(np.zeros(160, np.float32))
        n_items = len(stream._given.queue._items)
        stream.say_text("", "de")
        assert not stream._next_text and len(stream._given.queue._items) == n_items


def test_the_text_and_name_of_a_line_without_sound_end_with_it(samples: Float32Array) -> None:
    with opened() as stream:
        stream.begin("silent", TEXT, "en")
        stream.end()
        assert stream.queued_chars == 0
        items = [*stream.push(samples), *stream.finish()]
    assert {item.utterance_id for item in items if isinstance(item, Output)} == {""}
    assert np.array_equal(lips(items), said(samples))


@pytest.mark.parametrize("kind", ["Animate", "Synthesize"])
def test_a_server_refuses_what_is_no_language(kind: str) -> None:
    said = pb.Text(text=TEXT, language="x" * 65)
    config = pb.SessionConfig(portrait=pb.PortraitRef(id="ada"), size_px=64, outputs=pb.OUTPUTS_MOTION)

    async def ask() -> None:
        async with Server() as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub: Any = FaceServiceStub(channel)  # type: ignore[no-untyped-call]
            if kind == "Animate":
                call = stub.Animate()
                await call.write(pb.AnimateRequest(config=config))
                await call.write(pb.AnimateRequest(text=said))
            else:
                call = stub.Synthesize(pb.SynthesizeRequest(config=config, samples=bytes(3200), text=said))
            with pytest.raises(grpc.aio.AioRpcError, match="language must be a tag") as refused:
                async for _ in call:
                    pass
            assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert TEXT not in str(refused.value.details())

    asyncio.run(asyncio.wait_for(ask(), 20))
