"""One call in virtual time: what a level of detail does to what is sent, and what events, statistics and metrics say of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.session.server_kit import RATE_HZ, open_tint, run_served, settings, tone
from tests.session.virtual_call import StillPortraits, Wire, shared_context
from vivant.client import Client
from vivant.errors import InputError
from vivant.face import Face
from vivant.provenance.consent import Consent
from vivant.server.call import Call, ServerContext
from vivant.server.clients import Client as Caller
from vivant.server.config import resolve
from vivant.server.limits import Limits
from vivant.server.portraits import Portraits
from vivant.server.server import Server
from vivant.server.workers import Load
from vivant.testing import LoopClock, run_virtual
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.responses import Response

pytestmark = pytest.mark.session

BUSY = Load(0.99, 0)


class Stage:
    """A call that runs, and all that it has sent, in order, with the time of each."""

    def __init__(
        self,
        shared: ServerContext,
        writing_us: int = 0,
        on: Callable[[Stage, pb.AnimateResponse], None] = lambda stage, said: None,
        **more: Any,  # noqa: ANN401
    ) -> None:
        self.shared, self.sent, self.times_us = shared, list[pb.AnimateResponse](), list[int]()
        stage = self

        class TimedWire(Wire):
            async def write(self, response: Response) -> None:
                await super().write(response)
                if writing_us:
                    await LoopClock().sleep_until(LoopClock().now_us() + writing_us)

        def hear(response: pb.AnimateResponse) -> None:
            stage.sent.append(response)
            stage.times_us.append(LoopClock().now_us())
            on(stage, response)

        self.wire = TimedWire(hear)
        config = resolve(settings(**{"portrait": pb.PortraitRef(id="ada"), "size_px": 256, **more}), Limits())
        self.call = Call(shared, Caller("client", "lane"), config, open_tint(b"ada", transparent=False), self.wire)
        shared.load_shedder.admit(self.call)

    def value(self, name: str) -> float:
        found = self.shared.metrics.registry.get_sample_value(name)
        assert found is not None
        return found

    def frames(self, since: int = 0) -> list[pb.Frame]:
        return [said.frame for said in self.sent[since:] if said.HasField("frame")]

    def events(self) -> list[pb.Event]:
        return [said.event for said in self.sent if said.HasField("event")]

    def statistics(self) -> list[pb.Statistics]:
        return [said.statistics for said in self.sent if said.HasField("statistics")]


async def until(seconds: float) -> None:
    await LoopClock().sleep_until(round(1e6 * seconds))


def run_call(story: Callable[[Stage], Awaitable[None]], portraits: Portraits | None = None, **more: Any) -> Stage:  # noqa: ANN401
    """Run ``story`` beside the call, then close the client's side."""

    async def main() -> Stage:
        shared = shared_context()
        stage = Stage(replace(shared, portraits=portraits or shared.portraits), **more)
        calling = asyncio.create_task(stage.call.run(()))
        await story(stage)
        stage.wire.close()
        await calling
        return stage

    return run_virtual(main())


def test_detail_costs_size_first_and_then_frames_and_everybody_is_told() -> None:
    seen: list[tuple[int, set[int], set[int]]] = []

    async def story(stage: Stage) -> None:
        await until(1)
        for level in range(3):
            if level:
                stage.shared.load_shedder.judge(BUSY, 0)
            await until(2 * level + 1.5)
            first = len(stage.sent)
            await until(2 * level + 3)
            frames = stage.frames(first)
            seen.append((len(frames), {frame.width_px for frame in frames}, set(np.diff([frame.index for frame in frames]))))

    stage = run_call(story)
    assert [sizes for _, sizes, _ in seen] == [{256}, {128}, {128}]
    assert [steps for _, _, steps in seen] == [{1}, {1}, {2}]
    fps = float(stage.call._config.session.fps)
    for (n_frames, _, _), share in zip(seen, (1, 1, 2), strict=True):
        assert n_frames == pytest.approx(1.5 * fps / share, abs=1)
    said = [event.detail for event in stage.events() if event.type == pb.EVENT_TYPE_QUALITY_CHANGED]
    assert said == [f"detail level {level}: the server is overloaded" for level in (1, 2)]
    assert [statistics.detail_level for statistics in stage.statistics()][-1] == 2
    assert stage.statistics()[-1].fps == pytest.approx(fps / 2, abs=1)


def test_statistics_come_once_a_second_and_figures_agree_with_what_was_sent() -> None:
    async def story(stage: Stage) -> None:
        await until(3)
        stage.call.set_detail(2, "a test")
        await until(6.5)

    stage = run_call(story)
    times_us = [time for time, said in zip(stage.times_us, stage.sent, strict=True) if said.HasField("statistics")]
    assert len(times_us) == 6
    assert all(1_000_000 <= step < 1_100_000 for step in np.diff(times_us))
    n_frames, last = len(stage.frames()), stage.frames()[-1].index
    assert stage.value("vivant_frames_sent_total") == n_frames
    assert stage.value("vivant_frames_dropped_total") == pytest.approx(last + 1 - n_frames, abs=1)
    assert stage.call.figures["frames_sent"] == n_frames
    assert stage.call.figures["frames_dropped"] == stage.value("vivant_frames_dropped_total")
    statistics = stage.statistics()[-1]
    assert n_frames - 20 <= statistics.frames_sent <= n_frames
    assert 30 < statistics.frames_dropped <= stage.value("vivant_frames_dropped_total")


