"""Chunk after chunk of motion: what is drawn becomes curves, jumps and blinks, and is remembered as the own past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivant.motion.learned.channels import (
    ASIDE,
    ASIDE_SCALE_DEG,
    BLINK,
    GROUPS,
    JUMP,
    LIDS,
    N_DRAWN,
    N_EVENTS,
    N_HEAD,
    N_SLOW,
    STATE,
    Array32,
)
from vivant.motion.learned.conditions import pace, without
from vivant.motion.learned.manner import Manner
from vivant.motion.learned.network import Dynamics, Memory

GUIDANCE: tuple[tuple[slice, float], ...] = ((STATE, 0.5),)
"""Which conditions are overdrawn, and how far. Chosen by the table in docs/dynamics.md."""
_OVERDRAWN, _ORDINARY = 1.6, 0.35
"""How far the difference of the loudness to come from an ordinary one is overdrawn where it says how much is new: what is known
of a chunk that only begins blurs it. Chosen, so that the head follows the voice as the rules' does."""
_RETURNS = 0.94
"""Of what a curve is away from its rest, how much of the forecast stays: what a face at rest hardly ever does it would not
come back from. Chosen: without it brows stayed up in silence."""
_FARTHEST = 4.0
"""Of a plain number: beyond it nobody moved, and what is drawn is not believed."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What happens within one."""

    curves: Array32
    """(n_slow, 2) values and slopes at its end."""
    aside_deg: tuple[float, float] | None
    """(yaw, pitch) from the partner, to which the eyes jump; None: they stay."""
    blink: tuple[float, float] | None
    """(depth, length) of one that begins."""


class Generator:
    """One stream's own past and chance."""

    def __init__(self, dynamics: Dynamics, manner: Manner, seed: int) -> None:
        self._dynamics, self._manner = dynamics, manner
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._left_out = [part for part, _ in GUIDANCE]
        self._guidance = np.array([much for _, much in GUIDANCE], np.float32)
        self._memory = Memory(1 + len(GUIDANCE))
        self._plain = np.zeros((N_SLOW, 2), np.float32)
        self._aside = np.zeros(2, np.float32)
        self._past = past_vector(self._plain, self._aside, np.zeros(N_EVENTS, np.float32), np.zeros(2, np.float32))

    @property
    def curves(self) -> Array32:
        """(n_slow, 2) values and slopes now."""
        return self._manner.colour.coloured(self._plain)

    @property
    def aside(self) -> Array32:
        """(2,) where the eyes rest from the partner, in `ASIDE_SCALE_DEG`."""
        return np.float32(self._manner.aside) * self._aside

    def next(self, told: Array32) -> Chunk:
        """From (n_conditions,)."""
        rows = np.stack([told, *(without(told, part) for part in self._left_out)])
        heard = self._dynamics.listen(self._memory, rows, np.repeat(self._past[None], len(rows), 0))
        events = self._happens(self._dynamics.chances(heard)[0])
        noise = self._rng.standard_normal(N_DRAWN).astype(np.float32)
        drawn = self._dynamics.flow(heard, events, noise, self._guidance)
        return self._remember(drawn, events, pace(told))

    def _happens(self, logits: Array32) -> Array32:
        chance = 1 / (1 + np.exp(-(logits + self._manner.events)))
        happens: Array32 = (self._rng.random(N_EVENTS) < chance).astype(np.float32)
        return happens

    def _remember(self, drawn: Array32, events: Array32, pace: Array32) -> Chunk:
        self._plain = self._moved(drawn[: 2 * N_SLOW].reshape(N_SLOW, 2), pace)
        if events[JUMP]:
            self._aside = np.clip(drawn[ASIDE], -_FARTHEST, _FARTHEST)
        lids = np.clip(drawn[LIDS], -1.0, 1.0) * events[BLINK]
        self._past = past_vector(self._plain, self._aside, events, lids)
        yaw, pitch = (ASIDE_SCALE_DEG * self.aside).tolist()
        depth, length = lids_of(lids).tolist()
        return Chunk(self.curves, (yaw, pitch) if events[JUMP] else None, (depth, length) if events[BLINK] else None)

    def _moved(self, new: Array32, pace: Array32) -> Array32:
        """(n_slow, 2) a chunk later; a face's weights stay above nothing, where they may stand but not sink."""
        colour = self._manner.colour
        plain = colour.carried(self._plain, pace) * (_RETURNS, 1) + new * colour.surprises(_sharpened(pace))
        plain = np.clip(plain, -_FARTHEST, _FARTHEST).astype(np.float32)
        nothing = np.where(np.arange(N_SLOW) < N_HEAD, -np.inf, -colour.mean / colour.spread[:, 0]).astype(np.float32)
        plain[:, 1] = np.where(plain[:, 0] < nothing, np.maximum(plain[:, 1], 0), plain[:, 1])
        plain[:, 0] = np.maximum(plain[:, 0], nothing)
        return plain


def _sharpened(pace: Array32) -> Array32:
    """(N_PACE,)"""
    one, talks, loud = pace
    return np.array([one, talks, max(loud + _OVERDRAWN * (loud - _ORDINARY * talks), 0.0)], np.float32)


def past_vector(plain: Array32, aside: Array32, events: Array32, lids: Array32, known: Array32 | None = None) -> Array32:
    """(..., n_past) what the network is told of a chunk that was: (..., n_slow, 2), (..., 2), (..., n_events), (..., 2), and
    which of `GROUPS` are known, all unless said."""
    shape = (*plain.shape[:-2], len(GROUPS))
    told = np.broadcast_to(np.ones(len(GROUPS), np.float32) if known is None else known, shape)
    return np.concatenate([plain.reshape(*plain.shape[:-2], -1), aside, lids, events, told], -1).astype(np.float32)


def lids_of(drawn: Array32) -> Array32:
    """(depth 0 to 1, length of an ordinary blink's) of what was drawn in [-1, 1]; `drawn_lids` is the way back."""
    return np.stack([0.5 + 0.5 * drawn[..., 0], 1.0 + 0.5 * drawn[..., 1]], -1)


def drawn_lids(lids: Array32) -> Array32:
    return np.clip(np.stack([2 * lids[..., 0] - 1, 2 * (lids[..., 1] - 1)], -1), -1, 1)
