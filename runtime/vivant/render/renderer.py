"""A rig's pixels for a motion frame."""

from __future__ import annotations

import numpy as np

from vivant.errors import InputError
from vivant.render._kernel import Renderer, Scene
from vivant.types import ARKIT_NAMES, Float32Array, MotionFrame, PixelFormat, Pose, UInt8Array, VideoFrame

_SHAPES = ((len(ARKIT_NAMES),), (2,), (6,), (2,), (6,))
_REST = Pose()


class RigRenderer:
    """One session's renderer: own scratch memory, shared scene. One thread at a time: a second one gets an InputError.

    ``as_photographed`` keeps the mouth of an open-mouthed portrait as it is; otherwise its lips rest together, as a mouth
    that speaks needs them to. For closed mouths it makes no difference.
    """

    def __init__(
        self,
        scene: Scene,
        width: int,
        height: int,
        *,
        as_photographed: bool = False,
        view: Float32Array | None = None,
        behind: UInt8Array | None = None,
    ) -> None:
        """``view`` (left, top, width, height): what the frame shows, rig px; default the square. ``behind`` lies under all."""
        self._renderer = Renderer(scene, width, height, not as_photographed, view, behind)
        self._shape = (height, width, 4)

    def render(self, motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
        """Draw one RGBA frame; into ``out`` (height, width, 4) if given, which then belongs to the frame.

        Weights outside [0, 1] and poses beyond the portrait's limits are clamped; what is not finite or not 52 weights, or a
        frame while another thread draws one, raises InputError.
        """
        pixels = np.empty(self._shape, np.uint8) if out is None else out
        try:
            self._renderer.render(*_vectors(motion), pixels)
        except RuntimeError as error:
            raise InputError("two threads draw with one renderer at once; open one for each") from error
        return VideoFrame(motion.index, motion.pts_us, pixels, PixelFormat.RGBA)

    def places(self, count: int) -> Float32Array:
        """(count, 2) px: where the rig's first vertices lie in the last frame; those below 468 are the face's landmarks.

        Raises InputError for a rig with fewer.
        """
        points = np.empty((count, 2), np.float32)
        try:
            self._renderer.places(points)
        except ValueError as error:
            raise InputError("this rig has too few vertices; build it again from its portrait") from error
        return points


def _vectors(motion: MotionFrame) -> tuple[Float32Array, Float32Array, Float32Array, Float32Array, Float32Array]:
    """Weights (52,), tongue (2,), pose (6,), gaze (2,) and body (6,)."""
    try:
        vectors = (
            np.ascontiguousarray(motion.weights, np.float32),
            np.array(motion.tongue, np.float32),
            _turned(motion.pose),
            np.array(motion.gaze, np.float32),
            _turned(_REST if motion.body is None else motion.body),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError("a motion frame must hold numbers") from error
    shapes = tuple(vector.shape for vector in vectors)
    if shapes != _SHAPES:
        raise InputError(f"a motion frame must hold weights, tongue, pose, gaze and body of shapes {_SHAPES}, got {shapes}")
    if not all(np.isfinite(vector).all() for vector in vectors):
        raise InputError(f"motion frame {motion.index} holds a value that is not finite")
    return vectors


def _turned(pose: Pose) -> Float32Array:
    return np.array((pose.yaw_deg, pose.pitch_deg, pose.roll_deg, pose.x, pose.y, pose.scale), np.float32)
