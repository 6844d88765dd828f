"""Trains the dynamics: ``python -m training.dynamics.train --clips DATA/*.npz --out DATA/run --steps 7000``

Every source trains only the channels that it holds. Flow matching towards the clean motion (Lipman et al. 2023), one chunk
after the other as the stream will do it, with noise on the own past, so that the network finds back from its own mistakes;
conditions are left out at random, so that each can be left out or overdrawn. bfloat16 on a GPU. Goes on where it stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.dynamics.network import DynamicsNetwork, times_of
from vivant.motion.learned.channels import (
    ASIDE,
    BLINK,
    CONTACT,
    JUMP,
    KNOWN,
    LIDS,
    N_DRAWN,
    N_HEAD,
    N_SLOW,
    STATE,
    VOICE,
    Colour,
)
from vivant.motion.learned.colour import fit_colour
from vivant.motion.learned.conditions import pace
from vivant.motion.learned.generator import drawn_lids, past_vector
from vivant.motion.learned.recorded import Clip, load_clips

CHUNKS = 96
"""Of a stretch that is learnt at once: 11.5 s, twice the network's reach."""
LEFT_OUT = ((VOICE, 0.1), (STATE, 0.1), (CONTACT, 0.1))
"""How often a part of the conditions is not told."""
CONTACT_NOISE = 0.12
"""Standard deviation: each share of eye contact belongs to one of 19 people, whose sides and pauses it must not call up."""
PAST_LEFT_OUT = 0.1
"""Of stretches that are told nothing of the past. VASA-1 has .5, but begins a new window every few seconds."""
PAST_NOISE, ORDINARY = 0.35, np.array([1.0, 0.6, 0.3], np.float32)
"""Most noise on the own past, in standard deviations of what is new in a chunk at an ordinary pace: with that of rest, a face
would not learn to come to rest again."""
FLOWS = 1
"""Noises that are tried for every chunk. More is for those who have time."""
EVENTS_WEIGHT, HEAD_WEIGHT, ASIDE_WEIGHT = 0.25, 2.0, 15.0
"""Of the events' cross entropy beside the flow's mean square; and therein of the head, for most curves of a face are there
twice, left and right, and of where the eyes jump to, two numbers of 54, in a fifth of the chunks."""
HELD_OUT = 0.1
"""Of every clip that is long enough, its end: not learnt from, but for `training.dynamics.evaluate`."""


@dataclass(frozen=True)
class Batch:
    """(clips, chunks, ...) of each part of `Clip`, and the network's view of the past."""

    told: Tensor
    past: Tensor
    drawn: Tensor
    mask: Tensor
    events: Tensor
    events_mask: Tensor


@dataclass(frozen=True)
class Source:
    """Clips of one kind, how often they are drawn, and the colour in which they are learnt."""

    clips: Sequence[Clip]
    weight: float
    colour: Colour


