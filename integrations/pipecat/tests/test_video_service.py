"""The video service in a real pipeline: what goes in as a bot's voice comes out as voice and pictures, in order and in time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InterruptionFrame,
    LLMFullResponseStartFrame,
    OutputImageRawFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    UserStartedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.tests.utils import SleepFrame, run_test
from pipecat_vivant import VivantVideoService

import vivant
from vivant.samples import pcm_s16le
from vivant.testing import bundled_voice

RATE_HZ = 24_000
"""The pipeline's own, as long as nobody asks for another."""
SIDE_PX = 128


def voice(seconds: float) -> np.ndarray:
    """(n,) int16 of the bundled line, again and again."""
    return np.frombuffer(pcm_s16le(bundled_voice(seconds)), np.int16)


def spoken(samples: np.ndarray, context_id: str = "line", piece: int = 4800) -> list[Frame]:
    """As a text-to-speech brings it, all at once."""
    pieces = [samples[i : i + piece] for i in range(0, len(samples), piece)]
    audio = [TTSAudioRawFrame(part.tobytes(), RATE_HZ, 1, context_id=context_id) for part in pieces]
    return [TTSStartedFrame(context_id=context_id), *audio, TTSStoppedFrame(context_id=context_id)]


@cache
def ada() -> vivant.Face:
    """Opened once: on a busy machine that takes longer than some of these tests wait."""
    return vivant.open_portrait("ada")


def service(**how: object) -> VivantVideoService:
    return VivantVideoService(ada(), size_px=SIDE_PX, seed=1, **how)  # type: ignore[arg-type]


def sound_of(frames: Sequence[Frame]) -> np.ndarray:
    return np.frombuffer(b"".join(frame.audio for frame in frames if isinstance(frame, TTSAudioRawFrame)), np.int16)


def run(frames: Sequence[Frame], face: VivantVideoService | None = None) -> tuple[Sequence[Frame], Sequence[Frame]]:
    return asyncio.run(run_test(face or service(), frames_to_send=frames, start_timeout=10))


def test_a_line_comes_out_whole_with_pictures_and_then_its_end() -> None:
    line = voice(1.5)
    down, up = run([SleepFrame(1.0), *spoken(line)])
    assert np.array_equal(sound_of(down), line)
    pictures = [frame for frame in down if isinstance(frame, OutputImageRawFrame)]
    assert len(pictures) > 5 and {(frame.size, frame.format) for frame in pictures} == {((SIDE_PX, SIDE_PX), "RGB")}
    kinds = [type(frame) for frame in down]
    last_sound = len(kinds) - 1 - kinds[::-1].index(TTSAudioRawFrame)
    assert kinds.count(TTSStoppedFrame) == 1 and kinds.index(TTSStoppedFrame) > last_sound > kinds.index(TTSStartedFrame)
    assert {frame.context_id for frame in down if isinstance(frame, TTSAudioRawFrame)} == {"line"}
    assert not [frame for frame in up if isinstance(frame, ErrorFrame)]


def test_pictures_come_before_and_between_lines_and_no_sound_does() -> None:
    down, _ = run([SleepFrame(1.5)])
    assert len([frame for frame in down if isinstance(frame, OutputImageRawFrame)]) > 5
    assert not len(sound_of(down))


def test_after_an_interruption_nothing_of_the_old_line_comes() -> None:
    old, new = voice(20), -voice(0.5)
    frames = [SleepFrame(0.5), *spoken(old, "old"), SleepFrame(1.0), InterruptionFrame(), SleepFrame(0.3), *spoken(new, "new")]
    down, _ = run(frames)
    at = [type(frame) for frame in down].index(InterruptionFrame)
    assert 0 < len(sound_of(down[:at])) < len(old) // 2
    assert np.array_equal(sound_of(down[at:]), new)
    assert [frame.context_id for frame in down if isinstance(frame, TTSStoppedFrame)] == ["new"]


def test_lines_shorter_than_a_picture_are_heard_and_end() -> None:
    lines = [voice(0.01), voice(0.003), voice(0.3), -voice(0.02)]
    down, _ = run([SleepFrame(0.8), *(frame for i, line in enumerate(lines) for frame in spoken(line, str(i)))])
    assert np.array_equal(sound_of(down), np.concatenate(lines))
    assert [frame.context_id for frame in down if isinstance(frame, TTSStoppedFrame)] == ["0", "1", "2", "3"]


