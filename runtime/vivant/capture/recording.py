"""Recorded motion: frames at a constant rate from pictures at any, whole where face or mouth were away for a while."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from fractions import Fraction

import numpy as np

from vivant.capture.tracker import FaceTracker
from vivant.capture.video import Picture
from vivant.drive.checks import DAY_US
from vivant.drive.driver import N_VALUES, Seen, between, motion_of_vector, vector_of
from vivant.drive.recorded import sight_of
from vivant.easing import smoothstep
from vivant.errors import InputError
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.motion.driven import LIPS
from vivant.types import AudioChunk, Controls, Float32Array, MotionFrame, frame_pts_us

HOLD_S = 0.4
"""A face that is lost stays as it was for so long: heads turn away and come back."""
LEAVE_S, RETURN_S = 0.8, 0.35
"""From there into idle life, and from idle life to the face that is seen again; chosen by eye."""
LIPS_S = 0.15
"""From lips that are seen to the voice's, and back: speech does not wait. Chosen by eye."""
IDLE_RATE_HZ = 16_000
"""Of the silence that idle life listens to."""


def record(
    pictures: Iterable[Picture],
    tracker: FaceTracker,
    fps: Fraction,
    progress: Callable[[int], None] = lambda pts_us: None,
    voice: Callable[[], Iterable[MotionFrame]] = tuple,
) -> Iterator[MotionFrame]:
    """Motion at ``fps`` of all pictures. Raises InputError at the end if no face was in any of them.

    Between two pictures motion is interpolated. ``voice`` opens the motion of the film's sound at that rate; it is asked where
    the mouth is hidden, for lips, and where the face is lost. Without one a lost face idles, and hidden lips rest.
    """
    unseen, index, seen_at_all = _Unseen(fps, voice), 0, False
    before: Seen | None = None
    for picture, pts_us in pictures:
        after = sight_of(tracker.track(picture, pts_us), pts_us)
        seen_at_all |= after.motion is not None
        while (at_us := frame_pts_us(index, fps)) <= pts_us:
            if before is None or at_us >= after.time_us:
                yield unseen.completed(index, after)
            else:
                yield unseen.completed(index, between(before, after, at_us, DAY_US))
            index += 1
        before = after
        progress(pts_us)
    if not seen_at_all:
        raise InputError(
            "no face was found in this video; film one from the front, in light, at least a tenth of the picture wide"
        )


class _Unseen:
    """Fills in for what is not seen, and eases from one to the other."""

    def __init__(self, fps: Fraction, voice: Callable[[], Iterable[MotionFrame]]) -> None:
        self._fps, self._step_s = fps, float(1 / fps)
        self._spoken, self._idle = _begun(voice), _idle(fps)
        self._last: Float32Array | None = None
        self._away_s = HOLD_S
        self._face = self._mouth = 0.0
        """How far each is the one that is seen, 0 to 1."""

    def completed(self, index: int, seen: Seen) -> MotionFrame:
        """Frame ``index``: the motion that was seen, the last one, the voice's, or something between."""
        self._follow(seen, first=index == 0)
        share = np.full(N_VALUES, smoothstep(self._face), np.float32)
        share[LIPS] *= smoothstep(self._mouth)
        if self._last is None:
            shown = self._without(index)
        elif share.min() < 1:
            shown = share * self._last + (1 - share) * self._without(index)
        else:
            shown = self._last
        return motion_of_vector(shown, index, frame_pts_us(index, self._fps))

    def _follow(self, seen: Seen, *, first: bool) -> None:
        if seen.motion is not None:
            self._last, self._away_s = vector_of(seen.motion), 0.0
            self._face = 1.0 if first else min(1.0, self._face + self._step_s / RETURN_S)
            way = -1 if seen.mouth_hidden else 1
            mouth = min(1.0, max(0.0, self._mouth + way * self._step_s / LIPS_S))
            self._mouth = float(not seen.mouth_hidden) if first else mouth
        else:
            self._away_s += self._step_s
            if self._away_s > HOLD_S:
                self._face = max(0.0, self._face - self._step_s / LEAVE_S)

    def _without(self, index: int) -> Float32Array:
        """What the voice does at that frame; after its end, and without one, a face that says nothing."""
        for frame in self._spoken:
            if frame.index >= index:
                return vector_of(frame)
        return vector_of(next(self._idle))


def _begun(voice: Callable[[], Iterable[MotionFrame]]) -> Iterator[MotionFrame]:
    """Nothing is opened before the first frame is asked for; a sound that cannot be read ends."""
    with suppress(InputError):
        yield from voice()


def _idle(fps: Fraction) -> Iterator[MotionFrame]:
    """A face that says nothing, for ever."""
    motion, samples = ArticulatoryMotion().open(fps, seed=0), 0
    waiting: deque[MotionFrame] = deque()
    while True:
        silence = AudioChunk(np.zeros(IDLE_RATE_HZ // 50, np.float32), IDLE_RATE_HZ, samples)
        samples += len(silence.samples)
        waiting.extend(motion.push(silence, Controls()))
        while waiting:
            yield waiting.popleft()
