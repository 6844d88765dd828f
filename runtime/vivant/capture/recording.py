"""Recorded motion: frames at a constant rate from pictures at any, whole where the face was away for a while."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple
from fractions import Fraction

import numpy as np

from vivant.capture.tracker import FaceTracker, TrackedFace
from vivant.capture.video import Picture
from vivant.easing import smoothstep
from vivant.errors import InputError
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.types import AudioChunk, Controls, MotionFrame, Pose, frame_pts_us

HOLD_S = 0.4
"""A face that is lost stays as it was for so long: heads turn away and come back."""
LEAVE_S, RETURN_S = 0.8, 0.35
"""From there into idle life, and from idle life to the face that is seen again; chosen by eye."""
IDLE_RATE_HZ = 16_000
"""Of the silence that idle life listens to."""


def record(
    pictures: Iterable[Picture],
    tracker: FaceTracker,
    fps: Fraction,
    progress: Callable[[int], None] = lambda pts_us: None,
) -> Iterator[MotionFrame]:
    """Motion at ``fps`` of all pictures. Raises InputError at the end if no face was in any of them.

    Between two pictures motion is interpolated. Where the face is lost it is held, and then idles.
    """
    absence, index, seen_at_all = _Absence(fps), 0, False
    before: tuple[int, MotionFrame | None] | None = None
    for picture, pts_us in pictures:
        tracked: TrackedFace = tracker.track(picture, pts_us)
        seen_at_all |= tracked.motion is not None
        while (at_us := frame_pts_us(index, fps)) <= pts_us:
            yield absence.fill(index, _between(before, (pts_us, tracked.motion), at_us))
            index += 1
        before = pts_us, tracked.motion
        progress(pts_us)
    if not seen_at_all:
        raise InputError(
            "no face was found in this video; film one from the front, in light, at least a tenth of the picture wide"
        )


class _Absence:
    """Fills in for a face that is not seen."""

    def __init__(self, fps: Fraction) -> None:
        self._step_s = float(1 / fps)
        self._fps = fps
        self._idle = _Idle(fps)
        self._last: MotionFrame | None = None
        self._away_s, self._presence = HOLD_S, 0.0

    def fill(self, index: int, motion: MotionFrame | None) -> MotionFrame:
        """Frame ``index``: the motion that was seen, the last one, idle life, or something between."""
        self._away_s = 0.0 if motion else self._away_s + self._step_s
        self._last = motion or self._last
        if motion:
            self._presence = min(1.0, self._presence + self._step_s / RETURN_S) if index else 1.0
        elif self._away_s > HOLD_S:
            self._presence = max(0.0, self._presence - self._step_s / LEAVE_S)
        shown = self._last
        if shown is None or self._presence < 1.0:
            idle = self._idle.next()
            shown = idle if shown is None else blend(idle, shown, smoothstep(self._presence))
        return MotionFrame(index, frame_pts_us(index, self._fps), shown.weights, shown.tongue, shown.pose, shown.gaze)


class _Idle:
    """A face that says nothing."""

    def __init__(self, fps: Fraction) -> None:
        self._motion = ArticulatoryMotion().open(fps, seed=0)
        self._waiting: deque[MotionFrame] = deque()
        self._samples = 0

    def next(self) -> MotionFrame:
        while not self._waiting:
            silence = AudioChunk(np.zeros(IDLE_RATE_HZ // 50, np.float32), IDLE_RATE_HZ, self._samples)
            self._samples += len(silence.samples)
            self._waiting.extend(self._motion.push(silence, Controls()))
        return self._waiting.popleft()


def blend(one: MotionFrame, other: MotionFrame, share: float) -> MotionFrame:
    """From one motion (share 0) to another (1), at the time of the first."""

    def mixed(a: tuple[float, ...], b: tuple[float, ...]) -> list[float]:
        return [(1 - share) * x + share * y for x, y in zip(a, b, strict=True)]

    weights = ((1 - share) * one.weights + share * other.weights).astype(np.float32)
    (out, up), (yaw, pitch) = mixed(one.tongue, other.tongue), mixed(one.gaze, other.gaze)
    pose = Pose(*mixed(astuple(one.pose), astuple(other.pose)))
    return MotionFrame(one.index, one.pts_us, weights, (out, up), pose, (yaw, pitch))


def _between(
    before: tuple[int, MotionFrame | None] | None, after: tuple[int, MotionFrame | None], at_us: int
) -> MotionFrame | None:
    """The motion at a time between two pictures; the nearer one's where the face is seen in one of them only."""
    if before is None or at_us >= after[0]:
        return after[1]
    share = (at_us - before[0]) / (after[0] - before[0])
    if before[1] is None or after[1] is None:
        return before[1] if share < 0.5 else after[1]
    return blend(before[1], after[1], share)
