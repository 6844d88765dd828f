"""Train one of the analyser's networks on rendered people; stops after the given minutes and goes on from its checkpoint.

python -m training.analyser.train face --shards DIR --held DIR --out DIR --minutes 30
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from training.analyser.data import People, empty_scenes
from training.analyser.face import FaceTask
from training.analyser.finder import FinderTask
from training.analyser.layers import LayersTask

WARM_STEPS = 60
"""Steps to reach the largest learning rate."""
DECAY = 0.02
AHEAD = 3
"""Batches made before they are needed."""
SCENES = (2000, 256, 5)
"""Number, size and seed of the scenes without a face."""
TASKS: dict[str, type[FaceTask] | type[FinderTask] | type[LayersTask]] = {
    "face": FaceTask, "finder": FinderTask, "layers": LayersTask,
}  # fmt: skip


class Task(Protocol):
    """What is learnt, and from what."""

    name: str
    batch_size: int
    rate: float
    """Largest learning rate."""

    def network(self) -> nn.Module: ...

    def batch(self, rng: np.random.Generator) -> Any: ...  # noqa: ANN401 - each task has its own

    def loss(self, found: Any, truth: Any) -> Tensor: ...  # noqa: ANN401

    def measure(self, network: Any, limit: int = 0) -> str: ...  # noqa: ANN401


def batches(task: Task, seed: int, first: int) -> Generator[Any, None, None]:
    """Endless batches from step `first` on; step k depends on (seed, k) and the pictures there are."""

    def make(step: int) -> Any:  # noqa: ANN401
        return task.batch(np.random.default_rng([seed, step]))

    with ThreadPoolExecutor(AHEAD) as pool:
        waiting = [pool.submit(make, first + k) for k in range(AHEAD)]
        step = first + AHEAD
        while True:
            yield waiting.pop(0).result()
            waiting.append(pool.submit(make, step))
            step += 1


class Trainer:
    """Model, optimiser and how far they have come."""

    def __init__(self, task: Task, out: Path, seed: int, device: torch.device, rate: float | None = None) -> None:
        torch.manual_seed(seed)
        self.rate = rate or task.rate
        self.task, self.path, self.device = task, out / f"{task.name}.pt", device
        self.model = task.network().to(device)
        for parameter in self.model.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), self.rate, weight_decay=DECAY)
        self.step, self.seconds = 0, 0.0
        if self.path.exists():
            state = torch.load(self.path, map_location=device, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.seconds = state["step"], state["seconds"]

    def learn(self, batch: Any, progress: float, half: bool) -> float:  # noqa: ANN401
        """One step at `progress` (0..1) of this call's minutes; returns the loss."""
        rate = self.rate * min(1.0, (self.step + 1) / WARM_STEPS) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            found = self.model(batch.image)
        value = self.task.loss(found, batch)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(value)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 200.0)
        self.optimiser.step()
        self.step += 1
        return float(value.detach())

    def measure(self, limit: int = 0) -> str:
        """The task's figures on held-out people."""
        self.model.eval()
        out = self.task.measure(self.model, limit)
        self.model.train()
        return out

    def save(self) -> None:
        """Write the checkpoint whole or not at all."""
        state = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}
        draft = self.path.with_suffix(".part")
        torch.save({**state, "step": self.step, "seconds": self.seconds}, draft)
        draft.replace(self.path)


def run(trainer: Trainer, people: People, args: argparse.Namespace) -> None:
    """Train for the minutes given, looking at held-out people and for new shards every `--every` seconds."""
    start = time.monotonic()
    limit, looked, before, mean = 60 * args.minutes, start, trainer.seconds, 0.0
    stream = batches(trainer.task, args.seed, trainer.step)
    while (spent := time.monotonic() - start) < limit:
        value = trainer.learn(next(stream), spent / limit, args.half)
        mean = value if mean == 0 else 0.95 * mean + 0.05 * value
        if time.monotonic() - looked > args.every:
            trainer.seconds = before + time.monotonic() - start
            trainer.save()
            words = trainer.measure(100)
            print(f"{spent:.0f} s, step {trainer.step}, {len(people)} pictures, loss {mean:.2f}: {words}", flush=True)
            people.refresh()
            looked = time.monotonic()
    stream.close()
    trainer.seconds = before + time.monotonic() - start
    trainer.save()


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--shards", type=Path, required=True, help="shards to learn from; may still be growing")
    parser.add_argument("--held", type=Path, required=True, help="shards of other seeds to measure on")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, help="largest learning rate; less than the task's own to go on from a good state")
    parser.add_argument("--every", type=float, default=60, help="seconds between looks at the held-out people")
    parser.add_argument("--half", action=argparse.BooleanOptionalAction, default=True, help="bfloat16")
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)  # its threads would wait for torch's
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    cache = args.out / "cache"
    people, held = (People(folder, cache) for folder in (args.shards, args.held))
    task = TASKS[args.task](people, held, empty_scenes(*SCENES, cache), device)
    trainer = Trainer(task, args.out, args.seed, device, args.rate)
    run(trainer, people, args)
    print(f"{trainer.step} steps in {trainer.seconds / 60:.1f} min, {len(people)} pictures; {len(held)} held out: "
          f"{trainer.measure()}")  # fmt: skip


if __name__ == "__main__":
    main()
