"""Write the stored motion and pictures anew, after a change that was meant: ``python -m tests.golden.regenerate``"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.conftest import VOICE_RATE_HZ, bundled_voice, portrait_path
from vivant.face import RigFace
from vivant.media import load_image, write_png
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.portrait.analyser import PortraitAnalyser
from vivant.rig.build import build_rig
from vivant.types import AudioChunk, Controls, MotionFrame, Pose, UInt8Array, arkit_weights

FOLDER = Path(__file__).parent
MOTION = FOLDER / "motion.npz"
SECONDS, FPS, SEED = 2, Fraction(30), 11


@dataclass(frozen=True)
class Picture:
    """A look of `ada`, or the part of it in which it shows."""

    look: MotionFrame
    size_px: int = 512
    part: tuple[slice, slice] = np.s_[:, :]
    """Rows and columns."""


MOUTH, EYES = np.s_[236:400, 184:336], np.s_[132:252, 160:364]
PICTURES = {
    "ada": Picture(
        MotionFrame(
            0,
            0,
            arkit_weights(jawOpen=0.3, mouthFunnel=0.3, browInnerUp=0.6, eyeBlinkRight=0.5, mouthSmileLeft=0.4),
            pose=Pose(yaw_deg=6, pitch_deg=-4, roll_deg=5),
            gaze=(12, -6),
        ),
        size_px=128,
    ),
    "eyes": Picture(
        MotionFrame(0, 0, arkit_weights(eyeBlinkRight=1.0, eyeWideLeft=0.5, browDownLeft=0.4), gaze=(14, 8)), part=EYES
    ),
    "teeth": Picture(
        MotionFrame(0, 0, arkit_weights(jawOpen=0.25, mouthUpperUpLeft=0.6, mouthUpperUpRight=0.6, mouthLowerDownLeft=0.5)),
        part=MOUTH,
    ),
    "tongue": Picture(MotionFrame(0, 0, arkit_weights(jawOpen=0.5, tongueOut=1.0)), part=MOUTH),
    "smile": Picture(MotionFrame(0, 0, arkit_weights(mouthSmileLeft=0.8, mouthSmileRight=0.8, jawOpen=0.06)), part=MOUTH),
}


def motion() -> NDArray[np.float32]:
    """(frames, 62): weights, tongue, pose and gaze of the first voice on the bundled voice."""
    samples = bundled_voice()[: SECONDS * VOICE_RATE_HZ]
    state, controls = ArticulatoryMotion().open(FPS, SEED), Controls()
    frames = state.push(AudioChunk(samples, VOICE_RATE_HZ), controls) + state.flush(controls)
    return np.array([_row(frame) for frame in frames], np.float32)


def _row(frame: MotionFrame) -> list[float]:
    pose = frame.pose
    place = (pose.yaw_deg, pose.pitch_deg, pose.roll_deg, pose.x, pose.y, pose.scale)
    return [*frame.weights.tolist(), *frame.tongue, *place, *frame.gaze]


def picture(face: RigFace, name: str) -> UInt8Array:
    """(h, w, 3)"""
    asked = PICTURES[name]
    return np.ascontiguousarray(face.open(asked.size_px).render(asked.look).pixels[asked.part][..., :3])


def regenerate(analyser: PortraitAnalyser) -> None:
    """Write all files."""
    np.savez_compressed(MOTION, motion=motion().astype(np.float16))
    face = RigFace(build_rig(load_image(portrait_path("ada")), analyser))
    for name in PICTURES:
        write_png(FOLDER / f"{name}.png", picture(face, name))


def stored_motion() -> NDArray[np.float32]:
    with np.load(MOTION, allow_pickle=False) as archive:
        return np.asarray(archive["motion"], np.float32)


def stored_picture(name: str) -> UInt8Array:
    with Image.open(FOLDER / f"{name}.png") as image:
        return np.asarray(image)


if __name__ == "__main__":
    from vivant.portrait import default_analyser

    regenerate(default_analyser())
