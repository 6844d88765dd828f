"""Pictures of a stream are labelled unless a reason is given, and mirrored when asked."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from vivant.session.presenter import Presenter
from vivant.testing import PlainFace, index_in
from vivant.types import MotionFrame, UInt8Array, arkit_weights

pytestmark = pytest.mark.unit

TINT = 128


def picture(**how: str | bool) -> UInt8Array:
    """(256, 256, 4) of a face of one colour."""
    shown = Presenter(PlainFace(TINT), size_px=256, **how).present(MotionFrame(5, 0, arkit_weights()))  # type: ignore[arg-type]
    assert shown is not None
    return shown.pixels


def plate(pixels: UInt8Array) -> NDArray[np.intp]:
    """Which columns of the upper half are much darker than the face."""
    return np.flatnonzero((pixels[:100, :, 0] < TINT - 40).any(axis=0))


def test_a_picture_has_a_label_unless_somebody_says_why_not() -> None:
    assert len(plate(picture())) > 20
    assert len(plate(picture(label_off_reason="a character of our own game"))) == 0


def test_a_mirrored_picture_has_a_label_that_can_be_read() -> None:
    assert np.array_equal(plate(picture(mirror=True)), plate(picture()))
    assert index_in(picture(mirror=True)[:, ::-1]) == index_in(picture())
