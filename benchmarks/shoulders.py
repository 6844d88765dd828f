"""How do shoulders follow the head? ``python -m benchmarks.shoulders [PORTRAIT ...]``

The bundled voice on each portrait; in the drawn frames corners of the picture are followed (Lucas and Kanade, pyramids) from
the portrait at rest: those around the nose, and those on neck, collar and shoulders. The share is the slope of the shoulders'
way in x over the head's at the delay at which both agree most. Eyes are compared to the bit with frames whose body rests.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import PORTRAITS, Row, quiet, show, voice
from vivant.face import RigFace, open_portrait
from vivant.motion.body import DELAY_S
from vivant.rig import canonical as c
from vivant.session.stream import FaceStream
from vivant.types import MotionFrame, Output, UInt8Array, arkit_weights

SIZE_PX, FPS, SEED = 512, 30, 1
WHOLE = 0.8
"""Weight of `body` from which a corner counts as on the shoulders."""
NOSE_REACH = 0.28
"""Around the bridge of the nose, outer-eye distances: neither lids nor lips."""
MOST_CORNERS, LEAST_QUALITY = 60, 0.001
"""Skin has faint ones."""
LAGS = range(FPS // 2)

Track = NDArray[np.float64]


@dataclass(frozen=True)
class Followed:
    """How shoulders follow."""

    share: float
    delay_ms: float
    eyes_same: bool
    """To the bit, whether the body moves or rests."""


def measured(face: RigFace) -> Followed:
    """On the bundled voice."""
    samples, rate_hz = voice()
    with FaceStream(face, fps=FPS, sample_rate_hz=rate_hz, seed=SEED, pictures=False) as stream:
        motions = [item.motion for item in [*stream.push(samples), *stream.finish()] if isinstance(item, Output)]
    renderer = face.open(SIZE_PX)

    def drawn(motion: MotionFrame) -> UInt8Array:
        return renderer.render(motion).pixels[..., :3].copy()

    rest = drawn(MotionFrame(0, 0, arkit_weights()))
    head, body = _Corners(rest, _nose(face)), _Corners(rest, _shoulders(face))
    eyes, same = _eyes(face), True
    tracks = []
    for motion in motions:
        picture = drawn(motion)
        tracks.append((head.x(picture), body.x(picture)))
        if motion.index % FPS == 0:
            still = drawn(replace(motion, body=None))
            same &= bool((picture[eyes] == still[eyes]).all())
    return Followed(*_share_and_delay(np.array(tracks)), same)


def _share_and_delay(tracks: Track) -> tuple[float, float]:
    """Slope and ms of (n, 2) ways of head and shoulders; what is lost is left out."""
    head, body = (np.interp(np.arange(len(tracks)), np.flatnonzero(ok), t[ok]) for t in tracks.T for ok in [np.isfinite(t)])
    ends = [(head[: len(head) - lag], body[lag:]) for lag in LAGS]
    matches = np.array([np.corrcoef(*end)[0, 1] for end in ends])
    best = int(matches.argmax())
    before, at, after = (float(matches[min(max(best + k, 0), len(matches) - 1)]) for k in (-1, 0, 1))
    bent = before - 2 * at + after
    between = 0.5 * (before - after) / bent if bent else 0.0
    return float(np.polyfit(*ends[best], 1)[0]), 1000 * (best + between) / FPS


class _Corners:
    """Corners of a picture that are found again in others."""

    def __init__(self, picture: UInt8Array, where: UInt8Array) -> None:
        self._grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        self._at = cv2.goodFeaturesToTrack(self._grey, MOST_CORNERS, LEAST_QUALITY, 6, mask=where)

    def x(self, picture: UInt8Array) -> float:
        """Median way to the right, px; no number where they are lost."""
        now, found, _ = cv2.calcOpticalFlowPyrLK(self._grey, cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), self._at, None)
        kept = found[:, 0] == 1
        return float(np.median((now - self._at)[kept, 0, 0])) if kept.sum() >= 5 else float("nan")


def _flat(face: RigFace) -> Track:
    """(n, 2) where the rig's vertices are in the portrait at rest, px."""
    x, y, distance, _ = face.rig.arrays["camera"].astype(np.float64)
    rest = face.rig.arrays["rest"].astype(np.float64)
    return np.asarray((x, y) + (rest[:, :2] - (x, y)) * distance / (distance - rest[:, 2:]))


def _nose(face: RigFace) -> UInt8Array:
    where = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
    x, y = _flat(face)[[c.NOSE_TIP, c.RIGHT_INNER_EYE, c.LEFT_INNER_EYE]].mean(axis=0)
    cv2.circle(where, (round(x), round(y)), round(NOSE_REACH * float(face.rig.arrays["head_frame"][3])), 255, -1)
    return where


def _shoulders(face: RigFace) -> UInt8Array:
    """Where the body moves most, within the person."""
    where = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
    whole = face.rig.arrays["body"][:, 0] >= WHOLE
    triangles = face.rig.arrays["triangles"][:, :3]
    for corners in _flat(face)[triangles[whole[triangles].all(axis=1)]]:
        cv2.fillConvexPoly(where, np.round(corners).astype(np.int32), 255)
    return np.asarray(cv2.erode(where, np.ones((9, 9), np.uint8)), np.uint8)


def _eyes(face: RigFace) -> tuple[slice, slice]:
    """Rows and columns in which the eyes stay."""
    points = _flat(face)[[i for lids in (*c.UPPER_LIDS, *c.LOWER_LIDS) for i in lids]]
    (left, top), (right, bottom) = np.round(points.min(axis=0)).astype(int), np.round(points.max(axis=0)).astype(int)
    return slice(top, bottom), slice(left, right)


def rows(paths: Sequence[Path]) -> list[Row]:
    """One line per portrait."""
    with quiet():
        found = {path.stem: measured(open_portrait(path)) for path in paths}
    return [
        Row(
            f"shoulders, {name}",
            f"share .08 to .2, 80 to 200 ms (asked {1000 * DELAY_S:.0f}), eyes the same",
            f"share {one.share:.2f}, {one.delay_ms:.0f} ms, eyes {'the same' if one.eyes_same else 'moved'}",
        )
        for name, one in found.items()
    ]


if __name__ == "__main__":
    show(rows([Path(path) for path in sys.argv[1:]] or PORTRAITS))
