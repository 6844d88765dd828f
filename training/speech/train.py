"""Train the speech encoder; stops after the given minutes and goes on from its checkpoint.

python -m training.speech.train --shards DIR [DIR ...] --held DIR --out DIR --minutes 60 [--rate 2e-3]
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from training.speech.augment import augmented, held, lively
from training.speech.network import Encoder, loss
from training.speech.shards import NOISE, UNKNOWN, Shard
from vivant.speech.encoder import DELAY_TICKS
from vivant.speech.phones import CLASS_OF, CLASSES
from vivant.speech.spectrum import FLOOR_DB, CepstralMeanNormaliser
from vivant.types import Float32Array

TICKS, BATCH = 400, 48
WARM_STEPS, DECAY = 100, 0.02
HOLDS = 0.08
"""Share of stretches with a vowel held long."""
LIVELY = 0.6
"""Share of stretches whose sounds are louder and softer than they were, and fade out."""
NOBODY = 0.07
"""Share of stretches that are noise or music alone."""
AGAIN_S = 60
"""Seconds between looks for new shards."""


def levelled(mel: Float32Array) -> Float32Array:
    """(b, t, 41) from (b, t, 40), as the runtime does it."""
    return CepstralMeanNormaliser(len(mel)).push(mel.astype(np.float64)).astype(np.float32)


class Speech(IterableDataset[tuple[Tensor, Tensor]]):
    """Endless batches of augmented stretches: levels (b, t, 41) and phones (b, t)."""

    def __init__(self, folders: Sequence[Path], seed: int, weights: Sequence[float]) -> None:
        self._folders, self._seed, self._weights = folders, seed, weights

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng(self._seed)
        pools: list[list[Shard]] = [[] for _ in self._folders]
        looked = -math.inf
        while True:
            if time.monotonic() - looked > AGAIN_S:
                for pool, folder in zip(pools, self._folders, strict=True):
                    pool += [Shard.load(path) for path in sorted(folder.glob("[0-9]*[0-9].npz"))[len(pool) :]]
                looked = time.monotonic()
            noises = [shard for pool in pools for shard in pool if shard.voices[0] == NOISE]
            chance = np.array([weight * bool(pool) for weight, pool in zip(self._weights, pools, strict=True)])
            picked = rng.choice(len(pools), BATCH, p=chance / chance.sum())
            pairs = [self._stretch(pools[pick], noises, rng) for pick in picked]
            mel, phone = (np.stack(part) for part in zip(*pairs, strict=True))
            yield torch.from_numpy(levelled(mel)), torch.from_numpy(phone.astype(np.int64))

    def _stretch(
        self, shards: list[Shard], noises: list[Shard], rng: np.random.Generator
    ) -> tuple[Float32Array, NDArray[np.uint8]]:
        """A voice with noise and another voice behind it; now and then nobody speaks."""
        mel, phone = _cut(noises if rng.random() < NOBODY else shards, rng)
        if rng.random() < HOLDS:
            mel, phone = held(mel, phone, rng)
        if rng.random() < LIVELY:
            mel = lively(mel, phone, rng)
        return augmented(mel, _cut(noises, rng)[0], _cut(shards, rng)[0], rng), phone


def _cut(shards: list[Shard], rng: np.random.Generator) -> tuple[Float32Array, NDArray[np.uint8]]:
    """TICKS of a shard, anywhere."""
    shard = shards[rng.integers(len(shards))]
    first = int(rng.integers(max(1, len(shard.phone) - TICKS)))
    mel = shard.mel[first : first + TICKS].astype(np.float32)
    phone = shard.phone[first : first + TICKS]
    short = TICKS - len(mel)
    return np.pad(mel, ((0, short), (0, 0)), constant_values=FLOOR_DB), np.pad(phone, (0, short), constant_values=UNKNOWN)


def read_out(model: Encoder, mel: Float32Array) -> Float32Array:
    """(n, 1 + guesses, phones) probabilities for (n, 40) levels of one stream; row k speaks of tick k."""
    with torch.no_grad():
        padded = np.concatenate([mel, np.full((DELAY_TICKS, mel.shape[1]), FLOOR_DB, np.float32)])
        logits, _ = model(torch.from_numpy(levelled(padded[None])))
    return np.asarray(logits.softmax(-1)[0, DELAY_TICKS:].numpy(), np.float32)


def accuracy(model: Encoder, shards: Sequence[Shard], limit: int = 10**9) -> dict[str, tuple[int, int]]:
    """Ticks right and in all per voice, counted by class."""
    of = np.array(CLASS_OF)
    counts: dict[str, tuple[int, int]] = {}
    for shard in shards:
        for voice, first, end in list(zip(shard.voices, shard.starts[:-1], shard.starts[1:], strict=True))[:limit]:
            phone = shard.phone[first:end]
            known = phone != UNKNOWN
            found = read_out(model, shard.mel[first:end].astype(np.float32))[:, 0].argmax(-1)
            right, total = counts.get(voice, (0, 0))
            counts[voice] = (
                right + int(np.sum((of[found] == of[np.minimum(phone, len(of) - 1)]) & known)),
                total + int(known.sum()),
            )
    return counts


def summary(counts: dict[str, tuple[int, int]]) -> str:
    """Shares in words, in all and per kind of voice."""
    kinds: dict[str, list[tuple[int, int]]] = {}
    for voice, count in counts.items():
        kinds.setdefault(voice.split()[0], []).append(count)
    parts = {kind: np.sum(found, 0) for kind, found in sorted(kinds.items())}
    right, total = np.sum(list(parts.values()), 0)
    each = ", ".join(f"{kind} {r / t:.1%}" for kind, (r, t) in parts.items())
    return f"{right / total:.1%} of {len(CLASSES)} classes ({each})"


class Trainer:
    """Model, optimiser and how far they have come."""

    def __init__(self, out: Path, rate: float, seed: int, device: torch.device, compiled: bool = False) -> None:
        out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(seed)
        self.rate, self.device, self.path = rate, device, out / "encoder.pt"
        self.model = Encoder().to(device)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), rate, weight_decay=DECAY, betas=(0.9, 0.98))
        self.step, self.seconds = 0, 0.0
        if self.path.exists():
            state = torch.load(self.path, map_location=device, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.seconds = state["step"], state["seconds"]
        self.forward = torch.compile(self.model) if compiled else self.model

    def learn(self, levels: Tensor, phone: Tensor, progress: float) -> float:
        """One step at ``progress`` (0..1) of this call's minutes; returns the loss."""
        rate = self.rate * min(1.0, (self.step + 1) / WARM_STEPS) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast(self.device.type, torch.bfloat16):
            logits, _ = self.forward(levels.to(self.device))
        value = loss(logits, phone.to(self.device))
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(value)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        return float(value.detach())

    def save(self) -> None:
        """Write the checkpoint whole or not at all."""
        draft = self.path.with_suffix(".part")
        state = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}
        torch.save({**state, "step": self.step, "seconds": self.seconds}, draft)
        draft.replace(self.path)


