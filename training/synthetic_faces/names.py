"""Names and index sets shared by the renderer and its users; they equal those of `vivant.types` and `vivant.rig.canonical`.

Kept apart from the product, so that rendering needs none of its dependencies.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.fields.measure import ARKIT

ARKIT_NAMES = ARKIT
ARKIT_INDEX = {name: i for i, name in enumerate(ARKIT_NAMES)}
EYE_LOOK_FULL_DEG = 30.0
"""Eye rotation that one full eyeLook weight stands for."""

LABELS = ("background", "skin", "lips", "inner mouth", "teeth", "tongue", "eyeball", "iris", "brow", "hair", "neck",
          "clothes", "glasses", "object")  # fmt: skip
"""Values of the label map. `object` is what hides the person: a hand, a microphone."""
LABEL = {name: i for i, name in enumerate(LABELS)}

IRISES = (468, 473)
"""Centres; four points of the ring follow each."""
RIGHT_OUTER_EYE, LEFT_OUTER_EYE = 33, 263
UPPER_INNER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_INNER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))


def arkit_weights(**weights: float) -> NDArray[np.float32]:
    """A (52,) vector from ARKit names; the rest are zero."""
    out = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, value in weights.items():
        out[ARKIT_INDEX[name]] = value
    return out
