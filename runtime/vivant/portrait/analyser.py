"""The seam to whatever finds a face in a picture; nothing else may know which network runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from vivant.types import Float32Array, UInt8Array


@dataclass(frozen=True, slots=True)
class Face:
    """One face in a picture."""

    landmarks: Float32Array
    """(478, 3) in the canonical face-mesh layout: x, y in px of the picture (y down), z in px towards the viewer.
    468..472 are the person's right iris (centre first), 473..477 the left."""

    @property
    def width_px(self) -> float:
        """Width of the landmarks' bounding box."""
        return float(self.landmarks[:, 0].max() - self.landmarks[:, 0].min())


class PortraitAnalyser(Protocol):
    """Finds faces and the person's outline. Shared; one call at a time."""

    provider: str
    """What the network really runs on, e.g. ``cpu``."""

    def faces(self, pixels: UInt8Array) -> list[Face]:
        """All faces in an RGB picture (h, w, 3), largest first; empty when there is none."""
        ...

    def person(self, pixels: UInt8Array) -> Float32Array:
        """(h, w) in [0, 1]: where the picture shows a person (hair, clothes and all)."""
        ...