def test_a_line_without_sound_ends_at_once() -> None:
    down, _ = run([SleepFrame(0.3), TTSStartedFrame(context_id="none"), TTSStoppedFrame(context_id="none")])
    assert [type(frame) for frame in down if not isinstance(frame, OutputImageRawFrame)] == [TTSStartedFrame, TTSStoppedFrame]


def test_a_line_of_empty_sound_ends_before_the_next_one() -> None:
    empty = TTSAudioRawFrame(b"", RATE_HZ, 1, context_id="none")
    frames = [TTSStartedFrame(context_id="none"), empty, TTSStoppedFrame(context_id="none"), *spoken(voice(0.3))]
    down, _ = run([SleepFrame(0.5), *frames])
    assert [frame.context_id for frame in down if isinstance(frame, TTSStoppedFrame)] == ["none", "line"]


def test_an_interruption_passes_and_a_voice_goes_on_while_a_failed_face_is_still_seen() -> None:
    line = voice(0.4)

    async def lose() -> None:
        face, passed = service(), []
        session = vivant.Session(vivant.open_portrait("ada"), vivant.SessionConfig(pictures=False))
        await session.close()
        face._session = session  # its task has not told yet
        assert face._hearing is None
        face.push_frame = lambda frame, *_: passed.append(frame) or asyncio.sleep(0)  # type: ignore[method-assign, func-returns-value]
        await face._interrupt()
        await face.process_frame(TTSAudioRawFrame(line.tobytes(), RATE_HZ, 1), FrameDirection.DOWNSTREAM)
        assert np.array_equal(sound_of(passed), line)

    asyncio.run(lose())


def test_what_is_asked_for_leaves_what_the_face_is_about() -> None:
    async def ask() -> None:
        face = service()
        await face._steer(vivant.Controls(attention="listening"))  # type: ignore[arg-type]
        await face.set_controls(vivant.Controls(emotion="happy"))  # type: ignore[arg-type]
        assert (face._controls.attention, face._controls.emotion) == (vivant.Attention.LISTENING, vivant.Emotion.HAPPY)

    asyncio.run(ask())


def test_without_a_face_the_voice_goes_on(tmp_path: Path) -> None:
    line = voice(0.5)
    down, up = run(spoken(line), VivantVideoService(tmp_path / "none.png", consent="me"))
    assert np.array_equal(sound_of(down), line)
    assert [frame for frame in up if isinstance(frame, ErrorFrame) and "none.png" in frame.error]


def test_when_the_face_fails_the_voice_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: vivant.Presenter, motion: vivant.MotionFrame) -> vivant.VideoFrame:
        if motion.index > 20:
            raise vivant.UnavailableError("the picture is gone")
        return present(self, motion)

    present = vivant.Presenter.present
    monkeypatch.setattr(vivant.Presenter, "present", fail)
    first, second = voice(3), -voice(0.5)
    down, up = run([*spoken(first, "first"), SleepFrame(3.0), *spoken(second, "second")])
    assert [frame for frame in up if isinstance(frame, ErrorFrame) and "the picture is gone" in frame.error]
    assert np.array_equal(sound_of(down)[-len(second) :], second)
    assert [frame.context_id for frame in down if isinstance(frame, TTSStoppedFrame)] == ["first", "second"]


def test_the_face_is_about_what_the_conversation_is() -> None:
    face = service()
    asyncio.run(face.set_controls(vivant.Controls(emotion="happy")))  # type: ignore[arg-type]
    seen: list[vivant.Controls] = []
    set_controls = vivant.Session.set_controls

    async def watch(self: vivant.Session, controls: vivant.Controls) -> None:
        seen.append(controls)
        await set_controls(self, controls)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vivant.Session, "set_controls", watch)
        run(
            [SleepFrame(0.5), UserStartedSpeakingFrame(), SleepFrame(0.1), LLMFullResponseStartFrame(), *spoken(voice(0.3))],
            face,
        )
    asked = [controls.attention for controls in seen]
    assert asked == [vivant.Attention.LISTENING, vivant.Attention.THINKING, vivant.Attention.SPEAKING]
    assert {controls.emotion for controls in seen} == {vivant.Emotion.HAPPY}
