"""Finished renderer: the rig's picture, and what was learnt painted into it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vivant.finish.network import Finish, load
from vivant.finish.region import MouthRegion, motion_vector
from vivant.providers import Network
from vivant.render._kernel import lay_patch, lift_patch
from vivant.render.renderer import RigRenderer
from vivant.rig.canonical import N_SURFACE
from vivant.types import Float32Array, MotionFrame, UInt8Array, VideoFrame, arkit_weights

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
        self._renderer, self._mouth = renderer, networks.parts.get("mouth")
        renderer.render(REST)
        self._region = MouthRegion(renderer.places(N_SURFACE))
        self.share = 1.0
        """How much of it is painted, 0 to 1; at 0 it costs nothing."""
        if self._region.unit_px < LEAST_UNIT_PX:
            self._mouth = None

    def render(self, motion: MotionFrame, out: UInt8Array | None = None) -> VideoFrame:
        frame = self._renderer.render(motion, out)
        if self.share > 0.0 and self._mouth is not None:
            self._paint(frame.pixels, motion, self._mouth)
        return frame

    def _paint(self, pixels: UInt8Array, motion: MotionFrame, network: Network) -> None:
        points = self._renderer.places(N_SURFACE)
        place = self._region.place(points)
        mask = self._region.mask(points, place)
        if mask is None:
            return
        patch = lifted(pixels, place.numbers(), mask)
        painted = network.run(patch[None], motion_vector(motion)[None])[0][0]
        painted[3] *= np.float32(self.share)
        lay_patch(pixels, place.numbers(), painted)


def lifted(pixels: UInt8Array, place: Float32Array, mask: Float32Array) -> Float32Array:
    """(4, height, width) what a network looks at: colours and mask."""
    patch = np.empty((4, *mask.shape), np.float32)
    lift_patch(pixels, place, patch[:3])
    patch[3] = mask
    return patch
