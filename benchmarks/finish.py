"""Does a finish paint the person's own mouth? ``python -m benchmarks.finish --data DIR [--films A.mp4:A.png ...]``

DIR holds films and portraits of rendered people, by `benchmarks.finish_people`; ``--films`` adds real ones. Each is learnt from
as `vivant learn` does it: the first two thirds teach, the last third is scored, by motion captured from the film itself. What
was learnt is kept in DIR, so that a second run only measures.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.report import VOICE, Row, analyser, put, quiet, show, table
from vivant.face import FaceRenderer, RigFace, open_portrait
from vivant.finish.network import PARTS, Arrays
from vivant.finish.region import LIDS
from vivant.finish.synthetic import shared, worn
from vivant.learn.film import Examples
from vivant.learn.learning import EXAMPLES, STATE, USUAL_STEPS, learn, learning_folder, taught_and_held_back
from vivant.learn.score import sharpness
from vivant.learn.training import paint
from vivant.offline import motion_of
from vivant.provenance.production import sha256_of
from vivant.rig.canonical import OUTER_LIPS
from vivant.rig.rig import Rig
from vivant.types import FloatArray, MotionFrame, UInt8Array, arkit_weights

FPS = Fraction(25)
SIZE_PX = 512
N_TIMED, N_STILL, N_NOISY = 200, 8, 24
"""Frames that are timed, and faces that are held still, each for so many noisy frames."""
NOISE = 0.005
"""Of each weight, either way."""
AROUND_PX = 12
"""Around lips and lids at rest, where flicker is looked at."""
STILL = {"mouth": arkit_weights(), "eyes": arkit_weights(eyeBlinkLeft=0.5, eyeBlinkRight=0.5)}
"""What is added to the motion of a face that is held still."""
BUSY = MotionFrame(0, 0, arkit_weights(jawOpen=0.4, eyeBlinkLeft=0.6, eyeBlinkRight=0.6))
"""All patches are painted."""
DOCS = Path(__file__).resolve().parent.parent / "docs"
N_SHOWN = 6
NOTHING, SYNTHETIC = "nothing", "synthetic"
ZOOM = 3


@dataclass(frozen=True)
class Person:
    """One film and what was learnt from it."""

    name: str
    face: RigFace
    plain: RigFace
    held_back: Mapping[str, Examples]
    painted: Mapping[str, UInt8Array]
    """Of each part that became better."""
    minutes: float | None
    """Of processor time; None where it was learnt before."""


def learnt(film: Path, portrait: Path, data: Path, steps: int, start: str) -> Person:
    """The person of a film."""
    kept, plain = data / f"{film.stem}_{steps}_{start}.vivant", open_portrait(portrait, consent="synthetic")
    folder, minutes = learning_folder(sha256_of(film, "video"), plain), None
    paths = {part: folder / EXAMPLES.format(part=part) for part in PARTS}
    if not kept.exists() or not all(path.exists() for path in paths.values()):
        began = time.process_time()
        stages: set[str] = set()

        def say(stage: str, share: float) -> None:
            if stage not in stages:
                print(film.stem, stage, f"{(time.process_time() - began) / 60:.1f} min", flush=True)
            stages.add(stage)

        for part in PARTS:
            (folder / STATE.format(part=part)).unlink(missing_ok=True)  # of another start, or of fewer steps
        first = parts_of(worn(plain, shared())) if start == SYNTHETIC else {}
        learn(film, plain, analyser(), consent="synthetic", steps=steps, start=first, progress=say).rig.save(kept)
        minutes = (time.process_time() - began) / 60
    rig = Rig.load(kept)
    assert rig.finish is not None
    held_back = {part: taught_and_held_back(Examples.load(path))[1] for part, path in paths.items()}
    painted = {part: paint(held_back[part], arrays) for part, arrays in rig.finish.parts.items()}
    return Person(film.stem, RigFace(rig), plain, held_back, painted, minutes)


def parts_of(face: RigFace) -> Mapping[str, Arrays]:
    """Of a finished face."""
    assert face.rig.finish is not None
    return face.rig.finish.parts


def rows(people: Sequence[Person]) -> Iterator[Row]:
    """The table."""
    for person in people:
        yield from of_person(person)
    person = people[0]
    motions = list(islice(motion_of(VOICE, FPS, seed=0), N_TIMED))
    both, alone = (per_frame_ms(face, motions) for face in (person.face, person.plain))
    yield Row(
        "rig + finish, one core, 512 px", ">= 100 fps", f"{1000 / both:.0f} fps ({both:.1f} ms, of them the rig {alone:.1f})"
    )
    both, alone = (per_frame_ms(face, [BUSY] * N_TIMED) for face in (person.face, person.plain))
    yield Row("all patches of a frame, mouth and lids in motion", "<= 6 ms", f"{both - alone:.1f} ms")
    finish = person.face.rig.finish
    assert finish is not None
    yield Row(
        "what a finish adds to a file", "<= 5 MB", f"{finish.size_bytes / 1e6:.2f} MB, {finish.size_bytes // 2:,} weights"
    )


def of_person(person: Person) -> Iterator[Row]:
    """Error, sharpness and flicker."""
    finish = person.face.rig.finish
    assert finish is not None
    card, held_back, painted = finish.card, person.held_back, person.painted
    taught = f"; {card.seconds:.0f} s taught"
    yield Row(
        f"{person.name}: error inside the lips, personal / rig", "<= .6", _over(card.error_after, card.error_before, taught)
    )
    mouth = held_back["mouth"]
    truth, own, rig = (sharpness(p, mouth.inside) for p in (mouth.truth, painted["mouth"], mouth.rig))
    yield Row(
        f"{person.name}: sharpness inside the lips over the truth's", ">= .8", f"{own / truth:.2f} (rig {rig / truth:.2f})"
    )
    if "eyes" in painted:
        yield Row(f"{person.name}: error around moved lids", "< 1", _over(card.eyes_after, card.eyes_before, ""))
    for where, row in {"mouth": OUTER_LIPS, "eyes": sum(LIDS, ())}.items():
        if where in painted:
            own, rig = (flicker(face, row, STILL[where]) for face in (person.face, person.plain))
            yield Row(f"{person.name}: flicker under noise, {where}, of 255", "<= the rig's", f"{own:.3f} (rig {rig:.3f})")
    if person.minutes is not None:
        yield Row(f"{person.name}: learnt in minutes of processor time", "<= 60", f"{person.minutes:.1f}")


def _over(after: float, before: float, more: str) -> str:
    return f"{after / before:.2f} ({after:.2f} / {before:.2f}{more})"


def per_frame_ms(face: RigFace, motions: Sequence[MotionFrame]) -> float:
    """Of processor time; the median."""
    renderer, spent = face.open(SIZE_PX), []
    memory = np.empty((SIZE_PX, SIZE_PX, 4), np.uint8)
    for motion in motions:
        began = time.process_time()
        renderer.render(motion, memory)
        spent.append(1000 * (time.process_time() - began))
    return float(np.median(spent))


def flicker(face: RigFace, row: Sequence[int], more: FloatArray) -> float:
    """Mean change from frame to frame of a face that is held still while its motion is noisy, around some landmarks."""
    renderer, chance = face.open(SIZE_PX), np.random.default_rng(0)
    rest = face.rig.arrays["rest"][list(row), :2]  # px of a frame of this size, as it happens
    low, high = (rest.min(axis=0) - AROUND_PX).astype(int), (rest.max(axis=0) + AROUND_PX).astype(int)
    box = slice(low[1], high[1]), slice(low[0], high[0])
    spoken = islice(motion_of(VOICE, FPS, seed=0), 0, N_STILL * 12, 12)
    motions = [replace(motion, weights=np.add(motion.weights, more, dtype=np.float32)) for motion in spoken]
    changes = [float(np.abs(np.diff(_noisy(renderer, motion, chance, box), axis=0)).mean()) for motion in motions]
    return float(np.mean(changes))


def _noisy(renderer: FaceRenderer, motion: MotionFrame, chance: np.random.Generator, box: tuple[slice, slice]) -> FloatArray:
    frames = []
    for _ in range(N_NOISY):
        weights = np.clip(motion.weights + chance.uniform(-NOISE, NOISE, 52), 0, 1).astype(np.float32)
        pixels = renderer.render(replace(motion, weights=weights)).pixels
        frames.append(pixels[box][..., :3].astype(np.float32))
    return np.stack(frames)


def sheet(people: Sequence[Person], part: str, out: Path) -> None:
    """Held-back pictures that none chose: for each person the rig, the finish and the truth below each other."""
    lines = []
    for person in people:
        examples = person.held_back[part]
        shown = np.flatnonzero(examples.inside.any(axis=(1, 2)))
        some = shown[np.linspace(0, len(shown) - 1, N_SHOWN).astype(int)]
        for patches in (examples.rig, person.painted.get(part, examples.rig), examples.truth):
            lines.append(np.concatenate(list(patches[some]), 1))
    picture = Image.fromarray(np.concatenate(lines))
    picture.resize((picture.width * ZOOM, picture.height * ZOOM), Image.Resampling.BICUBIC).save(out, quality=90)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--films", nargs="*", default=[], metavar="FILM:PORTRAIT", help="further ones, of people who agreed")
    parser.add_argument("--steps", type=int, default=USUAL_STEPS)
    parser.add_argument("--start", choices=(NOTHING, SYNTHETIC), default=NOTHING, help="weights of chance, or the shared ones")
    parser.add_argument("--pictures", type=Path, help="folder for the sheet before and after")
    parser.add_argument("--write", action="store_true", help="put the table into docs/finish.md")
    args = parser.parse_args(argv)
    pairs = [(film, film.with_suffix(".png")) for film in sorted(args.data.glob("person_*.mp4"))]
    pairs += [(Path(film), Path(portrait)) for film, _, portrait in (text.partition(":") for text in args.films)]
    with quiet():
        people = [learnt(film, portrait, args.data, args.steps, args.start) for film, portrait in pairs]
        found = list(rows(people))
    show(found)
    if args.pictures:
        sheet(people, "mouth", args.pictures / "finish.jpg")
        sheet(people, "eyes", args.pictures / "finish_eyes.jpg")
    if args.write:
        put(DOCS / "finish.md", "finish", table(found))


if __name__ == "__main__":
    main()
