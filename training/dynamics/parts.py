"""Recordings that hold a part of a face and no voice: each trains the channels that it has, and none other.

Nothing is told of what they were about but where their makers named it. Sources and licences: the card beside this.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivant.easing import smoothstep
from vivant.learn.recordings import blinks_of
from vivant.motion.learned.channels import CHUNK_TICKS, CONTACT, FACE, N_HEAD, N_SLOW, STATE, VOICE, Array32
from vivant.motion.learned.conditions import without
from vivant.motion.learned.recorded import Clip, Lived, clip_of, told_nothing
from vivant.motion.noise import TICK_S
from vivant.types import NATURAL_EYE_CONTACT, Attention

ROM_FPS = 30
REST_S = 0.6
"""In which an act begins and ends at rest; chosen."""
LEAST_LENGTH = 0.3
"""Of an ordinary blink's: what is shorter is the tracker's unrest."""
MEANT = {
    Attention.LISTENING: ("attentive", "listening", "understanding", "calming"),
    Attention.THINKING: ("thoughtful", "uncertain", "confused", "curious"),
    Attention.SPEAKING: ("helpful", "inquiring", "welcoming"),
}
"""Acts whose name says what a face is about that does so; chosen."""

Ticks = NDArray[np.float64]


def lids_alone(path: Path) -> list[Clip]:
    """Blinks that were asked to be partial (BlinkDetector): how deep and how long, not how often."""
    return [_clip(lids=closed, known=(0, 0, 0, 1)) for closed in _closures(path)]


def recorded_blinks(path: Path) -> Ticks:
    """(n, 2) depth and length of each of them."""
    found = (blinks_of(closed) for closed in _closures(path))
    shapes = np.concatenate([lids[begins] for begins, lids in found])
    return shapes[shapes[:, 1] >= LEAST_LENGTH]


def _closures(path: Path) -> list[Ticks]:
    """(ticks,) 0 for eyes as open as they usually are, 1 for shut ones; gaps in tracking are filled from their ends."""
    with np.load(path, allow_pickle=False) as file:
        seen = [file[name] for name in sorted(file.files) if name.endswith("partial_blinks")]
    closures = []
    for rows in seen:
        openness = rows[:, 1:].mean(1)
        good = np.isfinite(openness)
        ticks = np.arange(rows[0, 0], rows[-1, 0], TICK_S)
        openness = np.interp(ticks, rows[good, 0], openness[good])
        closures.append(np.clip(1 - openness / np.percentile(openness, 75), 0, 1))
    return closures


def faces_alone(paths: Sequence[Path]) -> list[Clip]:
    """A face through its whole range (Live Link Face): what moves together."""
    return [_clip(face=_rom(path), known=(0, 1, 0, 0)) for path in paths]


def _rom(path: Path) -> Ticks:
    """(ticks, n_face)"""
    with gzip.open(path, "rt") as file:
        rows = [[float(row[name[0].upper() + name[1:]]) for name in FACE] for row in csv.DictReader(file)]
    frames = np.array(rows)
    ticks = np.arange(0, (len(frames) - 1) / ROM_FPS, TICK_S)
    return np.stack([np.interp(ticks, np.arange(len(frames)) / ROM_FPS, curve) for curve in frames.T], 1)


def heads_alone(path: Path) -> list[Clip]:
    """Acted heads, acts of one meaning one after the other, each from its own rest."""
    with np.load(path, allow_pickle=False) as file:
        acts = {name: _act(file[name].astype(np.float64)) for name in file.files}
    meanings = {name: next((s for s, words in MEANT.items() if name.startswith(words)), None) for name in acts}
    clips = []
    for state in dict.fromkeys(meanings.values()):
        head = np.concatenate([act for name, act in acts.items() if meanings[name] is state])
        clips.append(_clip(head=head, known=(1, 0, 0, 0), state=state))
    return clips


def _act(rows: Ticks) -> Ticks:
    """(ticks, 3) yaw, pitch and roll in degrees from (n, 4) of seconds, roll, pitch and yaw. The robot's pitch is down."""
    ticks = np.arange(rows[0, 0], rows[-1, 0], TICK_S)
    turned = np.stack([np.interp(ticks, rows[:, 0], sign * rows[:, at]) for at, sign in ((3, 1), (2, -1), (1, 1))], 1)
    edge = np.minimum(np.arange(len(ticks)), np.arange(len(ticks))[::-1]) * TICK_S / REST_S
    begun = np.array([smoothstep(share) for share in edge])
    centred: Ticks = (turned - np.median(turned, 0)) * begun[:, None]
    return centred


def _clip(
    known: tuple[int, int, int, int],
    head: Ticks | None = None,
    face: Ticks | None = None,
    lids: Ticks | None = None,
    state: Attention | None = None,
) -> Clip:
    n = next(len(part) for part in (head, face, lids) if part is not None)
    slow = np.zeros((n, N_SLOW))
    if head is not None:
        slow[:, :3] = head
    if face is not None:
        slow[:, N_HEAD:] = face
    blinks, shapes = blinks_of(lids) if lids is not None else (np.zeros(n, bool), np.ones((n, 2)))
    lived = Lived(slow, np.zeros((n, 2)), np.zeros(n, bool), blinks, shapes, np.array(known, np.float32))
    return clip_of(_told(n // CHUNK_TICKS, state), lived)


def _told(n_chunks: int, state: Attention | None) -> Array32:
    told = told_nothing(n_chunks, state or Attention.AUTO, NATURAL_EYE_CONTACT)
    return without(told, CONTACT) if state else without(told, VOICE, STATE, CONTACT)
