"""Shared finish: one network for many rendered people, for portraits without a film.

python -m training.finish.shared --people HEADS --out DIR [--count 160] [--pictures 10] [--steps 8000] [--workers 2]

For each person a rig is built from the rendered neutral portrait, and what it draws lies beside the rendered truth of other
mouths and lids. Every eighth person is held back and scored. Examples that exist are not made again, and training goes on where
it was. DIR/PART.npz holds a network's arrays, which are told of the portrait, too (`training.finish.portrait`).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from training.finish.portrait import LUMA, folded, portrait_of
from training.synthetic_faces.assets import Assets
from training.synthetic_faces.expressions import VISEMES, expand, lids
from training.synthetic_faces.people import Studio
from training.synthetic_faces.plan import Plan
from training.synthetic_faces.rig import gaze_weights
from vivant.errors import PortraitError
from vivant.face import RigFace
from vivant.finish.network import N_MOTION, PARTS, Arrays
from vivant.learn.film import APART, Examples, Seen, compared
from vivant.learn.score import error, sharpness
from vivant.learn.training import device_here, paint, train
from vivant.media.images import PortraitImage
from vivant.portrait import PortraitAnalyser, default_analyser
from vivant.rig.build import build_rig
from vivant.types import Float32Array, MotionFrame, Pose

SIZE_PX, FACE = 384, 0.62
"""Of the pictures, and the height of the face in them: as many px as at the usual size."""
HELD_BACK = 8
"""Every so many-th person."""
TURN_DEG = 4.0
"""Standard deviation of the head's turns."""
LIVELY_TEETH = 1.35
"""Teeth are up to so much brighter than those of the people who trained the analyser: real ones are the brightest thing below
the eyes."""
FADED, TINT = 0.3, 0.12
"""Share of the people whose pictures lose some or all of their colour, and by how much each channel's light differs."""
SAY_EVERY = 250
REST = MotionFrame(0, 0, np.zeros(52, np.float32))


def motions(chance: np.random.Generator, count: int) -> list[MotionFrame]:
    """Rest, then speech: mixtures of two visemes, more or less open, lids up and down, the head turned a little."""
    found = [REST]
    for index in range(1, count + 1):
        one, other = (expand(VISEMES[which]) for which in chance.integers(len(VISEMES), size=2))
        share, size = chance.random(), chance.uniform(0.3, 1.3)
        weights = np.clip(size * (share * one + (1 - share) * other) + lids(chance), 0, 1).astype(np.float32)
        found.append(MotionFrame(index, 0, weights, pose=Pose(*chance.normal(0, TURN_DEG, 3).tolist())))
    return found


def examples_of_person(studio: Studio, analyser: PortraitAnalyser, seed: int, number: int, count: int) -> dict[str, Examples]:
    """Rig beside truth of one person, by parts. Raises PortraitError for one of whom no rig can be built."""
    chance, plan = np.random.default_rng([seed, number]), studio.plan(seed, number)
    teeth = tuple(min(1.2, tooth * chance.uniform(1.0, LIVELY_TEETH)) for tooth in plan.skin.teeth)
    skin = replace(plan.skin, teeth=(teeth[0], teeth[1], teeth[2]))
    wear = replace(plan.wear, object="", hat="", glasses=None)
    plan = replace(plan, skin=skin, wear=wear, hair=replace(plan.hair, strands=0), film=replace(plan.film, filters=()))
    truths = [(one, studio.sample(_moved(plan, one), one.index)) for one in motions(chance, count)]
    face = RigFace(build_rig(PortraitImage(truths[0][1].image, None, f"{number:064d}"), analyser))
    seen = [Seen(one.index, truth.points[:, :2], one) for one, truth in truths]
    found = compared((truth.image for _, truth in truths), seen, face, smoothing=APART)
    return {part: _introduced(examples, len(seen)) for part, examples in found.items()}


def _introduced(examples: Examples, n_pictures: int) -> Examples:
    """With what is told of the portrait behind each motion; the first picture, at rest, is no example."""
    first = len(examples) // n_pictures
    rest = np.mean([portrait_of(rig.transpose(2, 0, 1) / np.float32(255)) for rig in examples.rig[:first]], 0)
    told = np.concatenate([examples.motion, np.tile(rest, (len(examples), 1))], 1).astype(np.float32)
    return replace(examples, motion=told)[slice(first, None)]


def _moved(plan: Plan, motion: MotionFrame) -> Plan:
    gaze = np.zeros((2, 2), np.float32)
    face = replace(plan.face, weights=gaze_weights(motion.weights, gaze), gaze=gaze)
    turn = (motion.pose.yaw_deg, motion.pose.pitch_deg, motion.pose.roll_deg)
    view = replace(plan.view, pose=turn, body=(0.0, 0.0, 0.0), face=FACE, centre=(0.5, 0.5), distance=90.0)
    return replace(plan, face=face, view=view)


