"""Least squares whose unknowns are not negative."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivant.types import FloatArray

ENOUGH = 1e-10
"""A slope below this share of the largest right-hand side is none."""


def nonnegative_minimum(normal: FloatArray, right: FloatArray, most_steps: int, start: FloatArray | None = None) -> FloatArray:
    """The x >= 0 that minimises x @ normal @ x / 2 - right @ x, for a positive definite ``normal`` (n, n).

    Lawson and Hanson (1974) on normal equations, after Bro and de Jong (1997): unknowns become free one by one, the steepest
    first, and are bound to zero again where they would pass it. After ``most_steps`` the best so far. From a ``start`` (n,),
    not negative, that lies near, a step or two are enough.
    """
    found = np.zeros(len(right)) if start is None else start.copy()
    free = found > 0
    _settle(found, free, normal, right)
    tolerance = ENOUGH * max(float(np.abs(right).max()), 1e-300)
    for _ in range(most_steps):
        slope = np.where(free, -np.inf, right - normal @ found)
        steepest = int(slope.argmax())
        if slope[steepest] <= tolerance:
            break
        free[steepest] = True
        _settle(found, free, normal, right)
    return found


def _settle(found: FloatArray, free: NDArray[np.bool_], normal: FloatArray, right: FloatArray) -> None:
    """To the minimum of the free unknowns, which loses those that stand in its way."""
    while free.any():
        index = np.flatnonzero(free)
        wanted = np.linalg.solve(normal[np.ix_(index, index)], right[index])
        if (wanted > 0).all():
            found[index] = wanted
            return
        own = found[index]
        falls = wanted <= 0
        share = float((own[falls] / (own[falls] - wanted[falls])).min())
        found[index] = own + share * (wanted - own)
        bound = index[(found[index] <= 1e-15) & falls]
        found[bound], free[bound] = 0.0, False
