"""Write the stored motion and picture anew, after a change that was meant: ``python -m tests.golden.regenerate``"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.conftest import VOICE_RATE_HZ, bundled_voice, portrait_path
from vivant.face import RigFace
from vivant.media import load_image, write_png
from vivant.motion.voice import Voice
from vivant.portrait.analyser import PortraitAnalyser
from vivant.rig.build import build_rig
from vivant.types import AudioChunk, Controls, MotionFrame, Pose, UInt8Array, arkit_weights

FOLDER = Path(__file__).parent
MOTION, PICTURE = FOLDER / "motion.npz", FOLDER / "ada.png"
SECONDS, FPS, SEED, SIZE_PX = 2, Fraction(30), 11, 128
LOOK = MotionFrame(
    0,
    0,
    arkit_weights(jawOpen=0.3, mouthFunnel=0.3, browInnerUp=0.6, eyeBlinkRight=0.5, mouthSmileLeft=0.4),
    pose=Pose(yaw_deg=6, pitch_deg=-4, roll_deg=5),
    gaze=(12, -6),
)


def motion() -> NDArray[np.float32]:
    """(frames, 62): weights, tongue, pose and gaze of the first voice on the bundled voice."""
    samples = bundled_voice()[: SECONDS * VOICE_RATE_HZ]
    state, controls = Voice().open(FPS, SEED), Controls()
    frames = state.push(AudioChunk(samples, VOICE_RATE_HZ), controls) + state.flush(controls)
    return np.array([_row(frame) for frame in frames], np.float32)


def _row(frame: MotionFrame) -> list[float]:
    pose = frame.pose
    place = (pose.yaw_deg, pose.pitch_deg, pose.roll_deg, pose.x, pose.y, pose.scale)
    return [*frame.weights.tolist(), *frame.tongue, *place, *frame.gaze]


def picture(face: RigFace) -> UInt8Array:
    """(128, 128, 3): `ada` with the fixed look."""
    return np.ascontiguousarray(face.open(SIZE_PX).render(LOOK).pixels[..., :3])


def regenerate(analyser: PortraitAnalyser) -> None:
    """Write both files."""
    np.savez_compressed(MOTION, motion=motion().astype(np.float16))
    write_png(PICTURE, picture(RigFace(build_rig(load_image(portrait_path("ada")), analyser))))


def stored_motion() -> NDArray[np.float32]:
    with np.load(MOTION, allow_pickle=False) as archive:
        return np.asarray(archive["motion"], np.float32)


def stored_picture() -> UInt8Array:
    with Image.open(PICTURE) as image:
        return np.asarray(image)


if __name__ == "__main__":
    from vivant.portrait import default_analyser

    regenerate(default_analyser())