def line(seconds: float) -> pb.AnimateRequest:
    return pb.AnimateRequest(audio=pb.Audio(samples=bytes(2 * round(seconds * RATE_HZ))))


@pytest.mark.parametrize(("seconds", "soon_s"), [(0.3, 0.0), (1.0, 0.1)])
def test_a_metric_says_how_soon_a_line_begins(seconds: float, soon_s: float) -> None:
    """One that comes in one piece begins sooner by the look-ahead."""

    async def story(stage: Stage) -> None:
        await until(1)
        stage.wire.send(line(seconds))
        await until(3)

    stage = run_call(story)
    assert stage.value("vivant_first_frame_seconds_count") == 1
    expected_s = stage.call._session.delay_ms / 1000 - soon_s
    assert stage.value("vivant_first_frame_seconds_sum") == pytest.approx(expected_s, abs=0.04)


def test_a_line_that_is_interrupted_before_it_begins_is_not_measured() -> None:
    async def story(stage: Stage) -> None:
        await until(1)
        stage.wire.send(line(0.3))
        stage.wire.send(pb.AnimateRequest(interrupt=pb.Interrupt()))
        await until(2)
        stage.wire.send(line(0.3))
        await until(4)

    stage = run_call(story)
    assert stage.value("vivant_first_frame_seconds_count") == 1
    assert stage.value("vivant_first_frame_seconds_sum") < 0.3


def test_a_metric_says_how_late_frames_leave() -> None:
    async def story(stage: Stage) -> None:
        await until(3)

    prompt, slow = run_call(story), run_call(story, writing_us=15_000)
    n_frames = prompt.value("vivant_frame_lag_seconds_count")
    assert n_frames == prompt.value("vivant_frames_sent_total") > 60
    assert prompt.value("vivant_frame_lag_seconds_sum") < 1e-3
    assert 0.014 < slow.value("vivant_frame_lag_seconds_sum") / n_frames < 0.05
    assert slow.statistics()[-1].lag_us >= 14_000


def test_frames_that_a_slow_reader_leaves_are_counted() -> None:
    async def story(stage: Stage) -> None:
        await until(3)

    stage = run_call(story, writing_us=80_000)
    dropped = stage.value("vivant_frames_dropped_total")
    assert dropped == stage.call.figures["frames_dropped"]
    assert dropped + len(stage.frames()) == pytest.approx(stage.frames()[-1].index + 1, abs=8)
    assert dropped > 20


def test_audio_that_waits_is_in_the_statistics() -> None:
    async def story(stage: Stage) -> None:
        stage.wire.send(line(5))
        await until(2.5)

    statistics = run_call(story).statistics()
    assert [round(each.audio_queued_us / 1e6) for each in statistics[:2]] == [4, 3]


def test_of_two_portraits_asked_for_the_last_is_shown_however_long_the_first_takes() -> None:
    class SlowPortraits(StillPortraits):
        async def open(self, client: Caller, ref: pb.PortraitRef, *rest: Any, **more: Any) -> tuple[str, Face]:  # noqa: ANN401
            if ref.id == "slow":
                await LoopClock().sleep_until(LoopClock().now_us() + 1_000_000)
            return await super().open(client, ref, *rest, **more)

    async def story(stage: Stage) -> None:
        for name in ("slow", "quick"):
            stage.wire.send(pb.AnimateRequest(portrait=pb.PortraitRef(id=name)))
        await until(3)

    stage = run_call(story, SlowPortraits(Limits()))
    changed = [event.portrait_id for event in stage.events() if event.type == pb.EVENT_TYPE_PORTRAIT_CHANGED]
    assert changed == ["quick"]


def test_what_is_written_while_an_interruption_comes_keeps_its_epoch() -> None:
    """Word of another portrait goes out right before the motion and picture that show it first."""

    def interrupt(stage: Stage, said: pb.AnimateResponse) -> None:
        if said.event.type == pb.EVENT_TYPE_PORTRAIT_CHANGED:
            stage.wire.send(pb.AnimateRequest(interrupt=pb.Interrupt(epoch=5)))

    async def story(stage: Stage) -> None:
        stage.wire.send(pb.AnimateRequest(portrait=pb.PortraitRef(id="bram")))
        await until(2)

    stage = run_call(story, writing_us=3_000, on=interrupt, outputs=pb.OUTPUTS_FRAMES_AND_MOTION)
    changed = next(place for place, said in enumerate(stage.sent) if said.event.portrait_id == "bram")
    motion, frame = stage.sent[changed + 1 : changed + 3]
    assert motion.HasField("motion") and frame.HasField("frame")
    assert motion.motion.epoch == frame.frame.epoch == 0
    assert stage.frames()[-1].epoch == 5


def test_a_portrait_that_is_warm_draws_at_once() -> None:
    async def story(server: Server, client: Client) -> None:
        portrait_id = await client.put_portrait(b"\x89PNG\r\n\x1a\n" + bytes(40), Consent.UNREAL)
        assert await client.warm_up(portrait_id, size_px=128) == portrait_id
        assert await client.warm_up("ada") == "ada"
        with pytest.raises(InputError, match="size_px must be from 64 to 1024, got 2000"):
            await client.warm_up("ada", size_px=2000)
        async with client.animate(portrait_id, settings()) as face:
            await face.push(tone(0.1))
            assert face.started.config.portrait.id == portrait_id

    run_served(story)
