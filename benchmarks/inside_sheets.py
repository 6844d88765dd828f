"""Mouths or eyes before and after a change, one row above the other: ``python -m benchmarks.inside_sheets BEFORE AFTER [eyes]``

Both are folders of rigs of the same names (`NAME.vivant`), built by the two states of the code. Writes
docs/pictures/inside_N.jpg, of eyes docs/pictures/lids_N.jpg.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
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
PER_SHEET = 4


@dataclass(frozen=True, slots=True)
class Part:
    """Of a face: which looks show it, and where it is."""

    file: str
    shown: tuple[str, ...]
    landmarks: tuple[int, int]
    reach: float
    above: float
    below: float
    """Outer-eye distances: to each side, and shares of it up and down."""
    cell_px: int


PARTS = {
    "mouth": Part("inside", ("sil", "aa", "E", "oh", "ou", "SS", "smile", "smile, open"), (13, 14), 0.5, 0.62, 0.82, 219),
    "eyes": Part("lids", ("sil", "half blink", "blink", "gaze left", "gaze up", "gaze down"), (33, 263), 0.72, 0.5, 0.3, 292),
}


def row(path: Path, state: str, part: Part) -> UInt8Array:
    """All looks of one rig, the part close up."""
    rig = Rig.load(path)
    looks = [Look(f"{path.stem}, {state}", LOOKS[part.shown[0]].weights), *(LOOKS[name] for name in part.shown[1:])]
    x, y = rig.arrays["rest"][list(part.landmarks), :2].mean(axis=0) / 512.0
    half = part.reach * float(rig.arrays["head_frame"][3]) / 512.0
    zoom = (float(x - half), float(y - part.above * half), float(x + half), float(y + part.below * half))
    return contact_sheet(RigFace(rig), looks, columns=len(looks), cell_px=part.cell_px, zoom=zoom)


def main(before: Path, after: Path, name: str = "mouth") -> None:
    part, names = PARTS[name], sorted(path.name for path in before.glob("*.vivant"))
    for number, first in enumerate(range(0, len(names), PER_SHEET), 1):
        shown = names[first : first + PER_SHEET]
        rows = [row(folder / file, state, part) for file in shown for folder, state in ((before, "before"), (after, "after"))]
        Image.fromarray(np.concatenate(rows)).save(FOLDER / f"{part.file}_{number}.jpg", quality=74, optimize=True)


if __name__ == "__main__":
    own, others, *more = sys.argv[1:]
    main(Path(own), Path(others), *more)
