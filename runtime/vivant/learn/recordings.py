"""Recordings of a person: captured motion with its sound, or a video of both, as what the learned dynamics see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivant.drive.driver import GAP_US, GAZE, N_WEIGHTS, SCALE, SHIFT, TURN, Seen, between, vector_of
from vivant.errors import InputError
from vivant.media import open_audio
from vivant.motion.eyes import lid
from vivant.motion.head import LIMIT_DEG, carried
from vivant.motion.learned.channels import FACE_INDICES
from vivant.motion.learned.recorded import Heard, Lived, hear
from vivant.motion.noise import TICK_S
from vivant.motion_files import READERS, read_motion, reads_motion
from vivant.speech.articulation import MOUTH_TO_ARKIT
from vivant.speech.features import TICK_US
from vivant.types import ARKIT_INDEX, Float32Array

SOUNDS = (".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus", ".aac", ".mov", ".mp4")
LEAST_RUN_S = 4.0
"""Of an unbroken sight: shorter ones say little of how somebody moves."""
LATE_TICKS = 25
"""Sound and captured motion are at most so far apart: what cameras and phones do."""
JUMP_DEG, SETTLED_TICKS = 2.0, 4
"""From where the eyes rest, and for how long, so that they rest elsewhere: a tracker's eyes are restless. Chosen."""
BLINKS_FROM, STILL_DEG, STILL_WEIGHT = 0.35, 0.05, 0.005
"""Closure above the usual from which it is a blink; spreads below which a recording does not hold a channel. Chosen."""
_BLINK = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]
_JAW = ARKIT_INDEX["jawOpen"]
_USUAL_BLINK_S = float(np.mean([lid(k * TICK_S) > 0.5 for k in range(40)])) * 40 * TICK_S
"""How long an ordinary blink is more than half shut."""


@dataclass(frozen=True)
class Run:
    """An unbroken stretch of somebody who is seen and heard, every 10 ms."""

    heard: Heard
    lived: Lived
    weights: NDArray[np.float64]
    """(ticks, 52) as they were captured."""


def recordings(paths: Sequence[Path]) -> Iterator[tuple[Path, list[Run]]]:
    """Every recording of the files and folders. Raises InputError where there is none."""
    found = [path for given in paths for path in _recordings_in(given)]
    if not found:
        raise InputError(
            f"{paths[0]} holds no captured motion ({', '.join(READERS)}) with a sound of the same name beside it, and no video"
        )
    for path in found:
        yield path, list(_runs(_sights(path), *_sound(path)))


def _recordings_in(given: Path) -> list[Path]:
    """Raises InputError for what is not there, and for motion without its sound."""
    if given.is_dir():
        return [path for path in sorted(given.iterdir()) if reads_motion(path) and _sound_of(path)]
    if not given.is_file():
        raise InputError(f"there is no {given}")
    if reads_motion(given) and _sound_of(given) is None:
        raise InputError(f"{given} has no sound of the same name beside it ({', '.join(SOUNDS)})")
    return [given]


def _sound_of(motion: Path) -> Path | None:
    return next((motion.with_suffix(s) for s in SOUNDS if motion.with_suffix(s).is_file()), None)


def _sound(path: Path) -> tuple[Float32Array, int]:
    source = (_sound_of(path) or path) if reads_motion(path) else path
    with open_audio(source) as audio:
        return np.concatenate([chunk.samples for chunk in audio.chunks()]), audio.sample_rate_hz


def _sights(path: Path) -> list[Seen]:
    if reads_motion(path):
        return read_motion(path)[0]
    from vivant.drive.recorded import tracked  # needs the networks, which motion files do not

    return list(tracked(path))


def _runs(sights: Sequence[Seen], samples: Float32Array, rate_hz: int) -> Iterator[Run]:
    heard = hear(samples, rate_hz)
    vectors, seen = _every_tick(sights, len(heard.prosody))
    late = _late_ticks(vectors[:, _JAW], heard.mouths[:, 0], seen)
    vectors, seen = np.roll(vectors, -late, 0), np.roll(seen, -late)
    seen[len(seen) - max(late, 0) :] = False
    seen[: max(-late, 0)] = False
    usual = np.median(vectors[seen], 0) if seen.any() else vectors[0]
    for start, end in _spans(seen):
        part = slice(start, end)
        mouths = heard.mouths[part]
        yield Run(Heard(mouths, heard.prosody[part]), _lived(vectors[part], usual, mouths), vectors[part, :N_WEIGHTS])


