"""Whatever fails under a bridge: one sentence, the picture goes on, and it mends itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from tests.session.bridge_kit import Loudness, Stage, loud, run_stage
from vivant.errors import InputError, UnavailableError
from vivant.testing import LoopClock
from vivant.types import Controls, Float32Array
from vivant_bridge.bridge import UNHEARD
from vivant_bridge.errors import DeviceLostError
from vivant_bridge.runtime.runtime import FaceSession, StreamConfig
from vivant_bridge.sound.output import MemorySink
from vivant_bridge.sound.source import ClockedSource, tone
from vivant_bridge.status import press

pytestmark = pytest.mark.session


class Plug:
    """A microphone that can be pulled out."""

    def __init__(self, inner: ClockedSource) -> None:
        self.inner, self.out, self.opened = inner, False, 0
        self.name, self.rate_hz, self.latency_us = "a test microphone", inner.rate_hz, 0
        self.sample_format = inner.sample_format

    def open(self) -> None:
        if self.out:
            raise DeviceLostError("no microphone is called 'test'")
        self.opened += 1
        self.inner.open()

    def read(self) -> Float32Array:
        if self.out:
            raise DeviceLostError(f"{self.name} is gone")
        return self.inner.read()

    def close(self) -> None:
        pass


def run_unplugged(from_s: float, to_s: float, end_s: float, name: str = "a test microphone") -> Stage:
    """A bridge whose microphone is gone for a while."""

    def make() -> Stage:
        stage = Stage()
        stage.bridge.source.wanted = plug = Plug(tone(stage.clock))
        plug.name = name
        return stage

    async def story(stage: Stage) -> None:
        plug = stage.bridge.source.wanted
        assert isinstance(plug, Plug)
        await stage.until(from_s)
        plug.out = True
        await stage.until(to_s)
        plug.out = False
        await stage.until(end_s)

    return run_stage(make, story)


def goes_on(stage: Stage) -> bool:
    """Whether frames never stopped."""
    return stage.camera.longest_gap_us() < 40_000


def test_no_microphone_and_then_one() -> None:
    def make() -> Stage:
        stage = Stage()
        stage.bridge.source.wanted = plug = Plug(tone(stage.clock))
        plug.out = True
        return stage

    async def story(stage: Stage) -> None:
        await stage.until(4)
        assert stage.said == ["no microphone is called 'test'; trying again"]
        assert stage.camera.bright() == []
        stage.bridge.source.wanted.out = False  # type: ignore[attr-defined]
        await stage.until(12)

    stage = run_stage(make, story)
    assert stage.said[1:] == ["a test microphone is back"]
    assert goes_on(stage)
    assert len(stage.camera.bright()) >= 3


def test_microphone_lost_in_mid_call() -> None:
    stage = run_unplugged(4, 8, 16)
    assert stage.said == ["a test microphone is gone; trying again", "a test microphone is back"]
    assert goes_on(stage)
    assert stage.bridge.supervisor.lives == 1
    bright = stage.camera.bright()
    assert not [time_us for time_us in bright if 4_300_000 < time_us < 8_000_000]
    assert [time_us for time_us in bright if time_us > 12_000_000]


def test_a_missing_output_is_said_plainly() -> None:
    class Missing(MemorySink):
        def open(self) -> None:
            raise DeviceLostError("no output is called 'cable'")

    def make() -> Stage:
        stage = Stage()
        assert stage.bridge.speaker is not None
        stage.bridge.speaker.wanted = Missing(stage.clock)
        return stage

    async def story(stage: Stage) -> None:
        await stage.until(3)

    stage = run_stage(make, story)
    assert stage.said == ["no output is called 'cable'; until it is there nobody hears the delayed voice; trying again"]
    assert goes_on(stage)


def test_output_lost_and_back_in_time() -> None:
    class Fragile(MemorySink):
        broken = False

        def open(self) -> None:
            if self.broken:
                raise DeviceLostError("the cable is out")
            self.played, self._n_played = [], 0
            super().open()

        def heard_at_us(self) -> int:
            if self.broken:
                raise DeviceLostError("the cable is out")
            return super().heard_at_us()

    def make() -> Stage:
        stage = Stage()
        stage.speaker = Fragile(stage.clock)
        assert stage.bridge.speaker is not None
        stage.bridge.speaker.wanted = stage.speaker
        return stage

    async def story(stage: Stage) -> None:
        await stage.until(4)
        stage.speaker.broken = True  # type: ignore[attr-defined]
        await stage.until(8)
        assert stage.bridge.figures().offset_ms is None
        stage.speaker.broken = False  # type: ignore[attr-defined]
        await stage.until(16)

    stage = run_stage(make, story)
    assert stage.said == [f"the cable is out; {UNHEARD}", "memory is back"]
    assert goes_on(stage)
    assert stage.bridge.figures().offset_ms == pytest.approx(0, abs=2)
    seen = np.array(stage.camera.bright())
    heard = np.array([time_us for time_us in loud(stage.speaker) if time_us > 14_000_000])
    nearest = np.abs(seen[:, None] - heard[None]).min(axis=0)
    assert nearest.max() < 19_000


def test_camera_taken_at_the_start_is_tried_again() -> None:
    def make() -> Stage:
        stage = Stage()
        stage.camera.trouble = DeviceLostError("another program feeds the camera")
        return stage

    async def story(stage: Stage) -> None:
        await stage.until(3)
        stage.camera.trouble = None
        await stage.until(8)

    stage = run_stage(make, story)
    assert stage.said == ["another program feeds the camera; trying again", "memory shows the picture again"]
    assert stage.camera.bright()
    assert stage.bridge.figures().offset_ms == pytest.approx(0, abs=2)


def test_camera_lost_in_mid_call() -> None:
    async def story(stage: Stage) -> None:
        await stage.until(3)
        stage.camera.trouble = DeviceLostError("another program writes to the camera too")
        await stage.until(5)
        stage.camera.trouble = None
        await stage.until(9)

    stage = run_stage(Stage, story)
    assert stage.said == ["another program writes to the camera too; trying again", "memory shows the picture again"]
    assert stage.camera.opened == 2
    assert len(loud(stage.speaker)) >= 8, "the voice went on"
    assert [time_us for time_us in stage.camera.bright() if time_us > 6_500_000]


@pytest.mark.parametrize("what", ["camera", "source"])
def test_what_only_the_user_can_mend_ends_the_start(what: str) -> None:
    def make() -> Stage:
        stage = Stage()
        if what == "camera":
            stage.camera.trouble = UnavailableError("there is no virtual camera")
        else:
            stage.bridge.source.wanted = NoSound(stage)
        return stage

    class NoSound(Plug):
        def __init__(self, stage: Stage) -> None:
            super().__init__(tone(stage.clock))

        def open(self) -> None:
            raise InputError("the file holds no sound")

    async def story(stage: Stage) -> None:
        await stage.until(20)

    with pytest.raises((UnavailableError, InputError), match=r"no virtual camera|no sound"):
        run_stage(make, story)


def test_server_gone_for_ten_seconds_and_back() -> None:
    async def story(stage: Stage) -> None:
        await stage.until(3)
        stage.runtime.broken = "the server answered UNAVAILABLE"
        await stage.until(5)
        assert np.array_equal(stage.camera.frames[-1], stage.bridge.pacer.standby)
        await stage.until(13)
        stage.runtime.broken = None
        await stage.until(22)

    stage = run_stage(Stage, story)
    assert stage.said == ["the server answered UNAVAILABLE; trying again", "the face of the test is back"]
    assert goes_on(stage)
    assert stage.runtime.opened == 2
    assert len(loud(stage.speaker)) >= 20, "the voice went on"
    after = [time_us for time_us in stage.camera.bright() if time_us > 18_500_000]
    heard = np.array(loud(stage.speaker))
    assert after
    assert all(np.abs(time_us - heard).min() < 19_000 for time_us in after), "in time with the voice again"


def test_a_server_that_hangs_is_left() -> None:
    async def story(stage: Stage) -> None:
        await stage.until(2)
        stage.runtime.silent = True
        await stage.until(4)
        stage.runtime.silent = False
        stage.runtime.streams[0]._runtime = Hung()
        await stage.until(12)

    class Hung(Loudness):
        def __init__(self) -> None:
            super().__init__()
            self.silent = True

    stage = run_stage(Stage, story)
    assert stage.said[0].startswith("no picture came from the face of the test for 3 s")
    assert stage.said[-1] == "the face of the test is back"
    assert goes_on(stage)


def test_a_face_that_cannot_keep_up_is_opened_anew_and_named_once() -> None:
    class Slow(Loudness):
        def __init__(self) -> None:
            super().__init__(work_us=60_000)

    async def story(stage: Stage) -> None:
        await stage.until(40)

    stage = run_stage(lambda: Stage(runtime=Slow()), story)
    sentences = [sentence for sentence in stage.said if "could not keep up" in sentence]
    assert len(sentences) == 1
    assert stage.bridge.supervisor.lives > 3
    assert goes_on(stage)
    assert max(stage.bridge.pacer.stats.delays_us) < 1_700_000


def test_a_face_that_stops_listening_for_a_moment_is_kept_and_one_that_does_for_long_is_left() -> None:
    class Deaf(Loudness):
        deaf_us = 0
        longest_s = 0.0

        @asynccontextmanager
        async def open(self, config: StreamConfig, portrait: int, controls: Controls) -> AsyncIterator[FaceSession]:
            async with super().open(config, portrait, controls) as session:
                push = session.push

                async def slowly(samples: Float32Array) -> None:
                    wait_us, self.deaf_us = self.deaf_us, 0
                    self.longest_s = max(self.longest_s, len(samples) / config.rate_hz)
                    await LoopClock().sleep_until(LoopClock().now_us() + wait_us)
                    await push(samples)

                session.push = slowly  # type: ignore[method-assign]
                yield session

    async def story(stage: Stage) -> None:
        for second, deaf_s, lives in ((12, 0.8, 1), (20, 1.9, 2)):
            await stage.until(second)
            stage.runtime.deaf_us = round(1e6 * deaf_s)
            await stage.until(second + 6)
            assert stage.bridge.supervisor.lives == lives

    stage = run_stage(lambda: Stage(runtime=Deaf()), story)
    assert [sentence for sentence in stage.said if "could not keep up with the voice" in sentence]
    assert 0.7 < stage.runtime.longest_s < 1.6, "what is too old is not even sent"
    assert goes_on(stage)


def test_keys_for_a_face_that_is_gone_or_cannot() -> None:
    class Deaf:
        def __init__(self, error: Exception) -> None:
            self.error = error

        async def set_controls(self, controls: Controls) -> None:
            raise self.error

    class DeafRuntime(Loudness):
        async def set_portrait(self, session: FaceSession, portrait: int) -> None:
            raise session.error if isinstance(session, Deaf) else AssertionError

    async def story(stage: Stage) -> None:
        await stage.until(1)
        for error in (UnavailableError("the server answered UNAVAILABLE"), InputError("cannot read noor.png")):
            stage.bridge.supervisor._face = Deaf(error)  # type: ignore[assignment]
            await press(stage.bridge, "e", 2)
            await press(stage.bridge, "2", 2)

    stage = run_stage(lambda: Stage(runtime=DeafRuntime()), story)
    assert stage.said == ["cannot read noor.png", "cannot read noor.png"]
    assert stage.bridge.supervisor.portrait == 1


def test_a_portrait_that_cannot_be_used_ends_the_start() -> None:
    class Refusing(Loudness):
        def open(self, *_: object) -> object:  # type: ignore[override]
            raise InputError("no face was found")

    async def story(stage: Stage) -> None:
        await stage.until(20)

    with pytest.raises(InputError, match="no face was found"):
        run_stage(lambda: Stage(runtime=Refusing()), story)


@pytest.mark.parametrize("slept_s", [0.8, 30.0])
def test_suspended_and_resumed(slept_s: float) -> None:
    """The clock jumps, and nothing ran meanwhile."""

    async def story(stage: Stage) -> None:
        await stage.until(3)
        asyncio.get_running_loop()._clockwork.now_s += slept_s  # type: ignore[attr-defined]
        await stage.until(10 + slept_s)

    stage = run_stage(Stage, story)
    times_us = np.array(stage.camera.times_us)
    assert len(times_us) == pytest.approx(30 * 9.86, abs=4), "no burst of what was missed"
    assert sorted(np.diff(times_us))[-2] < 60_000
    figures = stage.bridge.figures()
    assert figures.offset_ms == pytest.approx(0, abs=3)
    recent = [time_us for time_us in stage.camera.bright() if time_us > 1e6 * (6 + slept_s)]
    heard = np.array(loud(stage.speaker))
    assert len(recent) >= 3
    assert all(np.abs(time_us - heard).min() < 20_000 for time_us in recent)


def test_eight_channels_at_96_khz() -> None:
    """One of them carries the voice; see also the tests of `mono`."""

    def make() -> Stage:
        stage = Stage()
        stage.bridge.source.wanted = tone(stage.clock, rate_hz=96_000)
        return stage

    async def story(stage: Stage) -> None:
        await stage.until(5)

    stage = run_stage(make, story)
    assert len(stage.camera.bright()) >= 4
    assert stage.bridge.figures().offset_ms == pytest.approx(0, abs=2)
