"""Light on a moving face: where a shape turns the skin away from the light it darkens, and folds become visible."""

from __future__ import annotations

import numpy as np

from vivant.rig import canonical as c
from vivant.rig.head import HeadFit
from vivant.rig.pool import Pool
from vivant.rig.skin import Skin
from vivant.types import FloatArray

LIGHT = np.array([0.0, 0.62, 0.78])
"""Direction to the light in the image frame (y up): above the camera, where portraits and rooms have it."""
STRENGTH = 0.6
DARKEST, BRIGHTEST = -0.22, 0.12
FAINT = 0.012
"""Less than this is left out, so that most of the face is drawn the quick way."""
RED_KEEPS = np.array([0.55, 1.0, 1.1])
"""Shade on skin takes less of the red."""


def add_shading(pool: Pool, skin: Skin, fit: HeadFit) -> None:
    """Tints for all shapes on the face's vertices, which are the pool's first; from the measured change of normals."""
    face = c.canonical_face()
    rotate = fit.rotation.T.astype(np.float64)
    rest = np.maximum(face.normals[: c.N_SURFACE] @ rotate @ LIGHT, 0.25)
    for drive in range(len(face.normal_fields)):
        change = face.normal_fields[drive, : c.N_SURFACE] @ rotate @ LIGHT / rest
        shade: FloatArray = skin.face_matrix @ np.clip(STRENGTH * change, DARKEST, BRIGHTEST)
        shade = np.sign(shade) * np.maximum(np.abs(shade) - FAINT, 0.0)
        pool.add_tints(drive, 0, np.column_stack([shade[:, None] * RED_KEEPS, np.zeros(len(shade))]))
