"""The colour of what was lived: means, spreads, and how each channel goes on by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vivant.motion.learned.channels import FACE, N_HEAD, N_SLOW, Array32, Colour

LEAST = np.array([0.5, 0.5, 0.5, 0.004, 0.004, 0.004] + [0.02] * len(FACE), np.float32)
"""Spreads below which a channel is taken to be still, in its own unit; chosen."""
_RIDGE, _LEAST_SURPRISE = 1e-3, 0.02


def fit_colour(curves: Sequence[tuple[Array32, Array32]]) -> Colour:
    """Of clips' (chunks, n_slow, 2) values and slopes, each with what it holds of `GROUPS`; head and face each of those
    clips that hold it. Raises ValueError where none does."""
    head, face = (_fit([curve for curve, known in curves if known[group]]) for group in (0, 1))
    parts = Colour.__dataclass_fields__
    return Colour(**{p: np.concatenate([getattr(head, p)[:N_HEAD], getattr(face, p)[N_HEAD:]]) for p in parts})


def _fit(curves: Sequence[Array32]) -> Colour:
    every = np.concatenate(curves)
    mean = every[..., 0].mean(0)
    spread = np.maximum(every.std(0), LEAST[:, None] * (1.0, 0.5)).astype(np.float32)
    still = Colour(mean, spread, np.zeros((N_SLOW, 2, 2), np.float32), np.ones((N_SLOW, 2), np.float32))
    plain = [still.plain(curve) for curve in curves]
    before, after = np.concatenate([p[:-1] for p in plain]), np.concatenate([p[1:] for p in plain])
    carry = np.stack([_carry(before[:, c], after[:, c]) for c in range(N_SLOW)])
    new = after - np.einsum("cij,ncj->nci", carry, before)
    return Colour(mean, spread, carry.astype(np.float32), np.maximum(new.std(0), _LEAST_SURPRISE).astype(np.float32))


def _carry(before: Array32, after: Array32) -> Array32:
    """(2, 2) by ridge regression."""
    solved: Array32 = np.linalg.solve(before.T @ before + _RIDGE * len(before) * np.eye(2), before.T @ after).T
    return solved
