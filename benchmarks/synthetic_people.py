"""Three synthetic people with manners of their own: the rules' motion, changed in size, pace, rest and habit."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from vivant.motion.eyes import lid
from vivant.motion.head import carried
from vivant.motion_files import write_motion
from vivant.types import ARKIT_INDEX, ARKIT_NAMES, Float32Array, MotionFrame, Pose

FPS = Fraction(30)


@dataclass(frozen=True)
class Person:
    """How one of them differs from the rules."""

    name: str
    head: tuple[float, float, float]
    """Factors of yaw, pitch and roll."""
    tilt_deg: float
    sluggish_s: float
    """Standard deviation of a Gaussian over time that the head is smoothed with."""
    brows: float
    jaw: float
    width: float
    aside: float
    """Factor of looks away."""
    blinks: float
    """Share of the rules' blinks that stay; above 1, how many more there are."""
    blink_length: float
    rest: dict[str, float] = field(default_factory=dict)
    """Weights at rest."""


PEOPLE = (
    Person(
        "a lively one",
        (1.6, 1.5, 1.4),
        0.0,
        0.0,
        1.7,
        1.25,
        1.2,
        1.3,
        1.5,
        1.0,
        {"mouthSmileLeft": 0.12, "mouthSmileRight": 0.12},
    ),
    Person("a calm one", (0.4, 0.45, 0.5), 3.0, 0.15, 0.4, 0.75, 0.7, 0.6, 0.5, 1.3, {}),
    Person(
        "a wry one",
        (0.9, 0.7, 1.9),
        -4.0,
        0.05,
        1.2,
        0.9,
        1.3,
        1.0,
        1.0,
        0.8,
        {"mouthSmileLeft": 0.15, "browOuterUpRight": 0.08},
    ),
)
_JAW = [i for i, name in enumerate(ARKIT_NAMES) if name.startswith(("jawOpen", "mouthLowerDown", "mouthUpperUp"))]
_WIDTH = [i for i, name in enumerate(ARKIT_NAMES) if name.startswith(("mouthStretch", "mouthPucker", "mouthFunnel"))]
_BROWS = [i for i, name in enumerate(ARKIT_NAMES) if name.startswith("brow")]
_BLINK = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]


def changed(person: Person, frames: Sequence[MotionFrame], seed: int = 7) -> list[MotionFrame]:
    """What they do where the rules do this."""
    turn = np.array([(f.pose.yaw_deg, f.pose.pitch_deg, f.pose.roll_deg) for f in frames])
    own = turn * person.head
    if person.sluggish_s:
        own = gaussian_filter1d(own, person.sluggish_s * float(FPS), axis=0)
    own += (0, 0, person.tilt_deg)
    weights = np.stack([frame.weights for frame in frames]).astype(np.float64)
    weights[:, _JAW] *= person.jaw
    weights[:, _WIDTH] *= person.width
    weights[:, _BROWS] *= person.brows
    weights[:, _BLINK] = _blinks(person, weights[:, _BLINK[0]], seed)[:, None]
    for name, weight in person.rest.items():
        weights[:, ARKIT_INDEX[name]] += weight
    looks = person.aside * np.array([(f.gaze[0] + f.pose.yaw_deg, f.gaze[1] + f.pose.pitch_deg) for f in frames])
    gaze = np.clip(looks - own[:, :2], -25, 25)
    return [_frame(*parts) for parts in zip(frames, np.clip(weights, 0, 1), own.tolist(), gaze.tolist(), strict=True)]


def record(person: Person, frames: Sequence[MotionFrame], samples: Float32Array, rate_hz: int, folder: Path) -> None:
    """Motion and sound as `vivant capture` and a microphone leave them, of a voice and what the rules do with it."""
    write_motion(folder / "talk.jsonl", changed(person, frames), FPS)
    with wave.open(str(folder / "talk.wav"), "wb") as out:
        out.setparams((1, 2, rate_hz, 0, "NONE", ""))
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def _frame(frame: MotionFrame, weights: np.ndarray, turn: list[float], gaze: list[float]) -> MotionFrame:
    x, y = carried(*turn)
    pose = Pose(turn[0], turn[1], turn[2], x, y, frame.pose.scale)
    return replace(frame, weights=weights.astype(np.float32), pose=pose, gaze=(gaze[0], gaze[1]))


def _blinks(person: Person, closed: np.ndarray, seed: int) -> np.ndarray:
    """(n,) closure, with as many blinks as the person has."""
    rng = np.random.Generator(np.random.PCG64(seed))
    shut = closed > 0.3
    starts: list[int] = np.flatnonzero(shut[1:] & ~shut[:-1]).tolist()
    kept = [k for k in starts if rng.random() < person.blinks]
    kept += [int(rng.integers(len(closed))) for _ in range(round(max(person.blinks - 1, 0) * len(starts)))]
    return _drawn(kept, person.blink_length, len(closed))


def _drawn(starts: Sequence[int], length: float, n: int) -> np.ndarray:
    closed = np.zeros(n)
    for start in starts:
        for k in range(start, min(start + 14, n)):
            closed[k] = max(closed[k], lid((k - start + 0.5) / float(FPS) / length))
    return closed
