"""Paintings and drawings made of pictures: oil in layers of brush strokes, ink in lines and hatching.

python -m training.synthetic_faces.painterly {oil,ink} PICTURE OUT
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from training.synthetic_faces.assets import Bytes, Floats

BRUSHES = (0.024, 0.012, 0.006, 0.003, 0.0016)
"""Radii of the brushes, share of the picture, large to small."""
STEPS = 9
"""Places along a stroke, one radius apart."""
PAPER = np.array((0.965, 0.945, 0.905), np.float32)
INK = np.array((0.09, 0.085, 0.10), np.float32)
HATCHES = ((45.0, 0.58), (-20.0, 0.40), (80.0, 0.24))
"""Direction of the lines in degrees and the brightness below which they are drawn."""


def along(image: Floats, sigma: float) -> Floats:
    """Unit vectors (h, w, 2) along the edges of a picture (h, w, 3), from its smoothed structure tensor."""
    dx, dy = (cv2.Sobel(image, cv2.CV_32F, *way, ksize=3) for way in ((1, 0), (0, 1)))
    xx, xy, yy = (cv2.GaussianBlur(v.sum(2), (0, 0), sigma) for v in (dx * dx, dx * dy, dy * dy))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + 0.5 * np.pi
    return np.stack([np.cos(angle), np.sin(angle)], 2).astype(np.float32)


def smeared(image: Floats, way: Floats, steps: int) -> Floats:
    """The mean of a picture along the field `way`, so many pixels to both sides."""
    h, w = image.shape[:2]
    grid = np.stack(np.meshgrid(np.arange(w), np.arange(h)), 2).astype(np.float32)
    total = image.copy()
    for sign in (1, -1):
        at, last = grid.copy(), sign * way
        for _ in range(steps):
            at += last
            here = cv2.remap(way, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            last = np.where((here * last).sum(2, keepdims=True) < 0, -here, here).astype(np.float32)
            total += cv2.remap(image, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(total / (2 * steps + 1), np.float32)


def oil(picture: Bytes, seed: int = 0) -> Bytes:
    """An oil painting (h, w, 3) of a picture: large strokes everywhere, smaller ones where they are still wrong."""
    rng = np.random.default_rng(seed)
    size = max(picture.shape[:2])
    image = picture.astype(np.float32) / 255
    canvas = np.ascontiguousarray(np.broadcast_to(image.mean((0, 1)) * 0.8, image.shape)).astype(np.float32)
    relief = np.zeros(image.shape[:2], np.float32)
    for level, share in enumerate(BRUSHES):
        radius = max(share * size, 1.0)
        wanted = cv2.GaussianBlur(image, (0, 0), 0.45 * radius)
        way = along(wanted, 1.5 * radius)
        wrong = cv2.GaussianBlur(np.abs(canvas - wanted).sum(2), (0, 0), radius)
        for path, tint in strokes(wanted, way, wrong, radius, 0.0 if level == 0 else 0.075, rng):
            line = [np.round(16 * path).astype(np.int32)]
            cv2.polylines(canvas, line, False, tint, max(1, round(1.7 * radius)), cv2.LINE_AA, 4)
            cv2.polylines(relief, line, False, float(rng.uniform(0, 1)), max(1, round(1.7 * radius)), cv2.LINE_AA, 4)
    way = along(cv2.GaussianBlur(image, (0, 0), 3), 6)
    bristles = smeared(rng.standard_normal(image.shape[:2]).astype(np.float32), way, 12)
    height = 0.55 * cv2.GaussianBlur(relief, (0, 0), 1.0) + 0.5 * bristles
    light = cv2.Sobel(height, cv2.CV_32F, 1, 0) + cv2.Sobel(height, cv2.CV_32F, 0, 1)
    lit = canvas * (1 + np.clip(0.055 * light, -0.12, 0.16))[..., None]
    return (np.clip(lit, 0, 1) * 255 + 0.5).astype(np.uint8)


def strokes(
    wanted: Floats, way: Floats, wrong: Floats, radius: float, least: float, rng: np.random.Generator
) -> list[tuple[Floats, tuple[float, float, float]]]:
    """Curves (n, 2) and colours of one brush, in random order, where the canvas is wrong by more than `least`."""
    h, w = wanted.shape[:2]
    y, x = np.mgrid[0 : h : 0.8 * radius, 0 : w : 0.8 * radius]
    starts = np.stack([x.ravel(), y.ravel()], 1) + rng.uniform(-0.4, 0.4, (x.size, 2)) * radius
    out = []
    for start in rng.permutation(starts):
        at = np.clip(start, 0, (w - 1, h - 1))
        column, row = int(at[0]), int(at[1])
        if wrong[row, column] < least:
            continue
        colour, last, path = wanted[row, column], way[row, column], [at]
        for _ in range(STEPS):
            at = at + radius * last
            column, row = int(at[0]), int(at[1])
            if not (0 <= column < w and 0 <= row < h) or np.abs(wanted[row, column] - colour).sum() > 0.12:
                break
            path.append(at)
            here = way[row, column]
            last = here if here @ last > 0 else -here
        tint = np.clip(colour * np.exp(rng.normal(0, 0.03) + rng.normal(0, 0.015, 3)), 0, 1)
        out.append((np.array([*path, path[-1] + 0.3 * radius]), (float(tint[0]), float(tint[1]), float(tint[2]))))
    return out


def ink(picture: Bytes, seed: int = 0) -> Bytes:
    """An ink drawing (h, w, 3) of a picture: lines along its edges, hatching in its shades, dark parts solid."""
    rng = np.random.default_rng(seed)
    size = max(picture.shape[:2])
    image = picture.astype(np.float32) / 255
    way = along(cv2.GaussianBlur(image, (0, 0), 0.0015 * size), 0.004 * size)
    grey = cv2.bilateralFilter(image @ np.array([0.3, 0.59, 0.11], np.float32), 0, 0.08, 0.005 * size)
    fine, wide = (cv2.GaussianBlur(grey, (0, 0), share * size) for share in (0.0011, 0.0019))
    edge = smeared(fine - 0.985 * wide - 0.015 * grey.mean(), way, round(0.005 * size))
    lines = np.clip(1 + 90 * np.minimum(edge + 0.002, 0), 0, 1)
    wobble = cv2.GaussianBlur(rng.standard_normal(grey.shape).astype(np.float32), (0, 0), 0.012 * size) * 0.012 * size * 3
    y, x = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]].astype(np.float32)
    tone = cv2.GaussianBlur(grey, (0, 0), 0.002 * size)
    page = lines
    for angle_deg, below in HATCHES:
        a = np.radians(angle_deg)
        phase = (np.cos(a) * x + np.sin(a) * y + wobble) * (2 * np.pi / (0.0062 * size))
        thick = np.clip((below - tone) / 0.22, 0, 1)
        drawn = np.clip((0.5 + 0.5 * np.cos(phase) - (1 - 0.55 * thick)) * 6, 0, 1) * (thick > 0)
        page = page * (1 - 0.85 * drawn)
    page = page * np.clip((tone - 0.05) / 0.08, 0, 1)
    grain = 1 + 0.012 * cv2.GaussianBlur(rng.standard_normal(grey.shape).astype(np.float32), (0, 0), 1.0)
    mixed = INK + (PAPER - INK) * (np.clip(page, 0, 1) * np.clip(grain, 0.9, 1.03))[..., None]
    return (np.clip(mixed, 0, 1) * 255 + 0.5).astype(np.uint8)


FILTERS = {"oil": oil, "ink": ink}


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("filter", choices=FILTERS)
    parser.add_argument("picture", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=1024, help="height and width of the result, px")
    parser.add_argument("--quality", type=int, default=88)
    args = parser.parse_args(argv)
    picture = np.asarray(Image.open(args.picture).convert("RGB").resize((args.size, args.size), Image.Resampling.LANCZOS))
    Image.fromarray(FILTERS[args.filter](picture)).save(args.out, quality=args.quality, optimize=True)


if __name__ == "__main__":
    main()
