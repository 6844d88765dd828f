"""The whole bridge with twins, in virtual time: what is heard and what is seen belong together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import VOICE_RATE_HZ
from tests.session.bridge_kit import BRIGHT, LOUD, Loudness, Stage, loud, run_stage
from tests.session.command_line import write_wav
from vivant.face import RigFace
from vivant.provenance.watermark_detector import detect
from vivant.session.presenter import Presenter
from vivant.session.stream import FaceStream
from vivant.testing import Inline, LoopClock, run_virtual
from vivant.types import Emotion, Float32Array, Output
from vivant_bridge import bridge as bridge_module
from vivant_bridge.bridge import Bridge
from vivant_bridge.picture.compositor import Compositor, Fill
from vivant_bridge.picture.sink import MemoryCamera
from vivant_bridge.runtime.local import LocalRuntime
from vivant_bridge.sound import playback as playback_module
from vivant_bridge.sound.output import MemorySink, NullSink
from vivant_bridge.sound.source import FileSource, tone
from vivant_bridge.status import press

pytestmark = pytest.mark.session

EARLY_MS, LATE_MS = -45, 15
FRAME_MS = 1000 / 30


def for_seconds(seconds: float) -> Callable[[Stage], Awaitable[None]]:
    async def story(stage: Stage) -> None:
        await stage.until(seconds)

    return story


def offsets_ms(stage: Stage) -> list[float]:
    """Picture minus sound at every onset: within half a frame, for pictures come thirty times a second, and zero on average."""
    pairs = zip(stage.camera.bright(), loud(stage.speaker), strict=False)
    return [(seen - heard) / 1000 for seen, heard in pairs]


def test_a_call_hears_and_sees_the_same_instant() -> None:
    stage = run_stage(Stage, for_seconds(8))
    offsets = offsets_ms(stage)
    assert len(offsets) >= 7
    assert max(map(abs, offsets)) <= FRAME_MS / 2 + 2
    figures = stage.bridge.figures()
    assert figures.offset_ms is not None
    assert abs(figures.offset_ms) < 2
    assert figures.fps == pytest.approx(30, abs=0.1)
    assert (figures.repeated, figures.late, figures.gaps, figures.lives) == (0, 0, 0, 1)
    assert stage.said == []


def test_delay_to_the_camera() -> None:
    figures = run_stage(Stage, for_seconds(8)).bridge.figures()
    assert 140 <= figures.delay_ms <= 160
    assert figures.delay_p95_ms <= 200


@pytest.mark.parametrize("offset_ms", [-60.0, 80.0])
def test_sync_offset_moves_the_voice_against_the_picture(offset_ms: float) -> None:
    stage = run_stage(lambda: Stage(sync_offset_ms=offset_ms), for_seconds(6))
    plain = run_stage(Stage, for_seconds(6))
    moved = np.mean(offsets_ms(stage)[1:]) - np.mean(offsets_ms(plain)[1:])
    assert moved == pytest.approx(-offset_ms, abs=3)
    assert stage.bridge.figures().offset_ms == pytest.approx(-offset_ms, abs=2)


@pytest.mark.parametrize(("minutes", "off_ppm"), [(3, 400), pytest.param(30, 80, marks=pytest.mark.slow)])
def test_clocks_that_drift(minutes: int, off_ppm: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Microphone and output are so many parts per million off in opposite directions: 0.15 s in three minutes and 0.3 s in
    half an hour.

    At a third of the usual rate and half the usual ticks, for they make no difference to what is tested and take a minute.
    """
    monkeypatch.setattr(bridge_module, "RATE_HZ", 16_000)
    monkeypatch.setattr(bridge_module, "TICK_US", 20_000)
    monkeypatch.setattr(playback_module, "BLOCK_S", 0.02)

    class Onsets(MemorySink):
        """Keeps when it turned loud, not 29 million samples."""

        quiet_for = 4800

        def write(self, samples: Float32Array) -> None:
            place = np.flatnonzero(np.abs(samples) > LOUD)
            if len(place) and self.quiet_for + place[0] >= 4800:
                onsets.append(self.heard_us(self._n_played + int(place[0])))
            self.quiet_for = 0 if len(place) else self.quiet_for + len(samples)
            self._n_played += len(samples)

    class Fast(LoopClock):
        def now_us(self) -> int:
            return round(super().now_us() * (1 + 1e-6 * off_ppm))

    onsets: list[int] = []

    def make() -> Stage:
        stage = Stage(fps=Fraction(24))
        stage.bridge.source.wanted = tone(Fast(), 16_000)
        assert stage.bridge.speaker is not None
        stage.bridge.speaker.wanted = Onsets(stage.clock, 16_000, off_ppm=-off_ppm)
        return stage

    stage = run_stage(make, for_seconds(60 * minutes))
    figures, times_us = stage.bridge.figures(), np.array(stage.camera.times_us)
    assert len(times_us) == pytest.approx(60 * minutes * 24, abs=8)
    assert stage.camera.longest_gap_us() < 50_000
    assert (figures.late, figures.gaps, figures.lives) == (0, 0, 1)
    assert figures.repeated <= 6
    assert stage.said == []
    seen, heard = np.array(stage.camera.bright()), np.array(onsets)
    assert len(seen) == len(heard) >= 60 * minutes - 5
    offsets = (seen - heard) / 1000
    assert np.abs(offsets).max() <= 1000 / 24 / 2 + 3
    one_turn = round(1e6 / 24 / off_ppm)  # so many beats until the drift has gone through one frame
    assert offsets[-one_turn:].mean() == pytest.approx(0, abs=2)
    assert figures.delay_p95_ms <= 200


