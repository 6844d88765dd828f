"""One training picture with its exact truth."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.synthetic_faces.assets import Bytes, Floats


@dataclass(frozen=True)
class Sample:
    """A picture (size, size) and what is in it. Pixel centres lie at .5, y down."""

    index: int
    image: Bytes
    """(size, size, 3) sRGB."""
    points: Floats
    """(478, 3): x, y in px; height towards the camera above the head's origin, in px at the origin's distance."""
    visible: NDArray[np.bool_]
    """(478,) inside the image, facing the camera and hidden by nothing (clear lenses hide nothing)."""
    pose: Floats
    """(3,) yaw, pitch, roll in degrees, `vivant.types` convention, relative to the camera's axis through the head."""
    rotation: Floats
    """(3, 3) head frame to view frame (x right, y up, z to the camera)."""
    camera: Floats
    """(4,) focal length px, x and y of the head's origin px, distance cm."""
    gaze: Floats
    """(2, 2) left and right eye: yaw, pitch in degrees relative to the head."""
    weights: Floats
    """(52,) ARKit weights, eyeLook included."""
    labels: Bytes
    """(size, size) index into `names.LABELS`: each pixel has exactly one."""
    alpha: Bytes
    """(size, size) matte of person and things in front, 0..255."""
    depth: NDArray[np.float16]
    """(size, size) height towards the camera above the head's origin, cm; -inf on the background."""
    normals: Bytes
    """(size, size, 3) view-frame normal * 127.5 + 127.5."""
    box: Floats
    """(4,) left, top, right, bottom of the 468 surface points, px."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All fields as arrays."""
        return {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}
