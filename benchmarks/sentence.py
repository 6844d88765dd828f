"""One sentence, frame by frame: every fifth frame with the sound it belongs to, by the first release's mouth and by ours.

python -m benchmarks.sentence --out docs/pictures/sentence.jpg [--portrait lena]        (needs flite)
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import vivant
from benchmarks.first_light import first_light_weights
from benchmarks.report import PORTRAITS
from training.speech.voices import flite
from vivant.speech.phones import PHONES
from vivant.types import AudioChunk, Controls, MotionFrame, UInt8Array

SENTENCE, VOICE = "Bob saw five wolves move past my house.", "rms"
EVERY, COLUMNS, TILE_PX, TEXT_PX = 5, 12, 150, 18
FPS = Fraction(50)
BOX = (0.2, 0.3, 0.8, 0.9)
"""Of the frame: mouth and eyes."""


def pictures(face: vivant.RigFace, frames: Sequence[MotionFrame]) -> list[UInt8Array]:
    """Close-ups of every fifth frame."""
    renderer, found = face.open(512), []
    for frame in frames[::EVERY]:
        picture = Image.fromarray(np.array(renderer.render(frame).pixels[..., :3]))
        box = [int(512 * share) for share in BOX]
        found.append(np.asarray(picture.crop((box[0], box[1], box[2], box[3])).resize((TILE_PX, TILE_PX))))
    return found


def sheet(portrait: str) -> Image.Image:
    """Pairs of rows: the first release above ours, the phone between them."""
    said = flite(SENTENCE, VOICE)
    face = vivant.open_portrait(next(path for path in PORTRAITS if path.stem == portrait))
    state = vivant.ArticulatoryMotion().open(FPS, 3)
    ours = state.push(AudioChunk(said.samples, said.rate_hz), Controls()) + state.flush(Controls())
    old = first_light_weights(said.samples, said.rate_hz)
    before = [MotionFrame(f.index, f.pts_us, old[min(2 * f.index, len(old) - 1)].astype(np.float32)) for f in ours]
    mouths = [MotionFrame(f.index, f.pts_us, f.weights, f.tongue) for f in ours]
    top, below = pictures(face, before), pictures(face, mouths)
    rows = -(-len(below) // COLUMNS)
    picture = Image.new("RGB", (COLUMNS * TILE_PX, rows * (2 * TILE_PX + TEXT_PX)), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(14)
    for i, (first, second) in enumerate(zip(top, below, strict=True)):
        x, y = i % COLUMNS * TILE_PX, i // COLUMNS * (2 * TILE_PX + TEXT_PX)
        at_s = i * EVERY / float(FPS)
        phone = next((phone for phone, start_s, end_s in said.phones if start_s <= at_s < end_s), 0)
        picture.paste(Image.fromarray(first), (x, y))
        draw.text((x + 6, y + TILE_PX), f"{PHONES[phone]}   {at_s:.1f} s", "black", font=font)
        picture.paste(Image.fromarray(second), (x, y + TILE_PX + TEXT_PX))
    return picture


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--portrait", default="lena")
    args = parser.parse_args(argv)
    sheet(args.portrait).save(args.out, quality=85)


if __name__ == "__main__":
    main()
