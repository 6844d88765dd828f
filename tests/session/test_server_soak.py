"""Calls that go on for long, in virtual time: the benchmark's soak, shorter."""

from __future__ import annotations

import pytest

from benchmarks.virtual_soak import FACES, FRAME_MS, virtual_faces
from vivant.testing import run_virtual

pytestmark = pytest.mark.session


def test_sound_and_picture_stay_together_through_lines_interruptions_and_portraits() -> None:
    drifts, _ = run_virtual(virtual_faces(60))
    assert len(drifts) == FACES
    for drift in drifts:
        assert len(drift.off_by_ms) >= 5 and len(drift.idle_ms) >= 50
        assert drift.worst_ms <= FRAME_MS
