"""Recordings as the dynamics see them: a voice and what a face did with it, in chunks; for training and for a manner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivant.motion.articulatory import AudioFrontEnd
from vivant.motion.learned.channels import (
    ASIDE_SCALE_DEG,
    CHUNK_TICKS,
    VOICE,
    Array32,
)
from vivant.motion.learned.conditions import Ears, without
from vivant.speech.features import TICK_US
from vivant.speech.prosody import Prosody
from vivant.types import Attention, AudioChunk, Float32Array

Curves = NDArray[np.float64]
PER_CHUNK = ("told", "curves", "aside", "events", "lids")
"""What of a `Clip` there is for every chunk."""


@dataclass(frozen=True)
class Heard:
    """A sound, as our ears give it every 10 ms."""

    mouths: Curves
    """(ticks, 9)"""
    prosody: list[Prosody]


@dataclass(frozen=True)
class Lived:
    """What a face did, every 10 ms."""

    slow: Curves
    """(ticks, n_slow)"""
    aside_deg: Curves
    """(ticks, 2) where the eyes rest, or are on their way to, from the partner."""
    jumps: NDArray[np.bool_]
    """(ticks,) at which the eyes begin to leave."""
    blinks: NDArray[np.bool_]
    """(ticks,) at which a blink begins."""
    lids: Curves
    """(ticks, 2) depth and length of the blink that begins there."""
    known: Array32
    """(4,) 1 for each of `vivant.motion.learned.channels.GROUPS` that the recording holds."""


@dataclass(frozen=True)
class Clip:
    """Conditions and motion, chunk by chunk."""

    told: Array32
    """(chunks, n_conditions)"""
    curves: Array32
    """(chunks, n_slow, 2) value and slope per chunk at its end."""
    aside: Array32
    """(chunks, 2) where the eyes rest at its end, in `ASIDE_SCALE_DEG`."""
    events: Array32
    """(chunks, 2)"""
    lids: Array32
    """(chunks, 2) depth and length of the blink that begins in it."""
    known: Array32
    """(4,)"""


def hear(samples: Float32Array, rate_hz: int) -> Heard:
    """(n,) mono, to its end."""
    front = AudioFrontEnd()
    for piece in front.pieces(AudioChunk(samples, rate_hz)):
        front.push(piece, singing=False)
    n_ticks = front.heard_us // TICK_US
    front.push_silence(150, singing=False)
    ticks = [front.next_tick() for _ in range(n_ticks)]
    return Heard(np.stack([mouth for mouth, _ in ticks]), [prosody for _, prosody in ticks])


def clip_of(told: Array32, lived: Lived) -> Clip:
    """As the stream would have come upon it: each chunk's conditions are those known at its first tick."""
    n = min(len(told), (len(lived.slow) - 2) // CHUNK_TICKS)
    starts = np.arange(n) * CHUNK_TICKS
    ends = starts + CHUNK_TICKS - 1
    slope = (lived.slow[ends + 1] - lived.slow[ends - 1]) / 2 * CHUNK_TICKS
    within = starts[:, None] + np.arange(CHUNK_TICKS)
    blinks = lived.blinks[within]
    first = np.where(blinks.any(1), blinks.argmax(1), 0)
    return Clip(
        told=told[:n],
        curves=np.stack([lived.slow[ends], slope], -1).astype(np.float32),
        aside=(lived.aside_deg[ends] / ASIDE_SCALE_DEG).astype(np.float32),
        events=np.stack([lived.jumps[within].any(1), blinks.any(1)], 1).astype(np.float32),
        lids=lived.lids[starts + first].astype(np.float32),
        known=lived.known,
    )


def told_of(heard: Heard, states: Sequence[Attention], contact: float) -> Array32:
    """(chunks, n_conditions) for a voice, what the face was about at each of its ticks, and its share of eye contact."""
    ears, told = Ears(), []
    for tick, (prosody, mouth, state) in enumerate(zip(heard.prosody, heard.mouths, states, strict=True)):
        ears.hear(prosody, mouth)
        if tick % CHUNK_TICKS == 0:
            told.append(ears.conditions(state, contact))
    return np.stack(told)


def told_nothing(n_chunks: int, state: Attention, contact: float) -> Array32:
    """The same without a voice."""
    silent = Ears().conditions(state, contact)
    return np.repeat(without(silent, VOICE)[None], n_chunks, 0)


def save_clips(path: Path, clips: Sequence[Clip]) -> None:
    """One file of many, one after the other."""
    parts: dict[str, Any] = {name: np.concatenate([getattr(clip, name) for clip in clips]) for name in PER_CHUNK}
    lengths = np.array([len(clip.told) for clip in clips])
    np.savez(path, **parts, lengths=lengths, known=np.stack([clip.known for clip in clips]))


def load_clips(path: Path) -> list[Clip]:
    """What `save_clips` wrote."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    ends = np.cumsum(arrays["lengths"])
    spans = [slice(end - n, end) for end, n in zip(ends, arrays["lengths"], strict=True)]
    return [
        Clip(**{name: arrays[name][span] for name in PER_CHUNK}, known=known)
        for span, known in zip(spans, arrays["known"], strict=True)
    ]
