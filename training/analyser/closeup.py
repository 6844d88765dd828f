"""Render people framed as the landmark head sees them: the same people and shards as `training.people.render`, face filling.

python -m training.analyser.closeup --assets HEADS --out DIR --count 3000 --size 256 --seed 1 --part train --workers 2
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from training.people.assets import PARTS, Assets
from training.people.people import Studio
from training.people.plan import Plan
from training.people.render import shards_of, write_shard

FACE_SHARE = (0.5, 0.76)
"""Least and largest height of the face (brow to chin) as a share of the picture."""


def framed(plan: Plan, seed: int, index: int) -> Plan:
    """The plan with the face large and near the middle; all else as drawn."""
    rng = np.random.default_rng([seed, index, 2])
    centre = 0.5 + rng.uniform(-0.06, 0.06, 2)
    share = float(rng.uniform(*FACE_SHARE))
    return replace(plan, view=replace(plan.view, face=share, centre=(float(centre[0]), float(centre[1]))))


def work(folder: Path, part: str, seed: int, size: int, jobs: list[tuple[Path, range]]) -> None:
    """Render shards in one process, with its own OpenGL context."""
    studio = Studio(Assets(folder, part), size)
    for path, rows in jobs:
        write_shard(path, [studio.sample(framed(studio.plan(seed, k), seed, k), k) for k in rows])
        print(path.name, flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", type=Path, required=True, help="folder of the head assets")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True, help="pictures in all, those already there included")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", choices=PARTS, default="all")
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    jobs = shards_of(args.out, args.count)
    os.environ.setdefault("LP_NUM_THREADS", "1")  # the software renderer's threads; workers use the cores instead
    with ProcessPoolExecutor(args.workers, get_context("spawn")) as pool:
        lots = [jobs[k :: args.workers] for k in range(args.workers)]
        for task in [pool.submit(work, args.assets, args.part, args.seed, args.size, lot) for lot in lots if lot]:
            task.result()


if __name__ == "__main__":
    main()
