"""Learn: a film and a portrait in, the portrait's rig with a personal finish out."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType

from vivant.capture import facts_of
from vivant.errors import InputError, UnavailableError
from vivant.extras import install
from vivant.face import RigFace
from vivant.finish.network import PARTS, Arrays, Finish, FinishCard
from vivant.learn.film import USUAL_FPS, Examples, examples_of, watch
from vivant.learn.score import error
from vivant.portrait import PortraitAnalyser
from vivant.private import private_folder
from vivant.provenance.production import sha256_of
from vivant.rig.cache import cache_folder
from vivant.rig.rig import Rig

TRAINED = 2 / 3
"""Of the film, its beginning; the rest says how good it is."""
USUAL_STEPS = 1200
"""From which on short films are learnt by heart; docs/finish.md."""
CRITIC = {"mouth": 0.2, "eyes": 0.01}
"""Weight of the critic's word, by parts: teeth are to be sharp, lids to be steady."""
TRAINER = "vivant.learn.training"
"""Needs torch, so it is imported when it trains."""
EXAMPLES, STATE = "{part}.npz", "{part}.pt"
"""What is kept of each part until it is done."""
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Part:
    """What came of one part of a face."""

    arrays: Arrays
    before: float
    """Mean absolute CIELAB error on the last third of the film, inside the lips or around moved lids: the rig's."""
    after: float
    """With the finish."""

    @property
    def is_better(self) -> bool:
        return self.after < self.before


@dataclass(frozen=True)
class Learnt:
    """What came of it."""

    rig: Rig
    parts: Mapping[str, Part]
    """Those that became better."""


def learn(
    film: Path,
    face: RigFace,
    analyser: PortraitAnalyser,
    *,
    consent: str,
    steps: int = USUAL_STEPS,
    start: Mapping[str, Arrays] = MappingProxyType({}),
    progress: Progress = lambda stage, share: None,
) -> Learnt:
    """Learn how the person's own mouth and lids look from a film of them talking; ``start``: weights to begin with, by parts.

    What is broken off goes on the next time. Until it is done, patches of the film lie in a folder of the cache that is its
    user's alone. Raises InputError where the film shows too little, or where the mouth that was learnt is no better than the
    rig's, and UnavailableError without torch. Lids that are no better stay the rig's.
    """
    training = _training()
    film_sha256 = sha256_of(film, "video")
    folder = learning_folder(film_sha256, face)
    examples = _examples(folder, film, face, analyser, progress)
    if not _can_teach(examples["mouth"]):
        raise InputError("the lips hardly part in this film; film yourself talking for a minute")
    parts = {
        part: _learnt(training, part, examples[part], steps, start.get(part), folder, progress)
        for part in PARTS
        if _can_teach(examples[part])
    }
    mouth = parts["mouth"]
    if not mouth.is_better:
        raise InputError(
            f"what was learnt is no better than the rig ({mouth.after:.1f} against {mouth.before:.1f}); nothing was written"
        )
    better = {name: part for name, part in parts.items() if part.is_better}
    seconds = TRAINED * len(examples["mouth"]) / float(facts_of(film).fps or USUAL_FPS)
    figures = (figure for part in better.values() for figure in (part.before, part.after))
    card = FinishCard(consent, film_sha256, round(seconds, 1), *figures)
    finish = Finish({name: part.arrays for name, part in better.items()}, card)
    return Learnt(replace(face.rig, finish=finish), better)


def taught_and_held_back(examples: Examples) -> tuple[Examples, Examples]:
    """The first of a film, and the rest, which says how good it is."""
    cut = round(TRAINED * len(examples))
    return examples[:cut], examples[cut:]


def _can_teach(examples: Examples) -> bool:
    taught, held_back = taught_and_held_back(examples)
    return bool(taught.mask.any() and held_back.inside.any())


def _learnt(
    training: ModuleType, part: str, examples: Examples, steps: int, start: Arrays | None, folder: Path, progress: Progress
) -> Part:
    taught, held_back = taught_and_held_back(examples)
    device = training.device_here()
    arrays = training.train(
        taught,
        steps,
        kept=folder / STATE.format(part=part),
        start=start,
        critic=CRITIC[part],
        device=device,
        heard=lambda step, _: progress(f"learning the {part} on {device}", step / steps),
    )
    before = error(held_back.rig, held_back.truth, held_back.inside)
    after = error(training.paint(held_back, arrays), held_back.truth, held_back.inside)
    return Part(arrays, before, after)


def learning_folder(film_sha256: str, face: RigFace) -> Path:
    """Where a film's patches and the state of training lie until it is done."""
    return cache_folder() / "learning" / f"{film_sha256[:16]}-{face.portrait_sha256[:16]}"


def forget(film_sha256: str, face: RigFace) -> None:
    """Delete what learning from a film has kept."""
    shutil.rmtree(learning_folder(film_sha256, face), ignore_errors=True)


def _examples(folder: Path, film: Path, face: RigFace, analyser: PortraitAnalyser, progress: Progress) -> dict[str, Examples]:
    kept = {part: private_folder(folder) / EXAMPLES.format(part=part) for part in PARTS}
    if not all(path.exists() for path in kept.values()):
        found = examples_of(film, watch(film, analyser, progress), face, progress)
        for part, path in kept.items():
            draft = path.with_suffix(".part.npz")
            found[part].save(draft)
            draft.replace(path)
    return {part: Examples.load(path) for part, path in kept.items()}


def _training() -> ModuleType:
    try:
        return import_module(TRAINER)
    except ImportError as error:
        raise UnavailableError(f"learning needs torch; {install('learn')} brings it") from error
