"""The analyser that ships: three small networks on onnxruntime, trained on rendered people (`training/analyser`)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from importlib.resources import files

import numpy as np

from vivant.numeric import ndimage
from vivant.portrait.analyser import OURS, Cutout, DetectedFace
from vivant.portrait.crop import Crop, cut, face_frame, person_frame
from vivant.providers import Provider, load_network
from vivant.rig.canonical import mirrored
from vivant.types import Float32Array, Pose, UInt8Array

FINDER_SIDE, FACE_SIDE, PERSON_SIDE = 256, 192, 256
"""Sides of what the networks look at, px."""
LEAST_SCORE, LEAST_CHANCE = 0.1, 0.5
"""From which on a place is looked at closer, and a face that is followed is still there."""
FINDER_WEIGHT = 5
"""Of the finder's logit beside the face network's; a face is believed when the sum is positive."""
MOST_FACES, MOST_LOOKS = 8, 4
SETTLED = 0.1
"""The points are good when the square they were seen in is off by less than this share of its side, or radians."""
LEAST_FACE_PX, SURE_DOUBT = 64.0, 0.009
"""When no face is this wide and has less doubt than this, the picture is looked through tile by tile; of what is found there,
only such a face counts, and only when the networks' logits sum up to `LEAST_IN_TILE`: many looks find much that is none."""
LEAST_IN_TILE = 4.0
TILE_PX, TILE_OVERLAP, MOST_TILES = 768.0, 0.25, 8
"""Least side of a tile (a face of 64 px is 8 % of it), share that neighbours have in common, and most tiles side by side."""
OVERLAP = 0.35
"""Two squares whose centres are nearer than this share of the larger side hold the same face."""


class NetworkAnalyser:
    """`PortraitAnalyser` on what ``provider`` names. Raises UnavailableError when that cannot be had."""

    name = OURS

    def __init__(self, provider: Provider = Provider.AUTO) -> None:
        folder = files("vivant") / "weights"
        self._finder, self._face, self._layers = (
            load_network((folder / f"{name}.onnx").read_bytes(), provider) for name in ("finder", "face", "layers")
        )
        self.provider = self._face.provider

    def faces(self, pixels: UInt8Array) -> list[DetectedFace]:
        height, width = pixels.shape[:2]
        whole = Crop(width / 2, height / 2, float(max(width, height)))
        found = self._believed(pixels, self._squares(pixels, whole), least=0.0)
        if not any(_is_sure(look) for look in found):
            places = [place for tile in _tiles(width, height) for place in self._squares(pixels, tile)]
            likeliest = sorted(places, key=lambda place: -place[1])[:MOST_FACES]
            small = [look for look in self._believed(pixels, likeliest, LEAST_IN_TILE) if _is_sure(look)]
            found += [look for look in small if not any(_same(look.frame, other.frame) for other in found)]
        return sorted((self._look_mirrored(pixels, look).face for look in found), key=lambda face: -face.width_px)

    def follow(self, pixels: UInt8Array, face: DetectedFace) -> DetectedFace | None:
        look = self._look(pixels, face_frame(face.landmarks))
        return look.face if look.chance > LEAST_CHANCE else None

    def cutout(self, pixels: UInt8Array, face: DetectedFace) -> Cutout:
        frame = person_frame(face_frame(face.landmarks))
        square = cut(pixels, frame, PERSON_SIDE)
        matte, labels = self._layers.run(_tensor(square))
        mirror, _ = self._layers.run(_tensor(square[:, ::-1]))  # a thirtieth less error for one look more
        both = 1 / (1 + np.exp(-0.5 * (_logit(matte[0]) + _logit(mirror[0, :, ::-1]))))
        return Cutout(frame, both, labels[0].astype(np.uint8))

    def _believed(self, pixels: UInt8Array, places: list[tuple[Crop, float]], least: float) -> list[_Look]:
        """Those of the finder's places for which it and the face network together say more than ``least``."""
        found: list[_Look] = []
        for frame, score in places:
            if any(_same(frame, other.frame) for other in found):
                continue
            look = self._look_closer(pixels, frame)
            if FINDER_WEIGHT * _logit(score) + _logit(look.chance) > least and not any(
                _same(look.frame, other.frame) for other in found
            ):
                found.append(look)
        return found

    def _squares(self, pixels: UInt8Array, part: Crop) -> list[tuple[Crop, float]]:
        """Where faces may be in a square of the picture and the finder's score, the likeliest first."""
        scores, squares = (maps[0] for maps in self._finder.run(_tensor(cut(pixels, part, FINDER_SIDE))))
        peaks = np.argwhere((scores == ndimage.maximum_filter(scores, 3)) & (scores > LEAST_SCORE))
        peaks = peaks[np.argsort(-scores[peaks[:, 0], peaks[:, 1]])][:MOST_FACES]
        found: list[tuple[Crop, float]] = []
        for row, column in peaks:
            x, y, side, roll_deg = squares[:, row, column].tolist()
            centre = part.outside(np.array([(x, y)], np.float32), FINDER_SIDE)[0]
            frame = Crop(float(centre[0]), float(centre[1]), side * part.side / FINDER_SIDE, roll_deg)
            if not any(_same(frame, other) for other, _ in found):
                found.append((frame, float(scores[row, column])))
        return found

    def _look_closer(self, pixels: UInt8Array, frame: Crop) -> _Look:
        """Look again where the points say that the face is, until that settles."""
        look = self._look(pixels, frame)
        for _ in range(MOST_LOOKS - 1):
            before, look = look.frame, self._look(pixels, face_frame(look.face.landmarks))
            if _settled(before, look.frame):
                break
        return look

    def _look_mirrored(self, pixels: UInt8Array, look: _Look) -> _Look:
        """The mean of the points and those seen in the mirror: a twentieth less error for one look more."""
        square = cut(pixels, look.frame, FACE_SIDE)
        points = self._face.run(_tensor(square[:, ::-1]))[0][0][mirrored()]
        points = points * np.array((-1, 1, 1), np.float32) + np.array((FACE_SIDE, 0, 0), np.float32)
        both = 0.5 * (look.face.landmarks + look.frame.outside(points, FACE_SIDE))
        return replace(look, face=replace(look.face, landmarks=both.astype(np.float32)))

    def _look(self, pixels: UInt8Array, frame: Crop) -> _Look:
        """What the face network sees in a square."""
        out = self._face.run(_tensor(cut(pixels, frame, FACE_SIDE)))
        points, error, seen, rotation, gaze_deg, weights, chance = (value[0] for value in out)
        scale = np.float32(frame.side / FACE_SIDE)
        landmarks = frame.outside(points, FACE_SIDE)
        return _Look(
            frame, float(chance), DetectedFace(landmarks, error * scale, seen, _pose(rotation, frame), gaze_deg, weights)
        )


