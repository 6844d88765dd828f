"""The bundled portraits speaking by two analysers, one row above the other.

python -m benchmarks.before_after frames --by mediapipe --out before.npy    # in an environment with mediapipe
python -m benchmarks.before_after frames --by ours --out after.npy
python -m benchmarks.before_after sheet before.npy after.npy --out docs/pictures/analyser.jpg
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.report import PORTRAITS, analyser
from benchmarks.yardstick import Mediapipe
from vivant.errors import PortraitError
from vivant.face import RigFace
from vivant.media import load_image
from vivant.rig.build import build_rig
from vivant.types import MotionFrame, Pose, UInt8Array, arkit_weights

LOOKS = (
    MotionFrame(0, 0, arkit_weights()),
    MotionFrame(0, 0, arkit_weights(jawOpen=0.55, mouthLowerDownLeft=0.3, mouthLowerDownRight=0.3)),
    MotionFrame(0, 0, arkit_weights(mouthFunnel=0.8, jawOpen=0.25)),
    MotionFrame(0, 0, arkit_weights(mouthSmileLeft=0.7, mouthSmileRight=0.7, cheekSquintLeft=0.5, cheekSquintRight=0.5)),
    MotionFrame(0, 0, arkit_weights(eyeBlinkLeft=1.0, eyeBlinkRight=1.0)),
    MotionFrame(0, 0, arkit_weights(), pose=Pose(yaw_deg=13, pitch_deg=4)),
    MotionFrame(0, 0, arkit_weights(), gaze=(18, 0)),
)
SIDE_PX, TILE_PX = 512, 200


def frames(by: str) -> UInt8Array:
    """(portraits, looks, SIDE_PX, SIDE_PX, 3); black where no face is found."""
    network = Mediapipe() if by == "mediapipe" else analyser()
    out = []
    for path in PORTRAITS:
        try:
            renderer = RigFace(build_rig(load_image(path), network)).open(SIDE_PX)
            out.append([np.array(renderer.render(look).pixels[..., :3]) for look in LOOKS])
        except PortraitError as error:
            print(f"{path.name}: {error}")
            out.append([np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)] * len(LOOKS))
    return np.array(out)


def sheet(before: UInt8Array, after: UInt8Array) -> Image.Image:
    """Rows in turn: before, after."""
    rows = [row for pair in zip(before, after, strict=True) for row in pair]
    out = Image.new("RGB", (TILE_PX * len(LOOKS), TILE_PX * len(rows)))
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            tile = Image.fromarray(picture).crop((92, 72, 420, 400)).resize((TILE_PX, TILE_PX), Image.Resampling.LANCZOS)
            out.paste(tile, (TILE_PX * x, TILE_PX * y))
    return out


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    drawing = steps.add_parser("frames")
    drawing.add_argument("--by", choices=("mediapipe", "ours"), required=True)
    laying = steps.add_parser("sheet")
    laying.add_argument("before", type=Path)
    laying.add_argument("after", type=Path)
    for step in (drawing, laying):
        step.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    if args.step == "frames":
        np.save(args.out, frames(args.by))
    else:
        sheet(np.load(args.before), np.load(args.after)).save(args.out, quality=85)


if __name__ == "__main__":
    main()
