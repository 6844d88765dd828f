"""One face followed through a video: looked for where it is not known, then one look of the network per picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from vivant.errors import InputError
from vivant.portrait.analyser import DetectedFace, PortraitAnalyser
from vivant.types import UInt8Array

LOOK_PX = 640
"""Longer side of the picture in which a face is looked for: who is captured is no speck."""
LOOK_EVERY_US = 200_000
"""While no face is seen: looking through a whole picture costs as much as following one for ten."""
LEAST_FACE_PX = 48.0
"""Narrower faces are lost rather than guessed; chosen."""


class FollowedFace:
    """Face ``number``, counted from the largest when one is looked for; afterwards the one that is where it was."""

    def __init__(self, analyser: PortraitAnalyser, number: int = 1) -> None:
        if number < 1:
            raise InputError(f"faces are counted from 1, the largest, got {number}")
        self._analyser, self._number = analyser, number
        self._face: DetectedFace | None = None
        self._last: DetectedFace | None = None
        self._look_again_us = 0

    def look(self, picture: UInt8Array, pts_us: int) -> DetectedFace | None:
        """The face in a later picture, or None."""
        before = self._face or self._found(picture, pts_us)
        face = self._analyser.follow(picture, before) if before else None
        self._face = face if face and face.width_px >= LEAST_FACE_PX else None
        self._last = self._face or self._last
        return self._face

    def _found(self, picture: UInt8Array, pts_us: int) -> DetectedFace | None:
        if pts_us < self._look_again_us:
            return None
        self._look_again_us = pts_us + LOOK_EVERY_US
        step = -(-max(picture.shape[:2]) // LOOK_PX)
        small = picture if step == 1 else np.asarray(Image.fromarray(picture).reduce(step))
        faces = [_scaled(face, step) for face in self._analyser.faces(small)]
        if self._last is not None:
            same = [face for face in faces if _is_near(face, self._last)]
            if same:
                return same[0]
        return faces[self._number - 1] if self._number <= len(faces) else None


def _scaled(face: DetectedFace, step: int) -> DetectedFace:
    return replace(face, landmarks=face.landmarks * np.float32(step), error_px=face.error_px * np.float32(step))


def _is_near(face: DetectedFace, other: DetectedFace) -> bool:
    gap = face.landmarks[:, :2].mean(axis=0) - other.landmarks[:, :2].mean(axis=0)
    return float(np.hypot(*gap)) < other.size_px
