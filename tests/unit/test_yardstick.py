"""The comparison of two landmark meshes: a constant offset between them is no error, however the face lies in the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.yardstick import aligned, offsets
from vivant.portrait import Cutout, DetectedFace
from vivant.rig.canonical import canonical_face
from vivant.types import Float32Array, Pose, UInt8Array, arkit_weights

pytestmark = pytest.mark.unit

OFFSET = np.random.default_rng(0).normal(0, 0.02, (478, 2)).astype(np.float32)


def lying(points: Float32Array, roll_deg: float, scale: float) -> Float32Array:
    """Points of an upright head somewhere in a picture."""
    turn = np.radians(roll_deg)
    matrix = scale * np.array([(np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))])
    flat = points[:, :2] @ matrix.T + (310, 240)
    return np.column_stack([flat, scale * points[:, 2]]).astype(np.float32)


def upright() -> Float32Array:
    return (canonical_face().points * (1, -1, 1)).astype(np.float32)


def moved(points: Float32Array, by: Float32Array) -> Float32Array:
    return np.column_stack([points[:, :2] + by, points[:, 2]]).astype(np.float32)


@given(roll_deg=st.floats(-40, 40), scale=st.floats(20, 400))
def test_the_offset_is_no_error_and_the_rest_is(roll_deg: float, scale: float) -> None:
    theirs = lying(upright(), roll_deg, scale)
    unit = float(np.linalg.norm(theirs[33] - theirs[263])) / scale
    ours = lying(moved(upright(), -OFFSET * unit), roll_deg, scale)
    assert aligned(ours, theirs, OFFSET).max() < 0.3
    further = lying(moved(upright(), np.float32(unit) * (np.array((0.05, 0), np.float32) - OFFSET)), roll_deg, scale)
    np.testing.assert_allclose(aligned(further, theirs, OFFSET), 5.0, atol=0.3)


class Displaced:
    """Finds the one face that it is given, a little elsewhere."""

    name = "displaced"
    provider = "cpu"

    def __init__(self, points: Float32Array) -> None:
        self._points = points

    def faces(self, pixels: UInt8Array) -> list[DetectedFace]:
        every = np.ones(478, np.float32)
        return [DetectedFace(self._points, every, every, Pose(), np.zeros((2, 2), np.float32), arkit_weights())]

    def follow(self, pixels: UInt8Array, face: DetectedFace) -> DetectedFace | None:
        return face

    def cutout(self, pixels: UInt8Array, face: DetectedFace) -> Cutout:
        raise NotImplementedError


def test_offsets_are_found_on_renders(tmp_path: Path) -> None:
    theirs = lying(upright(), 12, 100)
    unit = float(np.linalg.norm(theirs[33] - theirs[263])) / 100
    ours = lying(moved(upright(), -OFFSET * unit), 12, 100)
    np.savez(tmp_path / "renders.npz", images=np.zeros((2, 8, 8, 3), np.uint8), points=np.stack([theirs, theirs]))
    np.testing.assert_allclose(offsets(tmp_path / "renders.npz", Displaced(ours)), OFFSET, atol=0.003)
