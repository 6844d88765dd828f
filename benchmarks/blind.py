"""Pairs for who does not know which is new: ``python -m benchmarks.blind BEFORE AFTER PAIRS KEY.json [SEED] [KIND ...]``

BEFORE and AFTER are folders of rigs of the same names (`NAME.vivant`), built by two states of the code. Writes turned heads at
512 px and mouths side by side and lids one above the other (kinds: turns, mouths, lids; all unless said), in an order and on
sides drawn from the seed, into the folder PAIRS; and which is which into KEY.json, which must lie elsewhere. A pair whose
pictures are nearly the same is left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.turns import reaching
from vivant.face import RigFace
from vivant.rig.crop import SIDE_PX
from vivant.rig.rig import Rig
from vivant.types import Pose
from vivant.visemes import EXPRESSIONS, VISEMES, Look

GAP_PX, PAPER = 12, (30, 30, 30)
LEAST = 4.0
"""Mean difference, of 255 levels over the twentieth part of a picture that differs most, below which nobody is asked."""


@dataclass(frozen=True, slots=True)
class Closeup:
    """A part of a face: around the middle of two landmarks, outer-eye distances to each side, up and down; its size in px."""

    landmarks: tuple[int, int]
    reach: float
    up: float
    down: float
    size_px: tuple[int, int]

    def of(self, picture: Image.Image, rig: Rig) -> Image.Image:
        """Cut out where the rig rests."""
        unit = float(rig.arrays["head_frame"][3])
        x, y = rig.arrays["rest"][list(self.landmarks), :2].mean(axis=0)
        box = (x - self.reach * unit, y - self.up * unit, x + self.reach * unit, y + self.down * unit)
        return picture.resize(self.size_px, Image.Resampling.BICUBIC, box=box)


EYES, MOUTH = Closeup((33, 263), 0.78, 0.43, 0.29, (900, 415)), Closeup((13, 14), 0.45, 0.4, 0.5, (512, 512))
_BY_NAME = {look.name: look for look in VISEMES + EXPRESSIONS}
_TURNED = (Pose(yaw_deg=-22.0), Pose(yaw_deg=22.0), Pose(pitch_deg=-15.0), Pose(pitch_deg=15.0))
KINDS: dict[str, tuple[Closeup | None, tuple[Look, ...]]] = {
    "turns": (None, tuple(Look(f"yaw {pose.yaw_deg:+.0f}, pitch {pose.pitch_deg:+.0f}", pose=pose) for pose in _TURNED)),
    "lids": (EYES, (_BY_NAME["half blink"], _BY_NAME["blink"])),
    "mouths": (MOUTH, tuple(_BY_NAME[name] for name in ("aa", "E", "oh", "ou", "SS", "smile, open"))),
}


def drawn(rig: Rig, look: Look, closeup: Closeup | None) -> Image.Image:
    """The rig in a look, whole or a part of it."""
    pixels = RigFace(reaching(rig)).open(int(SIDE_PX)).render(look.frame()).pixels
    picture = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
    return closeup.of(picture, rig) if closeup else picture


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


def write(before: Path, after: Path, folder: Path, key: Path, seed: int, kinds: Sequence[str]) -> int:
    """How many pairs there are."""
    if folder.resolve() in key.resolve().parents:
        raise SystemExit(f"{key} lies in {folder}, where whoever judges would see it")
    chance = np.random.default_rng(seed)
    known: dict[str, dict[str, str]] = {}
    looks = [(look, closeup) for closeup, some in map(KINDS.__getitem__, kinds) for look in some]
    jobs = [(path.stem, look, closeup) for path in sorted(after.glob("*.vivant")) for look, closeup in looks]
    folder.mkdir(parents=True, exist_ok=True)
    for job in chance.permutation(len(jobs)):
        name, look, closeup = jobs[job]
        pictures = [drawn(Rig.load(state / f"{name}.vivant"), look, closeup) for state in (before, after)]
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
    count = write(Path(old), Path(new), Path(pairs), Path(answers), int(more[0]) if more else 0, more[1:] or list(KINDS))
    sys.stdout.write(f"{count} pairs\n")
