"""Smoothstep: easing from 0 to 1 with level ends, for numbers and for arrays."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = TypeVar("Floats", bound=np.floating[Any])


def smoothstep(x: float, low: float = 0.0, high: float = 1.0) -> float:
    """0 below ``low``, 1 above ``high``."""
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)


def smoothsteps(x: NDArray[Floats], low: float = 0.0, high: float = 1.0) -> NDArray[Floats]:
    """The same of every element (...,), in the array's own precision."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t), x.dtype)
