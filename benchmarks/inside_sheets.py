"""Mouths before and after a change, one row above the other: ``python -m benchmarks.inside_sheets BEFORE AFTER``

Both are folders of rigs of the same names (`NAME.vivant`), built by the two states of the code. Writes
docs/pictures/inside_N.jpg.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.pictures import FOLDER
from vivant.face import RigFace
from vivant.rig.rig import Rig
from vivant.sheet import contact_sheet
from vivant.types import UInt8Array
from vivant.visemes import EXPRESSIONS, VISEMES, Look

LOOKS = {look.name: look for look in VISEMES + EXPRESSIONS}
SHOWN = ("sil", "aa", "E", "oh", "ou", "SS", "smile", "smile, open")
CELL_PX, PER_SHEET = 219, 4


def row(path: Path, state: str) -> UInt8Array:
    """All looks of one rig, the mouth close up."""
    rig = Rig.load(path)
    looks = [Look(f"{path.stem}, {state}", LOOKS[SHOWN[0]].weights), *(LOOKS[name] for name in SHOWN[1:])]
    x, y = rig.arrays["rest"][[13, 14], :2].mean(axis=0) / 512.0
    half = 0.5 * float(rig.arrays["head_frame"][3]) / 512.0
    zoom = (float(x - half), float(y - 0.62 * half), float(x + half), float(y + 0.82 * half))
    return contact_sheet(RigFace(rig), looks, columns=len(looks), cell_px=CELL_PX, zoom=zoom)


def main(before: Path, after: Path) -> None:
    names = sorted(path.name for path in before.glob("*.vivant"))
    for number, first in enumerate(range(0, len(names), PER_SHEET), 1):
        shown = names[first : first + PER_SHEET]
        rows = [row(folder / name, state) for name in shown for folder, state in ((before, "before"), (after, "after"))]
        Image.fromarray(np.concatenate(rows)).save(FOLDER / f"inside_{number}.jpg", quality=74, optimize=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
