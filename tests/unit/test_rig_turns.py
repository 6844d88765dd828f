"""Heads that turn, and shoulders below them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.turns import faults
from tests.conftest import FaceOf
from tests.examples import some
from vivant.face import RigFace
from vivant.rig import canonical as c
from vivant.rig.folds import unfolded
from vivant.rig.rig import Rig
from vivant.types import FloatArray, MotionFrame, Pose, UInt8Array, arkit_weights

pytestmark = pytest.mark.unit

SIDE, EYES = 256, np.s_[60:140, 80:180]
"""Where ada's eyes are."""


def drawn(face: RigFace, pose: Pose | None = None, body: Pose | None = None) -> UInt8Array:
    return face.open(SIDE).render(MotionFrame(0, 0, arkit_weights(), pose=pose or Pose(), body=body)).pixels


@pytest.mark.full
@pytest.mark.parametrize("name", some(["ada", "bram", "noor", "tomas"]))
def test_a_turned_head_has_neither_holes_nor_splinters(face_of: FaceOf, name: str) -> None:
    for axis, found in faults(face_of(name).rig).items():
        assert found.holes <= 2 and found.torn == 0, (axis, found)  # px between hairs at the outline


def test_shoulders_move_below_a_still_face_and_down_to_the_edge(ada: RigFace, cut_out: RigFace) -> None:
    for face in (ada, cut_out):
        rest, moved = (drawn(face, body=body).astype(int) for body in (None, Pose(x=0.08, y=0.03, roll_deg=1.0)))
        assert (rest[EYES] == moved[EYES]).all()
        assert np.abs(rest[190:230] - moved[190:230])[..., :3].mean() > 2
        assert (moved[-1, rest[-1, :, 3] == 255, 3] == 255).all()


def test_rigs_of_0_1_open_and_keep_their_shoulders_still(small_ada: Rig, tmp_path: Path) -> None:
    old = {name: array for name, array in small_ada.arrays.items() if name not in ("body", "round")}
    replace(small_ada, arrays=old).save(tmp_path / "old.vivant")
    face = RigFace(Rig.load(tmp_path / "old.vivant"))
    assert (drawn(face) == drawn(face, body=Pose(x=0.08, roll_deg=3.0))).all()
    assert (drawn(face) != drawn(face, Pose(yaw_deg=9.0))).any()


def seen(yaw_deg: float) -> FloatArray:
    """(468, 2) the average face, turned."""
    angle = np.radians(yaw_deg)
    points = c.canonical_face().points[: c.N_SURFACE].astype(np.float64)
    x = points[:, 0] * np.cos(angle) + points[:, 2] * np.sin(angle)
    return np.asarray(np.column_stack([x, -points[:, 1]]) * 100 + 256)


def n_folded(flat: FloatArray) -> int:
    a, b, d = (flat[c.canonical_face().triangles[:, i]] for i in range(3))
    return int(((b - a)[:, 0] * (d - a)[:, 1] - (b - a)[:, 1] * (d - a)[:, 0] >= 0).sum())


@pytest.mark.parametrize("yaw_deg", [-42.0, 35.0])
def test_what_a_turned_face_hides_is_laid_flat(yaw_deg: float) -> None:
    before = seen(yaw_deg)
    after = unfolded(before, 100.0)
    assert n_folded(before) > 20 and n_folded(after) < 0.15 * n_folded(before)
    lips = list(c.OUTER_LIPS)
    assert (before[lips] == after[lips]).all()
    face = list(c.OVAL)
    assert (unfolded(seen(0.0), 100.0)[face] == seen(0.0)[face]).all()


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_fold_at_the_outline_stays_on_its_side_of_the_face(side: float) -> None:
    before = seen(0.0)
    cheek = max(c.OVAL, key=lambda i: side * before[i, 0])
    before[cheek, 0] -= side * 30.0
    assert n_folded(before) > 0
    assert np.abs(unfolded(before, 100.0) - before).max() < 60.0
