"""Is the synthetic finish as steady as the rig? ``python -m benchmarks.finish_synthetic [--weights WEIGHTS.npz] [--write]``

Of all bundled portraits and paintings. Training itself says how near it comes to rendered people (`training.finish.shared`),
and `benchmarks.finish_sheets` shows it beside the rig.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.finish import DOCS, FPS, N_TIMED, STILL, flicker, per_frame_ms
from benchmarks.report import VOICE, Row, put, quiet, show, table
from vivant.bundled import portraits
from vivant.face import open_portrait
from vivant.finish.network import Arrays
from vivant.finish.region import LIDS
from vivant.finish.synthetic import load_shared, shared, worn
from vivant.offline import motion_of
from vivant.rig.canonical import OUTER_LIPS

AROUND = {"mouth": OUTER_LIPS, "eyes": sum(LIDS, ())}


def rows(networks: Mapping[str, Arrays]) -> Iterator[Row]:
    """The table."""
    plain = [open_portrait(name, consent="synthetic") for name in portraits()]
    faces = [worn(face, networks) for face in plain]
    for part in networks:
        row, more = AROUND[part], STILL[part]
        own, rig = (np.array([flicker(face, row, more) for face in some]) for some in (faces, plain))
        said = f"{own.mean():.3f} (rig {rig.mean():.3f}; at most {(own / rig).max():.2f} of it)"
        yield Row(f"flicker under noise, {part}, of 255, mean of {len(faces)} portraits", "<= the rig's", said)
    motions = list(islice(motion_of(VOICE, FPS, seed=0), N_TIMED))
    both, alone = (per_frame_ms(some[0], motions) for some in (faces, plain))
    speed = f"{1000 / both:.0f} fps ({both:.1f} ms, of them the rig {alone:.1f})"
    yield Row("rig + finish, one core, 512 px", ">= 100 fps", speed)
    size = sum(array.nbytes for arrays in networks.values() for array in arrays.values())
    yield Row("weights", "<= 6 MB", f"{size / 1e6:.2f} MB")


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="instead of those that come with Vivant")
    parser.add_argument("--write", action="store_true", help="put the table into docs/finish.md")
    args = parser.parse_args(argv)
    with quiet():
        found = list(rows(load_shared(args.weights) if args.weights else shared()))
    show(found)
    if args.write:
        put(DOCS / "finish.md", "finish_synthetic", table(found))


if __name__ == "__main__":
    main()
