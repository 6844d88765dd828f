"""Recordings of English with their text (NAME.wav, NAME.txt) as shards, phones timed by pocketsphinx.

python -m training.speech.english --voices FOLDER ... --out DIR [--skip 20]

Each folder is a voice. Each recording is played at three speeds, now and then in a room or over a telephone line.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from training.speech.align import align_english
from training.speech.recordings import FACTORS, SHARD_S
from training.speech.shards import Shard, ShardWriter
from training.speech.sound import hear, trimmed, worn
from training.speech.voices import Utterance
from vivant.media import read_sound
from vivant.speech.resample import RATE_HZ, Resampler


def utterances(folder: Path, skip: int = 0) -> Iterator[Utterance]:
    """Those whose every word the aligner knows, at 16 kHz, after the first ``skip`` files."""
    for path in sorted(folder.glob("*.wav"))[skip:]:
        samples, rate_hz = read_sound(path)
        samples = trimmed(np.concatenate(Resampler(rate_hz).push(samples)), RATE_HZ)
        if phones := align_english(samples, path.with_suffix(".txt").read_text("utf-8")):
            yield Utterance(samples, RATE_HZ, phones, f"english {folder.name}")


def shards(folders: Iterable[Path], skip: int, rng: np.random.Generator) -> Iterator[Shard]:
    """Of all voices together."""
    writer = ShardWriter()
    for utterance in (utterance for folder in folders for utterance in utterances(folder, skip)):
        for factor in FACTORS:
            pad_s = float(rng.uniform(0.1, 0.6))
            quiet = np.zeros(round(pad_s * RATE_HZ), np.float32)
            samples = np.concatenate([quiet, worn(utterance.samples, RATE_HZ, rng), quiet])
            phones = [(phone, (a + pad_s) / factor, (b + pad_s) / factor) for phone, a, b in utterance.phones]
            writer.add(hear(samples, round(RATE_HZ * factor)), phones, utterance.voice)
        if writer.seconds > SHARD_S:
            yield writer.shard()
            writer = ShardWriter()
    if writer.seconds > 0:
        yield writer.shard()


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--skip", type=int, default=0, help="files of each voice that stay unheard")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    rng, first = np.random.default_rng(0), len(list(args.out.glob("*.npz")))
    for number, shard in enumerate(shards(args.voices, args.skip, rng), first):
        shard.save(args.out / f"{number:05d}.npz")
        print(f"{number}: {shard.seconds / 60:.1f} min", flush=True)


if __name__ == "__main__":
    main()
