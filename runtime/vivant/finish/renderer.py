"""Finished renderer: the rig's picture, and what was learnt painted into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vivant.finish.network import Finish, load
from vivant.finish.region import Region, Similarity, regions
from vivant.providers import Network
from vivant.render._kernel import lay_patch, lift_patch
from vivant.render.renderer import RigRenderer
from vivant.rig.canonical import N_SURFACE
from vivant.types import Float32Array, FloatArray, MotionFrame, UInt8Array, VideoFrame, arkit_weights

LEAST_UNIT_PX = 40.0
"""Outer-eye distance of frames (of about 160 px) below which no finish would be seen."""
REST = MotionFrame(0, 0, arkit_weights())


class FinishNetworks:
    """Networks of one finish; shared by renderers and threads."""

    def __init__(self, finish: Finish) -> None:
        """Raises UnavailableError without onnxruntime."""
        self.parts: Mapping[str, Network] = {part: load(arrays) for part, arrays in finish.parts.items()}


class FinishedRenderer:
    """`FaceRenderer` over a rig's: each frame depends on its motion alone. One thread at a time."""

    def __init__(self, renderer: RigRenderer, networks: FinishNetworks) -> None:
        self._renderer = renderer
        renderer.render(REST)
        rest = renderer.places(N_SURFACE)
        self._parts = [(network, regions(part, rest)) for part, network in networks.parts.items()]
        self.share = 1.0
        """How much of it is painted, 0 to 1; at 0 it costs nothing."""
        if any(region.unit_px < LEAST_UNIT_PX for _, spots in self._parts for region in spots):
            self._parts = []

    def render(self, motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
        frame = self._renderer.render(motion, out)
        if self.share > 0.0 and self._parts:
            points = self._renderer.places(N_SURFACE)
            for network, spots in self._parts:
                self._paint(frame.pixels, [patch for region in spots if (patch := Patch.seen(region, points))], motion, network)
        return frame

    def _paint(self, pixels: UInt8Array, patches: Sequence[Patch], motion: MotionFrame, network: Network) -> None:
        if not patches:
            return
        shown = np.stack([patch.lift(pixels) for patch in patches])
        painted = network.run(shown, np.stack([patch.region.told(motion) for patch in patches]))[0]
        painted[:, 3] *= np.float32(self.share)
        for patch, colours in zip(patches, painted, strict=True):
            patch.lay(pixels, colours)


@dataclass(frozen=True)
class Patch:
    """One region in one picture."""

    region: Region
    place: Similarity
    mask: Float32Array
    """(height, width), in the picture's own hand."""

    @classmethod
    def seen(cls, region: Region, points: FloatArray) -> Patch | None:
        """For landmarks (468 or more, 2 or more); None where nothing may be painted."""
        place = region.place(points)
        mask = region.mask(points, place)
        return None if mask is None else cls(region, place, mask)

    def lift(self, pixels: UInt8Array) -> Float32Array:
        """(4, height, width) what a network looks at: colours and mask."""
        return self._turned(lifted(pixels, self.place.numbers(), self.mask))

    def lay(self, pixels: UInt8Array, painted: Float32Array) -> None:
        """Colours and opacity (4, height, width), as the network gives them, into the picture."""
        lay_patch(pixels, self.place.numbers(), self._turned(painted))

    def _turned(self, planes: Float32Array) -> Float32Array:
        return np.ascontiguousarray(planes[..., ::-1]) if self.region.spot.mirrored else planes


def lifted(pixels: UInt8Array, place: Float32Array, mask: Float32Array) -> Float32Array:
    """(4, height, width) colours of a patch, and a mask."""
    patch = np.empty((4, *mask.shape), np.float32)
    lift_patch(pixels, place, patch[:3])
    patch[3] = mask
    return patch
