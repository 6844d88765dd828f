"""The kernel's filters for sound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivant.render import _kernel

pytestmark = pytest.mark.unit


@given(taps=st.integers(1, 40), seed=st.integers(0, 1000))
def test_filters_between_samples(taps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    samples, filters = (rng.standard_normal(shape).astype(np.float32) for shape in (100, (7, taps)))
    first, phase = rng.integers(0, 101 - taps, 30), rng.integers(0, 7, 30)
    out = np.empty(30, np.float32)
    _kernel.filter_at(samples, first, phase, filters, out)
    expected = [samples[i : i + taps].astype(np.float64) @ filters[p] for i, p in zip(first, phase, strict=True)]
    assert np.allclose(out, expected, atol=1e-4)


@pytest.mark.parametrize(("first", "phase"), [(-1, 0), (98, 0), (0, -1), (0, 2)])
def test_a_filter_stays_inside_its_samples(first: int, phase: int) -> None:
    where = (np.array([0, first]), np.array([0, phase]))
    with pytest.raises(ValueError, match="outside"):
        _kernel.filter_at(np.zeros(100, np.float32), *where, np.ones((2, 3), np.float32), np.empty(2, np.float32))
