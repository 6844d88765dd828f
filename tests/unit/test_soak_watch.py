"""The soak's watch finds each thing that can be wrong in a call, and nothing where all is well."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from benchmarks.server_soak import calm_s, schedule
from benchmarks.soak_watch import Watch, growth_share
from benchmarks.troubles import TROUBLES
from vivant.client import Event
from vivant.types import (
    Interrupted,
    Item,
    MotionFrame,
    Output,
    PixelFormat,
    UtteranceEnd,
    UtteranceStart,
    VideoFrame,
    arkit_weights,
)

pytestmark = pytest.mark.unit

FPS, SIZE_PX, DELAY_US = Fraction(25), 64, 170_000
PIXELS = np.zeros((SIZE_PX, SIZE_PX, 4), np.uint8)


def output(index: int, line: str = "", epoch: int = 0, pixels: np.ndarray = PIXELS) -> Output:
    pts_us = 40_000 * index
    motion = MotionFrame(index, pts_us, arkit_weights())
    return Output(motion, VideoFrame(index, pts_us, pixels, PixelFormat.RGBA), "ada", None, epoch, utterance_id=line)


def start(number: int, position_us: int, epoch: int = 0) -> UtteranceStart:
    return UtteranceStart(number, position_us, f"{number}", epoch)


def end(number: int, position_us: int, epoch: int = 0) -> UtteranceEnd:
    return UtteranceEnd(number, position_us, f"{number}", epoch)


def watch() -> Watch:
    """Of a client that said two lines of 0.12 s, interrupted, and said another."""
    watched = Watch(FPS, SIZE_PX, DELAY_US, 100.0)
    watched.says("1", 0.12)
    watched.says("2", 0.12)
    watched.interrupts()
    watched.says("3", 0.12)
    return watched


def told(watched: Watch, items: list[Item]) -> Watch:
    """Each picture comes when it is due."""
    now_s = 100.0
    for item in items:
        if isinstance(item, Output):
            now_s = 100.0 + (item.pts_us + DELAY_US) / 1e6
        watched.hears(item, now_s)
    return watched


GOOD: list[Item] = [
    output(0),
    start(1, 20_000),
    output(1, "1"),
    output(2, "1"),
    output(3, "1"),
    end(1, 140_000),
    start(2, 140_000),
    output(5, "2"),
    Interrupted(2, 200_000, "2", 1),
    output(6, "", 1),
    start(3, 260_000, 1),
    output(7, "3", 1),
    end(3, 380_000, 1),
    output(10, "", 1),
]


def test_a_call_in_which_all_is_well_has_no_faults() -> None:
    watched = told(watch(), GOOD)
    assert not watched.faults
    assert watched.counts == Counter(outputs=8, pictures=8, lines=2, interruptions=1)
    assert watched.drift.worst_ms == pytest.approx(0, abs=1e-6)
    assert watched.stillness[0] == pytest.approx(0.17)
    assert [late_s for _, late_s in watched.late_s] == pytest.approx([0] * 8, abs=1e-6)


BAD: dict[str, tuple[int, Item]] = {
    "a frame twice": (3, output(1, "1")),
    "a frame that goes back": (4, output(0, "1")),
    "a time between two frames": (2, replace(output(1, "1"), motion=MotionFrame(1, 40_001, arkit_weights()))),
    "a frame of the old epoch": (9, output(6)),
    "a frame of a later epoch": (3, output(2, "1", 1)),
    "a frame of the line that was cut short": (9, output(6, "2", 1)),
    "a frame of no line within one": (3, output(2)),
    "a picture of another size": (3, output(2, "1", pixels=np.zeros((48, 48, 4), np.uint8))),
    "a picture that is not square": (3, output(2, "1", pixels=np.zeros((64, 32, 4), np.uint8))),
    "a frame that is earlier than its marker": (1, start(1, 50_000)),
    "a marker that goes back": (6, start(2, 100_000)),
    "a line that begins behind its frame": (1, start(1, 0)),
    "the end of another line": (5, end(2, 140_000)),
    "a line that was forgotten": (10, start(2, 260_000, 1)),
    "a line that nobody said": (1, start(4, 20_000)),
    "a line before its turn": (1, start(2, 20_000)),
    "an interruption that nobody asked for": (8, Interrupted(2, 200_000, "2", 2)),
    "an interruption before the last frame": (8, Interrupted(2, 160_000, "2", 1)),
    "the old epoch again": (8, Interrupted(2, 200_000, "2", 0)),
}


@pytest.mark.parametrize("kind", BAD)
def test_each_thing_that_is_wrong_is_found(kind: str) -> None:
    place, item = BAD[kind]
    assert told(watch(), [*GOOD[:place], item, *GOOD[place + 1 :]]).faults


def test_a_bundled_portrait_that_fails_is_a_fault() -> None:
    watched = watch()
    watched.scene = "full disk"
    watched.hears(Event("PORTRAIT_FAILED", 0, "", 0, "no room", ""), 100.0)
    assert watched.faults == ["a bundled portrait failed: no room (full disk)"]


def test_a_line_may_be_cut_short_before_its_first_frame() -> None:
    watched = Watch(FPS, SIZE_PX, DELAY_US, 100.0)
    watched.says("1", None)
    watched.interrupts()
    assert not told(watched, [output(0), start(1, 20_000), Interrupted(1, 0, "1", 1), output(1, "", 1)]).faults


def test_two_interruptions_in_a_row_may_be_told_as_one() -> None:
    watched = Watch(FPS, SIZE_PX, DELAY_US, 100.0)
    watched.interrupts()
    watched.interrupts()
    assert not told(watched, [output(0), Interrupted(0, 0, "", 2), output(1, "", 2)]).faults


def test_stillness_and_the_way_back_are_measured_apart_from_a_pause() -> None:
    watched = Watch(FPS, SIZE_PX, DELAY_US, 100.0)
    watched.hears(output(0), 100.17)
    watched.resumes(120.0)
    watched.hears(output(1), 120.5)  # 20 s late: still catching up
    watched.scene = "pause"
    watched.hears(output(510), 121.4)  # 20.4 s of audio time are due 20.57 s after the start
    assert watched.stillness[0] == pytest.approx(0.9) and watched.stillness[1] == "pause"
    assert watched.back_s == []
    watched.hears(output(531), 121.45)
    assert watched.back_s == [pytest.approx(1.45)]
    watched.stands_still(130.0)
    assert watched.stillness[0] == pytest.approx(8.55)


def test_drift_is_seen_within_a_line_and_between_lines_but_not_where_times_are_not_calm() -> None:
    def drifted(ms_per_frame: float, line: str, *, calm: bool = True) -> float:
        watched = Watch(FPS, SIZE_PX, DELAY_US, 0.0)
        watched.drift.calm = calm
        watched.says("1", None)
        if line:
            watched.hears(start(1, 0), 0.0)
        for index in range(1, 200):
            watched.hears(output(index, line), 0.17 + index * (0.04 + ms_per_frame / 1000))
        if line:
            watched.hears(end(1, 8_000_000), 9.0)
        return watched.drift.worst_ms

    assert [drifted(0, "1"), drifted(0, "")] == pytest.approx([0, 0], abs=1e-6)
    assert drifted(1, "1") == pytest.approx(99, abs=1)
    assert 100 < drifted(1, "") < 199
    assert drifted(1, "1", calm=False) == drifted(1, "", calm=False) == 0


def test_a_line_that_is_shown_longer_than_it_sounds_is_drift() -> None:
    late = [*GOOD[:12], end(3, 430_000, 1), output(12, "", 1)]
    assert told(watch(), late).drift.worst_ms == pytest.approx(50)


@pytest.mark.parametrize(
    ("values", "share"), [([100.0] * 30, 0), ([*range(100, 400, 10)], 0.644), ([500.0, 400.0, *[200.0] * 20], 0), ([], 0)]
)
def test_growth_is_that_of_the_last_two_thirds(values: list[float], share: float) -> None:
    assert growth_share(values) == pytest.approx(share, abs=0.01)


def test_a_few_peaks_are_no_growth() -> None:
    values = [200.0] * 60
    values[25] = values[57] = 900.0
    assert growth_share(values) == 0


@pytest.mark.parametrize("seconds", [60, 600, 1800])
def test_every_trouble_has_its_slot_between_two_calm_parts(seconds: float) -> None:
    slots = schedule(seconds, 3)
    assert {slot.trouble for slot in slots} == set(TROUBLES)
    assert slots == schedule(seconds, 3) != schedule(seconds, 4)
    assert slots[0].begin_s == calm_s(seconds)
    assert slots[-1].begin_s + slots[-1].seconds == pytest.approx(seconds - calm_s(seconds))
    assert {slot.n_loops for slot in slots} >= {0, 2}
