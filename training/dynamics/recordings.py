"""Recordings of people as clips: ``python -m training.dynamics.recordings --folders PERSON ... --out DATA/clips``

A folder is one person's: captured motion (``.csv`` of Live Link Face, ``.jsonl``) with a sound of the same name, or films. Only
for recordings that their people gave for this. What a recording does not hold is masked.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from vivant.learn.manner import clip_of_run
from vivant.learn.recordings import recordings
from vivant.motion.learned.channels import CHUNK_TICKS
from vivant.motion.learned.recorded import save_clips
from vivant.motion.noise import TICK_S


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folders", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    for folder in args.folders:
        clips = [clip_of_run(run) for _, runs in recordings([folder]) for run in runs]
        save_clips(args.out / f"{folder.name}.npz", clips)
        print(f"{folder.name}: {sum(len(clip.told) for clip in clips) * CHUNK_TICKS * TICK_S / 60:.1f} min", flush=True)


if __name__ == "__main__":
    main()
