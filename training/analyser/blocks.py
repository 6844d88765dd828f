"""What the three networks are built of."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional


def convolution(fan_in: int, fan_out: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution with batch norm."""
    inner = nn.Conv2d(fan_in, fan_out, size, stride, (size - stride + 1) // 2, groups=groups, bias=False)
    return nn.Sequential(inner, nn.BatchNorm2d(fan_out))


class Block(nn.Module):
    """Look around channel by channel, then mix the channels; one norm, for norms cost most on a CPU."""

    def __init__(self, width: int, wider: int = 2) -> None:
        super().__init__()
        mixer = (nn.Conv2d(width, wider * width, 1), nn.ReLU(True), nn.Conv2d(wider * width, width, 1))
        self.body = nn.Sequential(convolution(width, width, 3, 1, width), *mixer)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, h, w) to the same shape."""
        out: Tensor = self.body(x)
        return x + out


class Encoder(nn.Module):
    """Pictures (n, 3, h, w), sRGB 0..1, to levels at 1/first, 1/2 of that, ..., coarser and wider."""

    def __init__(self, widths: Sequence[int], depths: Sequence[int], first: int = 4) -> None:
        super().__init__()
        self.stem = convolution(3, widths[0], 2 * first, first)
        stages, last = [], 0
        for width, depth in zip(widths, depths, strict=True):
            narrow = [convolution(last, width, 2, 2)] if last else []
            stages.append(nn.Sequential(*narrow, *(Block(width) for _ in range(depth))))
            last = width
        self.stages = nn.ModuleList(stages)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Finest level first."""
        x, levels = self.stem((images - 0.45) * 4), []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        return levels


class Decoder(nn.Module):
    """Levels of an encoder, coarsest first, merged up to the finest that `widths` names."""

    def __init__(self, levels: Sequence[int], widths: Sequence[int]) -> None:
        """Channels of the encoder's levels, coarsest first, and of the decoder at each of them."""
        super().__init__()
        self.across = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(levels, widths, strict=True))
        self.narrow = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairwise(widths))
        self.mix = nn.ModuleList(Block(width, 1) for width in widths[1:])

    def forward(self, levels: Sequence[Tensor]) -> list[Tensor]:
        """Levels coarsest first, in the same order out."""
        out = [self.across[0](levels[0])]
        for k, level in enumerate(levels[1:]):
            wide = functional.interpolate(self.narrow[k](out[-1]), scale_factor=2.0, mode="nearest")
            out.append(self.mix[k](wide + self.across[k + 1](level)))
        return out
