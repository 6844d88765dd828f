"""The colour of what was lived: means, spreads, and how each channel goes on by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vivant.motion.learned.channels import FACE, N_HEAD, N_PACE, N_SLOW, Array32, Colour
from vivant.motion.learned.conditions import pace
from vivant.motion.learned.recorded import Clip

LEAST = np.array([0.5, 0.5, 0.5, 0.004, 0.004, 0.004] + [0.02] * len(FACE), np.float32)
"""Spreads below which a channel is taken to be still, in its own unit; chosen."""
_RIDGE, _LEAST_SURPRISE, _LEAST_AT_REST = 1e-3, 0.02, 0.3
"""The last: of what is new on the whole, so that a face at rest may begin to move. Chosen."""


def fit_colour(clips: Sequence[Clip], usual: Colour | None = None) -> Colour:
    """Head and face each of those clips that hold it, else the usual. Raises ValueError where there is neither."""
    held = [[clip for clip in clips if clip.known[group]] for group in (0, 1)]
    head, face = (_fit(group) if group else usual for group in held)
    if head is None or face is None:
        raise ValueError("no clip holds a head, or none a face")
    is_head = np.arange(N_SLOW) < N_HEAD
    at = {"mean": is_head, "spread": is_head[:, None], "carry": is_head[:, None, None], "surprise": is_head[:, None]}
    return Colour(**{part: np.where(at[part], getattr(head, part), getattr(face, part)) for part in at})


def _fit(clips: Sequence[Clip]) -> Colour:
    every = np.concatenate([clip.curves for clip in clips])
    mean = every[..., 0].mean(0)
    spread = np.maximum(every.std(0), LEAST[:, None] * (1.0, 0.5)).astype(np.float32)
    still = Colour(mean, spread, np.zeros((N_PACE, N_SLOW, 2, 2), np.float32), np.ones((N_PACE, N_SLOW, 2), np.float32))
    plain = [still.plain(clip.curves) for clip in clips]
    before, after = np.concatenate([p[:-1] for p in plain]), np.concatenate([p[1:] for p in plain])
    paces = np.concatenate([pace(clip.told[1:]) for clip in clips])
    carry = np.stack([_carry(paces, before[:, c], after[:, c]) for c in range(N_SLOW)], 1)
    new = after - np.einsum("np,pcij,ncj->nci", paces, carry, before)
    return Colour(mean, spread, carry.astype(np.float32), _surprise(paces, new))


def _carry(paces: Array32, before: Array32, after: Array32) -> Array32:
    """(N_PACE, 2, 2) by ridge regression."""
    x = (paces[:, :, None] * before[:, None]).reshape(len(before), -1)
    solved = np.linalg.solve(x.T @ x + _RIDGE * len(x) * np.eye(x.shape[1]), x.T @ after)
    carry: Array32 = solved.reshape(N_PACE, 2, 2).swapaxes(1, 2).astype(np.float32)
    return carry


def _surprise(paces: Array32, new: Array32) -> Array32:
    """(N_PACE, n_slow, 2): by least squares, none negative, so that what is new has a standard deviation of one in them."""
    flat = new.reshape(len(new), -1)
    usual = np.maximum(flat.std(0), _LEAST_SURPRISE)
    parts = np.maximum(np.linalg.lstsq(paces, np.abs(flat), rcond=None)[0], 0.0)
    parts[0] = np.maximum(parts[0], _LEAST_AT_REST * usual)
    over = (flat / (paces @ parts)).std(0)
    parts *= np.maximum(over, _LEAST_AT_REST)
    surprise: Array32 = parts.reshape(N_PACE, N_SLOW, 2).astype(np.float32)
    return surprise
