"""An avatar that says our voice: ``python -m tests.device.three_vrm_picture docs/pictures/three_vrm.jpg``."""

from __future__ import annotations

import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from tests.device.three_vrm_kit import ThreeVrm
from vivant import Controls, Emotion
from vivant.avatars import all_weights
from vivant.offline import motion_of
from vivant.types import ARKIT_INDEX, MotionFrame, Output, UInt8Array
from vivant_bridge.avatars.vmc import vmc

VOICE = Path(__file__).resolve().parents[2] / "runtime" / "vivant" / "assets" / "voice.flac"
N_PICTURES = 6
STEP = 7
"""Frames of 30 a second between two pictures."""
CROP = (0.2, 0.08, 0.8, 0.86)
"""Left, top, right, bottom, in shares."""


def main(out: Path) -> None:
    motion = list(motion_of(VOICE, Fraction(30), seed=2, controls=Controls(emotion=Emotion.HAPPY)))
    with tempfile.TemporaryDirectory() as folder, ThreeVrm(Path(folder)) as avatar:
        strip = [photographed(avatar, frame) for frame in liveliest(motion)]
    Image.fromarray(np.concatenate(strip, axis=1)).save(out, quality=88, optimize=True)
    print(out)


def liveliest(motion: list[MotionFrame]) -> list[MotionFrame]:
    """The stretch in which the mouth does most."""
    jaw = np.array([frame.weights[ARKIT_INDEX["jawOpen"]] for frame in motion])
    reach = N_PICTURES * STEP
    first = int(np.argmax([np.abs(np.diff(jaw[i : i + reach : STEP])).sum() for i in range(len(jaw) - reach)]))
    return motion[first : first + reach : STEP]


def photographed(avatar: ThreeVrm, frame: MotionFrame) -> UInt8Array:
    receiver = vmc(f"{avatar.vmc_port}?names=perfect-sync")
    receiver.open()
    receiver.send(Output(frame, None, "", None, 0))
    receiver.close()
    jaw = float(all_weights(frame)[ARKIT_INDEX["jawOpen"]])
    avatar.until(f"Math.abs(vrm.expressionManager.getValue('jawOpen') - {jaw}) < 1e-4")
    picture = avatar.picture()
    left, top, right, bottom = (
        round(share * side) for share, side in zip(CROP, (picture.shape[1], picture.shape[0]) * 2, strict=True)
    )
    return picture[top:bottom, left:right]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
