"""Write the analyser's networks as ONNX files and check each against torch.

python -m training.analyser.export --run DIR --held DIR --out runtime/vivant/weights
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.analyser import face, finder, layers
from training.analyser.data import People, warp
from training.onnx_file import shrink, write
from vivant.portrait.crop import Crop, person_frame

TOLERANCE = 0.05
"""Largest difference to torch allowed, relative to each output's reach: what small weights may cost."""
CHECKED = 40
"""Held-out people looked at."""


class Finder(nn.Module):
    """What the product reads: scores (n, GRID, GRID), squares (n, 4, GRID, GRID): x, y, side in px of the input, roll deg."""

    def __init__(self, network: finder.FinderNetwork) -> None:
        super().__init__()
        self.network = network
        middles = (torch.arange(finder.GRID) + 0.5) * finder.CELL
        self.register_buffer("x", middles[None, None, :], persistent=False)
        self.register_buffer("y", middles[None, :, None], persistent=False)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 3, SIDE, SIDE) sRGB 0..1."""
        found = self.network(pictures)
        dx, dy, side, cos, sin = found.square.unbind(1)
        x, y = self.get_buffer("x") + finder.CELL * dx, self.get_buffer("y") + finder.CELL * dy
        roll = torch.rad2deg(torch.atan(sin / cos.clamp(min=0.05)))  # squares are never upside down
        return found.score.sigmoid(), torch.stack([x, y, finder.CELL_SIDE * side.clamp(-4, 4).exp(), roll], 1)


class Face(nn.Module):
    """What the product reads; see `forward`."""

    def __init__(self, network: face.FaceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, squares: Tensor) -> tuple[Tensor, ...]:
        """Points (n, 478, 3) px of the square, their expected error (n, 478) px, chance to be seen (n, 478), rotation (n, 3, 3)
        from head to view, gaze (n, 2, 2) degrees, weights (n, 52), chance of a face (n,)."""
        found = self.network(squares)
        gaze = face.GAZE_DEG * found.gaze.unflatten(1, (2, 2))
        return (found.points, found.spread.clamp(-3, 5).exp(), found.seen.sigmoid(), turn_of(found.rotation), gaze,
                found.weights.clamp(0, 1), found.face.sigmoid())  # fmt: skip


def turn_of(columns: Tensor) -> Tensor:
    """`face.turn_of` in operators that ONNX has."""
    a, b = columns[:, :3], columns[:, 3:]
    first = a / (a * a).sum(1, keepdim=True).sqrt()
    rest = b - (first * b).sum(1, keepdim=True) * first
    second = rest / (rest * rest).sum(1, keepdim=True).sqrt()
    x, y = first.unbind(1), second.unbind(1)
    third = torch.stack([x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]], 1)
    return torch.stack([first, second, third], 2)


class Layers(nn.Module):
    """What the product reads: matte (n, SIDE, SIDE) and label (n, SIDE, SIDE)."""

    def __init__(self, network: layers.LayersNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, squares: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 3, SIDE, SIDE) sRGB 0..1."""
        matte, labels = self.network(squares)
        wide = functional.interpolate(labels, scale_factor=2.0, mode="bilinear", align_corners=False)
        return matte.sigmoid(), wide.argmax(1).to(torch.float32)


@dataclass(frozen=True)
class Export:
    """How one network is written."""

    network: type[nn.Module]
    product: type[nn.Module]
    side: int
    """Of its picture, px."""
    outputs: tuple[str, ...]
    bytes_from: int
    """Inputs of a convolution from which its weights are int8: points are wanted to a tenth of a px, the rest is not."""


EXPORTS = {
    "finder": Export(finder.FinderNetwork, Finder, finder.SIDE, ("scores", "squares"), 24),
    "face": Export(
        face.FaceNetwork, Face, face.SIDE, ("points", "error", "seen", "rotation", "gaze", "weights", "chance"), 400
    ),
    "layers": Export(layers.LayersNetwork, Layers, layers.SIDE, ("matte", "labels"), 24),
}


def load(run: Path, name: str) -> nn.Module:
    """A network of a training run with the outputs that the product reads."""
    model = EXPORTS[name].network()
    model.load_state_dict(torch.load(run / f"{name}.pt", map_location="cpu", weights_only=True)["model"])
    return EXPORTS[name].product(model).eval()


def pictures(held: People, name: str) -> Iterator[Tensor]:
    """What a network looks at, (1, 3, side, side) sRGB 0..1, of the first held-out people."""
    side = EXPORTS[name].side
    for index in range(min(CHECKED, len(held))):
        person = held[index]
        size = person.image.shape[0]
        whole = Crop(size / 2, size / 2, size)
        frame = {"finder": whole, "face": person.frame, "layers": person_frame(person.frame)}[name]
        image = warp(person.image, frame.matrix(side), side)
        yield torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255


@torch.inference_mode()
def check(model: nn.Module, path: Path, held: People, name: str) -> tuple[float, float]:
    """Largest mean difference of an output to torch's, over its reach in a picture, and the median ms of a run on one core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    runner = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    gap, spent = 0.0, []
    for picture in pictures(held, name):
        start = time.perf_counter()
        got = runner.run(None, {"picture": picture.numpy()})
        spent.append(1000 * (time.perf_counter() - start))
        for a, b in zip(model(picture), got, strict=True):
            reach = max(float(a.abs().max()), 1.0)
            gap = max(gap, float(np.abs(a.numpy() - b).mean()) / reach)
    return gap, float(np.median(spent))


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder that train wrote")
    parser.add_argument("--held", type=Path, required=True, help="shards to compare on")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    held = People(args.held, args.run / "cache")
    for name, export in EXPORTS.items():
        model, path = load(args.run, name), args.out / f"{name}.onnx"
        write(model, {"picture": torch.rand(1, 3, export.side, export.side)}, export.outputs, path)
        shrink(path, export.bytes_from)
        gap, spent = check(model, path, held, name)
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, differs from torch by {gap:.5f} of the reach, {spent:.1f} ms")
        if gap > TOLERANCE:
            raise SystemExit(f"{name} differs from torch by more than {TOLERANCE}")


if __name__ == "__main__":
    main()
