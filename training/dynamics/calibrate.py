"""Brings the spreads, rests and rates of what is generated to those of what was learnt from:

``python -m training.dynamics.calibrate --clips DATA/clips/VOICE.npz --weights dynamics.npz``

A network that predicts means moves a little less than what it has seen; a manner's rounds (`vivant.learn.manner`) mend that.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vivant.learn.manner import ROUNDS, figures_of, let_loose, nearer
from vivant.motion.learned.channels import HEAD
from vivant.motion.learned.manner import usual
from vivant.motion.learned.network import load_dynamics
from vivant.motion.learned.recorded import load_clips

YAW = 1.25
"""How much farther heads turn than the rules' did: the fastest twentieth of seven people who talk to a camera began at 33
degrees a second, which the rules only just reach."""


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, nargs="+", required=True)
    parser.add_argument("--weights", type=Path, required=True, help="changed in place")
    parser.add_argument("--most", type=int, default=4, help="clips of each file")
    args = parser.parse_args(argv)
    dynamics = load_dynamics(args.weights)
    clips = [clip for path in args.clips for clip in load_clips(path)[: args.most] if clip.known.all()]
    manner, wanted = usual(dynamics), figures_of(clips)
    held = wanted.spread > 1e-4
    for _ in range(ROUNDS):
        found = figures_of(let_loose(manner, dynamics, clips))
        moves = np.median(found.spread[held] / wanted.spread[held])
        print(f"over what is wanted: spreads {moves:.2f}, jumps and blinks {found.events / wanted.events}")
        manner = nearer(manner, wanted, found, clips)
    manner.colour.spread[HEAD.index("yaw")] *= YAW
    with np.load(args.weights, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    arrays |= {"mean": manner.colour.mean, "spread": manner.colour.spread}
    arrays["events.b"] = (arrays["events.b"] + manner.events).astype(arrays["events.b"].dtype)
    with args.weights.open("wb") as out:
        np.savez_compressed(out, **arrays)


if __name__ == "__main__":
    main()