def made(out: Path, number: int, part: str) -> Path:
    """Examples of one person; an empty file where no rig could be built."""
    return out / f"person_{number:05d}.{part}.npz"


def make(heads: Path, out: Path, seed: int, numbers: Sequence[int], count: int) -> None:
    """Examples of some people."""
    studio, analyser = Studio(Assets(heads, "train"), SIZE_PX), default_analyser()
    for number in numbers:
        if made(out, number, PARTS[-1]).exists():
            continue
        try:
            for part, examples in examples_of_person(studio, analyser, seed, number, count).items():
                examples.save(made(out, number, part))
        except PortraitError as refused:
            print(f"person {number}: {refused}", flush=True)
            for part in PARTS:
                made(out, number, part).touch()


def there(out: Path, part: str, count: int) -> Iterator[tuple[int, Examples]]:
    """People of whom there are examples, by their numbers."""
    for number in range(count):
        path = made(out, number, part)
        if path.exists() and path.stat().st_size:
            yield number, Examples.load(path)


def dyed(examples: Examples, chance: np.random.Generator) -> Examples:
    """The same in another light, and of some people with less colour, as photographs and paintings have it."""
    keeps = float(chance.choice((0.0, chance.random()))) if chance.random() < FADED else 1.0
    light = 1 + TINT * chance.uniform(-1, 1, 3).astype(np.float32) * (keeps > 0)

    def other(colours: Float32Array) -> Float32Array:
        grey = (colours @ LUMA)[..., None]
        out: Float32Array = (grey + keeps * (colours - grey)) * light
        return out

    rig, truth = (np.clip(other(p.astype(np.float32)), 0, 255).astype(np.uint8) for p in (examples.rig, examples.truth))
    motion, told = examples.motion[:, :N_MOTION], examples.motion[:, N_MOTION:]
    colours = other(told.reshape(len(told), 3, -1).transpose(0, 2, 1) + 0.5)
    told = (colours - 0.5).transpose(0, 2, 1).reshape(told.shape)
    return replace(examples, rig=rig, truth=truth, motion=np.concatenate([motion, told], 1).astype(np.float32))


def together(every: Sequence[Examples]) -> Examples:
    """All examples as one."""
    return Examples(*(np.concatenate([getattr(one, field.name) for one in every]) for field in fields(Examples)))


def for_one(wide: Arrays, examples: Examples) -> tuple[Arrays, Examples]:
    """A person's own plain arrays, and examples as these take them."""
    arrays = folded(wide, examples.motion[0, N_MOTION:], 1.0)
    return arrays, replace(examples, motion=examples.motion[:, :N_MOTION])


def score(wide: Arrays, held_back: Sequence[Examples]) -> str:
    """Of people who were not taught."""
    painted = np.concatenate([paint(own, arrays) for arrays, own in (for_one(wide, one) for one in held_back)])
    every = together(held_back)
    before, after = (error(patches, every.truth, every.inside) for patches in (every.rig, painted))
    sharp, rig = (sharpness(p, every.inside) / sharpness(every.truth, every.inside) for p in (painted, every.rig))
    ratio = f"{after / before:.2f} of the rig's error ({after:.2f} / {before:.2f})"
    return f"{len(held_back)} people held back: {ratio}, sharpness {sharp:.2f} (rig {rig:.2f})"


def learnt(out: Path, part: str, count: int, steps: int, seed: int) -> None:
    """Train one part and say how good it is."""
    people = dict(there(out, part, count))
    chance = np.random.default_rng(seed)
    taught = [dyed(own, chance) for number, own in people.items() if number % HELD_BACK]
    held_back = [own for number, own in people.items() if number % HELD_BACK == 0]

    def say(step: int, loss: float) -> None:
        if step % SAY_EVERY == 0:
            print(f"{part} {step} {loss:.4f} {time.process_time():.0f} s", flush=True)

    wide = train(together(taught), steps, kept=out / f"{part}.pt", device=device_here(), heard=say)
    np.savez(out / f"{part}.npz", **wide)  # type: ignore[arg-type]  # a name could be that of its option
    print(f"{part}, {len(taught)} people: {score(wide, held_back)}", flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, metavar="HEADS", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=160, help="of people")
    parser.add_argument("--pictures", type=int, default=10, help="of each")
    parser.add_argument("--steps", type=int, default=8_000)
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=PARTS)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(args.workers, get_context("spawn")) as pool:
        lots = [range(args.count)[k :: args.workers] for k in range(args.workers)]
        for task in [pool.submit(make, args.people, args.out, args.seed, lot, args.pictures) for lot in lots]:
            task.result()
    for part in args.parts:
        learnt(args.out, part, args.count, args.steps, args.seed)


if __name__ == "__main__":
    main()
