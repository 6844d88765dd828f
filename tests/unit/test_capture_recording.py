"""Capture: frames at a constant rate from what a tracker saw."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import cast

import numpy as np
import pytest

from vivant.capture.recording import record
from vivant.capture.tracker import LOST, FaceTracker, TrackedFace
from vivant.types import ARKIT_INDEX, MotionFrame, arkit_weights

pytestmark = pytest.mark.unit

FPS = Fraction(25)
JAW = ARKIT_INDEX["jawOpen"]
PICTURE = np.zeros((1, 1, 3), np.uint8)


class Seeing:
    """What a tracker said of pictures that are not looked at."""

    def __init__(self, said: Iterable[TrackedFace]) -> None:
        self._said = iter(said)

    def track(self, picture: object, pts_us: int) -> TrackedFace:
        return next(self._said)


def jaws(said: list[TrackedFace], voice: float = 0.0) -> list[float]:
    """Of every frame, at the film's own rate; the film's sound opens the jaw so far."""
    pictures = [(PICTURE, 40_000 * k) for k in range(len(said))]
    spoken = [MotionFrame(k, 40_000 * k, arkit_weights(jawOpen=voice)) for k in range(len(said))]
    frames = record(pictures, cast(FaceTracker, Seeing(said)), FPS, voice=lambda: spoken)
    return [float(frame.weights[JAW]) for frame in frames]


def face(jaw: float, *, hidden: bool = False) -> TrackedFace:
    return TrackedFace(MotionFrame(0, 0, arkit_weights(jawOpen=jaw)), 1.0, hidden)


def test_a_frame_on_a_picture_is_of_that_picture() -> None:
    """A film whose face is in its last picture alone is a film with a face; the one before it has none."""
    seen = jaws([LOST] * 20 + [face(0.8)])
    assert seen[-1] > seen[-2]


def test_a_hand_that_goes_on_to_hide_the_face_shows_no_guess_of_the_mouth() -> None:
    seen = jaws([face(0.1)] * 10 + [face(0.9, hidden=True)] * 20 + [LOST] * 30, voice=0.3)
    assert max(seen[30:]) < 0.35