def test_a_slow_face_makes_everything_later_and_keeps_it_together() -> None:
    stage = run_stage(lambda: Stage(runtime=Loudness(work_us=30_000)), for_seconds(4))
    assert stage.bridge.presentation.delay.at(stage.clock_end) == stage.runtime.delay_us

    class Tardy(Loudness):
        delay_us = 90_000  # less than its own look-ahead

    stage = run_stage(lambda: Stage(runtime=Tardy()), for_seconds(40))
    figures = stage.bridge.figures()
    assert figures.offset_ms is not None
    assert EARLY_MS <= figures.offset_ms <= LATE_MS
    assert figures.delay_ms > 110
    assert stage.camera.longest_gap_us() < 40_000


def test_a_face_that_starts_slowly_makes_nothing_later() -> None:
    async def story(stage: Stage) -> None:
        await stage.until(2)
        stage.runtime.work_us = 5_000
        await stage.until(12)

    stage = run_stage(lambda: Stage(runtime=Loudness(work_us=45_000)), story)
    assert stage.bridge.presentation.delay.at(stage.clock_end) == stage.runtime.delay_us
    assert stage.bridge.pacer.stats.tardy > 10  # what it had to catch up with


def test_a_delay_that_grew_shrinks_again_in_the_calm_after_a_minute() -> None:
    """And no sooner: it would go up and down with every burst of load."""
    seen: list[int] = []

    async def story(stage: Stage) -> None:
        await stage.until(12)
        stage.bridge.presentation.delay.grow(stage.clock.now_us())
        for seconds in (25, 50, 130):
            await stage.until(seconds)
            seen.append(stage.bridge.presentation.delay.at(stage.clock.now_us()))

    stage = run_stage(Stage, story)
    least = stage.runtime.delay_us
    assert seen[0] == seen[1] > least and seen[2] == least


def test_keys() -> None:
    async def story(stage: Stage) -> None:
        bridge = stage.bridge
        await stage.until(2)
        for key in ("e", "left", "up", "2"):
            await press(bridge, key, 3)
        (stream,) = stage.runtime.streams
        assert stream.controls.emotion is Emotion.HAPPY
        assert stream.controls.gaze == (-5.0, 5.0)
        assert stream.portrait == bridge.supervisor.portrait == 1
        for key in ("n", "c", "9", "x"):
            await press(bridge, key, 3)
        assert stream.controls == replace(stream.controls, emotion=Emotion.NEUTRAL, gaze=(0.0, 0.0))
        assert stream.portrait == 1
        await press(bridge, "m", 3)
        await stage.until(5)
        await press(bridge, "m", 3)
        await stage.until(8)
        await press(bridge, "q", 3)

    stage = run_stage(Stage, story)
    muted = [time_us for time_us in stage.camera.bright() if 2_300_000 < time_us < 5_000_000]
    assert muted == []
    assert [time_us for time_us in stage.camera.bright() if time_us > 5_000_000]
    assert len(stage.camera.times_us) < 8.2 * 30


