"""Light on a moving face: where a shape turns the skin away from the light it darkens, and folds become visible."""

from __future__ import annotations

import numpy as np

from vivant.rig import canonical as c
from vivant.rig.head import HeadFit
from vivant.rig.light import Light
from vivant.rig.patch import luminance
from vivant.rig.scene_builder import SceneBuilder
from vivant.rig.skin import Skin
from vivant.types import FloatArray, UInt8Array

LIGHT = np.array([0.0, 0.62, 0.78])
"""Direction to the light in the image frame (y up): above the camera, where portraits and rooms have it."""
STRENGTH = 0.6
DARKEST, BRIGHTEST = -0.22, 0.12
FAINT = 0.012
"""Less than this is left out, so that most of the face is drawn the quick way."""
RED_KEEPS = np.array([0.55, 1.0, 1.1])
"""Shade on skin takes less of the red."""
CLIPPED = (232.0, 254.0)
"""Brightness of skin from which shade fades, and at which there is none: what is overexposed would still be white in it."""


def add_shading(pool: SceneBuilder, skin: Skin, fit: HeadFit, light: Light, picture: UInt8Array, uv: FloatArray) -> None:
    """Tints for all shapes on the face's vertices, which are the pool's first; from the measured change of normals.

    As strong as the shade that ``picture`` itself has at the vertices' ``uv`` (n, 2): none on flat colour."""
    face = c.canonical_face()
    rotate = fit.rotation.T.astype(np.float64)
    rest = np.maximum(face.normals[: c.N_SURFACE] @ rotate @ LIGHT, 0.25)
    x, y = np.clip(uv[: skin.n_face].astype(int), 0, np.array(picture.shape[1::-1]) - 1).T
    room = np.clip((CLIPPED[1] - luminance(picture[y, x])) / (CLIPPED[1] - CLIPPED[0]), 0.0, 1.0)
    strength, keeps = light.relief * room, light.hued(RED_KEEPS)
    for drive in range(len(face.normal_fields)):
        change = face.normal_fields[drive, : c.N_SURFACE] @ rotate @ LIGHT / rest
        shade: FloatArray = skin.face_matrix @ np.clip(STRENGTH * change, DARKEST, BRIGHTEST)
        shade = strength * np.sign(shade) * np.maximum(np.abs(shade) - FAINT, 0.0)
        pool.add_tints(drive, 0, np.column_stack([shade[:, None] * keeps, np.zeros(len(shade))]))
