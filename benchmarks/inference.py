"""What does motion cost? ``python -m benchmarks.inference`` prints the processor time of a frame without its picture, by stage.

A `FaceStream` hears the bundled voice in pieces of 20 ms. "Cold" is a face beside other work: 32 MB of memory, as much as
caches hold, are written over before every piece.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.report import Row, markdown, show, voice
from vivant.motion import articulatory
from vivant.motion.expression import Expression
from vivant.motion.eyes import Gaze, Lids
from vivant.motion.head import Head
from vivant.render import _kernel
from vivant.session.stream import FaceStream
from vivant.speech import encoder
from vivant.speech.articulation import ArticulationTrack
from vivant.speech.features import FeatureExtractor
from vivant.speech.prosody import ProsodyTrack
from vivant.speech.resample import Resampler
from vivant.speech.spectrum import CepstralMeanNormaliser
from vivant.testing import PlainFace
from vivant.types import Output

SECONDS = 6
PIECES_PER_S = 50
CACHE_BYTES = 32_000_000
STAGES: dict[str, tuple[tuple[object, str], ...]] = {
    "resampling": ((Resampler, "push"),),
    "spectra": ((articulatory, "windows_of"), (articulatory, "power_spectrum")),
    "level and pitch": ((FeatureExtractor, "push"),),
    "mel levels": ((encoder, "mel_db"), (CepstralMeanNormaliser, "push")),
    "network": ((_kernel.Encoder, "hear"),),
    "mouth": ((ArticulationTrack, "push"),),
    "prosody": ((ProsodyTrack, "push"),),
    "head": ((Head, "step"),),
    "eyes": ((Gaze, "step"), (Lids, "step")),
    "expression": ((Expression, "step"),),
    "frame": ((articulatory, "_motion_frame"),),
}
"""What each stage calls; none of them calls another."""


@dataclass
class Clock:
    """Milliseconds of this thread's processor time within the functions it wraps."""

    spent_ms: float = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **named: Any) -> Any:  # noqa: ANN401
            began = time.thread_time_ns()
            try:
                return function(*args, **named)
            finally:
                self.spent_ms += (time.thread_time_ns() - began) / 1e6

        return timed


@contextmanager
def clocks() -> Iterator[dict[str, Clock]]:
    """A clock on each stage."""
    running = {name: Clock() for name in STAGES}
    with ExitStack() as patches:
        for name, functions in STAGES.items():
            for owner, function in functions:
                patches.enter_context(patch.object(owner, function, running[name].around(getattr(owner, function))))
        yield running


def frames_ms(fps: int, *, cold: bool) -> list[float]:
    """Processor time of each frame, from the first piece of sound after the one before it."""
    samples, rate_hz = voice()
    memory = np.zeros(CACHE_BYTES // 8)
    frames, spent_ns = [], 0
    with FaceStream(PlainFace(), fps=fps, sample_rate_hz=rate_hz, seed=1, pictures=False) as stream:
        for first in range(0, SECONDS * rate_hz, rate_hz // PIECES_PER_S):
            if cold:
                memory += 1
            began = time.thread_time_ns()
            came = list(stream.push(samples[first : first + rate_hz // PIECES_PER_S]))
            spent_ns += time.thread_time_ns() - began
            if any(isinstance(item, Output) for item in came):
                frames.append(spent_ns / 1e6)
                spent_ns = 0
    return frames[1:]  # the first has heard the whole look-ahead


def stages_ms(*, cold: bool) -> dict[str, float]:
    """Mean per frame at 25 fps of each stage, and of what is between them."""
    with clocks() as running:
        frames = frames_ms(25, cold=cold)
    stages = {name: clock.spent_ms / (len(frames) + 1) for name, clock in running.items()}
    return {**stages, "between them": max(0.0, float(np.mean(frames)) - sum(stages.values()))}


def rows() -> list[Row]:
    """The median frame."""
    return [
        Row(
            f"motion of a frame at {fps} fps, one thread, ms: alone; caches cold",
            "",
            "; ".join(f"{np.median(frames_ms(fps, cold=cold)):.2f}" for cold in (False, True)),
        )
        for fps in (25, 30)
    ]


def stage_table() -> str:
    """Milliseconds by stage, the clocks' own time included."""
    alone, cold = stages_ms(cold=False), stages_ms(cold=True)
    lines = [(name, f"{alone[name]:.2f}", f"{cold[name]:.2f}") for name in alone]
    return markdown([("stage, ms per frame at 25 fps", "alone", "caches cold"), *lines])


if __name__ == "__main__":
    show(rows())
    print(f"\n{stage_table()}")