@dataclass(frozen=True)
class _Look:
    frame: Crop
    chance: float
    """That there is a face."""
    face: DetectedFace


def _is_sure(look: _Look) -> bool:
    return look.face.doubt < SURE_DOUBT and look.face.width_px >= LEAST_FACE_PX


def _tiles(width: int, height: int) -> list[Crop]:
    """Squares that cover a picture in which the finder overlooks small faces; none for a picture that is hardly larger."""
    side = max(TILE_PX, max(width, height) / MOST_TILES)
    if max(width, height) < 1.5 * side:
        return []
    columns, rows = (
        max(1, math.ceil((length - TILE_OVERLAP * side) / ((1 - TILE_OVERLAP) * side))) for length in (width, height)
    )
    middles = [
        [length / 2] if count == 1 else np.linspace(side / 2, length - side / 2, count).tolist()
        for length, count in ((width, columns), (height, rows))
    ]
    return [Crop(x, y, float(side)) for y in middles[1] for x in middles[0]]


def _tensor(image: UInt8Array) -> Float32Array:
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def _logit(chance: float | Float32Array) -> Float32Array:
    sure = np.clip(chance, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(sure / (1 - sure)), np.float32)


def _settled(a: Crop, b: Crop) -> bool:
    moved = np.hypot(a.x - b.x, a.y - b.y) / b.side
    return bool(max(moved, abs(a.side / b.side - 1), abs(np.radians(a.roll_deg - b.roll_deg))) < SETTLED)


def _same(a: Crop, b: Crop) -> bool:
    return float(np.hypot(a.x - b.x, a.y - b.y)) < OVERLAP * max(a.side, b.side)


def _pose(rotation: Float32Array, frame: Crop) -> Pose:
    """Of a rotation from head to view that is upright in a frame."""
    turn = np.radians(frame.roll_deg)
    back = np.array([(np.cos(turn), np.sin(turn), 0.0), (-np.sin(turn), np.cos(turn), 0.0), (0.0, 0.0, 1.0)])
    (_, up_x, forward_x), (_, up_y, forward_y), (_, _, forward_z) = back @ rotation
    yaw, pitch, roll = np.arctan2(forward_x, forward_z), np.arcsin(np.clip(forward_y, -1, 1)), np.arctan2(up_x, up_y)
    return Pose(yaw_deg=float(np.degrees(yaw)), pitch_deg=float(np.degrees(pitch)), roll_deg=float(np.degrees(roll)))
