"""Write the speech encoder as the arrays that the runtime's kernel reads, and check them against torch.

python -m training.speech.export --run DIR --held DIR --out runtime/vivant/weights
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training.speech.network import DILATIONS, Encoder
from training.speech.shards import Shard
from training.speech.train import levelled
from vivant.render import _kernel
from vivant.speech.phones import PHONES
from vivant.types import Float32Array

TOLERANCE = 0.02
CHECKED_TICKS, AT_ONCE = 1500, 4
"""Four ticks are what a frame at 25 fps needs."""
MOST = 32767
"""Weights are whole numbers of 16 bits, relative to the largest of their output."""

Layer = tuple[NDArray[np.float64], NDArray[np.float64]]
"""(inputs, outputs) weights and (outputs,) bias."""


def arrays(encoder: Encoder) -> dict[str, NDArray[Any]]:
    """What `_kernel.Encoder` takes. Gains of layer normalisation and scales of blocks go into the weights beside them."""
    blocks: list[Any] = list(encoder.blocks)
    return {
        **_stack("enter", [_layer(encoder.enter)]),
        "dilations": np.array(DILATIONS, np.int32),
        "taps": np.stack([_numbers(block.taps) for block in blocks]).astype(np.float32),
        **_stack("widen", [_after(block.norm, _layer(block.widen)) for block in blocks]),
        **_stack("narrow", [_scaled(_layer(block.narrow), _numbers(block.scale)) for block in blocks]),
        **_stack("leave", [_after(encoder.norm, _layer(encoder.leave))]),
    }


def _numbers(tensor: torch.Tensor) -> NDArray[np.float64]:
    return np.asarray(tensor.detach().numpy(), np.float64)


def _layer(linear: nn.Linear) -> Layer:
    return _numbers(linear.weight).T, _numbers(linear.bias)


def _after(norm: nn.LayerNorm, layer: Layer) -> Layer:
    weights, bias = layer
    return _numbers(norm.weight)[:, None] * weights, bias + _numbers(norm.bias) @ weights


def _scaled(layer: Layer, scale: NDArray[np.float64]) -> Layer:
    weights, bias = layer
    return weights * scale, bias * scale


def _stack(name: str, layers: Sequence[Layer]) -> dict[str, NDArray[Any]]:
    weights, bias = (np.stack(part) for part in zip(*layers, strict=True))
    scale = np.maximum(np.abs(weights).max(1), 1e-12) / MOST
    return {
        name: np.round(weights / scale[:, None]).astype(np.int16),
        f"{name}_scale": scale.astype(np.float32),
        f"{name}_bias": bias.astype(np.float32),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of encoder.pt")
    parser.add_argument("--held", type=Path, required=True, help="shards to compare on")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    encoder = Encoder()
    encoder.load_state_dict(torch.load(args.run / "encoder.pt", map_location="cpu", weights_only=True)["model"])
    encoder.eval()
    path = args.out / "encoder.npz"
    np.savez(path, **arrays(encoder))  # type: ignore[arg-type]  # its stubs take the names for options
    mel = Shard.load(min(args.held.glob("[0-9]*.npz"))).mel[:CHECKED_TICKS].astype(np.float32)
    gap, spent = check(encoder, path, levelled(mel[None])[0])
    size = path.stat().st_size / 1e6
    print(f"{path.name}: {size:.2f} MB, probabilities differ from torch by {gap:.4f}, {spent:.2f} ms per tick")
    if gap > TOLERANCE:
        raise SystemExit(f"the file differs from torch by more than {TOLERANCE}")


@torch.inference_mode()
def check(encoder: Encoder, path: Path, levels: Float32Array) -> tuple[float, float]:
    """Largest difference of a probability between the file and torch for (n, 41); median ms of a tick on one core."""
    with np.load(path, allow_pickle=False) as stored:
        kernel = _kernel.Encoder(**stored, n_phones=len(PHONES))
    wanted = encoder(torch.from_numpy(levels[None]))[0][0].softmax(-1).flatten(1).numpy()
    memory, found, spent = np.zeros(kernel.memory_shape, np.float32), np.zeros_like(wanted), []
    for t in range(0, len(levels), AT_ONCE):
        start = time.perf_counter()
        kernel.hear(levels[t : t + AT_ONCE], memory, found[t : t + AT_ONCE])
        spent.append(1000 / AT_ONCE * (time.perf_counter() - start))
    return float(np.abs(found - wanted).max()), float(np.median(spent))


if __name__ == "__main__":
    main()
