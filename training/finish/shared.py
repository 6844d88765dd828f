"""Shared finish: one network for many rendered people, for portraits without a film.

python -m training.finish.shared --people HEADS --out DIR [--count 160] [--pictures 10] [--steps 8000] [--workers 2]

For each person a rig is built from the rendered neutral portrait, and what it draws lies beside the rendered truth of other
mouths and lids. Every eighth person is held back and scored. Examples that exist are not made again, and training goes on where
it was. DIR/finish.npz, which becomes runtime/vivant/weights/finish.npz (`vivant.finish.synthetic`), holds the parts that come
nearer to the truth than the rig.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from training.synthetic_faces.assets import Assets
from training.synthetic_faces.expressions import VISEMES, expand, lids
from training.synthetic_faces.people import Studio
from training.synthetic_faces.plan import Colour, Mouth, Plan
from training.synthetic_faces.rig import gaze_weights
from vivant.errors import PortraitError
from vivant.face import RigFace
from vivant.finish.network import N_MOTION, PARTS, Arrays
from vivant.finish.synthetic import GREY, LUMA, N_PORTRAIT, folded, portrait_of
from vivant.learn.film import APART, Examples, Seen, compared
from vivant.learn.score import error, sharpness
from vivant.learn.training import device_here, paint, train
from vivant.media.images import PortraitImage
from vivant.portrait import PortraitAnalyser, default_analyser
from vivant.rig.build import build_rig
from vivant.types import Float32Array, MotionFrame, Pose

SIZE_PX, FACE = 320, 0.74
"""Of the pictures, and the height of the face in them: as many px as at the usual size."""
HELD_BACK = 8
"""Every so many-th person."""
TURN_DEG = 4.0
"""Standard deviation of the head's turns."""
ENAMEL = (0.82, 0.77, 0.70)
"""Reflectance of light teeth."""
SHADES, YELLOWS, UPPER_CM, LOWER_CM, LIGHTS = (0.6, 1.1), (0.0, 0.3), (0.2, 0.5), (0.05, 0.4), (0.8, 1.5)
"""How insides of mouths differ: light of the teeth, how much less of blue they reflect, how far below the edge of its lip each
row ends, light behind them. When people speak upper teeth show, and lower ones hardly; with these the inside of the lips is as
bright beside the cheeks as on films of people."""
N_INSIDE = 5
USUAL = (0.25, -0.25, 0.0, 0.0, -0.5)
"""Insides that everybody is given, in shares of those ranges, -.5 to .5; chosen by eye among those that are as near to people
who were taught."""
TOLD = (N_MOTION, N_MOTION + N_PORTRAIT)
"""Where in what a network is told the portrait begins, and the inside."""
FADED, TINT = 0.3, 0.12
"""Share of the people whose pictures lose some or all of their colour, and by how much each channel's light differs."""
SAY_EVERY = 250
NO_BEARD, NO_FUR = (0.0, 0.0, 1), (0.0, 0.0, 0.0)
"""Hair would hang before lips and lids, and takes half of the time."""
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
    inside = Inside(chance.uniform(-0.5, 0.5, N_INSIDE).astype(np.float32))
    plan = replace(
        plan,
        skin=replace(plan.skin, teeth=inside.teeth, beard=NO_BEARD),
        mouth=inside.mouth,
        hair=replace(plan.hair, card="", fur=NO_FUR, strands=0),
        wear=replace(plan.wear, object="", hat="", glasses=None),
        film=replace(plan.film, filters=()),
    )
    truths = [(one, studio.sample(_moved(plan, one), one.index)) for one in motions(chance, count)]
    face = RigFace(build_rig(PortraitImage(truths[0][1].image, None, f"{number:064d}"), analyser))
    seen = [Seen(one.index, truth.points[:, :2], one) for one, truth in truths]
    found = compared((truth.image for _, truth in truths), seen, face, smoothing=APART)
    unseen = {"mouth": inside.shares, "eyes": np.zeros(N_INSIDE, np.float32)}
    return {part: _introduced(examples, len(seen), unseen[part]) for part, examples in found.items()}


@dataclass(frozen=True)
class Inside:
    """What the inside of a mouth is like, which no portrait of shut lips shows. A network is told it when it learns: otherwise
    it would paint the mean of all mouths, grey and blurred."""

    shares: Float32Array
    """(N_INSIDE,) of the ranges above in their order, -.5 to .5."""

    def _of(self, which: int, low: float, high: float) -> float:
        return low + (float(self.shares[which]) + 0.5) * (high - low)

    @property
    def teeth(self) -> Colour:
        shade, yellow = self._of(0, *SHADES), self._of(1, *YELLOWS)
        red, green, blue = ENAMEL
        return shade * red, shade * green * (1 - yellow / 4), shade * blue * (1 - yellow)

    @property
    def mouth(self) -> Mouth:
        return Mouth((self._of(2, *UPPER_CM), self._of(3, *LOWER_CM)), self._of(4, *LIGHTS))


