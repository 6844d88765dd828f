"""The seam between a driver and a face: motion by time, recorded or live, whatever sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vivant.types import ARKIT_NAMES, Float32Array, MotionFrame, Pose

BoolArray = NDArray[np.bool_]

N_WEIGHTS = len(ARKIT_NAMES)
TONGUE, TURN, SHIFT, SCALE, GAZE = (slice(N_WEIGHTS + a, N_WEIGHTS + b) for a, b in ((0, 2), (2, 5), (5, 7), (7, 8), (8, 10)))
"""What follows the weights in a motion vector: tongue; yaw, pitch, roll; x, y; scale; gaze."""
N_VALUES = N_WEIGHTS + 10
GAP_US = 250_000
"""Motion is drawn between two sights no farther apart, and the last is still good for so long; chosen: a tracker at 4 Hz."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a driver saw at one time: a face, or None where it was lost."""

    time_us: int
    motion: MotionFrame | None
    mouth_hidden: bool = False
    known: BoolArray | None = field(default=None, compare=False)
    """(62,) which values of `vector_of` the driver knows at all; None is all. The voice gives the others."""


class Drive(Protocol):
    """A driver as one session follows it. One thread at a time."""

    def at(self, pts_us: int) -> Seen | None:
        """What was seen at that time of the session's sound; times ascend. None: nothing, or no more."""
        ...


class Driver(Protocol):
    """A source of motion by time. As a context manager it holds its device or port open; inside, any number of drives."""

    name: str
    """For people."""
    kind: str
    """For manifests: what drove the face, such as ``video``."""

    def open(self, look_ahead_us: int) -> Drive:
        """Begin to follow it. A frame is asked for ``look_ahead_us`` after its sound was heard, which only live drives mind."""
        ...

    def state(self) -> str:
        """How it does now, in a few words for people; empty where there is nothing to say."""
        ...

    def __enter__(self) -> Driver:
        """Raises a VivantError, a sentence, where its device or port cannot be had."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


def vector_of(motion: MotionFrame) -> Float32Array:
    """(62,) a motion as one vector, in the order of the slices above."""
    pose = motion.pose
    turned = (pose.yaw_deg, pose.pitch_deg, pose.roll_deg, pose.x, pose.y, pose.scale)
    return np.concatenate([motion.weights, np.array((*motion.tongue, *turned, *motion.gaze), np.float32)])


def motion_of_vector(vector: NDArray[np.floating[Any]], index: int, pts_us: int) -> MotionFrame:
    """And back: weights and tongue are clipped to [0, 1]."""
    values = vector.astype(np.float32)
    weights = np.clip(values[:N_WEIGHTS], 0.0, 1.0)
    out, up = np.clip(values[TONGUE], 0.0, 1.0).tolist()
    yaw, pitch, roll, x, y, scale, *gaze = values[TURN.start :].tolist()
    return MotionFrame(index, pts_us, weights, (out, up), Pose(yaw, pitch, roll, x, y, scale), (gaze[0], gaze[1]))


def between(before: Seen, after: Seen, time_us: int, most_gap_us: int = GAP_US) -> Seen:
    """What was seen between two sights: on the straight line where they lie near enough, else the earlier."""
    gap_us = after.time_us - before.time_us
    if before.motion is None or after.motion is None or not 0 < gap_us <= most_gap_us or time_us <= before.time_us:
        return before
    if time_us >= after.time_us:
        return after
    share = (time_us - before.time_us) / gap_us
    one, other = vector_of(before.motion), vector_of(after.motion)
    motion = motion_of_vector(one + np.float32(share) * (other - one), before.motion.index, time_us)
    return Seen(time_us, motion, before.mouth_hidden or after.mouth_hidden, before.known)