class Stretches:
    """Stretches of clips at random, as tensors."""

    def __init__(self, sources: Sequence[Source], seed: int, held_out: bool = False) -> None:
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._sources = [(source, [span for clip in source.clips for span in _span(clip, held_out)]) for source in sources]
        weights = np.array([source.weight for source in sources])
        self._weights = weights / weights.sum()
        self._chances = [np.array([end - start for _, start, end in spans], float) for _, spans in self._sources]

    def __len__(self) -> int:
        return sum(len(spans) for _, spans in self._sources)

    def batch(self, n: int) -> Batch:
        """Of ``n`` stretches."""
        picked = [self._stretch() for _ in range(n)]
        return Batch(*(torch.from_numpy(np.stack(part)) for part in zip(*picked, strict=True)))

    def _stretch(self) -> tuple[np.ndarray, ...]:
        rng = self._rng
        number = int(rng.choice(len(self._sources), p=self._weights))
        (source, spans), chances = self._sources[number], self._chances[number]
        clip, first, last = spans[int(rng.choice(len(chances), p=chances / chances.sum()))]
        start = int(rng.integers(first, last))
        span, before = slice(start + 1, start + 1 + CHUNKS), slice(start, start + CHUNKS)
        known = _held(clip)
        plain = source.colour.plain(clip.curves[start : start + 1 + CHUNKS]) * known
        paces = pace(clip.told[span])
        surprise = source.colour.surprises(paces)
        noise = rng.uniform(0, PAST_NOISE) * rng.standard_normal((CHUNKS, N_SLOW, 2)).astype(np.float32)
        seen = plain[:-1] + noise * source.colour.surprises(ORDINARY) * known
        new = (plain[1:] - source.colour.carried(seen, paces)) / surprise
        lids = drawn_lids(clip.lids)
        blinked = lids[before] * clip.events[before, BLINK:]
        past = past_vector(seen, clip.aside[before], clip.events[before], blinked, clip.known)
        if rng.random() < PAST_LEFT_OUT:
            past[..., : -len(clip.known)] = 0
        drawn = np.concatenate([np.clip(new, -6, 6).reshape(CHUNKS, -1), clip.aside[span], lids[span]], 1)
        mask = _mask(clip, span, known)
        return self._told(clip.told[span]), past, drawn.astype(np.float32), mask, clip.events[span], _happens(clip, span)

    def _told(self, told: np.ndarray) -> np.ndarray:
        told = told.copy()
        told[:, CONTACT] += CONTACT_NOISE * self._rng.standard_normal()
        for place, (part, chance) in enumerate(LEFT_OUT):
            if self._rng.random() < chance:
                told[:, part] = 0
                told[:, KNOWN.start + place] = 0
        return told


def _span(clip: Clip, held_out: bool) -> list[tuple[Clip, int, int]]:
    """Where a stretch may start, in the part that is held out or in all else; none where that is too short."""
    n = len(clip.told)
    n_held = round(HELD_OUT * n) if HELD_OUT * n > CHUNKS + 1 else 0
    first, end = (n - n_held, n) if held_out else (0, n - n_held)
    return [(clip, first, end - CHUNKS)] if end - CHUNKS > first else []


def _held(clip: Clip) -> np.ndarray:
    """(n_slow, 2) 1 for each curve that the clip holds; one that is zero throughout is not."""
    groups = np.repeat(clip.known[:2], (N_HEAD, N_SLOW - N_HEAD))
    held: np.ndarray = (groups * clip.curves.any((0, 2)))[:, None] * np.ones(2, np.float32)
    return held


def _mask(clip: Clip, span: slice, known: np.ndarray) -> np.ndarray:
    mask = np.zeros((CHUNKS, N_DRAWN), np.float32)
    mask[:, : 2 * N_SLOW] = known.ravel()
    mask[:, : 2 * N_HEAD] *= HEAD_WEIGHT
    mask[:, ASIDE] = ASIDE_WEIGHT * clip.known[2] * clip.events[span, JUMP, None]
    mask[:, LIDS] = clip.known[3] * clip.events[span, BLINK, None]
    return mask


def _happens(clip: Clip, span: slice) -> np.ndarray:
    """Rates of jumps and blinks are learnt where it is said what the face is about: others were asked for."""
    happens: np.ndarray = clip.told[span, KNOWN.start + 1, None] * clip.known[2:4]
    return happens.astype(np.float32)


def losses(model: DynamicsNetwork, batch: Batch) -> tuple[Tensor, Tensor]:
    """Of the flow and of the events."""
    heard = model.listen(batch.told, batch.past)
    happens = functional.binary_cross_entropy_with_logits(model.chances(heard).float(), batch.events, reduction="none")
    parts = [part.flatten(0, 1).repeat(FLOWS, 1) for part in (heard, batch.events, batch.drawn, batch.mask)]
    context, events, drawn, mask = parts
    share = torch.rand(len(drawn), device=drawn.device)
    noised = share[:, None] * drawn + (1 - share[:, None]) * torch.randn_like(drawn)
    clean = model.clean(noised, context, events, times_of(share).to(context.dtype)).float()
    flow = (mask * (clean - drawn) ** 2).sum() / mask.sum().clamp(min=1)
    return flow, (batch.events_mask * happens).sum() / batch.events_mask.sum().clamp(min=1)


