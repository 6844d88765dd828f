"""Write the landmark head as one ONNX file and check it against torch on held-out crops.

python -m training.analyser.export --run DIR --held DIR --out landmarks.onnx
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from training.analyser.crops import SIDE
from training.analyser.data import Faces
from training.analyser.evaluate import load
from training.analyser.loss import Batch
from training.analyser.network import Landmarks
from training.analyser.train import judged

OPSET = 18
CHECKED = 50
"""Held-out crops compared."""
TOLERANCE_PX = 0.2
"""Largest difference to torch allowed: what float16 weights may cost."""
LARGE = 1024
"""Weights with at least so many numbers are stored as float16."""


class Exported(nn.Module):
    """The outputs that the product reads."""

    def __init__(self, model: Landmarks) -> None:
        super().__init__()
        self.model = model

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(n, 3, SIDE, SIDE) sRGB 0..1 to points (n, 478, 2) px, expected error (n, 478) px, chance to be seen (n, 478)."""
        found = self.model(crops)
        return found.points, found.spread.clamp(-3, 5).exp(), found.seen.sigmoid()


def write(model: Landmarks, path: Path) -> None:
    """Export with any number of crops."""
    count = torch.export.Dim("n", min=1, max=64)
    program = torch.onnx.export(
        Exported(model).eval(), (torch.rand(2, 3, SIDE, SIDE),), dynamo=True, opset_version=OPSET, external_data=False,
        input_names=["crops"], output_names=["points", "spread", "seen"], dynamic_shapes={"crops": {0: count}}, verbose=False,
    )  # fmt: skip
    if program is None:
        raise RuntimeError("torch gave no ONNX program")
    program.save(str(path), external_data=False)


def halve(path: Path) -> None:
    """Keep large weights as float16, widened when the file is loaded: half the size, float32 arithmetic as before."""
    model = onnx.load(path)
    graph, casts = model.graph, []
    for weight in graph.initializer:
        if weight.data_type != onnx.TensorProto.FLOAT or np.prod(weight.dims) < LARGE:
            continue
        small = onnx.numpy_helper.to_array(weight).astype(np.float16)
        name = weight.name
        weight.CopyFrom(onnx.numpy_helper.from_array(small, f"{name}_half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def session(path: Path) -> onnxruntime.InferenceSession:
    """A session on one core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@torch.inference_mode()
def differences(model: Landmarks, runner: onnxruntime.InferenceSession, truth: Batch) -> list[float]:
    """Largest difference between torch and ONNX of each output."""
    wanted = Exported(model).eval()(truth.images.contiguous())
    got = runner.run(None, {"crops": truth.images.contiguous().numpy()})
    return [float(np.abs(a.numpy() - b).max()) for a, b in zip(wanted, got, strict=True)]


def milliseconds(runner: onnxruntime.InferenceSession, crop: Tensor, times: int = 60) -> tuple[float, float]:
    """Median and best time for one crop (1, 3, SIDE, SIDE)."""
    feed, spent = {"crops": crop.contiguous().numpy()}, []
    for _ in range(times):
        start = time.perf_counter()
        runner.run(None, feed)
        spent.append(1000 * (time.perf_counter() - start))
    return float(np.median(spent[5:])), min(spent)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder that train wrote")
    parser.add_argument("--held", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    model = load(args.run)
    write(model, args.out)
    halve(args.out)
    faces = Faces(args.held, args.run / "cache")
    truth = judged(faces, range(min(CHECKED, len(faces))), torch.device("cpu"))
    runner = session(args.out)
    gaps = differences(model, runner, truth)
    median, best = milliseconds(runner, truth.images[:1])
    print(f"{args.out.name}: {args.out.stat().st_size / 1e6:.2f} MB; {len(truth.images)} crops, largest difference to torch: "
          f"points {gaps[0]:.5f} px, spread {gaps[1]:.5f} px, seen {gaps[2]:.6f}; "
          f"one face on one core: median {median:.1f} ms, best {best:.1f} ms")  # fmt: skip
    if gaps[0] > TOLERANCE_PX:
        raise SystemExit(f"the points differ by more than {TOLERANCE_PX} px")


if __name__ == "__main__":
    main()
