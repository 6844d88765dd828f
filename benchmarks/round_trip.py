"""Render a known motion, find it again in the pixels with a landmark network, and compare.

Pose is compared with what was asked for. Mouth, eyes and gaze are compared with where the rig's own vertices went, as the
network would see them: the first 468 vertices of a rig are the landmarks. ``python -m benchmarks.round_trip [NAME ...]``
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.report import PORTRAITS, Row, analyser, quiet, show
from vivant.face import RigFace
from vivant.media import load_image
from vivant.portrait.analyser import PortraitAnalyser
from vivant.rig import canonical as c
from vivant.rig.build import build_rig
from vivant.rig.head import fit_head
from vivant.rig.patch import luminance
from vivant.rig.scene_builder import MOUTH_CLOSED
from vivant.types import ARKIT_INDEX, Float32Array, MotionFrame, Pose, UInt8Array, arkit_weights

SIZE_PX = 512
STEPS = 9
TURN_SHARE = 0.9
"""Of the portrait's own pose limits that is asked for."""
MOST_JAW, MOST_GAZE_DEG = 0.7, 18.0
VISIBLE_CHANGE = 12
"""Grey levels of 255."""
EYE_OPENINGS = ((159, 145), (386, 374))
SLOPES, LEAST_CORRELATION = (0.85, 1.15), 0.97

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Trip:
    """One quantity, sent out and found again."""

    name: str
    sent: Points
    found: Points

    @property
    def slope(self) -> float:
        """Of the straight line through found over sent."""
        return float(np.polyfit(self.sent, self.found, 1)[0])

    @property
    def correlation(self) -> float:
        return float(np.corrcoef(self.sent, self.found)[0, 1])

    @property
    def holds(self) -> bool:
        """Whether it is good enough."""
        return SLOPES[0] <= self.slope <= SLOPES[1] and self.correlation >= LEAST_CORRELATION

    def __str__(self) -> str:
        return f"{self.name}: slope {self.slope:.2f}, correlation {self.correlation:.3f}"


def round_trips(face: RigFace, network: PortraitAnalyser) -> list[Trip]:
    """All quantities on one face; eye opening twice, by the network and by what shows of the eye."""
    looker = _Looker(face, network)
    return [*_turns(looker), _mouth(looker), _eyes(looker), _visible_eyes(looker), _gaze(looker)]


def rows(names: Sequence[str] = ()) -> list[Row]:
    """One line per quantity, the worst and the best of the bundled portraits, or of those that are named."""
    target = f"slope {SLOPES[0]} to {SLOPES[1]}, correlation >= {LEAST_CORRELATION}"
    with quiet():
        faces = [RigFace(build_rig(load_image(path), analyser())) for path in PORTRAITS if not names or path.stem in names]
        trips = [round_trips(face, analyser()) for face in faces]
    return [Row(f"round trip: {same[0].name}", target, _summary(same)) for same in zip(*trips, strict=True)]


def _summary(trips: Sequence[Trip]) -> str:
    slopes = [trip.slope for trip in trips]
    return f"slope {min(slopes):.2f} to {max(slopes):.2f}, correlation >= {min(trip.correlation for trip in trips):.3f}"


class _Looker:
    """Draws a motion and looks at the picture."""

    def __init__(self, face: RigFace, network: PortraitAnalyser) -> None:
        self.rig = face.rig
        self._renderer = face.open(SIZE_PX)
        self._network = network

    def draw(self, pose: Pose | None = None, gaze_yaw: float = 0.0, **weights: float) -> UInt8Array:
        motion = MotionFrame(0, 0, arkit_weights(**weights), pose=pose or Pose(), gaze=(gaze_yaw, 0.0))
        return np.ascontiguousarray(self._renderer.render(motion).pixels[..., :3])

    def look(self, pixels: UInt8Array) -> Float32Array:
        """Landmarks (478, 3) found in a picture."""
        return self._network.faces(pixels)[0].landmarks

    def see(self, pose: Pose | None = None, **weights: float) -> Float32Array:
        """Landmarks found in the rendered picture."""
        return self.look(self.draw(pose, **weights))

    def expect(self, **weights: float) -> Points:
        """Where the rig puts the landmarks (468, 3), in the same picture, for a head that is not turned."""
        drives = np.zeros(MOUTH_CLOSED + 1)
        drives[MOUTH_CLOSED] = 1.0
        for name, weight in weights.items():
            drives[ARKIT_INDEX[name]] = weight
        return self.project(self._moved(drives)[: c.N_SURFACE])

    def project(self, points: Points) -> Points:
        x, y, distance, side = self.rig.arrays["camera"].astype(np.float64)
        flat = (x, y) + (points[:, :2] - (x, y)) * distance / (distance - points[:, 2:])
        return np.column_stack([flat * (SIZE_PX / side), points[:, 2]])

    def _moved(self, drives: Points) -> Points:
        arrays = self.rig.arrays
        points = arrays["rest"].astype(np.float64)
        for drive, start, count, offset in arrays["move_blocks"]:
            points[start : start + count] += drives[drive] * arrays["moves"][offset : offset + count]
        return points


def _turns(looker: _Looker) -> Iterable[Trip]:
    makers: tuple[tuple[str, Callable[[float], Pose]], ...] = (
        ("yaw", lambda deg: Pose(yaw_deg=deg)),
        ("pitch", lambda deg: Pose(pitch_deg=deg)),
        ("roll", lambda deg: Pose(roll_deg=deg)),
    )
    for axis, (name, pose) in enumerate(makers):
        low, high = looker.rig.arrays["limits"][axis] * TURN_SHARE
        sent = np.linspace(low, high, STEPS)
        yield Trip(name, sent, np.array([fit_head(looker.see(pose(deg))).angles_deg()[axis] for deg in sent]))


