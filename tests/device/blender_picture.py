"""Our mask in Blender: ``python -m tests.device.blender_picture docs/pictures/blender.jpg``, with VIVANT_BLENDER
a Python that has bpy."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

from PIL import Image

from tests.device.blender_reader import FPS
from tests.device.three_vrm_picture import VOICE, liveliest
from vivant import Controls, Emotion
from vivant.motion_files import write_motion
from vivant.offline import motion_of

READER = Path(__file__).parent / "blender_reader.py"
PAPER = (62, 68, 76)


def main(out: Path) -> None:
    motion = list(motion_of(VOICE, Fraction(FPS), seed=2, controls=Controls(emotion=Emotion.HAPPY)))
    frames = [str(frame.index) for frame in liveliest(motion)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "line.glb"
        write_motion(file, motion, Fraction(FPS))
        subprocess.run([os.environ["VIVANT_BLENDER"], str(READER), str(file), *frames, "--pictures", folder], check=True)
        pictures = [Image.open(path).convert("RGBA") for path in sorted(Path(folder).glob("*.png"))]
        strip = Image.new("RGB", (sum(picture.width for picture in pictures), pictures[0].height), PAPER)
        for number, picture in enumerate(pictures):
            strip.paste(picture, (number * picture.width, 0), picture)
    strip.save(out, quality=88, optimize=True)
    print(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
