"""Motion receivers: what they get and when, and what happens when they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.session.bridge_kit import Stage, run_stage
from vivant.errors import InputError
from vivant.testing import LoopClock, run_virtual
from vivant.types import MotionFrame, Output, arkit_weights
from vivant_bridge.delay import AdaptiveDelay, PresentationClock
from vivant_bridge.errors import DeviceLostError
from vivant_bridge.receiver import LOOK_US, MotionSender

pytestmark = pytest.mark.session

DELAY_US = 100_000
FRAME_US = 33_333


class Notebook:
    """A receiver that notes when it got what; ``trouble`` says what `open` and `send` raise."""

    name = "a notebook"

    def __init__(self) -> None:
        self.got: list[tuple[int, int]] = []
        """When, and of what time."""
        self.trouble: Exception | None = None
        self.opened = self.closed = 0

    def open(self) -> None:
        self.opened += 1
        if isinstance(self.trouble, InputError):
            raise self.trouble

    def send(self, output: Output) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.got.append((LoopClock().now_us(), output.pts_us))

    def close(self) -> None:
        self.closed += 1


def output(index: int) -> Output:
    return Output(MotionFrame(index, index * FRAME_US, arkit_weights()), None, "", None, 0)


def told(story: Callable[[MotionSender, Notebook, LoopClock], object], seconds: float = 4.0) -> tuple[Notebook, list[str]]:
    """Frames come 50 ms ahead of being due, for so long; ``story`` is called before each."""
    notebook = Notebook()
    said: list[str] = []

    async def main() -> None:
        clock = LoopClock()
        sender = MotionSender(notebook, PresentationClock(clock, 0, AdaptiveDelay(DELAY_US)), said.append)
        running = asyncio.create_task(sender.run())
        for index in range(round(seconds * 30)):
            await clock.sleep_until(index * FRAME_US + DELAY_US // 2)
            story(sender, notebook, clock)
            sender.take(index * FRAME_US, output(index))
        await clock.sleep_until(clock.now_us() + DELAY_US)
        sender.stop()
        await running

    run_virtual(main())
    return notebook, said


def test_motion_is_sent_one_delay_after_its_time() -> None:
    notebook, said = told(lambda *_: None)
    assert [pts_us for _, pts_us in notebook.got] == [index * FRAME_US for index in range(120)]
    assert all(0 <= at_us - pts_us - DELAY_US <= LOOK_US for at_us, pts_us in notebook.got)
    assert (notebook.opened, notebook.closed, said) == (1, 1, [])


@pytest.mark.parametrize("trouble", [DeviceLostError("the avatar is gone"), OSError("no route"), ValueError()])
def test_a_receiver_that_fails_is_opened_again_and_said_once(trouble: Exception) -> None:
    def breaks(sender: MotionSender, notebook: Notebook, clock: LoopClock) -> None:
        notebook.trouble = trouble if 1_000_000 < clock.now_us() < 1_600_000 else None

    notebook, said = told(breaks)
    assert len(said) == 2
    assert said[0].endswith("; trying again") and said[1] == "a notebook gets the motion again"
    assert notebook.got[-1][1] == 119 * FRAME_US
    assert notebook.closed == notebook.opened > 1


def test_a_receiver_that_will_never_open_is_left_alone() -> None:
    def breaks(sender: MotionSender, notebook: Notebook, clock: LoopClock) -> None:
        notebook.trouble = InputError("a notebook wants an address")

    notebook, said = told(breaks)
    assert (notebook.got, notebook.opened, said) == ([], 1, ["a notebook wants an address; it gets no motion"])


def test_nothing_is_sent_while_paused() -> None:
    def pauses(sender: MotionSender, notebook: Notebook, clock: LoopClock) -> None:
        sender.paused = 1_000_000 < clock.now_us() < 2_000_000

    notebook, _ = told(pauses)
    assert not [at_us for at_us, _ in notebook.got if 1_050_000 < at_us < 1_950_000]
    assert notebook.got[-1][1] == 119 * FRAME_US


def test_a_bridge_sends_motion_as_its_picture_is_shown_and_outlives_its_receivers() -> None:
    notebook, broken = Notebook(), Notebook()
    broken.trouble = ValueError("not today")

    async def story(stage: Stage) -> None:
        await stage.until(3)
        stage.bridge.pause(True)
        await stage.until(4)

    stage = run_stage(lambda: Stage(receivers=[notebook, broken]), story)
    assert [sentence for sentence in stage.said if "not today" in sentence] == [
        "a notebook took no motion: not today; trying again"
    ]
    delay_us = stage.bridge.presentation.delay.at(stage.clock_end)
    assert len(notebook.got) > 60
    assert all(0 <= at_us - pts_us - delay_us <= FRAME_US for at_us, pts_us in notebook.got[10:])
    assert notebook.got[-1][0] < 3_000_000 + FRAME_US
    assert stage.camera.longest_gap_us() < 2 * FRAME_US
