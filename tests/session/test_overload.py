"""Overload never freezes a face: who gets how much when workers are too few, and after standing still. In virtual time."""

from __future__ import annotations

import numpy as np
import pytest

from tests.session.overload_kit import FPS, SlowPool, Watched, run_crowd, run_faces, stand_still, until
from vivant.types import Output, UtteranceEnd, UtteranceStart

pytestmark = pytest.mark.session

SETTLED_S, END_S = 2.0, 8.0


def overloaded(*priorities: float, n_workers: int = 1) -> list[Watched]:
    """On workers that could each keep five faces at their full rate."""

    async def story(faces: list[Watched]) -> None:
        await until(END_S)

    return run_faces(SlowPool(n_workers, 1_000, 7_000), list(priorities), story)


@pytest.mark.parametrize("n", [8, 9, 12])
def test_lateness_is_shared_fairly_among_equals(n: int) -> None:
    faces = overloaded(*[50.0] * n)
    fps = [face.fps(SETTLED_S, END_S) for face in faces]
    assert min(fps) > 0.8 * max(fps) and min(fps) > 4
    for face in faces:
        assert face.longest_gap_s(SETTLED_S, END_S) < 3.0 / min(fps)
        assert max(face.delays_s(SETTLED_S, END_S)) < face.session.delay_ms / 1000 + 0.15  # the newest, not a growing past
        pts_us = [output.pts_us for _, output in face.shown()]
        assert pts_us == sorted(set(pts_us))


@pytest.mark.parametrize(("slower", "n_taken"), [(1, range(9, 11)), (2, range(4, 6))])
def test_who_is_taken_keeps_ten_pictures_a_second_whatever_else_slows_the_machine(slower: int, n_taken: range) -> None:
    visitors = run_crowd(SlowPool(1, 1_000 * slower, 7_000 * slower), 16, 35.0)
    faces = [visitor.face for visitor in visitors if visitor.face is not None]
    assert len(faces) in n_taken
    assert min(face.fps(25, 35) for face in faces) >= 10
    refusals = [str(visitor.refusal) for visitor in visitors if visitor.face is None]
    assert any(f"no time for more than {len(faces)} such faces" in sentence for sentence in refusals)


def test_a_face_that_gets_nothing_is_seen_to_wait() -> None:
    async def story(faces: list[Watched]) -> None:
        await until(1.5)
        waits_us.append(faces[0].session.outputs.waits_us)

    waits_us: list[int] = []
    run_faces(SlowPool(1, 1_000, 10_000_000), [50.0], story)
    run_faces(SlowPool(1, 0, 0), [50.0], story)
    assert waits_us[0] > 1_000_000 and waits_us[1] == 0


@pytest.mark.parametrize("place", [0, 4, 8])
@pytest.mark.parametrize("others", [10.0, 50.0, 80.0])
def test_an_important_face_keeps_its_rate_and_nobody_stands_still(place: int, others: float) -> None:
    priorities = [others] * 8
    priorities.insert(place, 90.0)
    faces = overloaded(*priorities)
    fps = [face.fps(SETTLED_S, END_S) for face in faces]
    important = fps.pop(place)
    assert important >= 0.95 * FPS
    assert min(fps) > 0.8 * max(fps) and min(fps) > 4


def test_who_matters_more_gets_more_and_even_many_important_ones_leave_something() -> None:
    faces = overloaded(*[10.0] * 4, *[80.0] * 4, n_workers=1)
    few, many = (np.mean([face.fps(SETTLED_S, END_S) for face in part]) for part in (faces[:4], faces[4:]))
    assert many > 1.5 * few > 4
    faces = overloaded(*[10.0] * 2, *[100.0] * 14)
    assert all(face.longest_gap_s(SETTLED_S, END_S) < 1.5 for face in faces)


def test_importance_may_change_at_any_time() -> None:
    async def story(faces: list[Watched]) -> None:
        await until(5)
        faces[0].lane.lane.priority, faces[-1].lane.lane.priority = 50.0, 95.0
        await until(10)

    faces = run_faces(SlowPool(1, 1_000, 7_000), [95.0, *[50.0] * 9], story)
    assert faces[0].fps(2, 5) > 0.95 * FPS > 1.5 * faces[-1].fps(2, 5)
    assert faces[-1].fps(6, 10) > 0.95 * FPS > 1.5 * faces[0].fps(6, 10)


def test_several_frames_of_sound_are_heard_in_one_job() -> None:
    (busy, *_) = faces = overloaded(*[50.0] * 8)
    outputs = [item for _, item in busy.items if isinstance(item, Output)]
    assert len(busy.shown()) < 0.7 * len(outputs)
    assert [output.motion.index for output in outputs] == list(range(len(outputs)))  # motion comes all the same
    assert sum(face.session.stats.late for face in faces) > 100


@pytest.mark.parametrize("drawn_us", [100_000, 300_000, 700_000])
def test_a_face_that_is_slow_to_draw_shows_every_picture_that_it_draws(drawn_us: int) -> None:
    async def story(faces: list[Watched]) -> None:
        await until(20)

    (face,) = run_faces(SlowPool(1, 1_000, drawn_us), [50.0], story)
    assert face.fps(2, 20) > 0.85 * 1e6 / (drawn_us + 1_000)
    assert max(face.delays_s(2, 20)) < (face.session.delay_ms + 100) / 1000 + 1.2 * drawn_us / 1e6


@pytest.mark.parametrize("n", [1, 4, 8])
def test_after_standing_still_a_face_goes_on_now(n: int) -> None:
    heard: list[int] = []

    async def story(faces: list[Watched]) -> None:
        await until(2)
        before = pool.n_heard
        stand_still(20)
        await until(23)
        heard.append(pool.n_heard - before)
        await until(25)

    pool = SlowPool(2, 2_000, 3_000)
    for face in run_faces(pool, [50.0] * n, story):
        old = [t for t, output in face.shown(22) if t - output.pts_us > 400_000]
        assert len(old) <= 1  # one that was in the making
        assert face.longest_gap_s(22, 25) < 0.2
        assert face.fps(22.5, 25) > 0.95 * FPS
        outputs = [item for t, item in face.items if isinstance(item, Output) and 22e6 <= t < 23e6]
        assert len(outputs) <= 1.3 * FPS  # no burst
        assert all(output.pts_us == output.motion.index * 1_000_000 // FPS for output in outputs)
    assert heard[0] <= 1.3 * FPS * n


def test_what_should_have_been_said_meanwhile_is_not_said_later_and_markers_come_in_order() -> None:
    async def story(faces: list[Watched]) -> None:
        session = faces[0].session
        await until(1)
        for seconds in (3, 4, 30):
            session.push_nowait(0.1 * np.ones(seconds * 16_000, np.float32))
            await session.end()
        await until(2)
        stand_still(15)
        await until(20)

    (face,) = run_faces(SlowPool(2, 2_000, 3_000), [50.0], story)
    markers = [(type(item), item.utterance) for _, item in face.items if isinstance(item, UtteranceStart | UtteranceEnd)]
    assert markers == [(UtteranceStart, 1), (UtteranceEnd, 1), (UtteranceStart, 2), (UtteranceEnd, 2), (UtteranceStart, 3)]
    starts = [item.position_us for _, item in face.items if isinstance(item, UtteranceStart)]
    assert np.allclose(np.diff(starts), [3e6, 4e6], atol=40_000)  # where they belong
    assert all(output.utterance == 3 for _, output in face.shown(17.5))
    assert face.session.stream.queued_ms == pytest.approx(1000 * (1 + 3 + 4 + 30 - 20), abs=300)
