"""Pairs for somebody who does not know which is new: ``python -m benchmarks.blind BEFORE AFTER PAIRS KEY.json [SEED]``

BEFORE and AFTER are folders of rigs of the same names (`NAME.vivant`), built by two states of the code. Writes turned heads at
512 px side by side and lids one above the other, in an order and on sides drawn from the seed, into the folder PAIRS; and which
is which into KEY.json, which must lie elsewhere. A pair whose pictures are nearly the same is left out.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.turns import reaching
from vivant.face import RigFace
from vivant.rig.crop import SIDE_PX
from vivant.rig.rig import Rig
from vivant.types import MotionFrame, Pose, arkit_weights

GAP_PX, PAPER = 12, (30, 30, 30)
EYES, EYES_PX = (0.78, 0.43, 0.29), (900, 415)
"""Around the middle of the eyes, outer-eye distances: to each side, up and down; and the size they are shown at."""
LEAST = 4.0
"""Mean difference, of 255 levels over the twentieth part of a picture that differs most, below which nobody is asked."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a pair shows."""

    name: str
    pose: Pose | None = None
    blink: float = 0.0

    def drawn(self, rig: Rig) -> Image.Image:
        """The rig in this look; of a blink the eyes alone."""
        weights = arkit_weights(eyeBlinkLeft=self.blink, eyeBlinkRight=self.blink)
        pixels = RigFace(reaching(rig)).open(int(SIDE_PX)).render(MotionFrame(0, 0, weights, pose=self.pose or Pose())).pixels
        picture = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
        if not self.blink:
            return picture
        x, y = rig.arrays["rest"][[33, 263], :2].mean(axis=0)
        reach, up, down = (share * float(rig.arrays["head_frame"][3]) for share in EYES)
        return picture.resize(EYES_PX, Image.Resampling.BICUBIC, box=(x - reach, y - up, x + reach, y + down))


LOOKS = (
    Look("yaw -22", Pose(yaw_deg=-22.0)),
    Look("yaw +22", Pose(yaw_deg=22.0)),
    Look("pitch -15", Pose(pitch_deg=-15.0)),
    Look("pitch +15", Pose(pitch_deg=15.0)),
    Look("half blink", blink=0.5),
    Look("blink", blink=1.0),
)


def _differ(first: Image.Image, second: Image.Image) -> bool:
    change = np.abs(np.asarray(first, float) - np.asarray(second, float)).max(axis=2)
    return float(np.sort(change, axis=None)[-change.size // 20 :].mean()) >= LEAST


def _beside(first: Image.Image, second: Image.Image) -> Image.Image:
    """Squares side by side, wide pictures one above the other."""
    width, height = first.size
    across = (width + GAP_PX, 0) if width == height else (0, height + GAP_PX)
    sheet = Image.new("RGB", (width + across[0], height + across[1]), PAPER)
    sheet.paste(first, (0, 0))
    sheet.paste(second, across)
    return sheet


def write(before: Path, after: Path, folder: Path, key: Path, seed: int) -> int:
    """How many pairs there are."""
    if folder.resolve() in key.resolve().parents:
        raise SystemExit(f"{key} lies in {folder}, where whoever judges would see it")
    chance = np.random.default_rng(seed)
    known: dict[str, dict[str, str]] = {}
    jobs = [(path.stem, look) for path in sorted(after.glob("*.vivant")) for look in LOOKS]
    folder.mkdir(parents=True, exist_ok=True)
    for job in chance.permutation(len(jobs)):
        name, look = jobs[job]
        pictures = [look.drawn(Rig.load(state / f"{name}.vivant")) for state in (before, after)]
        if not _differ(*pictures):
            continue
        new_first = bool(chance.random() < 0.5)
        number = f"{len(known) + 1:02d}"
        _beside(*(pictures[::-1] if new_first else pictures)).save(folder / f"{number}.png", compress_level=4)
        known[number] = {"portrait": name, "look": look.name, "new": "first" if new_first else "second"}
    key.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return len(known)


if __name__ == "__main__":
    old, new, pairs, answers, *more = sys.argv[1:]
    count = write(Path(old), Path(new), Path(pairs), Path(answers), int(more[0]) if more else 0)
    sys.stdout.write(f"{count} pairs\n")
