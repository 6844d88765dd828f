"""Numbers from elsewhere, looked at before they move a face: what cannot be is refused, what nearly can is clipped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from vivant.avatars import eye_angles_deg
from vivant.drive.driver import GAZE, N_VALUES, N_WEIGHTS, SCALE, SHIFT, TONGUE, TURN, BoolArray, Seen, motion_of_vector
from vivant.types import ARKIT_INDEX, ARKIT_NAMES, Float32Array, FloatArray

LEAST_WEIGHT, MOST_WEIGHT = -0.1, 1.5
"""Trackers overshoot a little; beyond that a number is no weight. Chosen."""
MOST_TURN_DEG = 180.0
MOST_SHIFT, LEAST_SCALE, MOST_SCALE = 10.0, 0.2, 5.0
"""In outer-eye distances, and of the apparent size; beyond these nothing is a head before a camera. Chosen."""
DAY_US = 24 * 3600 * 1_000_000
"""No recording is longer."""
LOOKS = [ARKIT_INDEX[name] for name in ARKIT_NAMES if name.startswith("eyeLook")]


def knows(*parts: slice | list[int]) -> BoolArray:
    """(62,) for `Seen.known`: the weights, and those parts of the rest."""
    known = np.zeros(N_VALUES, bool)
    known[:N_WEIGHTS] = True
    for part in parts:
        known[part] = True
    return known


FACE_AND_TURN = knows(TURN, GAZE)
"""Known to phones and the tools after them: weights, turning of the head and gaze, but not where the head is."""


def seen_of(time_us: int, values: ArrayLike, known: BoolArray | None = None, *, mouth_hidden: bool = False) -> Seen | None:
    """A sight of a motion vector, (62,); None where a number of it cannot be."""
    with np.errstate(over="ignore"):  # what no float32 holds is infinite
        vector = np.asarray(values, np.float32)
    if vector.shape != (N_VALUES,) or not np.isfinite(vector).all() or not _is_possible(vector):
        return None
    return Seen(time_us, motion_of_vector(vector, 0, time_us), mouth_hidden, known)


def seen_by_phone(time_us: int, weights: Sequence[float], turned_deg: Sequence[float]) -> Seen | None:
    """A sight of 52 weights that hold the gaze too (`all_weights`), and of yaw, pitch, roll; None where a number cannot be."""
    values = np.zeros(N_VALUES)
    values[:N_WEIGHTS], values[TURN], values[SCALE] = weights, turned_deg, 1.0
    if not _are_weights(values[:N_WEIGHTS]):
        return None
    values[GAZE] = np.mean(eye_angles_deg(values[:N_WEIGHTS].astype(np.float32)), axis=0)
    values[LOOKS] = 0.0
    return seen_of(time_us, values, FACE_AND_TURN)


def _is_possible(values: Float32Array) -> bool:
    return bool(
        _are_weights(values[:N_WEIGHTS])
        and _are_weights(values[TONGUE])
        and np.abs(values[TURN]).max() <= MOST_TURN_DEG
        and np.abs(values[SHIFT]).max() <= MOST_SHIFT
        and LEAST_SCALE <= values[SCALE].item() <= MOST_SCALE
        and np.abs(values[GAZE]).max() <= MOST_TURN_DEG
    )


def _are_weights(values: FloatArray) -> bool:
    return bool(values.min() >= LEAST_WEIGHT and values.max() <= MOST_WEIGHT)
