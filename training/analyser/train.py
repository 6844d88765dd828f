"""Train the landmark head on rendered faces; stops after the given minutes and goes on from its checkpoint.

python -m training.analyser.train --shards DIR --held DIR --out DIR --minutes 30
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from training.analyser import points
from training.analyser.crops import Crop, judged_crop, training_crop
from training.analyser.data import Faces
from training.analyser.loss import Batch, errors, loss, table
from training.analyser.network import Landmarks

RATE, WARM_STEPS = 2e-3, 60
"""Largest learning rate, and steps to reach it."""
DECAY = 0.02
AHEAD = 3
"""Batches made before they are needed."""
CHECKPOINT = "landmarks.pt"


def batch_of(crops: Sequence[Crop], device: torch.device) -> Batch:
    """Stack crops."""
    images = torch.from_numpy(np.stack([c.image for c in crops])).to(device).permute(0, 3, 1, 2).float() / 255
    return Batch(
        images.contiguous(memory_format=torch.channels_last),
        torch.from_numpy(np.stack([c.points for c in crops])).to(device),
        torch.from_numpy(np.stack([c.visible for c in crops]).astype(np.float32)).to(device),
        torch.tensor([c.unit for c in crops], device=device),
    )


def batches(faces: Faces, size: int, seed: int, first: int, device: torch.device) -> Generator[Batch, None, None]:
    """Endless batches from step `first` on; step k depends on (seed, k) and the pictures there are."""

    def make(step: int) -> Batch:
        rng = np.random.default_rng([seed, step])
        rows = rng.integers(0, len(faces), size)
        return batch_of([training_crop(faces[int(row)], rng) for row in rows], device)

    with ThreadPoolExecutor(AHEAD) as pool:
        waiting = [pool.submit(make, first + k) for k in range(AHEAD)]
        step = first + AHEAD
        while True:
            yield waiting.pop(0).result()
            waiting.append(pool.submit(make, step))
            step += 1


def judged(faces: Faces, rows: Sequence[int], device: torch.device) -> Batch:
    """Held-out crops, always the same."""
    return batch_of([judged_crop(faces[i], i) for i in rows], device)


@torch.inference_mode()
def measure(model: Landmarks, faces: Faces, device: torch.device, limit: int = 0) -> dict[str, tuple[float, float]]:
    """Errors of held-out faces, as `loss.table` gives them."""
    model.eval()
    count = min(limit, len(faces)) if limit else len(faces)
    found, seen = [], []
    for first in range(0, count, 25):
        truth = judged(faces, range(first, min(first + 25, count)), device)
        found.append(errors(model(truth.images).points, truth))
        seen.append(truth.visible)
    model.train()
    return table(torch.cat(found), torch.cat(seen))


def line(figures: dict[str, tuple[float, float]]) -> str:
    """Figures in words."""
    return ", ".join(f"{name} {every:.2f} (seen {seen:.2f})" for name, (every, seen) in figures.items())


class Trainer:
    """Model, optimiser and how far they have come."""

    def __init__(self, out: Path, seed: int, device: torch.device) -> None:
        torch.manual_seed(seed)
        self.path, self.device = out / CHECKPOINT, device
        self.model = Landmarks().to(device)
        for parameter in self.model.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), RATE, weight_decay=DECAY)
        self.weights = torch.from_numpy(points.weights()).to(device)
        self.step, self.seconds = 0, 0.0
        if self.path.exists():
            state = torch.load(self.path, map_location=device, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.seconds = state["step"], state["seconds"]

    def learn(self, batch: Batch, progress: float, half: bool) -> float:
        """One step at `progress` (0..1) of this call's minutes; returns the loss."""
        rate = RATE * min(1.0, (self.step + 1) / WARM_STEPS) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            found = self.model(batch.images)
        value = loss(found, batch, self.weights)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(value)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 200.0)
        self.optimiser.step()
        self.step += 1
        return float(value.detach())

    def save(self) -> None:
        """Write the checkpoint whole or not at all."""
        state = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}
        draft = self.path.with_suffix(".part")
        torch.save({**state, "step": self.step, "seconds": self.seconds}, draft)
        draft.replace(self.path)


def run(trainer: Trainer, faces: Faces, held: Faces, args: argparse.Namespace) -> None:
    """Train for the minutes given, looking at held-out faces and for new shards every `--every` seconds."""
    start = time.monotonic()
    limit, looked, before, mean = 60 * args.minutes, start, trainer.seconds, 0.0
    stream = batches(faces, args.batch, args.seed, trainer.step, trainer.device)
    while (spent := time.monotonic() - start) < limit:
        value = trainer.learn(next(stream), spent / limit, args.half)
        mean = value if mean == 0 else 0.95 * mean + 0.05 * value
        if time.monotonic() - looked > args.every:
            trainer.seconds = before + time.monotonic() - start
            trainer.save()
            figures = line(measure(trainer.model, held, trainer.device, 50))
            print(f"{spent:.0f} s, step {trainer.step}, {len(faces)} pictures, loss {mean:.1f}: {figures}", flush=True)
            faces.refresh()
            looked = time.monotonic()
    stream.close()
    trainer.seconds = before + time.monotonic() - start
    trainer.save()


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=Path, required=True, help="shards to learn from; may still be growing")
    parser.add_argument("--held", type=Path, required=True, help="shards of other seeds to measure on")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=float, default=60, help="seconds between looks at the held-out faces")
    parser.add_argument("--half", action=argparse.BooleanOptionalAction, default=torch.cuda.is_available(), help="bfloat16")
    args = parser.parse_args(argv)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    args.out.mkdir(parents=True, exist_ok=True)
    faces, held = (Faces(folder, args.out / "cache") for folder in (args.shards, args.held))
    trainer = Trainer(args.out, args.seed, device)
    run(trainer, faces, held, args)
    figures = line(measure(trainer.model, held, device))
    print(f"{trainer.step} steps in {trainer.seconds / 60:.1f} min, {len(faces)} pictures; {len(held)} held out: {figures}")


if __name__ == "__main__":
    main()