class Training:
    """A model, its average, and how far it has come; kept in a file."""

    def __init__(self, folder: Path, device: torch.device, halves: bool) -> None:
        """``halves``: multiply in bfloat16."""
        self.path, self._halves = folder / "dynamics.pt", halves
        self.device = device
        self.model = DynamicsNetwork().to(device)
        self.mean = DynamicsNetwork().to(device)
        self.mean.load_state_dict(self.model.state_dict())
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=0.01)
        self.step = 0
        if self.path.exists():
            kept = torch.load(self.path, map_location=device, weights_only=True)
            self.model.load_state_dict(kept["model"])
            self.mean.load_state_dict(kept["mean"])
            self.optimizer.load_state_dict(kept["optimizer"])
            self.step = kept["step"]

    def learn(self, batch: Batch, rate: float) -> tuple[float, float]:
        """One step; the two losses."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate * min(1.0, (self.step + 1) / 200)
        there = Batch(*(getattr(batch, name).to(self.device) for name in Batch.__dataclass_fields__))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._halves):
            flow, events = losses(self.model, there)
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(flow + EVENTS_WEIGHT * events)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        keep = min(0.996, self.step / (self.step + 10))
        with torch.no_grad():
            for mean, now in zip(self.mean.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
        return float(flow.detach()), float(events.detach())

    def keep(self) -> None:
        """Complete or not at all."""
        part = self.path.with_suffix(".part")
        state = {"model": self.model.state_dict(), "mean": self.mean.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(state | {"step": self.step}, part)
        part.replace(self.path)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, nargs="+", required=True)
    parser.add_argument("--weights", type=float, nargs="*", help="how often each file is drawn; otherwise by length")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=7000, help="all starts together")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1.2e-3)
    parser.add_argument("--bfloat16", action="store_true", help="also without a GPU: for processors with AMX")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(args.seed)
    run = Training(args.out, device, args.bfloat16 or device.type == "cuda")
    stretches = Stretches(sources_of(args.clips, args.weights, args.out), args.seed + run.step)
    sums, n = np.zeros(2), 0
    while run.step < args.steps:
        sums += run.learn(stretches.batch(args.batch), args.rate * (1 - run.step / args.steps) ** 0.7)
        n += 1
        if run.step % 100 == 0 or run.step == args.steps:
            print(f"step {run.step}: flow {sums[0] / n:.4f}, events {sums[1] / n:.4f}", flush=True)
            run.keep()
            sums, n = np.zeros(2), 0


def sources_of(paths: Sequence[Path], weights: Sequence[float], run: Path) -> list[Source]:
    """Drawn by length unless said. Whose head and face are not both held is learnt in a colour of their own, as a manner would
    be; that of all others is kept in the run's folder, for it ships."""
    files = [load_clips(path) for path in paths]
    shared = _colour(run / "colour.npz", [clip for clips in files for clip in clips if clip.known.all()])
    often = weights or [float(sum(len(clip.told) for clip in clips)) for clips in files]
    return [
        Source(clips, weight, shared if clips[0].known.all() else fit_colour(clips, shared))
        for clips, weight in zip(files, often, strict=True)
    ]


def _colour(path: Path, clips: Sequence[Clip]) -> Colour:
    """That of the first start, or else of these clips; then kept."""
    if path.exists():
        with np.load(path, allow_pickle=False) as file:
            return Colour(**{name: file[name] for name in Colour.__dataclass_fields__})
    colour = fit_colour(clips)
    np.savez(path, **{name: getattr(colour, name) for name in Colour.__dataclass_fields__})
    return colour


if __name__ == "__main__":
    main()
