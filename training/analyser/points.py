"""Groups of the 478 points and their mirror pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.synthetic_faces.names import (
    IRISES,
    LEFT_OUTER_EYE,
    LOWER_INNER_LIP,
    LOWER_LIDS,
    OUTER_LIPS,
    RIGHT_OUTER_EYE,
    UPPER_INNER_LIP,
    UPPER_LIDS,
)

N_POINTS = 478
CORNERS = (RIGHT_OUTER_EYE, LEFT_OUTER_EYE)
LIPS = tuple(sorted({*OUTER_LIPS, *UPPER_INNER_LIP, *LOWER_INNER_LIP}))
LIDS = tuple(sorted({i for row in (*UPPER_LIDS, *LOWER_LIDS) for i in row}))
IRIS_POINTS = tuple(first + k for first in IRISES for k in range(5))
GROUPS: dict[str, tuple[int, ...]] = {"all": tuple(range(N_POINTS)), "lips": LIPS, "lids": LIDS, "irises": IRIS_POINTS}
FINE_WEIGHTS = {"lips": 3.0, "lids": 4.0, "irises": 3.0}
"""Weights in the loss; the rest weigh 1."""


def weights() -> NDArray[np.float32]:
    """(478,) weights in the loss, mean 1."""
    out = np.ones(N_POINTS, np.float32)
    for name, weight in FINE_WEIGHTS.items():
        out[list(GROUPS[name])] = weight
    return out / out.mean(dtype=np.float32)
