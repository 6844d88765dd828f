"""Blind sheets of the shared finish: ``python -m benchmarks.finish_sheets WEIGHTS.npz OUT KEY.json``

For each bundled portrait and painting two pictures of a spoken sentence, by the rig alone in one column and with the shared
finish of WEIGHTS.npz (`training.finish.shared`) in the other; chance says which is left, and KEY.json, which lies elsewhere,
keeps it. ``all.jpg`` has every pair, two in a row.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.report import VOICE
from vivant.bundled import portraits
from vivant.face import RigFace, open_portrait
from vivant.finish.synthetic import load_shared, worn
from vivant.offline import motion_of
from vivant.types import ARKIT_INDEX, MotionFrame, UInt8Array

SIZE_PX, FPS, SECONDS, SEED = 512, Fraction(25), 8, 5
CELL_PX, SMALL = (400, 300), 2
"""Of a mouth, and by how much less it measures where all are shown together."""
REACH, BELOW = (0.48, 0.36), 0.08
"""Of what is shown around the mouth, and how far below the lips' middle that lies: outer-eye distances."""
WIDEST = 40
"""Pictures with the widest jaws, from which two are taken for each face."""
GAP_PX = 12


def column(face: RigFace, motions: list[MotionFrame]) -> UInt8Array:
    """Mouths of one face, one below the other."""
    rest, unit = face.rig.arrays["rest"], float(face.rig.arrays["head_frame"][3])
    x, y = rest[[13, 14], :2].mean(axis=0)
    y += BELOW * unit
    box = x - REACH[0] * unit, y - REACH[1] * unit, x + REACH[0] * unit, y + REACH[1] * unit
    renderer, cells = face.open(SIZE_PX), []
    for motion in motions:
        picture = Image.fromarray(np.ascontiguousarray(renderer.render(motion).pixels[..., :3]))
        cells.append(np.asarray(picture.resize(CELL_PX, Image.Resampling.BICUBIC, box=box)))
    return np.concatenate(cells)


def main(weights: Path, out: Path, key: Path) -> None:
    """Sheets and key."""
    shared = load_shared(weights)
    motions = list(islice(motion_of(VOICE, FPS, seed=SEED), int(SECONDS * FPS)))
    widest = sorted(motions, key=lambda motion: -motion.weights[ARKIT_INDEX["jawOpen"]])[:WIDEST]
    chance, names, said, pairs = random.Random(SEED), list(portraits()), {}, []
    chance.shuffle(names)
    out.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names, 1):
        plain, shown = open_portrait(name, consent="synthetic"), chance.sample(widest, 2)
        columns = {"rig": column(plain, shown), "shared": column(worn(plain, shared), shown)}
        sides = chance.sample(list(columns), 2)
        left, right = (columns[side] for side in sides)
        gap = np.full((len(left), GAP_PX, 3), 30, np.uint8)
        pairs.append(Image.fromarray(np.concatenate([left, gap, right], 1)))
        pairs[-1].save(out / f"pair_{number:02d}.png")
        said[f"pair_{number:02d}"] = {"portrait": name, "left": sides[0], "right": sides[1]}
    key.write_text(json.dumps(said, indent=1))
    together(pairs).save(out / "all.jpg", quality=80, optimize=True)


def together(pairs: Sequence[Image.Image]) -> Image.Image:
    """All pairs, small, two in a row."""
    width, height = (side // SMALL for side in pairs[0].size)
    sheet = Image.new("RGB", (2 * width + GAP_PX, -(-len(pairs) // 2) * (height + GAP_PX)), "white")
    for number, pair in enumerate(pairs):
        row, place = divmod(number, 2)
        sheet.paste(pair.resize((width, height)), (place * (width + GAP_PX), row * (height + GAP_PX)))
    return sheet


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
