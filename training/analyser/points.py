"""Groups of the 478 points and their mirror pairs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.people.names import (
    IRISES,
    LEFT_OUTER_EYE,
    LOWER_INNER_LIP,
    LOWER_LIDS,
    OUTER_LIPS,
    RIGHT_OUTER_EYE,
    UPPER_INNER_LIP,
    UPPER_LIDS,
)

AVERAGE_HEAD = Path(__file__).parents[2] / "runtime" / "vivant" / "rig" / "data" / "canonical_face.npz"
"""The table behind `vivant.rig.canonical`, read as a file: training needs no built product."""
N_POINTS = 478
CORNERS = (RIGHT_OUTER_EYE, LEFT_OUTER_EYE)
LIPS = tuple(sorted({*OUTER_LIPS, *UPPER_INNER_LIP, *LOWER_INNER_LIP}))
LIDS = tuple(sorted({i for row in (*UPPER_LIDS, *LOWER_LIDS) for i in row}))
IRIS_POINTS = tuple(first + k for first in IRISES for k in range(5))
GROUPS: dict[str, tuple[int, ...]] = {"all": tuple(range(N_POINTS)), "lips": LIPS, "lids": LIDS, "irises": IRIS_POINTS}
FINE_WEIGHT = 3.0
"""Weight in the loss of lips, lids and irises; the rest weigh 1."""


@cache
def mirror() -> NDArray[np.int64]:
    """(478,) the point on the other side of the face: nearest to each point's mirror image on the average head."""
    with np.load(AVERAGE_HEAD, allow_pickle=False) as data:
        points = data["points"].astype(np.float64)
    flipped = points * (-1, 1, 1)
    other = np.empty(N_POINTS, np.int64)
    for first, last in ((0, 468), (468, N_POINTS)):  # surface and irises apart: they lie close to each other
        gaps = np.linalg.norm(flipped[first:last, None] - points[None, first:last], axis=2)
        other[first:last] = first + gaps.argmin(1)
    if not np.array_equal(other[other], np.arange(N_POINTS)):
        raise ValueError("the average head is not symmetric enough to pair its points")
    return other


def weights() -> NDArray[np.float32]:
    """(478,) weights in the loss, mean 1."""
    out = np.ones(N_POINTS, np.float32)
    out[[*LIPS, *LIDS, *IRIS_POINTS]] = FINE_WEIGHT
    return out / out.mean(dtype=np.float32)