def test_pause_shows_the_paused_picture_and_is_silent() -> None:
    async def story(stage: Stage) -> None:
        await stage.until(2)
        await press(stage.bridge, "p", 3)
        await stage.until(4)
        assert stage.bridge.pacer.paused
        frame = stage.camera.frames[-1]
        assert np.array_equal(frame, stage.bridge.pacer.standby)
        await press(stage.bridge, "p", 3)
        await stage.until(7)

    stage = run_stage(Stage, story)
    assert not [t for t in loud(stage.speaker) if 2_300_000 < t < 4_000_000]
    assert [t for t in stage.camera.bright() if t > 4_500_000]


def test_push_to_talk() -> None:
    async def story(stage: Stage) -> None:
        stage.bridge.gate.push_to_talk = True
        await stage.until(3)
        assert stage.camera.bright() == []
        await press(stage.bridge, " ", 3)
        await stage.until(5)

    assert run_stage(Stage, story).camera.bright()


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(30000, 1001), Fraction(60)])
def test_frame_rates(fps: Fraction) -> None:
    stage = run_stage(lambda: Stage(fps=fps, runtime=Loudness(work_us=5_000)), for_seconds(5))
    gaps_us = np.diff(stage.camera.times_us)
    assert gaps_us.mean() == pytest.approx(1e6 / float(fps), rel=0.002)
    assert stage.bridge.figures().repeated == 0


def test_a_real_face_speaks_in_time(ada: RigFace, voice: Float32Array, tmp_path: Path) -> None:
    """`LocalRuntime` with a rig, its label and its mark: the mouth opens when the voice is heard, and closes after it."""
    path = write_wav(tmp_path / "voice.wav", np.concatenate([np.zeros(VOICE_RATE_HZ, np.float32), voice]), VOICE_RATE_HZ)

    async def main() -> tuple[MemoryCamera, Bridge]:
        clock, camera = LoopClock(), MemoryCamera()
        runtime = LocalRuntime([ada], executor=Inline())
        compositor = Compositor(160, 90, Fill("blur"))
        bridge = Bridge(
            runtime,
            FileSource(path, clock),
            camera,
            compositor,
            NullSink(clock),
            clock=clock,
            executor=Inline(),
            spawn=lambda story: story(),
        )
        asyncio.get_running_loop().call_later(4.5, bridge.quit)
        await bridge.run()
        return camera, bridge

    camera, bridge = run_virtual(main())
    figures = bridge.figures()
    assert camera.sent >= 4.2 * 30
    assert (figures.repeated, figures.late) == (0, 0)
    assert figures.delay_p95_ms <= 200
    lower = np.array([frame[: 160 * 90].reshape(90, 160)[45:75, 60:100] for frame in camera.frames], np.float32)
    moved = np.abs(np.diff(lower, axis=0)).mean(axis=(1, 2))
    silent, speaking = moved[10:30], moved[45:120]
    assert speaking.mean() > 1.5 * silent.mean()


def test_the_mark_is_in_what_a_camera_shows(ada: RigFace) -> None:
    """The square is marked before it is placed; the detector finds it beside the fill."""
    compositor = Compositor(640, 480, Fill("blur"))
    presenter = Presenter(ada, size_px=compositor.square_px, session_id=0x1234ABCD)
    with FaceStream(ada, presenter=presenter) as stream:
        drawn = [item.picture for item in stream.push(np.zeros(16_000, np.float32)) if isinstance(item, Output)][:12]
    luma = [compositor.compose(frame.pixels, 0, frame.pts_us)[: 640 * 480].reshape(480, 640) for frame in drawn if frame]
    mark = detect([np.dstack([plane] * 3) for plane in luma])
    assert mark is not None
    assert mark.session_id == 0x1234ABCD


def test_brightness_of_the_twin() -> None:
    stage = run_stage(Stage, for_seconds(3))
    assert max(stage.camera.luma) > BRIGHT > min(stage.camera.luma)
