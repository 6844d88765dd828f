"""What the network is trained for and how it is measured."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from training.analyser.network import Found
from training.analyser.points import GROUPS

WING_PX = (8.0, 1.0)
"""The wing loss is logarithmic up to the first value, with the second as its bend."""
HIDDEN_WEIGHT = 0.4
"""Weight of points that are not seen: their place is known to the renderer, the network can only guess."""


@dataclass(frozen=True)
class Batch:
    """n crops on one device."""

    images: Tensor
    """(n, 3, SIDE, SIDE) sRGB 0..1."""
    points: Tensor
    """(n, 478, 2) px."""
    visible: Tensor
    """(n, 478) 0 or 1."""
    units: Tensor
    """(n,) outer-eye distance, px."""


def wing(gap: Tensor) -> Tensor:
    """Wing loss of distances in px: steep near zero, so that the last half pixel counts."""
    wide, bend = WING_PX
    inner = wide * torch.log1p(gap / bend)
    outer = gap + (wide * float(torch.log1p(torch.tensor(wide / bend))) - wide)
    return torch.where(gap < wide, inner, outer)


def loss(found: Found, truth: Batch, weights: Tensor) -> Tensor:
    """Points and drafts by the wing loss, spread by the Laplace likelihood, visibility by cross-entropy."""
    weight = weights * (HIDDEN_WEIGHT + (1 - HIDDEN_WEIGHT) * truth.visible)
    gaps = (found.points - truth.points).abs()
    drafts = (found.draft - truth.points).abs()
    place = ((wing(gaps) + wing(drafts)).sum(2) * weight).mean()
    error = gaps.detach().mean(2)
    spread = found.spread.clamp(-3, 5)
    likelihood = (error * torch.exp(-spread) + spread).mean()
    seen = functional.binary_cross_entropy_with_logits(found.seen, truth.visible)
    return place + 0.5 * likelihood + 0.5 * seen


def errors(points: Tensor, truth: Batch) -> Tensor:
    """(n, 478) distances in % of the outer-eye distance."""
    return 100 * (points - truth.points).norm(dim=2) / truth.units[:, None]


def table(error: Tensor, visible: Tensor) -> dict[str, tuple[float, float]]:
    """Mean error of each group: all its points, and those that are seen."""
    out = {}
    for name, rows in GROUPS.items():
        here, seen = error[:, list(rows)], visible[:, list(rows)]
        out[name] = (float(here.mean()), float((here * seen).sum() / seen.sum().clamp(min=1)))
    return out
