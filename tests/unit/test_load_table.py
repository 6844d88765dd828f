"""The load table's arithmetic: what counts as late, as still, as quiet, and as held."""

from __future__ import annotations

import pytest

from benchmarks.load import Cell, FaceSeen, Refusal, Target, lateness_ms, report, stillness_s, verdict
from benchmarks.processes import Cpu

pytestmark = pytest.mark.unit

FULL = Refusal("no room", has_hint=True)


def face(fps: float, priority: int = 50, ended: str = "") -> FaceSeen:
    return FaceSeen(priority, fps, (1.0, 3.0), 0.1, ended=ended)


def cell(n_asked: int, n_loops: int, *faces: FaceSeen, refused: tuple[Refusal, ...] = (), others: float = 0.0) -> Cell:
    return Cell(n_asked, n_loops, faces, refused, 50.0, others)


def test_lateness_is_arrival_against_time_delay_and_start() -> None:
    arrivals = [(10.170, 0), (10.215, 40_000), (10.400, 80_000)]
    assert lateness_ms(arrivals, 10.0, 170, at_once=False) == pytest.approx([0, 5, 150])


@pytest.mark.parametrize(("ahead_ms", "late_ms"), [(0, 0), (60, 0), (100, 0), (150, -50), (-80, 80)])
def test_the_announced_lead_of_sound_that_came_at_once_is_neither_late_nor_early(ahead_ms: int, late_ms: int) -> None:
    arrivals = [(10 + (170 + 40 * index - ahead_ms) / 1000, 40_000 * index) for index in range(5)]
    assert lateness_ms(arrivals, 10.0, 170, at_once=True) == pytest.approx([late_ms] * 5, abs=1e-6)


def test_a_face_without_a_picture_stands_still_for_the_whole_window() -> None:
    assert stillness_s([], 5, 15) == 10
    assert stillness_s([5.1, 5.2, 12.2, 14.9], 5, 15) == pytest.approx(7)
    assert stillness_s([5.1, 5.2], 5, 15) == pytest.approx(9.8)


@pytest.mark.parametrize(
    ("seen", "held"),
    [
        (cell(2, 4, face(21, 90), face(10)), True),
        (cell(2, 4, face(19, 90), face(10)), False),
        (cell(2, 4, face(21, 90), face(9)), False),
        (cell(2, 4, face(21, 90), face(10, ended="cut")), False),
        (cell(2, 4, face(21, 90), refused=(FULL,)), False),
    ],
)
def test_a_target_asks_for_all_faces_and_for_the_important_one(seen: Cell, held: bool) -> None:
    assert Target(10, 20).is_held(seen) is held


@pytest.mark.parametrize(("refusal", "held"), [(FULL, True), (Refusal("no room", has_hint=False), False), (None, False)])
def test_who_is_refused_must_be_told_when_to_come_again(refusal: Refusal | None, held: bool) -> None:
    seen = cell(2, 0, face(12, 90), refused=(refusal,) if refusal else ())
    assert Target(12, refuses=True).is_held(seen) is held


def test_a_miss_counts_only_on_a_quiet_machine() -> None:
    slow = [face(3, 90), *[face(3)] * 7]
    assert verdict(cell(8, 4, *slow))[1] == "missed"
    assert verdict(cell(8, 4, *slow, others=0.9))[1] == "missed, but others ran"
    assert verdict(cell(8, 4, *[face(25, 90)] * 8, others=0.9))[1] == "held"


@pytest.mark.parametrize(("load_average", "others", "quiet"), [(0.1, 0.0, True), (2.0, 0.0, False), (0.1, 0.5, False)])
def test_a_run_is_called_quiet_only_if_it_was(load_average: float, others: float, quiet: bool) -> None:
    text = report([cell(1, 0, face(25, 90), others=others)], load_average, "512 px RGBA")
    assert text.startswith("A quiet run") is quiet


def test_what_others_took_is_what_neither_we_nor_idling_explain() -> None:
    assert Cpu(100.0, 10.0).others(Cpu(118.0, 23.0), 10.0) == pytest.approx(0.5)
