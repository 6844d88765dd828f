"""Fit what the shipped encoder reads out of its last look back anew, the rest of the network as it is: a minute of one core.

python -m training.speech.refit --shards DIR [DIR ...] --held DIR --out DIR [--start runtime/vivant/weights/encoder.npz]

The last block's perceptron and the layer after it see one tick at a time. What they are given is therefore heard once, with
everything that `training.speech.train` does to a voice, and then learnt tick by tick.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from training.speech.network import Block, Encoder, loss_of_ticks, shipped
from training.speech.shards import UNKNOWN, Shard
from training.speech.train import BATCH, TICKS, Speech, accuracy, summary
from vivant.speech.encoder import DELAY_TICKS, GUESSES
from vivant.speech.phones import SILENCE

WARM_TICKS = 100
"""Of every stretch, not learnt: the memory is still empty."""
EVERY = 2
"""Neighbouring ticks are alike; every second one is learnt."""
AT_ONCE = 2048
"""Ticks in a step."""

QUIET = 1.2
"""Added to the logit of silence in the end. Pauses are rare in what is learnt here, and a mouth that moves with a fan is seen
by everybody: with it pauses are heard again, and the other classes lose next to nothing."""
KEEPS = 0.2
"""Share of the weights before, mixed in at the end: what is learnt here is mostly English, and other languages must not suffer
much. Each tenth costs natural English .4 % of the classes and gives .5 % back to other languages."""

Ticks = tuple[Tensor, Tensor, Tensor]
"""(n, width) what the last block is given, (n, width) its normalised look back, (n, 1 + GUESSES) phones."""


class LastBlock(nn.Module):
    """The part of the network that is fitted: the perceptron of its last block and the layer that names phones."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        block = encoder.blocks[-1]
        assert isinstance(block, Block)
        self.widen, self.narrow, self.scale = block.widen, block.narrow, block.scale
        self.norm, self.leave = encoder.norm, encoder.leave

    def forward(self, given: Tensor, seen: Tensor) -> Tensor:
        """(n, 1 + GUESSES, phones) logits."""
        x = given + self.scale * self.narrow(F.gelu(self.widen(seen)))
        logits: Tensor = self.leave(self.norm(x))
        return logits.reshape(len(logits), 1 + GUESSES, -1)


@torch.inference_mode()
def heard(encoder: Encoder, batches: Iterator[tuple[Tensor, Tensor]]) -> Ticks:
    """What the last block is given in some batches of levels and phones, with the phones it should name."""
    block, kept = encoder.blocks[-1], dict[str, Tensor]()
    hooks = [
        block.register_forward_pre_hook(lambda _, given: kept.update(given=given[0])),
        block.norm.register_forward_hook(lambda _module, _given, seen: kept.update(seen=seen)),
    ]
    found: list[Ticks] = []
    for levels, phone in batches:
        with torch.autocast("cpu", torch.bfloat16):
            encoder(levels)
        ticks = torch.arange(WARM_TICKS, TICKS, EVERY)
        wanted = torch.stack([phone[:, ticks - DELAY_TICKS + guess] for guess in range(1 + GUESSES)], -1)
        found.append((kept["given"][:, ticks].flatten(0, 1).bfloat16(), kept["seen"][:, ticks].flatten(0, 1).bfloat16(),
                      wanted.flatten(0, 1)))  # fmt: skip
    for hook in hooks:
        hook.remove()
    given, seen, wanted = (torch.cat(part) for part in zip(*found, strict=True))
    known = (wanted != UNKNOWN).any(-1)
    return given[known], seen[known], wanted[known]


def fit(part: LastBlock, ticks: Ticks, rounds: float, rate: float) -> Iterator[tuple[int, float]]:
    """Learn them in random order as many times; yields the step and its loss."""
    optimiser = torch.optim.AdamW(part.parameters(), rate, weight_decay=0.0, betas=(0.9, 0.98))
    steps = round(rounds * len(ticks[2]) / AT_ONCE)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 20) * 0.5 * (1 + math.cos(math.pi * step / steps))
        chosen = torch.randint(len(ticks[2]), (AT_ONCE,))
        given, seen, wanted = (column[chosen] for column in ticks)
        with torch.autocast("cpu", torch.bfloat16):
            logits = part(given, seen)
        value = loss_of_ticks(logits, wanted)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(value)
        optimiser.step()
        yield step, float(value.detach())


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=Path, nargs="+", required=True)
    parser.add_argument("--weights", type=float, nargs="+", help="how often each folder is drawn from, like --shards")
    parser.add_argument("--held", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of encoder.pt, as training.speech.export reads it")
    parser.add_argument("--start", type=Path, default=Path("runtime/vivant/weights/encoder.npz"))
    parser.add_argument("--batches", type=int, default=16, help=f"of {BATCH} stretches of {TICKS / 100:.0f} s")
    parser.add_argument("--rounds", type=float, default=8, help="how often each tick is learnt")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    encoder, cache = shipped(args.start), args.out / "ticks.pt"
    if not cache.exists():
        speech = Speech(args.shards, args.seed, args.weights or [1.0] * len(args.shards))
        torch.save(heard(encoder, itertools.islice(speech, args.batches)), cache)
    ticks: Ticks = torch.load(cache, weights_only=True)
    print(f"{len(ticks[2])} ticks", flush=True)
    mean = 0.0
    for step, value in fit(LastBlock(encoder), ticks, args.rounds, args.rate):
        mean = value if step == 0 else 0.95 * mean + 0.05 * value
        if step % 50 == 0:
            print(f"step {step}, loss {mean:.3f}", flush=True)
    with torch.no_grad():
        encoder.leave.bias.view(1 + GUESSES, -1)[:, SILENCE] += QUIET
        before = shipped(args.start).state_dict()
        encoder.load_state_dict({name: w.lerp(before[name], KEEPS) for name, w in encoder.state_dict().items()})
    torch.save({"model": encoder.state_dict()}, args.out / "encoder.pt")
    unheard = [Shard.load(path) for path in sorted(args.held.glob("*.npz"))]
    print(summary(accuracy(encoder, unheard)))


if __name__ == "__main__":
    main()
