"""Measure a checkpoint on held-out shards; optionally draw what it found.

python -m training.analyser.evaluate --run DIR --held DIR [--sheet sheet.jpg]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from training.analyser.crops import SIDE
from training.analyser.data import Faces, Floats
from training.analyser.loss import Batch, errors, table
from training.analyser.network import Landmarks
from training.analyser.points import GROUPS, IRIS_POINTS, LIDS, LIPS
from training.analyser.train import CHECKPOINT, judged, line

CPU = torch.device("cpu")
SHEET = (6, 4)
"""Columns and rows."""


def load(run: Path) -> Landmarks:
    """The network of a training run, ready to be used."""
    model = Landmarks()
    model.load_state_dict(torch.load(run / CHECKPOINT, map_location="cpu", weights_only=True)["model"])
    return model.eval()


@torch.inference_mode()
def found_in(model: Landmarks, truth: Batch) -> tuple[Floats, Floats]:
    """Points (n, 478, 2) px and spread (n, 478) px."""
    parts = [model(images) for images in torch.split(truth.images, 25)]
    return torch.cat([p.points for p in parts]).numpy(), torch.cat([p.spread for p in parts]).exp().numpy()


def sheet(truth: Batch, points: Floats) -> Image.Image:
    """The first crops with the found lips, lids and irises (green) over the true ones (red)."""
    columns, rows = SHEET
    out = Image.new("RGB", (2 * SIDE * columns, 2 * SIDE * rows))
    pixels = (truth.images.permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8)
    for k in range(min(columns * rows, len(pixels))):
        tile = Image.fromarray(pixels[k]).resize((2 * SIDE, 2 * SIDE), Image.Resampling.BICUBIC)
        draw = ImageDraw.Draw(tile)
        for colour, places in (((255, 60, 60), truth.points[k].numpy()), ((60, 255, 60), points[k])):
            for i in (*LIPS, *LIDS, *IRIS_POINTS):
                x, y = 2 * places[i]
                draw.ellipse((x - 1, y - 1, x + 1, y + 1), fill=colour)
        out.paste(tile, (2 * SIDE * (k % columns), 2 * SIDE * (k // columns)))
    return out


def report(truth: Batch, points: Floats, spread: Floats) -> str:
    """Means, then spread over the pictures, then how well the network knows its own error."""
    error = errors(torch.from_numpy(points), truth)
    lines = ["mean: " + line(table(error, truth.visible))]
    for name, rows in GROUPS.items():
        each = error[:, list(rows)].mean(1).numpy()
        lines.append(f"{name}, by picture: median {np.median(each):.2f}, 90 % below {np.quantile(each, 0.9):.2f}")
    own = spread.mean(1) / truth.units.numpy()
    lines.append(f"correlation of error and confidence over pictures: {np.corrcoef(own, error.mean(1).numpy())[0, 1]:.2f}")
    middle = torch.full_like(truth.points, SIDE / 2) + (truth.points - SIDE / 2).mean(0)
    lines.append("mean shape, for comparison: " + line(table(errors(middle, truth), truth.visible)))
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder that train wrote")
    parser.add_argument("--held", type=Path, required=True)
    parser.add_argument("--sheet", type=Path)
    args = parser.parse_args(argv)
    faces = Faces(args.held, args.run / "cache")
    truth = judged(faces, range(len(faces)), CPU)
    points, spread = found_in(load(args.run), truth)
    print(f"{args.held.name}: {len(faces)} faces\n{report(truth, points, spread)}")
    if args.sheet:
        sheet(truth, points).save(args.sheet, quality=90)


if __name__ == "__main__":
    main()
