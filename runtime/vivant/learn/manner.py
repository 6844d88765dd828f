"""Teaching a manner: from minutes of one person's captured motion with its voice to a file of some kilobytes.

What is learned: how far and how fast each channel moves and where it rests (a colour of the dynamics), how often eyes jump and
lids blink, and how the lips differ from the rules'. The network itself stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vivant.errors import InputError
from vivant.learn.recordings import Run
from vivant.motion.learned.channels import CHUNK_TICKS, FACE, N_HEAD, N_SLOW, Array32
from vivant.motion.learned.colour import fit_colour
from vivant.motion.learned.generator import Generator
from vivant.motion.learned.manner import Manner, usual
from vivant.motion.learned.network import Dynamics
from vivant.motion.learned.recorded import Clip, clip_of, told_of
from vivant.motion.noise import TICK_S
from vivant.speech.articulation import BITE, CHANNELS, MOUTH_TO_ARKIT, SEAL
from vivant.types import ARKIT_NAMES, NATURAL_EYE_CONTACT, Attention

LEAST_MINUTES, ENOUGH_MINUTES = 1.0, 20.0
"""Less says little of a person, more is left out."""
ROUNDS = 4
"""Of letting the model move to the person's own voice and comparing."""
STEP_RATIO = (0.5, 2.0)
"""Most that one round changes a spread."""
LIPS_RIDGE = 20.0
"""Of the lips' mixture, in ticks of a fully open channel. Chosen: what a minute says little of stays the rules'."""
LIPS = [i for i, name in enumerate(ARKIT_NAMES) if name.startswith(("jaw", "mouth")) and name not in (*FACE, "mouthClose")]
"""Weights that the lips' mixture moves; lips close by the rules."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Figures:
    """How somebody moves, for comparing: (n_slow, 2) means of values and slopes, and their spreads; events per chunk."""

    mean: Array32
    spread: Array32
    events: Array32
    aside: float


def learn_manner(name: str, runs: Sequence[Run], dynamics: Dynamics, progress: Progress = lambda stage: None) -> Manner:
    """Learn from runs of at least a minute in all. Deterministic. Raises InputError for less."""
    clips = [clip_of_run(run) for run in runs]
    minutes = sum(len(clip.told) for clip in clips) * CHUNK_TICKS * TICK_S / 60
    if minutes < LEAST_MINUTES:
        raise InputError(
            f"a manner needs at least {LEAST_MINUTES:g} minute of an unbroken sight with its sound, got {minutes:.1f}"
        )
    clips = _enough(clips)
    progress(f"{minutes:.1f} minutes")
    person = figures_of(clips)
    manner = replace(usual(dynamics), name=name, colour=fit_colour(clips, dynamics.colour), lips=lips_of(runs))
    for number in range(ROUNDS):
        progress(f"round {number + 1} of {ROUNDS}")
        manner = nearer(manner, person, figures_of(let_loose(manner, dynamics, clips)), clips)
    return manner


def clip_of_run(run: Run) -> Clip:
    """In conversation, where nobody said what it was about."""
    return clip_of(told_of(run.heard, [Attention.AUTO] * len(run.heard.prosody), NATURAL_EYE_CONTACT), run.lived)


def figures_of(clips: Sequence[Clip]) -> Figures:
    """Over all chunks."""
    curves, events, aside = (np.concatenate([getattr(c, part) for c in clips]) for part in ("curves", "events", "aside"))
    return Figures(curves.mean(0), curves.std(0), events.mean(0), float(np.hypot(*aside.T).mean()))


def _enough(clips: Sequence[Clip]) -> list[Clip]:
    chunks, chosen = 0, []
    for clip in clips:
        if chunks * CHUNK_TICKS * TICK_S < 60 * ENOUGH_MINUTES:
            chosen.append(clip)
            chunks += len(clip.told)
    return chosen


def _holds(clips: Sequence[Clip]) -> NDArray[np.bool_]:
    """(4,) groups that any recording holds."""
    held: NDArray[np.bool_] = np.any([clip.known > 0 for clip in clips], axis=0)
    return held


def let_loose(manner: Manner, dynamics: Dynamics, clips: Sequence[Clip]) -> list[Clip]:
    """What the model does to the same voices."""
    moved = []
    for number, clip in enumerate(clips):
        generator = Generator(dynamics, manner, number)
        curves, events, places = np.empty_like(clip.curves), np.empty_like(clip.events), np.empty_like(clip.aside)
        for k, told in enumerate(clip.told):
            chunk = generator.next(told)
            curves[k], places[k] = chunk.curves, generator.aside
            curves[k, N_HEAD:, 0] = np.maximum(curves[k, N_HEAD:, 0], 0)  # as a face shows them
            events[k] = chunk.aside_deg is not None, chunk.blink is not None
        moved.append(replace(clip, curves=curves, events=events, aside=places))
    return moved


def nearer(manner: Manner, person: Figures, moved: Figures, clips: Sequence[Clip]) -> Manner:
    """A manner whose figures are nearer to the person's."""
    head, face, gaze, lids = _holds(clips)
    theirs = np.repeat([head, face], [N_HEAD, N_SLOW - N_HEAD])[:, None]
    # Larger, not wilder: what is drawn stays as it is, or a face at rest would not come to rest.
    ratio = np.clip(person.spread[:, :1] / np.maximum(moved.spread[:, :1], 1e-6), *STEP_RATIO)
    spread = np.where(theirs, manner.colour.spread * ratio, manner.colour.spread)
    shift = np.where(theirs[:, 0], person.mean[:, 0] - moved.mean[:, 0], 0.0)
    mean = manner.colour.mean + shift
    odds = np.log(np.maximum(person.events, 1e-4) / np.maximum(moved.events, 1e-4))
    events = manner.events + np.where([gaze, lids], np.clip(odds, -1, 1), 0.0)
    aside = manner.aside * float(np.clip(person.aside / max(moved.aside, 1e-3), *STEP_RATIO)) if gaze else manner.aside
    colour = replace(manner.colour, mean=mean.astype(np.float32), spread=spread.astype(np.float32))
    return replace(manner, colour=colour, events=events.astype(np.float32), aside=aside)


def lips_of(runs: Sequence[Run]) -> Array32:
    """(10, 52) what is added to the rules' lips, by ridge regression; nothing where they meet."""
    inputs, wanted = [], []
    for run in runs:
        mouths = run.heard.mouths
        open_share = (1 - mouths[:, SEAL]) * (1 - mouths[:, BITE])
        inputs.append(open_share[:, None] * np.append(mouths, np.ones((len(mouths), 1)), 1))
        wanted.append(run.weights - mouths @ MOUTH_TO_ARKIT)
    x, y = np.concatenate(inputs), np.concatenate(wanted)
    lips = np.zeros((len(CHANNELS) + 1, len(ARKIT_NAMES)))
    lips[:, LIPS] = np.linalg.solve(x.T @ x + LIPS_RIDGE * np.eye(x.shape[1]), x.T @ y[:, LIPS])
    return lips.astype(np.float32)
