"""Turns the finished rig and looks how far it seems to have turned: a flat sheet under-turns, each face by its own factor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vivant.portrait.analyser import PortraitAnalyser
from vivant.render.renderer import RigRenderer
from vivant.rig.head import fit_head
from vivant.rig.rig import Rig
from vivant.size import USUAL_SIDE_PX
from vivant.types import MotionFrame, Pose, arkit_weights

PROBE_YAW_DEG, PROBE_PITCH_DEG = 8.0, 6.0
YAW_GAIN, PITCH_GAIN = 4, 5
"""Places in the array ``head_frame``."""
LEAST_GAIN, MOST_GAIN = 0.8, 1.5
"""A probe that says more than these was mistaken; chosen."""
GREY = 128
"""Behind the probe's picture."""


def calibrated(rig: Rig, analyser: PortraitAnalyser) -> Rig:
    """The rig with gains that make a requested degree of yaw and pitch a seen one."""
    renderer = RigRenderer(rig.scene(), USUAL_SIDE_PX, USUAL_SIDE_PX)
    gains = {}
    for place, axis, reach in ((YAW_GAIN, 0, PROBE_YAW_DEG), (PITCH_GAIN, 1, PROBE_PITCH_DEG)):
        seen = []
        for angle in (-reach, reach):
            pose = Pose(yaw_deg=angle) if axis == 0 else Pose(pitch_deg=angle)
            pixels = renderer.render(MotionFrame(0, 0, arkit_weights(), pose=pose)).pixels
            alpha = pixels[..., 3:].astype(np.float32) / 255
            faces = analyser.faces((pixels[..., :3] * alpha + GREY * (1 - alpha)).astype(np.uint8))
            if faces:
                seen.append(fit_head(faces[0].landmarks).angles_deg()[axis])
        limits = rig.arrays["limits"][axis]
        turned = np.clip(reach, *limits) - np.clip(-reach, *limits)
        if len(seen) == 2 and seen[1] > seen[0]:
            gains[place] = float(np.clip(turned / (seen[1] - seen[0]), LEAST_GAIN, MOST_GAIN))
    head_frame = rig.arrays["head_frame"].copy()
    for place, gain in gains.items():
        head_frame[place] = gain
    return replace(rig, arrays=rig.arrays | {"head_frame": head_frame})
