"""Thinning of curves: keys that a straight line between others meets are left out."""

from __future__ import annotations

import numpy as np

from vivant.types import FloatArray


def corners(times_s: FloatArray, values: FloatArray, tolerance: float) -> list[int]:
    """Which keys to keep: swinging door compression (Bristol 1990), so that no value is missed by more than the tolerance."""
    kept, last = [0], len(values) - 1
    low, high = -np.inf, np.inf
    for i in range(1, len(values)):
        span_s = times_s[i] - times_s[kept[-1]]
        slope = (values[i] - values[kept[-1]]) / span_s
        if not low <= slope <= high:  # a line to here would miss a key between
            kept.append(i - 1)
            span_s = times_s[i] - times_s[i - 1]
            slope, low, high = (values[i] - values[i - 1]) / span_s, -np.inf, np.inf
        low, high = max(low, slope - tolerance / span_s), min(high, slope + tolerance / span_s)
    return kept if kept[-1] == last else [*kept, last]
