"""Help with card meshes: brightness of textures, hanging arms, normals over texture seams."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.synthetic_faces.assets import Card, Floats
from training.synthetic_faces.layers import smooth
from training.synthetic_faces.plan import Hair

SKULL = np.array([0.0, 4.0, 0.0], np.float32)
HAIR_GAIN = {"short01": 9.0, "short02": 6.0, "short03": 5.0, "short04": 12.0, "bob02": 1.6, "braid01": 6.0, "long01": 4.0}
"""Brightness of the hair textures made alike."""


def lower_arms(card: Card) -> Card:
    """Clothes with arms hanging down instead of spread."""
    points = card.vertices.copy()
    side = np.sign(points[:, 0])
    x, y = np.abs(points[:, 0]), points[:, 1]
    inner = np.interp(y, [-60.0, -30.0], [21.0, 13.0])
    share = smooth(x - inner, 0.0, 9.0)
    angle = -np.radians(38.0) * share
    dx, dy = x - 15.0, y + 19.0
    points[:, 0] = side * (15.0 + dx * np.cos(angle) - dy * np.sin(angle))
    points[:, 1] = -19.0 + dx * np.sin(angle) + dy * np.cos(angle)
    points = np.where(share[:, None] > 0, points, card.vertices)
    return replace(card, vertices=points.astype(np.float32))


def styled(points: Floats, hair: Hair) -> Floats:
    """Hair scaled and perhaps mirrored."""
    scale = hair.grow * np.array([-1.0 if hair.mirrored else 1.0, 1.0, 1.0], np.float32)
    out: Floats = ((points - SKULL) * scale + SKULL).astype(np.float32)
    return out


def card_normals(card: Card, points: Floats) -> Floats:
    """Vertex normals (n, 3), summed over corners that share a mesh vertex."""
    tri = card.source[card.triangles]
    a, b, c = (points[card.triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    out = np.zeros((int(card.source.max()) + 1, 3), np.float32)
    for k in range(3):
        for axis in range(3):
            out[:, axis] += np.bincount(tri[:, k], face[:, axis], len(out))
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)
    spread: Floats = out[card.source]
    return spread
