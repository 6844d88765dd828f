"""What the parts of `benchmarks.dynamics` share: a voice that is heard once, and what both models make of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.voice import energy_curve, read_voice
from vivant.motion.articulatory import AudioFrontEnd, VoiceState
from vivant.motion.learned.recorded import Heard, hear
from vivant.motion.model import SpeechMotion
from vivant.speech.articulation import CHANNELS, Mouth
from vivant.speech.features import TICK_US
from vivant.speech.prosody import Prosody
from vivant.types import ARKIT_INDEX, Controls, Float32Array, MotionFrame

FPS = Fraction(30)
BLINK, LIDS_SHUT = ARKIT_INDEX["eyeBlinkLeft"], 0.5

Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A figure of each model."""

    what: str
    target: str
    learned: str
    rules: str


@dataclass(frozen=True)
class Talk:
    """Minutes of a voice, heard once, with the frames of both models."""

    samples: Float32Array
    rate_hz: int
    heard: Heard
    frames: dict[str, list[MotionFrame]]
    talks: NDArray[np.bool_]

    def part(self, start_s: float, end_s: float) -> Heard:
        """Of what was heard."""
        ticks = slice(round(100 * start_s), round(100 * end_s))
        return Heard(self.heard.mouths[ticks], self.heard.prosody[ticks])


class Known:
    """In the place of a stream's ears: what they heard before, so that a voice is heard once for many faces."""

    def __init__(self, heard: Heard) -> None:
        self.heard_us = TICK_US * len(heard.prosody)
        self._ticks = iter(zip(heard.mouths, heard.prosody, strict=True))

    def next_tick(self) -> tuple[Mouth, Prosody]:
        return next(self._ticks)


def moved(model: SpeechMotion, heard: Heard, seed: int = 1, controls: Controls | None = None) -> list[MotionFrame]:
    """Every frame of what was heard."""
    state = cast(VoiceState, model.open(FPS, seed))
    state._front_end = cast(AudioFrontEnd, Known(heard))
    return state._certain_frames(controls or Controls())


def silence(minutes: float) -> Heard:
    """What is heard of nothing."""
    n, quiet = round(6000 * minutes), Prosody(False, 0.0, False, False, 0.0, 0.0, 0.0)
    return Heard(np.zeros((n, len(CHANNELS))), [quiet] * n)


def natural_talk(folder: Path, minutes: float, models: dict[str, SpeechMotion]) -> Talk:
    """Recordings one after the other, with half a second between them."""
    pieces: list[Float32Array] = []
    n = rate_hz = 0
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".wav", ".flac")):
        samples, rate = read_voice(path)
        if rate_hz in (0, rate) and n < minutes * 60 * rate:
            rate_hz = rate
            pieces += [samples, np.zeros(rate // 2, np.float32)]
            n += len(samples) + rate // 2
    talk = np.concatenate(pieces)
    heard = hear(talk, rate_hz)
    frames = {name: moved(model, heard) for name, model in models.items()}
    return Talk(talk, rate_hz, heard, frames, talking(talk, rate_hz, len(frames["rules"])))


def talking(samples: Float32Array, rate_hz: int, n: int) -> NDArray[np.bool_]:
    """(n,) frames within .2 s of a voice."""
    energy = energy_curve(samples, rate_hz, round(n * 100 / float(FPS)) + 40)
    at = [round(k * 100 / float(FPS)) for k in range(n)]
    return np.array([energy[max(0, k - 20) : k + 20].max() > 0.1 for k in at])


def weights_of(frames: Sequence[MotionFrame]) -> NDArray[np.float32]:
    """(n, 52)"""
    return np.stack([frame.weights for frame in frames])


def angles_of(frames: Sequence[MotionFrame]) -> Curve:
    """(n, 3) yaw, pitch and roll in degrees."""
    return np.array([(f.pose.yaw_deg, f.pose.pitch_deg, f.pose.roll_deg) for f in frames])


def correlation(a: Curve, b: Curve) -> float:
    """Pearson's r."""
    return float(np.corrcoef(a, b)[0, 1])


def both(what: str, target: str, figure: Callable[[str], str]) -> Line:
    """A line with the figure of each."""
    return Line(what, target, figure("learned"), figure("rules"))


def joined(values: Sequence[float] | Curve, digits: int) -> str:
    """As cells of the table have them."""
    return ", ".join(f"{value:.{digits}f}" for value in values)


def blinks(frames: Sequence[MotionFrame]) -> tuple[float, float]:
    """(a minute, seconds shut)."""
    shut = weights_of(frames)[:, BLINK] > LIDS_SHUT
    count = int(np.sum(shut[1:] & ~shut[:-1]))
    return count * 60 * float(FPS) / len(frames), float(shut.sum()) / float(FPS) / max(count, 1)