def _introduced(examples: Examples, n_pictures: int, inside: Float32Array) -> Examples:
    """With what is told of the portrait and of what it does not show behind each motion; the first picture, at rest, is no
    example."""
    first = len(examples) // n_pictures
    rest = np.mean([portrait_of(rig.transpose(2, 0, 1) / np.float32(255)) for rig in examples.rig[:first]], 0)
    person = np.tile(np.concatenate([rest, inside]), (len(examples), 1))
    return replace(examples, motion=np.concatenate([examples.motion, person], 1).astype(np.float32))[slice(first, None)]


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
    motion, told, inside = np.split(examples.motion, TOLD, axis=1)
    colours = other(told.reshape(len(told), 3, -1).transpose(0, 2, 1) + 0.5)
    told = (colours - 0.5).transpose(0, 2, 1).reshape(told.shape)
    return replace(examples, rig=rig, truth=truth, motion=np.concatenate([motion, told, inside], 1).astype(np.float32))


def together(every: Sequence[Examples]) -> Examples:
    """All examples as one."""
    return Examples(*(np.concatenate([getattr(one, field.name) for one in every]) for field in fields(Examples)))


def settled(learnt: Arrays) -> Arrays:
    """With `USUAL` insides for everybody, folded into biases."""
    wide = dict(learnt)
    for layer in ("motion_middle", "motion_coarse"):
        told, inside = np.split(learnt[f"{layer}.weight"].astype(np.float32), TOLD[1:], axis=1)
        wide[f"{layer}.weight"] = told.astype(np.float16)
        wide[f"{layer}.bias"] = (learnt[f"{layer}.bias"] + inside @ np.array(USUAL, np.float32)).astype(np.float16)
    return wide


def for_one(wide: Arrays, examples: Examples) -> tuple[Arrays, Examples]:
    """A person's own plain arrays, and examples as these take them."""
    motion, told, _ = np.split(examples.motion, TOLD, axis=1)
    return folded(wide, told[0], GREY, 1.0), replace(examples, motion=motion)


@dataclass(frozen=True)
class Score:
    """Of people who were not taught."""

    n_people: int
    before: float
    """Mean absolute CIELAB error inside the lips or around moved lids: the rig's."""
    after: float
    sharpness_before: float
    """Of the truth's."""
    sharpness_after: float

    @property
    def is_better(self) -> bool:
        return self.after < self.before

    def __str__(self) -> str:
        ratio = f"{self.after / self.before:.2f} of the rig's error ({self.after:.2f} / {self.before:.2f})"
        sharp = f"sharpness {self.sharpness_after:.2f} (rig {self.sharpness_before:.2f})"
        return f"{self.n_people} people held back: {ratio}, {sharp}"


def score(wide: Arrays, held_back: Sequence[Examples]) -> Score:
    """As it is drawn."""
    painted = np.concatenate([paint(own, arrays) for arrays, own in (for_one(wide, one) for one in held_back)])
    every = together(held_back)
    before, after = (error(patches, every.truth, every.inside) for patches in (every.rig, painted))
    own, rig, truth = (sharpness(patches, every.inside) for patches in (painted, every.rig, every.truth))
    return Score(len(held_back), before, after, rig / truth, own / truth)


def learnt(out: Path, part: str, count: int, steps: int, seed: int) -> Arrays | None:
    """Train one part and say how good it is; None where the rig is better."""
    people = dict(there(out, part, count))
    chance = np.random.default_rng(seed)
    taught = [dyed(own, chance) for number, own in people.items() if number % HELD_BACK]
    held_back = [own for number, own in people.items() if number % HELD_BACK == 0]

    def say(step: int, loss: float) -> None:
        if step % SAY_EVERY == 0:
            print(f"{part} {step} {loss:.4f} {time.process_time():.0f} s", flush=True)

    wide = settled(train(together(taught), steps, kept=out / f"{part}.pt", device=device_here(), heard=say))
    found = score(wide, held_back)
    print(f"{part}, {len(taught)} people: {found}", flush=True)
    return wide if found.is_better else None


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
    parts = {part: learnt(args.out, part, args.count, args.steps, args.seed) for part in args.parts}
    arrays = {f"{part}.{name}": array for part, wide in parts.items() if wide for name, array in wide.items()}
    np.savez(args.out / "finish.npz", **arrays)  # type: ignore[arg-type]  # a name could be that of its option


if __name__ == "__main__":
    main()