def _mouth(looker: _Looker) -> Trip:
    def gap(points: NDArray[np.floating[Any]]) -> float:
        return _height(points, 13, 14) / _eye_distance(points)

    weights = np.linspace(0.0, MOST_JAW, STEPS)
    sent = [gap(looker.expect(jawOpen=w)) for w in weights]
    return Trip("mouth opening", np.array(sent), np.array([gap(looker.see(jawOpen=w)) for w in weights]))


def _eyes(looker: _Looker) -> Trip:
    def opening(points: NDArray[np.floating[Any]]) -> float:
        return sum(_height(points, *pair) for pair in EYE_OPENINGS) / _eye_distance(points)

    weights = np.linspace(0.0, 1.0, STEPS)
    sent = [opening(looker.expect(eyeBlinkLeft=w, eyeBlinkRight=w)) for w in weights]
    return Trip(
        "eye opening", np.array(sent), np.array([opening(looker.see(eyeBlinkLeft=w, eyeBlinkRight=w)) for w in weights])
    )


def _visible_eyes(looker: _Looker) -> Trip:
    """The opening without a network: the rows, above and below the middle of each eye, that change when the eyes turn."""
    weights = np.linspace(0.0, 1.0, STEPS)
    middles = [looker.expect()[list(pair), 0].mean() for pair in EYE_OPENINGS]
    found = []
    for w in weights:
        left, right = (looker.draw(gaze_yaw=side * MOST_GAZE_DEG, eyeBlinkLeft=w, eyeBlinkRight=w) for side in (-1.0, 1.0))
        changed = np.abs(left.astype(int) - right).max(axis=2) > VISIBLE_CHANGE
        found.append(sum(changed[:, round(x) - 3 : round(x) + 4].sum(axis=0).mean() for x in middles))
    sent = [sum(_height(looker.expect(eyeBlinkLeft=w, eyeBlinkRight=w), *pair) for pair in EYE_OPENINGS) for w in weights]
    distance = _eye_distance(looker.expect())
    return Trip("visible eye", np.array(sent) / distance, np.array(found) / distance)


def _gaze(looker: _Looker) -> Trip:
    """The head stays; so places in the picture are compared, for the network drags its eye corners along with the irises."""
    degrees = np.linspace(-MOST_GAZE_DEG, MOST_GAZE_DEG, STEPS)
    pictures = [looker.draw(gaze_yaw=deg) for deg in degrees]
    seen = [looker.look(pixels) for pixels in pictures]
    found = [np.mean([_iris_x(pixels, points, side) for side in (0, 1)]) for pixels, points in zip(pictures, seen, strict=True)]
    return Trip("gaze", _iris_shifts(looker, degrees), np.array(found) / _eye_distance(looker.see()))


def _iris_x(pixels: UInt8Array, seen: Float32Array, side: int) -> float:
    """Where, around the network's iris, a circle of its size has the sharpest dark-to-bright border on its two sides.

    Daugman's integro-differential operator, 1993. The network's own irises move less far than what it is shown: it looks
    at 192 px of the whole face, in which a full glance is two px.
    """
    iris = seen[list(c.IRISES[side]), :2]
    radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
    candidates = iris[0, 0] + np.arange(-0.6, 0.6, 0.02) * radius
    brightness = ndimage.gaussian_filter(luminance(pixels), 0.06 * radius)
    angles = np.radians(np.concatenate([np.arange(-30, 31, 5), np.arange(150, 211, 5)]))

    def ring(share: float) -> Points:
        x = candidates[:, None] + share * radius * np.cos(angles)
        y = np.broadcast_to(iris[0, 1] + share * radius * np.sin(angles), x.shape)
        return np.asarray(ndimage.map_coordinates(brightness, [y, x], order=1, mode="nearest"))

    return float(candidates[np.argmax((ring(1.2) - ring(0.8)).mean(axis=1))])


def _iris_shifts(looker: _Looker, degrees: Points) -> Points:
    """How far the outlines of the rig's irises move to the image right, mean of both, in eye distances."""
    arrays = looker.rig.arrays
    shifts = np.zeros(len(degrees))
    for (start, count), centre in zip(arrays["eye_ranges"], arrays["eye_centres"].astype(np.float64), strict=True):
        arms = arrays["rest"][start : start + count] - centre
        reach = np.hypot(*(arms - arms[0])[:, :2].T)
        outline = arms[reach > 0.8 * reach.max()]
        for i, angle in enumerate(np.radians(degrees)):
            turned = outline @ np.array([(np.cos(angle), 0, -np.sin(angle)), (0, 1, 0), (np.sin(angle), 0, np.cos(angle))])
            shifts[i] += (looker.project(centre + turned) - looker.project(centre + outline))[:, 0].mean() / 2
    return shifts / _eye_distance(looker.expect())


def _height(points: NDArray[np.floating[Any]], upper: int, lower: int) -> float:
    return float(points[lower, 1] - points[upper, 1])


def _eye_distance(points: NDArray[np.floating[Any]]) -> float:
    return float(np.linalg.norm(points[c.LEFT_OUTER_EYE, :2] - points[c.RIGHT_OUTER_EYE, :2]))


if __name__ == "__main__":
    show(rows(sys.argv[1:]))
