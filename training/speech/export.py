"""Write the speech encoder as an ONNX file that hears one tick at a time, and check it against torch.

python -m training.speech.export --run DIR --held DIR --out runtime/vivant/weights
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from training.onnx_file import shrink, write
from training.speech.network import Encoder
from training.speech.shards import Shard
from training.speech.train import levelled
from vivant.speech.phones import PHONES
from vivant.speech.spectrum import CepstralMeanNormaliser

NEVER = 10**9
"""More inputs than any layer has: all large weights become float16, none int8."""
TOLERANCE = 0.02
CHECKED_TICKS = 1500


class OneTick(nn.Module):
    """The encoder for (1, 1, 41): probabilities (1, 1, 1 + GUESSES, phones) and the memory after it."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, levels: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        x, kept, first = self.encoder.enter(levels), [], 0
        for block in self.encoder.blocks:
            whole = torch.cat([memory[:, first : first + block.back], x], 1)
            seen = (whole[:, :: block.dilation] * block.taps).sum(1, keepdim=True)
            x = x + block.scale * block.narrow(nn.functional.gelu(block.widen(block.norm(seen))))
            kept.append(whole[:, 1:])
            first += block.back
        logits = self.encoder.leave(self.encoder.norm(x))
        return logits.reshape(1, 1, -1, len(PHONES)).softmax(-1), torch.cat(kept, 1)


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
    path = args.out / "encoder.onnx"
    inputs = {"levels": torch.zeros(1, 1, CepstralMeanNormaliser.INPUTS), "memory": torch.zeros(1, *encoder.memory_shape)}
    write(OneTick(encoder).eval(), inputs, ("probabilities", "memory_after"), path)
    shrink(path, NEVER)
    mel = Shard.load(min(args.held.glob("[0-9]*.npz"))).mel[:CHECKED_TICKS].astype(np.float32)
    gap, spent = check(encoder, path, levelled(mel[None]))
    size = path.stat().st_size / 1e6
    print(f"{path.name}: {size:.2f} MB, probabilities differ from torch by {gap:.4f}, {spent:.2f} ms per tick")
    if gap > TOLERANCE:
        raise SystemExit(f"the file differs from torch by more than {TOLERANCE}")


@torch.inference_mode()
def check(encoder: Encoder, path: Path, levels: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> tuple[float, float]:
    """Largest difference of a probability between the file, tick by tick, and torch; median ms of a tick on one core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    runner = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    memory, found, spent = np.zeros((1, *encoder.memory_shape), np.float32), [], []
    for t in range(levels.shape[1]):
        start = time.perf_counter()
        probabilities, memory = runner.run(None, {"levels": levels[:, t : t + 1], "memory": memory})
        spent.append(1000 * (time.perf_counter() - start))
        found.append(probabilities[0, 0])
    wanted = encoder(torch.from_numpy(levels))[0].softmax(-1)[0].numpy()
    return float(np.abs(np.stack(found) - wanted).max()), float(np.median(spent))


if __name__ == "__main__":
    main()