def _every_tick(sights: Sequence[Seen], n_ticks: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(ticks, 62) motion, and whether there is one."""
    vectors, is_seen = np.zeros((n_ticks, N_WEIGHTS + 10)), np.zeros(n_ticks, bool)
    at = 0
    for tick in range(n_ticks):
        time_us = tick * TICK_US
        while at + 2 < len(sights) and sights[at + 1].time_us <= time_us:
            at += 1
        before, after = sights[at], sights[min(at + 1, len(sights) - 1)]
        found = between(before, after, time_us).motion
        near = before.time_us - GAP_US <= time_us <= after.time_us + GAP_US and after.time_us - before.time_us <= GAP_US
        is_seen[tick] = found is not None and near
        vectors[tick] = vector_of(found) if found is not None else vectors[tick - 1]
    return vectors, is_seen


def _late_ticks(jaw: NDArray[np.float64], said: NDArray[np.float64], seen: NDArray[np.bool_]) -> int:
    """By how much the captured jaw comes after the one that is heard."""
    if jaw[seen].std() < STILL_WEIGHT or said.std() < STILL_WEIGHT:
        return 0
    jaw, said = jaw - jaw.mean(), said - said.mean()
    return max(range(-LATE_TICKS, LATE_TICKS + 1), key=lambda late: float(np.roll(jaw, -late) @ said))


def _spans(seen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], seen.astype(int), [0]])))
    least = LEAST_RUN_S / TICK_S
    return [(a, b) for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True) if b - a >= least]


def _lived(vectors: NDArray[np.float64], usual: NDArray[np.float64], mouths: NDArray[np.float64]) -> Lived:
    """Where the camera stood is nobody's manner: of head and gaze only what differs from the usual counts, and the tilt."""
    turned = vectors[:, TURN] - usual[TURN] * (1, 1, 0)
    limits = np.array(LIMIT_DEG)
    along = np.array([carried(*row) for row in turned.tolist()])
    shifted = vectors[:, SHIFT] - usual[SHIFT] - along
    nearer = vectors[:, SCALE] / usual[SCALE] - 1
    face = vectors[:, FACE_INDICES] - mouths @ MOUTH_TO_ARKIT[:, FACE_INDICES]
    own = limits * np.arctanh(np.clip(turned / limits, -0.98, 0.98))
    looks = vectors[:, GAZE] + turned[:, :2] - usual[GAZE]
    where, jumps = _fixations(looks)
    blinks, lids = blinks_of(vectors[:, _BLINK].mean(1))
    moves = turned.std(0).max() > STILL_DEG, np.abs(face).max() > STILL_WEIGHT, looks.std(0).max() > STILL_DEG, blinks.any()
    known = np.array(moves, np.float32)
    return Lived(np.concatenate([own, shifted, nearer, face], 1), where, jumps, blinks, lids, known)


def _fixations(looks: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(ticks, 2) where the eyes rest, and when they leave."""
    where, jumps = np.empty_like(looks), np.zeros(len(looks), bool)
    rests, off = looks[: 2 * SETTLED_TICKS].mean(0), 0
    for tick, look in enumerate(looks):
        off = off + 1 if np.hypot(*(look - rests)) > JUMP_DEG else 0
        if off == SETTLED_TICKS:
            jumps[tick - SETTLED_TICKS + 1], off = True, 0
            rests = np.median(looks[tick : tick + 2 * SETTLED_TICKS], 0)
        where[tick] = rests
    return where, jumps


def blinks_of(closed: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """(ticks,) where one begins, and (ticks, 2) its depth and length there, of (ticks,) closure of the lids."""
    beyond = closed - np.median(closed)
    shut = np.concatenate([[False], beyond > BLINKS_FROM, [False]])
    begins, lids = np.zeros(len(closed), bool), np.ones((len(closed), 2))
    for a, b in zip(
        np.flatnonzero(shut[1:] & ~shut[:-1]).tolist(), np.flatnonzero(~shut[1:] & shut[:-1]).tolist(), strict=True
    ):
        start = max(a - 4, 0)
        depth = float(np.clip(closed[a:b].max(), 0.0, 1.0))
        half = np.count_nonzero(closed[a:b] > depth / 2) * TICK_S
        begins[start], lids[start] = True, (depth, half / _USUAL_BLINK_S)
    return begins, lids
