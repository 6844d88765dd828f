"""Shared finish, an experiment that nobody has run at its full size: one network for many rendered people.

python -m training.finish.shared --people HEADS --out DIR [--count 400] [--mouths 24] [--steps 40000] [--workers 16]

For each person a rig is built from the rendered neutral portrait, and what it draws lies beside the rendered truth of other
mouths. Every eighth person is held back and scored. Examples that exist are not made again, and training goes on where it was.
Meant for a graphics card and many cores. DIR/shared.npz holds the arrays, with which `vivant.learn.training.train` can begin.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from training.synthetic_faces.assets import Assets
from training.synthetic_faces.expressions import VISEMES, expand
from training.synthetic_faces.people import Studio
from training.synthetic_faces.plan import Plan
from training.synthetic_faces.rig import gaze_weights
from vivant.errors import PortraitError
from vivant.face import RigFace
from vivant.learn.film import APART, Examples, Seen, compared
from vivant.learn.score import error, sharpness
from vivant.learn.training import device_here, paint, train
from vivant.media.images import PortraitImage
from vivant.portrait import PortraitAnalyser, default_analyser
from vivant.rig.build import build_rig
from vivant.types import MotionFrame, Pose

SIZE_PX, FACE = 512, 0.5
"""Of the pictures, and the height of the face in them."""
HELD_BACK = 8
"""Every so many-th person."""
TURN_DEG = 4.0
"""Standard deviation of the head's turns."""
REST = MotionFrame(0, 0, np.zeros(52, np.float32))


def mouths(chance: np.random.Generator, count: int) -> list[MotionFrame]:
    """Speech: mixtures of two visemes, more or less open, the head turned a little."""
    motions = []
    for index in range(count):
        one, other = (expand(VISEMES[which]) for which in chance.integers(len(VISEMES), size=2))
        share, size = chance.random(), chance.uniform(0.3, 1.3)
        weights = np.clip(size * (share * one + (1 - share) * other), 0, 1).astype(np.float32)
        motions.append(MotionFrame(index, 0, weights, pose=Pose(*chance.normal(0, TURN_DEG, 3).tolist())))
    return motions


def examples_of_person(studio: Studio, analyser: PortraitAnalyser, seed: int, number: int, count: int) -> Examples:
    """Rig beside truth of one person. Raises PortraitError for one of whom no rig can be built."""
    plan = studio.plan(seed, number)
    plan = replace(plan, wear=replace(plan.wear, object="", hat="", glasses=None), film=replace(plan.film, filters=()))
    rest = studio.sample(_moved(plan, REST), 0).image
    face = RigFace(build_rig(PortraitImage(rest, None, f"{number:064d}"), analyser))
    truths = [
        (one, studio.sample(_moved(plan, one), one.index)) for one in mouths(np.random.default_rng([seed, number]), count)
    ]
    seen = [Seen(one.index, truth.points[:, :2], one) for one, truth in truths]
    return compared((truth.image for _, truth in truths), seen, face, smoothing=APART)


def _moved(plan: Plan, motion: MotionFrame) -> Plan:
    gaze = np.zeros((2, 2), np.float32)
    face = replace(plan.face, weights=gaze_weights(motion.weights, gaze), gaze=gaze)
    turn = (motion.pose.yaw_deg, motion.pose.pitch_deg, motion.pose.roll_deg)
    view = replace(plan.view, pose=turn, body=(0.0, 0.0, 0.0), face=FACE, centre=(0.5, 0.5), distance=90.0)
    return replace(plan, face=face, view=view)


def make(heads: Path, out: Path, seed: int, numbers: Sequence[int], count: int) -> None:
    """Examples of some people, a file each; an empty one where no rig can be built."""
    studio, analyser = Studio(Assets(heads, "train"), SIZE_PX), default_analyser()
    for number in numbers:
        path = out / f"person_{number:05d}.npz"
        if path.exists():
            continue
        try:
            examples_of_person(studio, analyser, seed, number, count).save(path)
        except PortraitError as refused:
            print(f"person {number}: {refused}", flush=True)
            path.touch()


def together(paths: Sequence[Path]) -> Examples:
    """All examples as one."""
    every = [Examples.load(path) for path in paths if path.stat().st_size]
    return Examples(*(np.concatenate([getattr(one, field.name) for one in every]) for field in fields(Examples)))


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, metavar="HEADS", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=400, help="of people")
    parser.add_argument("--mouths", type=int, default=24, help="of each")
    parser.add_argument("--steps", type=int, default=40_000)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(args.workers, get_context("spawn")) as pool:
        lots = [range(args.count)[k :: args.workers] for k in range(args.workers)]
        for task in [pool.submit(make, args.people, args.out, args.seed, lot, args.mouths) for lot in lots]:
            task.result()
    paths = [args.out / f"person_{number:05d}.npz" for number in range(args.count)]
    held_back = together(paths[::HELD_BACK])
    taught = together([path for number, path in enumerate(paths) if number % HELD_BACK])
    arrays = train(taught, args.steps, kept=args.out / "training.pt", device=device_here())
    np.savez(args.out / "shared.npz", **arrays)  # type: ignore[arg-type]  # a name could be that of its option
    painted = paint(held_back, arrays)
    before, after = (error(patches, held_back.truth, held_back.inside) for patches in (held_back.rig, painted))
    sharp = sharpness(painted, held_back.inside) / sharpness(held_back.truth, held_back.inside)
    print(f"people held back: {after / before:.2f} of the rig's error ({after:.2f} / {before:.2f}), sharpness {sharp:.2f}")


if __name__ == "__main__":
    main()
