"""The seam to whatever finds a face in a picture; nothing else may know which network runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from PIL import Image

from vivant.portrait.crop import Crop
from vivant.rig.canonical import N_SURFACE
from vivant.types import Float32Array, Pose, UInt8Array

LABELS = ("background", "skin", "lips", "inner mouth", "teeth", "tongue", "eyeball", "iris", "brow", "hair", "neck",
          "clothes", "glasses", "object")  # fmt: skip
"""What a pixel of a `Cutout` can show; ``object`` is what hides the person, such as a hand or a microphone."""


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """One face in a picture."""

    landmarks: Float32Array
    """(478, 3) in the canonical face-mesh layout: x, y in px of the picture (y down), z in px towards the viewer.
    468..472 are the person's right iris (centre first), 473..477 the left."""
    error_px: Float32Array
    """(478,) expected error of each landmark, mean of |x| and |y|, px of the picture."""
    seen: Float32Array
    """(478,) chance in [0, 1] that each landmark shows."""
    pose: Pose
    """How the head is turned, relative to the line of sight to it."""
    gaze_deg: Float32Array
    """(2, 2) the person's left and right eye: yaw and pitch relative to the head."""
    weights: Float32Array
    """(52,) the expression, ARKit weights in `vivant.types.ARKIT_NAMES` order, [0, 1]."""

    @property
    def width_px(self) -> float:
        """Width of the landmarks' bounding box."""
        return float(self.landmarks[:, 0].max() - self.landmarks[:, 0].min())

    @property
    def size_px(self) -> float:
        """Geometric mean of the sides of the bounding box of the skin's points: the same however the head is turned."""
        return float(np.sqrt(np.ptp(self.landmarks[:N_SURFACE, :2], axis=0).prod()))

    @property
    def doubt(self) -> float:
        """Mean expected error of the skin's points as a share of `size_px`."""
        return float(self.error_px[:N_SURFACE].mean()) / max(self.size_px, 1e-6)


_RAGGED_PX = 5
"""Nothing is known below a matte's last rows, and it shows in them: stripes on clothes become holes."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """What belongs to whom in the square around head and shoulders."""

    frame: Crop
    matte: Float32Array
    """(side, side) in [0, 1]: the person with hair, clothes and all, and what is held."""
    labels: UInt8Array
    """(side, side) index into `LABELS`."""

    def person(self, width: int, height: int) -> Float32Array:
        """(height, width) the matte in the picture. Its border goes on for a quarter of its side; beyond that it is 0."""
        margin = len(self.matte) // 4
        wider = np.pad(self.matte[:-_RAGGED_PX], ((margin, margin + _RAGGED_PX), (margin, margin)), mode="edge")
        frame = replace(self.frame, side=self.frame.side * len(wider) / len(self.matte))
        rows = frame.matrix(len(wider)).astype(np.float64)
        plane = Image.fromarray(wider).transform(
            (width, height), Image.Transform.AFFINE, tuple(rows.ravel()), Image.Resampling.BILINEAR
        )
        return np.clip(np.asarray(plane, np.float32), 0.0, 1.0)  # interpolation rounds


OURS = "vivant networks"
"""Name of the analyser that is used when none is named."""


class PortraitAnalyser(Protocol):
    """Finds faces and the person's outline. Shared by threads."""

    name: str
    """With its version; rigs that another one read are kept apart from ours."""

    provider: str
    """What the networks really run on, e.g. ``cpu``."""

    def faces(self, pixels: UInt8Array) -> list[DetectedFace]:
        """All faces in an RGB picture (h, w, 3), largest first; empty when there is none."""
        ...

    def follow(self, pixels: UInt8Array, face: DetectedFace) -> DetectedFace | None:
        """The face of the previous frame of a video in this one, in one look; None when it is lost."""
        ...

    def cutout(self, pixels: UInt8Array, face: DetectedFace) -> Cutout:
        """The person whose face this is."""
        ...
