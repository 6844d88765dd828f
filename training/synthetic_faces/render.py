"""Write people to disk: a folder with a PNG and the truth of many pictures per npz shard; can be stopped and resumed.

python -m training.synthetic_faces.render --assets HEADS --out DIR --count 1000 --size 256 --seed 0 --workers 2

`--framing` decides how faces lie in the pictures: `any` (5 % to 95 % of the picture, anywhere), `portrait` (a third to three
quarters, near the middle) or `sequence` (each shard a moving face at 25 frames per second, framed as portraits are).
"""

from __future__ import annotations

import argparse
import io
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.synthetic_faces.assets import PARTS, Assets, Bytes
from training.synthetic_faces.framing import FRAMINGS
from training.synthetic_faces.people import Studio
from training.synthetic_faces.sample import Sample

SHARD = 50
PICTURES = ("image", "labels", "alpha", "normals")
"""Fields kept as PNG bytes in the shard."""


def png(image: Bytes) -> NDArray[np.uint8]:
    """PNG bytes as an array."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG", compress_level=4)
    return np.frombuffer(stream.getvalue(), np.uint8)


def write_shard(path: Path, samples: list[Sample]) -> None:
    """One npz: arrays of numbers stacked; pictures as `image_0`, `image_1`, ... PNG bytes. Appears whole or not at all."""
    out: dict[str, NDArray[np.generic]] = {}
    rows = [s.arrays() for s in samples]
    for name in rows[0]:
        if name in PICTURES:
            out |= {f"{name}_{i}": png(row[name]) for i, row in enumerate(rows)}
        else:
            out[name] = np.stack([row[name] for row in rows])
    draft = path.with_suffix(".part")
    with draft.open("wb") as stream:
        np.savez_compressed(stream, **out)  # type: ignore[arg-type]  # a name could be that of its option
    draft.replace(path)


def read_shard(path: Path) -> list[Sample]:
    """The samples of a shard."""
    with np.load(path, allow_pickle=False) as data:
        arrays = {name: data[name] for name in data.files}
    out = []
    for i in range(len(arrays["index"])):
        row = {n: v[i] for n, v in arrays.items() if n.rsplit("_", 1)[0] not in PICTURES}
        row |= {n: np.asarray(Image.open(io.BytesIO(arrays[f"{n}_{i}"].tobytes()))) for n in PICTURES}
        row["index"] = int(row["index"])
        out.append(Sample(**row))
    return out


def shards_of(out: Path, count: int) -> list[tuple[Path, range]]:
    """Shards that are still to be written, with their picture indices."""
    every = [(out / f"people_{first:07d}.npz", range(first, min(first + SHARD, count))) for first in range(0, count, SHARD)]
    return [(path, rows) for path, rows in every if not path.exists()]


def work(folder: Path, part: str, framing: str, seed: int, size: int, jobs: list[tuple[Path, range]]) -> int:
    """Render shards in one process, with its own OpenGL context; returns the number of pictures."""
    if not jobs:
        return 0
    studio = Studio(Assets(folder, part), size)
    for path, rows in jobs:
        write_shard(path, [studio.sample(FRAMINGS[framing](studio, seed, k, SHARD), k) for k in rows])
        print(path.name, flush=True)
    return sum(len(rows) for _, rows in jobs)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, required=True, help="folder of the head assets")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True, help="pictures in all, those already there included")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", choices=PARTS, default="all", help="train or test: apart in hair, skins, brows, clothes")
    parser.add_argument("--framing", choices=FRAMINGS, default="any")
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    jobs = shards_of(args.out, args.count)
    if args.workers > 1:
        os.environ.setdefault("LP_NUM_THREADS", "1")  # the software renderer's threads; workers use the cores instead
    start = time.monotonic()
    lots = [jobs[k :: args.workers] for k in range(args.workers)]
    with ProcessPoolExecutor(args.workers, get_context("spawn")) as pool:
        tasks = [pool.submit(work, args.assets, args.part, args.framing, args.seed, args.size, lot) for lot in lots]
        done = sum(task.result() for task in tasks)
    seconds = time.monotonic() - start
    print(f"{done} pictures in {seconds:.1f} s: {done / max(seconds, 1e-9):.2f} per second")


if __name__ == "__main__":
    main()
