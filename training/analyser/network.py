"""The landmark head: a depthwise-separable encoder, a light decoder to heat maps, and a look at the whole face."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.analyser.crops import SIDE
from training.analyser.points import N_POINTS

GRID = SIDE // 4
"""Cells of a heat map in a row."""
WIDTHS = (48, 128, 224, 288)
DEPTHS = (1, 3, 4, 2)
DECODER = 80
HIDDEN = 256


@dataclass(frozen=True)
class Found:
    """Output for n crops, coordinates in px of the crop."""

    points: Tensor
    """(n, 478, 2)"""
    draft: Tensor
    """(n, 478, 2) by the heat maps alone."""
    spread: Tensor
    """(n, 478) logarithm of the expected error in px (mean of |x| and |y|)."""
    seen: Tensor
    """(n, 478) logit of being visible."""


def convolution(fan_in: int, fan_out: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution with batch norm."""
    inner = nn.Conv2d(fan_in, fan_out, size, stride, (size - stride + 1) // 2, groups=groups, bias=False)
    return nn.Sequential(inner, nn.BatchNorm2d(fan_out))


class Block(nn.Module):
    """Look around channel by channel, then mix the channels; one norm, for norms cost most on a CPU."""

    def __init__(self, width: int, wider: int = 2) -> None:
        super().__init__()
        mixer = (nn.Conv2d(width, wider * width, 1), nn.ReLU(True), nn.Conv2d(wider * width, width, 1))
        self.body = nn.Sequential(convolution(width, width, 5, 1, width), *mixer)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, h, w) to the same shape."""
        out: Tensor = self.body(x)
        return x + out


class Landmarks(nn.Module):
    """(n, 3, SIDE, SIDE) sRGB 0..1 to `Found`."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, WIDTHS[0], 8, 4, 2), nn.BatchNorm2d(WIDTHS[0]))
        stages, last = [], 0
        for width, depth in zip(WIDTHS, DEPTHS, strict=True):
            narrow = [convolution(last, width, 2, 2)] if last else []
            stages.append(nn.Sequential(*narrow, *(Block(width) for _ in range(depth))))
            last = width
        self.stages = nn.ModuleList(stages)
        self.across = nn.ModuleList(nn.Conv2d(width, DECODER, 1) for width in WIDTHS)
        self.down = nn.ModuleList(Block(DECODER, 1) for _ in WIDTHS[1:])
        self.maps = nn.Conv2d(DECODER, N_POINTS, 1)
        last_layer = nn.Linear(HIDDEN, 4 * N_POINTS)
        nn.init.zeros_(last_layer.weight)
        nn.init.zeros_(last_layer.bias)
        self.whole = nn.Sequential(nn.Linear(2 * N_POINTS + WIDTHS[-1], HIDDEN), nn.ReLU(True), last_layer)
        places = (torch.arange(GRID) + 0.5) / GRID - 0.5
        rows, columns = torch.meshgrid(places, places, indexing="ij")
        self.register_buffer("cells", torch.stack([columns.flatten(), rows.flatten()], 1), persistent=False)

    def forward(self, images: Tensor) -> Found:
        """Find the points."""
        x = self.stem((images - 0.45) * 4)
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        y = self.across[-1](levels[-1])
        for k in range(len(levels) - 2, -1, -1):
            y = functional.interpolate(y, scale_factor=2.0, mode="nearest")
            y = self.down[k](y + self.across[k](levels[k]))
        heat = torch.softmax(self.maps(functional.relu(y)).flatten(2).float(), 2)
        draft = heat @ self.get_buffer("cells")
        pooled = x.float().mean((2, 3))
        rest = self.whole(torch.cat([(4 * draft.detach()).flatten(1), pooled], 1)).float().unflatten(1, (4, N_POINTS))
        points = draft + 0.25 * rest[:, :2].transpose(1, 2)
        return Found((points + 0.5) * SIDE, (draft + 0.5) * SIDE, rest[:, 2], rest[:, 3])
