"""The C++ part. Safe with any input: wrong types and shapes raise TypeError, wrong values ValueError. No array is kept."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

def correlate(
    values: NDArray[Any],  # (before, n, behind), float32 or float64
    out: NDArray[Any],  # of the same shape and type
    weights: list[float],  # an odd number of them, which mirror each other
    odd: bool,  # or their negatives
    nearest: bool,  # beyond its ends a line repeats its last value; otherwise it is reflected
) -> None:
    """Sums along the middle axis."""

def label(mask: NDArray[np.bool_], out: NDArray[np.int32]) -> int:
    """Numbers of 4-connected regions (height, width); returns how many there are."""

def distances(mask: NDArray[np.bool_], out: NDArray[np.float64]) -> None:
    """(height, width) from every pixel to the nearest one outside of the mask."""

def triangulate(points: NDArray[np.float64], out: NDArray[np.int32]) -> int:
    """Delaunay's triangles of points (n, 2) into rows of ``out`` (2 n or more, 3); returns how many there are."""

class Cholesky:
    """The factor of a sparse, symmetric, positive definite matrix. Read-only, so threads may share it."""

    def __init__(
        self,
        starts: NDArray[np.int64],  # (n + 1,) where the entries of each row begin
        columns: NDArray[np.int32],
        values: NDArray[np.float64],
    ) -> None: ...
    def solve(self, sides: NDArray[np.float64]) -> None:
        """Right-hand sides (n, width) become solutions, in their place."""
