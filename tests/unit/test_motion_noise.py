"""The small pieces of motion."""

from __future__ import annotations

import numpy as np
import pytest

from vivant.motion.noise import CriticallyDampedSpring, Pulses, SmoothNoise

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("pace", [0.5, 1.0, 2.0])
def test_smooth_noise_has_unit_variance_at_any_pace(pace: float) -> None:
    noise = SmoothNoise(np.random.default_rng(1), 4, 2.0)
    values = np.array([noise.step(pace) for _ in range(20_000)])
    np.testing.assert_allclose(values.std(0), 1.0, atol=0.2)


def test_follow_begins_on_its_target_and_arrives_without_overshoot() -> None:
    follow: CriticallyDampedSpring[float] = CriticallyDampedSpring(0.3)
    assert follow.step(2.0) == 2.0
    path = np.array([follow.step(5.0) for _ in range(200)])
    assert np.all(np.diff(path) >= 0) and path[-1] <= 5.0 and abs(path[-1] - 5.0) < 1e-3
    assert np.abs(np.diff(path, 2)).max() < 0.03


def test_pulses_rise_to_their_peak_and_vanish() -> None:
    pulses = Pulses(1)
    pulses.start([2.0], rise_s=0.1, fall_s=0.2)
    path = [pulses.step()[0] for _ in range(40)]
    assert abs(max(path) - 2.0) < 1e-6 and path.index(max(path)) == 10
    assert path[0] == 0 and path[-1] == 0 and not pulses._running
