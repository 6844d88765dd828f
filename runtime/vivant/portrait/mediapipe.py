"""Landmarks and matte by mediapipe 0.10.21, whose wheel carries the models. The only module that knows it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from vivant.errors import UnavailableError
from vivant.portrait.analyser import Face
from vivant.types import Float32Array, UInt8Array

MAX_FACES = 5
MAX_SIDE_PX = 1600  # larger pictures are halved first: the networks look at 192 and 256 px crops anyway


class MediapipeAnalyser:
    """`PortraitAnalyser` on the CPU. Calls from several threads queue up; the graphs are not re-entrant."""

    provider = "cpu"

    def __init__(self) -> None:
        solutions = _solutions()
        self._lock = threading.Lock()
        with _quiet():
            self._segmentation = solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)
            self._mesh = solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True, max_num_faces=MAX_FACES)
            # Its threads load the models, and log while they do, after the constructor has returned; wait for them here.
            blank = np.zeros((64, 64, 3), np.uint8)
            self._mesh.process(blank)
            self._segmentation.process(blank)

    def faces(self, pixels: UInt8Array) -> list[Face]:
        small = _halved(pixels)
        with self._lock, _quiet():
            found = self._mesh.process(small).multi_face_landmarks or []
        height, width = pixels.shape[:2]
        # Its z is in widths of the picture and grows away from the viewer.
        scale = np.array([width, height, -width], np.float32)
        faces = [Face(np.array([(p.x, p.y, p.z) for p in face.landmark], np.float32) * scale) for face in found]
        return sorted(faces, key=lambda face: -face.width_px)

    def person(self, pixels: UInt8Array) -> Float32Array:
        small = _halved(pixels)
        with self._lock, _quiet():
            mask = np.array(self._segmentation.process(small).segmentation_mask, np.float32)
        if mask.shape != pixels.shape[:2]:
            from PIL import Image

            mask = np.asarray(Image.fromarray(mask).resize((pixels.shape[1], pixels.shape[0]), Image.Resampling.BILINEAR))
        return np.clip(mask, 0.0, 1.0)


def _solutions() -> Any:  # noqa: ANN401 - mediapipe carries no types
    try:
        with _quiet():
            from mediapipe import solutions
    except ImportError as error:
        raise UnavailableError("no landmark network is installed; pip install 'vivant[cpu]' brings one") from error
    return solutions


def _halved(pixels: UInt8Array) -> UInt8Array:
    step = -(-max(pixels.shape[:2]) // MAX_SIDE_PX)
    return np.ascontiguousarray(pixels[::step, ::step])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Its C++ side logs to file descriptor 2 whatever it is told; keep that out of our users' terminals."""
    keep = os.dup(2)
    with open(os.devnull, "wb") as sink:  # noqa: PTH123
        os.dup2(sink.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(keep, 2)
        os.close(keep)
