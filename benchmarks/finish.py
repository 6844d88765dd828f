"""Does a finish paint the person's own mouth? ``python -m benchmarks.finish --data DIR [--films A.mp4:A.png ...]``

DIR holds films and portraits of rendered people, by `benchmarks.finish_people`; ``--films`` adds real ones. Each is learnt from
as `vivant learn` does it: the first two thirds teach, the last third is scored, by motion captured from the film itself. What
was learnt is kept in DIR, so that a second run only measures.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.report import VOICE, Row, analyser, put, quiet, show, table
from vivant.face import FaceRenderer, RigFace, open_portrait
from vivant.learn.film import Examples
from vivant.learn.learning import EXAMPLES, TRAINED, USUAL_STEPS, learn, learning_folder
from vivant.learn.score import sharpness
from vivant.learn.training import paint
from vivant.offline import motion_of
from vivant.provenance.production import sha256_of
from vivant.rig.canonical import OUTER_LIPS
from vivant.rig.rig import Rig
from vivant.types import FloatArray, MotionFrame, UInt8Array

FPS = Fraction(25)
SIZE_PX = 512
N_TIMED, N_STILL, N_NOISY = 200, 8, 24
"""Frames that are timed, and faces that are held still, each for so many noisy frames."""
NOISE = 0.005
"""Of each weight, either way."""
ROUND_LIPS_PX = 12
"""Around the lips at rest, where flicker is looked at; below them as much as above."""
DOCS = Path(__file__).resolve().parent.parent / "docs"
N_SHOWN = 6
ZOOM = 3


@dataclass(frozen=True)
class Person:
    """One film and what was learnt from it."""

    name: str
    face: RigFace
    plain: RigFace
    held_back: Examples
    painted: UInt8Array
    minutes: float | None
    """Of processor time; None where it was learnt before."""


def learnt(film: Path, portrait: Path, data: Path, steps: int) -> Person:
    """The person of a film."""
    kept, plain = data / f"{film.stem}_{steps}.vivant", open_portrait(portrait, consent="synthetic")
    folder, minutes = learning_folder(sha256_of(film, "video"), plain), None
    if not kept.exists() or not (folder / EXAMPLES).exists():
        began = time.process_time()
        stages: set[str] = set()

        def say(stage: str, share: float) -> None:
            if stage not in stages:
                print(film.stem, stage, f"{(time.process_time() - began) / 60:.1f} min", flush=True)
            stages.add(stage)

        learn(film, plain, analyser(), consent="synthetic", steps=steps, progress=say).rig.save(kept)
        minutes = (time.process_time() - began) / 60
    rig = Rig.load(kept)
    assert rig.finish is not None
    examples = Examples.load(folder / EXAMPLES)
    held_back = examples[round(TRAINED * len(examples)) :]
    return Person(film.stem, RigFace(rig), plain, held_back, paint(held_back, rig.finish.parts["mouth"]), minutes)


def rows(people: Sequence[Person]) -> Iterator[Row]:
    """The table."""
    for person in people:
        card = person.face.rig.finish.card  # type: ignore[union-attr]
        ratio = card.error_after / card.error_before
        yield Row(
            f"{person.name}: error inside the lips, personal / rig", "<= .6",
            f"{ratio:.2f} ({card.error_after:.2f} / {card.error_before:.2f}; {card.seconds:.0f} s taught)",
        )  # fmt: skip
        truth, own, rig = (
            sharpness(p, person.held_back.inside) for p in (person.held_back.truth, person.painted, person.held_back.rig)
        )
        yield Row(
            f"{person.name}: sharpness inside the lips over the truth's", ">= .8", f"{own / truth:.2f} (rig {rig / truth:.2f})"
        )
        painted, plain = (flicker(face) for face in (person.face, person.plain))
        yield Row(f"{person.name}: flicker under noise, of 255", "<= the rig's", f"{painted:.3f} (rig {plain:.3f})")
        if person.minutes is not None:
            yield Row(f"{person.name}: learnt in minutes of processor time", "<= 60", f"{person.minutes:.1f}")
    person = people[0]
    both, alone = (per_frame_ms(face) for face in (person.face, person.plain))
    yield Row(
        "rig + finish, one core, 512 px", ">= 100 fps", f"{1000 / both:.0f} fps ({both:.1f} ms, of them the rig {alone:.1f})"
    )
    finish = person.face.rig.finish
    assert finish is not None
    yield Row(
        "what a finish adds to a file", "<= 5 MB", f"{finish.size_bytes / 1e6:.2f} MB, {finish.size_bytes // 2:,} weights"
    )


def per_frame_ms(face: RigFace) -> float:
    """Of processor time, while the bundled voice speaks; the median."""
    renderer, motions, spent = face.open(SIZE_PX), list(islice(motion_of(VOICE, FPS, seed=0), N_TIMED)), []
    memory = np.empty((SIZE_PX, SIZE_PX, 4), np.uint8)
    for motion in motions:
        began = time.process_time()
        renderer.render(motion, memory)
        spent.append(1000 * (time.process_time() - began))
    return float(np.median(spent))


def flicker(face: RigFace) -> float:
    """Mean change from frame to frame of a face that is held still while its motion is noisy, around the mouth."""
    renderer, chance = face.open(SIZE_PX), np.random.default_rng(0)
    rest = face.rig.arrays["rest"][list(OUTER_LIPS), :2]  # px of a frame of this size, as it happens
    low, high = (rest.min(axis=0) - ROUND_LIPS_PX).astype(int), (rest.max(axis=0) + ROUND_LIPS_PX).astype(int)
    box = slice(low[1], high[1]), slice(low[0], high[0])
    motions = list(islice(motion_of(VOICE, FPS, seed=0), 0, N_STILL * 12, 12))
    changes = [float(np.abs(np.diff(_noisy(renderer, motion, chance, box), axis=0)).mean()) for motion in motions]
    return float(np.mean(changes))


def _noisy(renderer: FaceRenderer, motion: MotionFrame, chance: np.random.Generator, box: tuple[slice, slice]) -> FloatArray:
    frames = []
    for _ in range(N_NOISY):
        weights = np.clip(motion.weights + chance.uniform(-NOISE, NOISE, 52), 0, 1).astype(np.float32)
        pixels = renderer.render(replace(motion, weights=weights)).pixels
        frames.append(pixels[box][..., :3].astype(np.float32))
    return np.stack(frames)


def sheet(people: Sequence[Person], out: Path) -> None:
    """Held-back pictures that none chose: for each person the rig, the finish and the truth below each other."""
    lines = []
    for person in people:
        parted = np.flatnonzero(person.held_back.inside.any(axis=(1, 2)))
        some = parted[np.linspace(0, len(parted) - 1, N_SHOWN).astype(int)]
        for patches in (person.held_back.rig, person.painted, person.held_back.truth):
            lines.append(np.concatenate(list(patches[some]), 1))
    picture = Image.fromarray(np.concatenate(lines))
    picture.resize((picture.width * ZOOM, picture.height * ZOOM), Image.Resampling.BICUBIC).save(out, quality=90)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--films", nargs="*", default=[], metavar="FILM:PORTRAIT", help="further ones, of people who agreed")
    parser.add_argument("--steps", type=int, default=USUAL_STEPS)
    parser.add_argument("--pictures", type=Path, help="folder for the sheet before and after")
    parser.add_argument("--write", action="store_true", help="put the table into docs/finish.md")
    args = parser.parse_args(argv)
    pairs = [(film, film.with_suffix(".png")) for film in sorted(args.data.glob("person_*.mp4"))]
    pairs += [(Path(film), Path(portrait)) for film, _, portrait in (text.partition(":") for text in args.films)]
    with quiet():
        people = [learnt(film, portrait, args.data, args.steps) for film, portrait in pairs]
        found = list(rows(people))
    show(found)
    if args.pictures:
        sheet(people, args.pictures / "finish.jpg")
    if args.write:
        put(DOCS / "finish.md", "finish", table(found))


if __name__ == "__main__":
    main()
