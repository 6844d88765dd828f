"""Shoulders follow the head, late and little, and breathe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vivant.motion.body import BREATH_Y, CARRIED_PER_DEG, DELAY_S, SHARE, Body
from vivant.types import MotionFrame, Pose, arkit_weights

pytestmark = pytest.mark.unit

SWING_S, SWING_DEG = 2.0, 9.0
FULL_X = SHARE[3] * CARRIED_PER_DEG * SWING_DEG


def swinging(fps: int, seconds: float = 8.0) -> list[MotionFrame]:
    """A head that turns to and fro."""
    times = np.arange(round(seconds * fps)) / fps
    angles = SWING_DEG * np.sin(2 * np.pi * times / SWING_S)
    return [
        MotionFrame(index, index * 1_000_000 // fps, arkit_weights(), pose=Pose(yaw_deg=float(angle)))
        for index, angle in enumerate(angles)
    ]


def followed(frames: list[MotionFrame], seed: int = 1) -> list[Pose]:
    body = Body(seed)
    return [pose for pose in (body.follow(frame).body for frame in frames) if pose is not None]


def test_it_follows_a_moment_later_and_less() -> None:
    frames = swinging(50)
    head, x = np.array([frame.pose.yaw_deg for frame in frames]), np.array([pose.x for pose in followed(frames)])
    lags = range(25)
    best = max(lags, key=lambda lag: float(np.corrcoef(head[100 : len(head) - lag], x[100 + lag :])[0, 1]))
    assert 0.08 <= best / 50 <= 0.2
    assert 0.6 * FULL_X < np.abs(x[100:]).max() < FULL_X


@pytest.mark.parametrize("fps", [12, 24, 60])
def test_the_frame_rate_does_not_matter(fps: int) -> None:
    slow, fast = swinging(fps), swinging(240)
    there = {frame.pts_us: pose.x for frame, pose in zip(fast, followed(fast), strict=True)}
    gaps = [
        abs(pose.x - there[frame.pts_us]) for frame, pose in zip(slow, followed(slow), strict=True) if frame.pts_us in there
    ]
    assert len(gaps) > 8 and max(gaps) < 0.06 * FULL_X


def test_it_breathes_each_in_its_own_time_and_settles_after_a_gap() -> None:
    still = [MotionFrame(i, i * 20_000, arkit_weights(), pose=Pose(yaw_deg=SWING_DEG)) for i in range(500)]
    one, other = (np.array([pose.y for pose in followed(still, seed)]) for seed in (1, 2))
    assert np.ptp(one) == pytest.approx(2 * BREATH_Y, rel=0.02) and np.abs(one - other).max() > BREATH_Y / 2
    body = Body(1)
    body.follow(replace(still[0], pose=Pose()))
    late = body.follow(replace(still[0], pts_us=3_600_000_000)).body
    soon = Body(1)
    soon.follow(replace(still[0], pose=Pose()))
    early = soon.follow(replace(still[0], pts_us=round(DELAY_S * 2e5))).body
    assert late is not None and early is not None
    assert late.x == pytest.approx(FULL_X, rel=0.01) and early.x < 0.1 * FULL_X


def test_a_body_of_ones_own_is_kept() -> None:
    own = MotionFrame(0, 0, arkit_weights(), body=Pose(x=0.01))
    assert Body(1).follow(own) is own
