"""Whether pictures show a portrait that lives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np
from PIL import Image

from vivant.face import RigFace
from vivant.types import Float32Array, MotionFrame, UInt8Array, arkit_weights

SMALL_PX = 64
LIKE = 0.9
"""The least correlation with the face at rest."""
MOVED = 0.2
"""The least mean difference between two small pictures, in steps of grey, that is more than a camera's noise."""


def require_living_face(face: RigFace, look: Callable[[], Iterable[UInt8Array]], patience_s: float, n: int = 5) -> None:
    """``look`` gives square pictures; soon there must be ``n`` of that face that all differ."""
    at_rest = _small(face.open(512).render(MotionFrame(0, 0, arkit_weights())).pixels)
    seen: list[Float32Array] = []
    give_up_s = time.monotonic() + patience_s
    while len(seen) < n:
        assert time.monotonic() < give_up_s, f"only {len(seen)} different pictures of the face within {patience_s:g} s"
        for picture in map(_small, look()):
            if _is_like(picture, at_rest) and all(np.abs(picture - other).mean() > MOVED for other in seen):
                seen.append(picture)


def _is_like(picture: Float32Array, other: Float32Array) -> bool:
    return float(picture.std()) > 1.0 and float(np.corrcoef(picture.ravel(), other.ravel())[0, 1]) > LIKE


def _small(picture: UInt8Array) -> Float32Array:
    return np.asarray(Image.fromarray(picture[..., :3]).convert("L").resize((SMALL_PX, SMALL_PX)), np.float32)