def run(
    trainer: Trainer, batches: Iterator[tuple[Tensor, Tensor]], unheard: Sequence[Shard], minutes: float, every_s: float
) -> None:
    """Train for the minutes given, looking at held-out voices now and then."""
    start = looked = time.monotonic()
    before, mean = trainer.seconds, 0.0
    while (spent := time.monotonic() - start) < 60 * minutes:
        value = trainer.learn(*next(batches), spent / (60 * minutes))
        mean = value if mean == 0 else 0.97 * mean + 0.03 * value
        if time.monotonic() - looked > every_s:
            trainer.seconds = before + time.monotonic() - start
            trainer.save()
            heard = summary(accuracy(trainer.model, unheard, 12))
            print(f"{spent:.0f} s, step {trainer.step}, loss {mean:.3f}: {heard}", flush=True)
            looked = time.monotonic()
    trainer.seconds = before + time.monotonic() - start
    trainer.save()


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=Path, nargs="+", required=True, help="folders to learn from; may still be growing")
    parser.add_argument("--weights", type=float, nargs="+", help="how often each folder is drawn from, like --shards")
    parser.add_argument("--held", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=float, default=150, help="seconds between looks at the held-out voices")
    parser.add_argument("--compile", action="store_true", help="one and a half times as fast; needs a C++ compiler")
    args = parser.parse_args(argv)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    trainer = Trainer(args.out, args.rate, args.seed, device, args.compile)
    unheard = [Shard.load(path) for folder in args.held for path in sorted(folder.glob("[0-9]*[0-9].npz"))]
    speech = Speech(args.shards, args.seed * 1000 + trainer.step, args.weights or [1.0] * len(args.shards))
    run(trainer, iter(DataLoader(speech, batch_size=None, num_workers=1, prefetch_factor=4)), unheard, args.minutes, args.every)
    heard = summary(accuracy(trainer.model, unheard))
    print(f"{trainer.step} steps in {trainer.seconds / 60:.1f} min: {heard}")


if __name__ == "__main__":
    main()
