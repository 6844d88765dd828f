"""Real prompts with their texts, aligned by the encoder itself: which phone is spoken when.

python -m training.speech.recordings --packages DIR --run DIR --out DIR

DIR of packages holds Debian's packages of recordings, unpacked (see README.md). The texts become phones by espeak-ng; the
Viterbi path through the encoder's probabilities says when.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from training.speech.align import LEAST_TICKS, align, sounding
from training.speech.network import Encoder
from training.speech.prompts import Prompt, held_prompts, prompts, read_g722
from training.speech.shards import NOISE, UNKNOWN, Shard, ShardWriter
from training.speech.sound import hear
from training.speech.train import accuracy, read_out, summary
from vivant.types import Float32Array

LEAST_SCORE = -1.6
"""Mean log probability per tick below which a text is taken not to be what is said."""
SHARD_S = 900.0
FACTORS = (0.88, 1.0, 1.14)
"""Each prompt is played slower and faster too: another pitch, another throat, another pace."""


def aligned(spoken: Iterable[Prompt], model: Encoder) -> Iterator[Shard]:
    """Shards of all prompts whose text is what is said."""
    writer, kept, all_ = ShardWriter(), 0, 0
    for prompt, mel in _renditions(spoken):
        all_ += 1
        if len(mel) < LEAST_TICKS * len(prompt.phones) + 2:
            continue
        chance = sounding(read_out(model, mel)[:, 0].astype(np.float64), mel)
        label, score = align(np.log(chance + 1e-4), prompt.phones)
        if score < LEAST_SCORE:
            continue
        kept += 1
        writer.add_labels(mel, label, prompt.speaker)
        if writer.seconds > SHARD_S:
            yield writer.shard()
            writer = ShardWriter()
    print(f"{kept} of {all_} renditions of prompts aligned")
    if writer.seconds > 0:
        yield writer.shard()


def _renditions(spoken: Iterable[Prompt]) -> Iterator[tuple[Prompt, Float32Array]]:
    """Each prompt at all speeds, as (n, 40) levels."""
    for prompt in spoken:
        for factor in FACTORS:
            yield prompt, hear(prompt.samples, round(prompt.rate_hz * factor))


def music(packages: Path) -> Shard:
    """The music on hold, as noise."""
    writer = ShardWriter()
    for path in sorted((packages / "usr/share/asterisk/moh").glob("*.g722")):
        writer.add(hear(*read_g722(path)), [], NOISE)
    return writer.shard()


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder of encoder.pt")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part", choices=("train", "held"), default="train")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    model = Encoder()
    model.load_state_dict(torch.load(args.run / "encoder.pt", map_location="cpu", weights_only=True)["model"])
    model.eval()
    shards = list(aligned((prompts if args.part == "train" else held_prompts)(args.packages), model))
    if args.part == "train":
        shards.append(music(args.packages))
    for i, shard in enumerate(shards):
        shard.save(args.out / f"{i:05d}.npz")
    known = sum(int(np.sum(shard.phone != UNKNOWN)) for shard in shards)
    print(f"{known / 6000:.1f} min with known phones; the encoder agrees on {summary(accuracy(model, shards))}")


if __name__ == "__main__":
    main()
