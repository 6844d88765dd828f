"""Whether pictures show a portrait that lives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np
from PIL import Image

from tests.conftest import portrait_path
from vivant.types import Float32Array, UInt8Array

SMALL_PX = 64
LIKE = 0.9
"""The least correlation with the portrait."""
MOVED = 0.2
"""The least mean difference between two small pictures, in steps of grey, that is more than a camera's noise."""


def require_living_face(look: Callable[[], Iterable[UInt8Array]], patience_s: float, n: int = 5) -> None:
    """``look`` gives square pictures; soon there must be ``n`` of Ada that all differ."""
    portrait = _small(np.asarray(Image.open(portrait_path("ada"))))
    faces: list[Float32Array] = []
    give_up_s = time.monotonic() + patience_s
    while len(faces) < n:
        assert time.monotonic() < give_up_s, f"only {len(faces)} different pictures of the face within {patience_s:g} s"
        for face in map(_small, look()):
            if _is_like(face, portrait) and all(np.abs(face - other).mean() > MOVED for other in faces):
                faces.append(face)


def _is_like(face: Float32Array, portrait: Float32Array) -> bool:
    return float(face.std()) > 1.0 and np.corrcoef(face.ravel(), portrait.ravel())[0, 1] > LIKE


def _small(picture: UInt8Array) -> Float32Array:
    return np.asarray(Image.fromarray(picture).convert("L").resize((SMALL_PX, SMALL_PX)), np.float32)
