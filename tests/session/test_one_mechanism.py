"""One mechanism: stream, session and session on a server give the same outputs to the bit, and each knows its epoch."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import VOICE_RATE_HZ
from tests.session.live import push_all, same
from tests.session.virtual_call import Wire, call, shared_context
from vivant.client import RemoteConfig, connect
from vivant.errors import ClosedError
from vivant.face import RigFace
from vivant.server.server import Server
from vivant.session import presenter as presenter_module
from vivant.session.session import Session, SessionConfig
from vivant.session.stream import FaceStream
from vivant.testing import LoopClock, PlainFace, run_virtual
from vivant.types import Float32Array, Interrupted, Item, Marker, Output, PixelFormat, UtteranceEnd, UtteranceStart
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.responses import Response

pytestmark = pytest.mark.session

SIZE_PX, SEED = 96, 11


@pytest.fixture(autouse=True)
def one_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    """The invisible mark is a new number in every session; here always the same."""
    monkeypatch.setattr(presenter_module, "live_session_id", lambda: 7)


def spoken(voice: Float32Array) -> Float32Array:
    """As int16 carries it, which is what goes over the wire."""
    whole = np.round(voice[: VOICE_RATE_HZ * 3 // 2] * 32767).astype(np.int16)
    return whole.astype(np.float32) / np.float32(32768)


def test_stream_session_and_server_give_the_same_to_the_bit(ada: RigFace, voice: Float32Array) -> None:
    samples = spoken(voice)

    async def local() -> list[Item]:
        config = SessionConfig(size_px=SIZE_PX, sample_rate_hz=VOICE_RATE_HZ, seed=SEED, paced=False)
        async with Session(ada, config) as session:
            pushing = asyncio.create_task(push_all(session, samples))
            items = [item async for item in session]
            await pushing
        return items

    async def remote() -> list[Item]:
        config = RemoteConfig(fps=30, size_px=SIZE_PX, sample_rate_hz=VOICE_RATE_HZ, seed=SEED, paced=False)
        async with Server() as server, connect(f"127.0.0.1:{server.port}") as client, client.animate("ada", config) as session:
            await session.push((samples * 32768).astype(np.int16))
            await session.end()
            await session.finish()
            return [item async for item in session if isinstance(item, Output | Marker)]

    with FaceStream(ada, size_px=SIZE_PX, sample_rate_hz=VOICE_RATE_HZ, seed=SEED) as stream:
        offline = [*stream.push(samples), *stream.end(), *stream.finish()]
    here, there = asyncio.run(local()), asyncio.run(remote())
    assert len(offline) == len(here) == len(there) > 40
    assert all(same(a, b) for a, b in zip(offline, here, strict=True))
    named = [replace(item, portrait="") if isinstance(item, Output) else item for item in there]
    assert all(same(a, b) for a, b in zip(offline, named, strict=True))


def test_what_was_on_its_way_when_an_interruption_came_keeps_its_own_epoch() -> None:
    """The interruption arrives while the motion of an instant is being written; its picture is of the old line all the same."""
    heard: list[pb.AnimateResponse] = []

    class SlowWire(Wire):
        async def write(self, response: Response) -> None:
            await super().write(response)
            if heard[-1].HasField("motion") and heard[-1].motion.index == 30:
                self.send(pb.AnimateRequest(interrupt=pb.Interrupt(epoch=5)))
                await LoopClock().sleep_until(LoopClock().now_us() + 5_000)

    async def story() -> None:
        wire = SlowWire(heard.append)
        wire.send(pb.AnimateRequest(audio=pb.Audio(samples=bytes(32_000 * 2))))
        calling = asyncio.create_task(call(shared_context(), wire, outputs=pb.OUTPUTS_FRAMES_AND_MOTION))
        await LoopClock().sleep_until(3_000_000)
        wire.close()
        await calling

    run_virtual(story())
    at = next(place for place, said in enumerate(heard) if said.HasField("motion") and said.motion.index == 30)
    assert heard[at + 1].HasField("frame") and heard[at + 1].frame.index == 30
    assert heard[at].motion.epoch == heard[at + 1].frame.epoch == 0
    cut = next(place for place, said in enumerate(heard) if said.event.type == pb.EVENT_TYPE_INTERRUPTED)
    instants = [said.frame if said.HasField("frame") else said.motion for said in heard]
    epochs = [instant.epoch for instant in instants if instant.pts_us or instant.index]
    assert epochs == sorted(epochs) and {0, 5} == set(epochs)
    assert all(said.frame.epoch == 0 for said in heard[:cut] if said.HasField("frame"))
    assert all(said.frame.epoch == 5 for said in heard[cut:] if said.HasField("frame"))


def test_the_sound_of_a_stream_comes_with_its_frames_once_and_whole(voice: Float32Array) -> None:
    first, second = voice[:20_011], voice[20_011:31_000]
    with FaceStream(PlainFace(), size_px=64, sample_rate_hz=VOICE_RATE_HZ, pictures=False, audio=True) as stream:
        items = [*stream.push(first), *stream.end(), *stream.push(second), *stream.finish()]
    chunks = [item.audio for item in items if isinstance(item, Output) and item.audio is not None]
    assert np.array_equal(np.concatenate([chunk.samples for chunk in chunks]), voice[:31_000])
    assert [chunk.start_sample for chunk in chunks[1:]] == np.cumsum([len(chunk.samples) for chunk in chunks[:-1]]).tolist()


def test_after_an_interruption_the_stream_goes_on_with_what_comes_next(voice: Float32Array) -> None:
    with FaceStream(PlainFace(), size_px=64, sample_rate_hz=VOICE_RATE_HZ, pictures=False, audio=True) as stream:
        before = list(stream.push(voice[:VOICE_RATE_HZ]))
        cut = stream.interrupt()
        after = [*stream.push(voice[VOICE_RATE_HZ:]), *stream.finish()]
    last = [item for item in before if isinstance(item, Output)][-1]
    assert cut == Interrupted(1, last.pts_us) and cut.epoch == 1
    outputs = [item for item in after if isinstance(item, Output)]
    assert after[0] == UtteranceStart(2) and isinstance(after[-1], UtteranceEnd)
    assert {item.epoch for item in outputs} == {1} and {item.utterance for item in outputs} == {2}
    assert outputs[0].motion.index == last.motion.index + 1
    sound = np.concatenate([item.audio.samples for item in outputs if item.audio is not None])
    assert np.array_equal(sound, voice[VOICE_RATE_HZ:])


def test_after_the_finish_no_sound_is_taken(voice: Float32Array) -> None:
    with FaceStream(PlainFace(), size_px=64, sample_rate_hz=VOICE_RATE_HZ, pictures=False) as stream:
        stream.push(voice[:4_000])
        rest = stream.finish()
        with pytest.raises(ClosedError, match="finish"):
            stream.push(voice[4_000:])
        items = list(rest)
    assert isinstance(items[0], UtteranceStart) and isinstance(items[-1], UtteranceEnd)


def test_pictures_are_disclosed_unless_somebody_says_why_not(ada: RigFace) -> None:
    from vivant.provenance.watermark_detector import detect
    from vivant.session.presenter import Presenter

    def pictures(**how: str) -> list[np.ndarray]:
        with FaceStream(ada, presenter=Presenter(ada, **how)) as stream:  # type: ignore[arg-type]
            items = [*stream.push(np.zeros(8_000, np.float32)), *stream.finish()]
        return [item.picture.pixels for item in items if isinstance(item, Output) and item.picture is not None]

    plain, bare = pictures(), pictures(label_off_reason="a character of our own game")
    mark = detect([frame[..., :3] for frame in plain])
    assert mark is not None and mark.session_id == 7
    assert detect([frame[..., :3] for frame in bare]) is not None
    assert np.abs(plain[0].astype(int) - bare[0]).max() > 60  # the label


def test_formats_of_pictures(ada: RigFace) -> None:
    from vivant.pixels import decoded
    from vivant.session.presenter import Presenter
    from vivant.types import MotionFrame, arkit_weights

    rest = MotionFrame(0, 0, arkit_weights())
    made = {form: Presenter(ada, size_px=128, pixel_format=form).present(rest) for form in PixelFormat}
    assert all(frame is not None and frame.format is form and frame.size_px == (128, 128) for form, frame in made.items())
    rgba, jpeg = (decoded(made[form]) for form in (PixelFormat.RGBA, PixelFormat.JPEG))  # type: ignore[arg-type]
    assert np.abs(rgba[..., :3].astype(int) - jpeg[..., :3]).mean() < 4
