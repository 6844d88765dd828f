"""Fit: how our motion moves LivePortrait's numbers, measured on our own rig's pictures of the same portrait."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from vivant.errors import OutputError
from vivant.face import RigFace
from vivant.liveportrait.graphs import Graphs
from vivant.liveportrait.keypoints import N_POINTS, Posture, slider_slopes
from vivant.media.atomic import replacing
from vivant.private import private_folder
from vivant.rig.cache import cache_folder
from vivant.size import USUAL_SIDE_PX
from vivant.types import ARKIT_NAMES, Float32Array, MotionFrame, Pose, UInt8Array, arkit_weights

WEIGHTS = (0.5, 1.0)
"""At which each shape is looked at."""
TURN_DEG, GAZE_DEG = 8.0, 12.0
DOUBT = 0.3
"""How much the published slopes count beside two looks at a shape (whose squared weights sum up to 1.25); chosen."""
FORMAT = 1
Look = Callable[[UInt8Array], Posture]


@dataclass(frozen=True)
class MotionMap:
    """Linear map from our motion to LivePortrait's expression and angles."""

    shapes: Float32Array
    """(52, 21, 3) expression at weight 1."""
    gaze: Float32Array
    """(2, 21, 3) per degree of yaw and pitch."""
    turns: Float32Array
    """(3, 3) its pitch, yaw, roll for each degree of our yaw, pitch, roll."""

    def expression(self, motion: MotionFrame) -> Float32Array:
        weights = np.clip(motion.weights, 0, 1)
        moved = np.tensordot(weights, self.shapes, 1) + np.tensordot(np.array(motion.gaze, np.float32), self.gaze, 1)
        return moved.astype(np.float32)

    def angles_deg(self, pose: Pose) -> Float32Array:
        return (np.array((pose.yaw_deg, pose.pitch_deg, pose.roll_deg), np.float32) @ self.turns).astype(np.float32)


def fitted(face: RigFace, look: Look) -> MotionMap:
    """By looking at some hundred pictures of the rig."""
    renderer = face.open_rig(USUAL_SIDE_PX)

    def seen(motion: MotionFrame) -> Posture:
        return look(renderer.render(motion).pixels)

    rest = seen(MotionFrame(0, 0, arkit_weights()))
    slopes = slider_slopes() * np.float32(DOUBT)
    for index, name in enumerate(ARKIT_NAMES):
        for weight in WEIGHTS:
            change = seen(MotionFrame(0, 0, arkit_weights(**{name: weight}))).expression - rest.expression
            slopes[index] += np.float32(weight) * change
    shapes = slopes / np.float32(DOUBT + sum(weight**2 for weight in WEIGHTS))
    gaze = [
        _slope([seen(MotionFrame(0, 0, arkit_weights(), gaze=at)).expression for at in pair], GAZE_DEG) for pair in _gazes()
    ]
    turns = [
        _slope([seen(MotionFrame(0, 0, arkit_weights(), pose=at)).angles_deg for at in pair], TURN_DEG) for pair in _turns()
    ]
    return MotionMap(shapes.astype(np.float32), np.stack(gaze), np.stack(turns))


def _slope(pair: list[Float32Array], reach: float) -> Float32Array:
    out: Float32Array = ((pair[1] - pair[0]) / (2 * reach)).astype(np.float32)
    return out


def _gazes() -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    yield (-GAZE_DEG, 0.0), (GAZE_DEG, 0.0)
    yield (0.0, -GAZE_DEG), (0.0, GAZE_DEG)


def _turns() -> Iterator[tuple[Pose, Pose]]:
    for axis in ("yaw_deg", "pitch_deg", "roll_deg"):
        yield Pose(**{axis: -TURN_DEG}), Pose(**{axis: TURN_DEG})


def cached_map(face: RigFace, graphs: Graphs, look: Look) -> MotionMap:
    """The kept map of this portrait and these graphs, or a new one that is then kept."""
    path = cache_folder() / f"{face.portrait_sha256[:24]}-{graphs.fingerprint[:16]}-{FORMAT}.liveportrait.npz"
    with suppress(OSError, EOFError, ValueError, KeyError, BadZipFile):
        return _loaded(path)
    made = fitted(face, look)
    with suppress(OSError, OutputError):  # a cache that cannot be written is only slower next time
        private_folder(path.parent)
        with replacing(path, private=True) as part, part.open("wb") as file:
            np.savez(file, shapes=made.shapes, gaze=made.gaze, turns=made.turns)
    return made


def _loaded(path: Path) -> MotionMap:
    """Raises OSError, EOFError, ValueError, KeyError or BadZipFile for what is none."""
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
        found = MotionMap(*(np.asarray(archive[field.name], np.float32) for field in fields(MotionMap)))
    shapes = found.shapes.shape, found.gaze.shape, found.turns.shape
    if shapes != ((len(ARKIT_NAMES), N_POINTS, 3), (2, N_POINTS, 3), (3, 3)):
        raise ValueError(f"unexpected shapes {shapes}")
    return found
