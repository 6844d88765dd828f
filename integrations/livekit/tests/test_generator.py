"""The generator in the framework's own runner: sound to the bit, ends of segments exactly once, nothing stale."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd, AvatarOptions, AvatarRunner, QueueAudioOutput
from livekit.plugins.vivant import FaceVideoGenerator
from local_room import LocalRoom
from scripted import RATE_HZ, voice
from sync_kit import index_of

import vivant
from vivant.testing import PlainFace

SIDE_PX = 128
FPS = 25


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 60))


def generator(**how: Any) -> FaceVideoGenerator:
    return FaceVideoGenerator(vivant.open_portrait("ada"), sample_rate_hz=RATE_HZ, size_px=SIDE_PX, fps=FPS, seed=1, **how)


async def push(face: FaceVideoGenerator, line: np.ndarray, *, ends: bool = True, n_channels: int = 1) -> None:
    """As a text-to-speech brings it, all at once."""
    for first in range(0, len(line), 2400 * n_channels):
        part = line[first : first + 2400 * n_channels]
        await face.push_audio(rtc.AudioFrame(part.tobytes(), RATE_HZ, n_channels, len(part) // n_channels))
    if ends:
        await face.push_audio(AudioSegmentEnd())


Item = rtc.VideoFrame | rtc.AudioFrame | AudioSegmentEnd


class Taken:
    """What a generator gives, taken at once, as by a room that never is slow."""

    def __init__(self, face: FaceVideoGenerator) -> None:
        self.items: list[Item] = []
        self._face = face
        self._task = asyncio.create_task(self._take())

    async def _take(self) -> None:
        async for item in self._face:
            self.items.append(item)

    @property
    def n_ends(self) -> int:
        return sum(isinstance(item, AudioSegmentEnd) for item in self.items)

    @property
    def sound(self) -> np.ndarray:
        return np.concatenate(
            [np.frombuffer(i.data, np.int16) for i in self.items if isinstance(i, rtc.AudioFrame)] or [np.zeros(0, np.int16)]
        )

    async def until(self, n_ends: int) -> None:
        while self.n_ends < n_ends:
            await asyncio.sleep(0.01)

    async def aclose(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._face.aclose()


@asynccontextmanager
async def taken(face: FaceVideoGenerator) -> AsyncIterator[Taken]:
    all_of_it = Taken(face)
    try:
        yield all_of_it
    finally:
        await all_of_it.aclose()


def test_lines_come_out_to_the_bit_each_with_its_end_once() -> None:
    async def lines() -> None:
        face, parts = generator(), [voice(0.7), voice(0.31), voice(0.05), voice(0.01), voice(0.003), voice(0.2)]
        async with taken(face) as out:
            for part in parts:
                await push(face, part)
            await out.until(len(parts))
            await asyncio.sleep(0.2)
            assert np.array_equal(out.sound, np.concatenate(parts)) and out.n_ends == len(parts)
            assert isinstance([item for item in out.items if not isinstance(item, rtc.VideoFrame)][-1], AudioSegmentEnd)
            pictures = [item for item in out.items if isinstance(item, rtc.VideoFrame)]
            assert {(picture.width, picture.height) for picture in pictures} == {(SIDE_PX, SIDE_PX)}

    run(lines())


def test_two_channels_become_their_mean_and_a_silent_segment_ends_too() -> None:
    async def odd() -> None:
        face, line = generator(), voice(0.3)
        async with taken(face) as out:
            await push(face, np.stack([line, line], axis=1).reshape(-1), n_channels=2)
            await face.push_audio(AudioSegmentEnd())
            await out.until(2)
            assert np.array_equal(out.sound[: len(line)], line) and not out.sound[len(line) :].any()

    run(odd())


async def interrupted_a_hundred_times(face: FaceVideoGenerator, out: Taken) -> None:
    """Afterwards nothing comes but the last line, with its end."""
    chance = np.random.default_rng(1)
    for _ in range(100):
        await push(face, voice(1.0), ends=bool(chance.random() < 0.5))
        await asyncio.sleep(float(chance.uniform(0, 0.04)))
        await face.clear_buffer()
    n_items, n_ends, last = len(out.items), out.n_ends, -voice(0.4)
    await push(face, last)
    await out.until(n_ends + 1)
    after = [item for item in out.items[n_items:] if isinstance(item, rtc.AudioFrame)]
    assert np.array_equal(np.concatenate([np.frombuffer(item.data, np.int16) for item in after]), last)
    assert n_ends == 0 and out.n_ends == 1


def test_a_hundred_interruptions_leave_nothing_behind() -> None:
    async def interrupt() -> None:
        face = generator()
        async with taken(face) as out:
            await interrupted_a_hundred_times(face, out)

    run(interrupt())


def test_when_the_face_fails_the_voice_and_the_ends_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: vivant.Presenter, motion: vivant.MotionFrame) -> vivant.VideoFrame:
        if motion.index > 20:
            raise vivant.UnavailableError("the picture is gone")
        return present(self, motion)

    present = vivant.Presenter.present
    monkeypatch.setattr(vivant.Presenter, "present", fail)

    async def lose() -> None:
        face, second = generator(), -voice(0.4)
        async with taken(face) as out:
            await push(face, voice(3))
            await out.until(1)
            n = len(out.sound)
            await push(face, second)
            await out.until(2)
            assert np.array_equal(out.sound[n:], second)

    run(lose())


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_voice_that_comes_while_a_failed_face_is_still_seen_is_not_lost(
    is_cut: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise vivant.UnavailableError("the picture is gone")

    async def lose() -> None:
        face, line, items = generator(), -voice(0.4), []
        given = aiter(face)
        await anext(given)
        await push(face, voice(3))
        monkeypatch.setattr(face.session.stream, "take", fail)
        while not face.session.playout.closed:
            await asyncio.sleep(0.01)
        if is_cut:
            await face.clear_buffer()
        await push(face, line)
        while sum(isinstance(item, AudioSegmentEnd) for item in items) < 2 - is_cut:
            items.append(await anext(given))
        await face.aclose()
        sound = np.concatenate([np.frombuffer(item.data, np.int16) for item in items if isinstance(item, rtc.AudioFrame)])
        assert np.array_equal(sound if is_cut else sound[-len(line) :], line)

    run(lose())


async def speak(receiver: QueueAudioOutput, line: np.ndarray) -> None:
    """As an agent session does."""
    for first in range(0, len(line), 2400):
        part = line[first : first + 2400]
        await receiver.capture_frame(rtc.AudioFrame(part.tobytes(), RATE_HZ, 1, len(part)))
    receiver.flush()


def runner_in(room: LocalRoom, face: FaceVideoGenerator) -> tuple[AvatarRunner, QueueAudioOutput]:
    receiver = QueueAudioOutput(sample_rate=RATE_HZ, wait_playback_start=True)
    options = AvatarOptions(SIDE_PX, SIDE_PX, FPS, RATE_HZ, 1)
    runner = AvatarRunner(room, audio_recv=receiver, video_gen=face, options=options)  # type: ignore[arg-type]
    face.flush = runner.av_sync.clear_queue
    return runner, receiver


def test_a_runner_plays_a_line_to_its_exact_length_and_says_when_it_is_interrupted() -> None:
    async def play() -> None:
        room, face, line = LocalRoom(), generator(), voice(1.2)
        runner, receiver = runner_in(room, face)
        finished: asyncio.Queue[Any] = asyncio.Queue()
        receiver.on("playback_finished", finished.put_nowait)
        await runner.start()
        viewer = await room.viewer()
        for is_cut in (False, True):
            await speak(receiver, line)
            if is_cut:
                await asyncio.sleep(0.6)
                receiver.clear_buffer()
            event = await finished.get()
            assert event.interrupted is is_cut
            assert (event.playback_position < 1.1) if is_cut else event.playback_position == pytest.approx(1.2, abs=1e-6)
        await asyncio.sleep(0.3)
        assert finished.empty() and len(viewer.pictures) > 10
        await viewer.aclose()
        await runner.aclose()
        await face.aclose()

    run(play())


def test_a_greeting_waits_for_somebody_who_listens() -> None:
    async def greet() -> None:
        room, face, line = LocalRoom(), generator(), voice(1.0)
        runner, receiver = runner_in(room, face)
        finished: asyncio.Queue[Any] = asyncio.Queue()
        receiver.on("playback_finished", finished.put_nowait)
        await runner.start()
        await speak(receiver, line)
        await asyncio.sleep(1.5)  # longer than the line
        assert finished.empty()
        viewer = await room.viewer()
        assert (await finished.get()).playback_position == pytest.approx(1.0, abs=1e-6)
        await asyncio.sleep(0.3)
        heard = np.concatenate([np.frombuffer(frame.data, np.int16) for _, frame in viewer.sounds])
        n_loud, n_heard = (np.count_nonzero(np.abs(each) > 1000) for each in (line, heard))
        assert n_heard == pytest.approx(n_loud, rel=0.05)
        await viewer.aclose()
        await runner.aclose()
        await face.aclose()

    run(greet())


def test_after_an_interruption_no_old_picture_leaves_the_room_but_the_one_that_was_due() -> None:
    async def interrupt() -> None:
        room, face = LocalRoom(), FaceVideoGenerator(PlainFace(), sample_rate_hz=RATE_HZ, size_px=SIDE_PX, fps=FPS, seed=1)
        runner, receiver = runner_in(room, face)
        await runner.start()
        viewer = await room.viewer()
        shown: list[int] = []
        viewer.show = lambda picture: shown.append(index_of(picture.convert(rtc.VideoBufferType.I420)))
        n_stale = []
        for _ in range(4):
            await speak(receiver, voice(4))
            await asyncio.sleep(0.6)
            last = face.session.playout.last_pts_us * FPS // 1_000_000
            receiver.clear_buffer()
            await asyncio.sleep(0.02)
            n = len(shown)
            await asyncio.sleep(0.3)
            n_stale.append(sum(index <= last for index in shown[n:]))
        assert max(n_stale) <= 1, n_stale
        await viewer.aclose()
        await runner.aclose()
        await face.aclose()

    run(interrupt())
