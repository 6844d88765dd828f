"""Learn: a film and a portrait in, the portrait's rig with a personal finish out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType

from vivant.capture import facts_of
from vivant.errors import InputError, UnavailableError
from vivant.extras import install
from vivant.face import RigFace
from vivant.finish.network import Finish, FinishCard
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
TRAINER = "vivant.learn.training"
"""Needs torch, so it is imported when it trains."""
EXAMPLES, STATE = "examples.npz", "training.pt"
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Learnt:
    """What came of it."""

    rig: Rig
    before: float
    """Mean absolute CIELAB error inside the lips on the last third of the film: the rig's."""
    after: float
    """With the finish."""


def learn(
    film: Path,
    face: RigFace,
    analyser: PortraitAnalyser,
    *,
    consent: str,
    steps: int = USUAL_STEPS,
    progress: Progress = lambda stage, share: None,
) -> Learnt:
    """Learn how the person's own mouth looks from a film of them talking.

    What is broken off goes on the next time. Until it is done, patches of the film lie in a folder of the cache that is its
    user's alone. Raises InputError where the film shows too little, or where what was learnt is no better than the rig, and
    UnavailableError without torch.
    """
    training = _training()
    film_sha256 = sha256_of(film, "video")
    folder = learning_folder(film_sha256, face)
    examples = _examples(folder, film, face, analyser, progress)
    cut = round(TRAINED * len(examples))
    taught, held_back = examples[:cut], examples[cut:]
    if not held_back.inside.any() or not taught.mask.any():
        raise InputError("the lips hardly part in this film; film yourself talking for a minute")
    device = training.device_here()
    arrays = training.train(
        taught, steps, kept=folder / STATE, device=device, heard=lambda step, _: progress(f"learning on {device}", step / steps)
    )
    before = error(held_back.rig, held_back.truth, held_back.inside)
    after = error(training.paint(held_back, arrays), held_back.truth, held_back.inside)
    if not after < before:
        raise InputError(f"what was learnt is no better than the rig ({after:.1f} against {before:.1f}); nothing was written")
    seconds = cut / float(facts_of(film).fps or USUAL_FPS)
    card = FinishCard(consent, film_sha256, round(seconds, 1), before, after)
    return Learnt(replace(face.rig, finish=Finish({"mouth": arrays}, card)), before, after)


def learning_folder(film_sha256: str, face: RigFace) -> Path:
    """Where a film's patches and the state of training lie until it is done."""
    return cache_folder() / "learning" / f"{film_sha256[:16]}-{face.portrait_sha256[:16]}"


def forget(film_sha256: str, face: RigFace) -> None:
    """Delete what learning from a film has kept."""
    shutil.rmtree(learning_folder(film_sha256, face), ignore_errors=True)


def _examples(folder: Path, film: Path, face: RigFace, analyser: PortraitAnalyser, progress: Progress) -> Examples:
    kept = private_folder(folder) / EXAMPLES
    if not kept.exists():
        found = examples_of(film, watch(film, analyser, progress), face, progress)
        draft = kept.with_suffix(".part.npz")
        found.save(draft)
        draft.replace(kept)
    return Examples.load(kept)


def _training() -> ModuleType:
    try:
        return import_module(TRAINER)
    except ImportError as error:
        raise UnavailableError(f"learning needs torch; {install('learn')} brings it") from error
