"""Calls that go on for long, in virtual time: the benchmark's soak, shorter."""

from __future__ import annotations

import pytest

from benchmarks.server_soak import FACES, FRAME_MS, virtual_faces
from vivant.testing import run_virtual

pytestmark = pytest.mark.session


def test_sound_and_picture_stay_together_through_lines_interruptions_and_portraits() -> None:
    watches, _ = run_virtual(virtual_faces(60))
    assert len(watches) == FACES
    for watch in watches:
        assert len(watch.off_by_ms) >= 5 and len(watch.idle_ms) >= 50
        assert watch.drift_ms <= FRAME_MS
