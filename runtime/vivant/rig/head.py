"""The average head laid over a portrait: pose, size, depth and the directions in which its shapes move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivant.rig import canonical as c
from vivant.types import Float32Array, FloatArray

FLIP_Y = np.array([1.0, -1.0, 1.0], np.float32)
KNEE, BEYOND_KNEE = 0.42, 0.55
"""Depth behind the nose tip counts in full up to KNEE of the way to the ears, and by BEYOND_KNEE after: a sheet that is cut
out of one picture tears at the cheek when the ears lie as deep as they really do."""


@dataclass(frozen=True)
class HeadFit:
    """How the average head lies in the rig's square."""

    rotation: Float32Array
    """(3, 3) canonical frame -> image frame with y up."""
    unit: float
    """Outer-eye distance in px, seen from the front."""
    origin: Float32Array
    """(3,) px, image frame with y down: where the canonical origin lies."""

    def direction(self, vectors: Float32Array) -> Float32Array:
        """Canonical displacements (..., 3) as rig px (y down)."""
        return (self.unit * (vectors @ self.rotation.T) * FLIP_Y).astype(np.float32)

    def place(self, points: Float32Array) -> Float32Array:
        """Canonical points (..., 3) as rig px (y down)."""
        return self.direction(points) + self.origin

    def angles_deg(self) -> tuple[float, float, float]:
        """(yaw, pitch, roll) of the portrait itself."""
        forward, up = self.rotation[:, 2], self.rotation[:, 1]
        yaw = np.degrees(np.arctan2(forward[0], forward[2]))
        pitch = np.degrees(np.arcsin(np.clip(forward[1], -1, 1)))
        return float(yaw), float(pitch), float(np.degrees(np.arctan2(up[0], up[1])))


def fit_head(landmarks: Float32Array) -> HeadFit:
    """Scaled orthographic fit of the average head to 478 landmarks in rig px (DeMenthon and Davis, POS, 1995)."""
    face = c.canonical_face()
    trusted = np.ones(c.N_SURFACE, bool)
    trusted[list(c.OUTER_LIPS + c.UPPER_INNER_LIP + c.LOWER_INNER_LIP)] = False  # these move with speech and smiles
    model = face.points[: c.N_SURFACE][trusted].astype(np.float64)
    seen = landmarks[: c.N_SURFACE, :2][trusted].astype(np.float64) * (1, -1)
    centre_model, centre_seen = model.mean(axis=0), seen.mean(axis=0)
    affine = np.linalg.lstsq(model - centre_model, seen - centre_seen, rcond=None)[0].T
    u, s, vt = np.linalg.svd(affine, full_matrices=False)
    rows = u @ vt
    rotation = np.stack([rows[0], rows[1], np.cross(rows[0], rows[1])])
    unit = float(s.mean())
    origin = centre_seen - unit * (rotation @ centre_model)[:2]
    return HeadFit(rotation.astype(np.float32), unit, np.array([origin[0], -origin[1], 0.0], np.float32))


def surface_depth(fit: HeadFit) -> Float32Array:
    """(468,) depth of the landmarks in px, compressed behind the cheeks."""
    z = fit.place(c.canonical_face().points[: c.N_SURFACE])[:, 2]
    nose = float(z[c.NOSE_TIP])
    ear = float(min(z[c.RIGHT_EAR], z[c.LEFT_EAR]))
    behind = nose - z
    knee = KNEE * (nose - ear)
    return np.where(behind > knee, nose - knee - BEYOND_KNEE * (behind - knee), z).astype(np.float32)


def axis_depth(points: FloatArray, unit: float) -> float:
    """Depth in px of the axis about which the head of ``points`` (n, 3), landmarks first, turns."""
    return float(points[[c.RIGHT_EAR, c.LEFT_EAR], 2].mean()) - 0.1 * unit
