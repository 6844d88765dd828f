"""The data sheet: random people, and the truth of some.

python -m training.synthetic_faces.sheet --assets HEADS --out docs/pictures/people.jpg
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from training.synthetic_faces import names
from training.synthetic_faces.assets import Assets, Bytes
from training.synthetic_faces.people import Studio
from training.synthetic_faces.sample import Sample

PALETTE = np.array([(40, 40, 44), (224, 172, 105), (220, 40, 80), (90, 0, 0), (255, 255, 255), (255, 120, 160), (200, 220, 255),
                    (0, 90, 255), (120, 60, 0), (70, 35, 110), (180, 140, 60), (0, 140, 80), (0, 230, 230),
                    (250, 230, 0)], np.uint8)  # fmt: skip
"""A colour per label."""
COLUMNS, ROWS, TILE = 8, 5, 176


def marked(sample: Sample, size: int, near: Sequence[int] = ()) -> Bytes:
    """The picture with its points: green seen, red hidden; cut to the points `near`, or whole."""
    left, top, width = 0.0, 0.0, float(len(sample.image))
    if near:
        points = sample.points[list(near), :2]
        width = 1.3 * float(np.ptp(points, axis=0).max())
        left, top = points.mean(0) - 0.5 * width
    scale = size / width
    move = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]], np.float32)
    out = cv2.warpAffine(sample.image, move, (size, size), flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    for (x, y, _), seen in zip(sample.points, sample.visible, strict=True):
        at = (int((x - left) * scale * 8), int((y - top) * scale * 8))
        cv2.circle(out, at, 8 if not near else 12, (0, 230, 0) if seen else (240, 0, 0), -1, cv2.LINE_AA, 3)
    return np.asarray(out, np.uint8)


def truth(sample: Sample, size: int) -> Bytes:
    """One row: picture, points, lips, eye, labels, matte, depth, normals."""
    height = sample.depth.astype(np.float32)
    depth = (np.clip((height + 22) / 36, 0, 1) * 255).astype(np.uint8)
    eye = names.UPPER_LIDS[1] + names.LOWER_LIDS[1]
    tiles = [sample.image, marked(sample, size), marked(sample, size, names.OUTER_LIPS), marked(sample, size, eye),
             PALETTE[sample.labels], np.repeat(sample.alpha[..., None], 3, 2), np.repeat(depth[..., None], 3, 2),
             sample.normals]  # fmt: skip
    return np.concatenate([cv2.resize(t, (size, size), interpolation=cv2.INTER_AREA) for t in tiles], axis=1)


def sheet(studio: Studio, seed: int, shown: Sequence[int]) -> Bytes:
    """Rows of random people (none picked), then the truth of the pictures `shown`."""
    count = COLUMNS * ROWS
    many = [studio.sample(studio.plan(seed, k), k).image for k in range(count)]
    small = [cv2.resize(m, (TILE, TILE), interpolation=cv2.INTER_AREA) for m in many]
    rows = [np.concatenate(small[k : k + COLUMNS], axis=1) for k in range(0, count, COLUMNS)]
    rows += [truth(studio.sample(studio.plan(seed, k), k), TILE) for k in shown]
    return np.concatenate(rows).astype(np.uint8)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shown", type=int, nargs="*", default=[0, 1, 2], help="pictures whose truth is drawn")
    args = parser.parse_args(argv)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet(Studio(Assets(args.assets), 256), args.seed, args.shown)).save(args.out, quality=80)


if __name__ == "__main__":
    main()
