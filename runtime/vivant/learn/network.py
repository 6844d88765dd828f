"""Finish network and its critic in torch, for training; `training/finish/graph.py` has the same layers for drawing."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as f

from vivant.finish.network import LAYERS, N_MOTION, SLOPE, STRIDES, Arrays


class FinishModule(nn.Module):
    """Patches (n, 4, h, w) of colours and mask, motions (n, ``n_told``) to colour and opacity (n, 4, h, w)."""

    def __init__(self, n_told: int = N_MOTION) -> None:
        super().__init__()
        for name, (outputs, inputs, *kernel) in LAYERS.items():
            layer = nn.Conv2d(inputs, outputs, kernel[0], STRIDES.get(name, 1), 1) if kernel else nn.Linear(n_told, outputs)
            self.add_module(name, layer)
        with torch.no_grad():  # begins as the rig's own picture
            self.leave.weight.mul_(0.1)
            self.leave.bias.zero_()

    def forward(self, patch: Tensor, motion: Tensor) -> Tensor:
        def bent(x: Tensor) -> Tensor:
            return f.leaky_relu(x, SLOPE)

        fine = bent(self.enter(patch))
        middle = bent(self.down_middle(fine) + self.motion_middle(motion)[..., None, None])
        middle = bent(self.middle(middle))
        coarse = bent(self.down_coarse(middle) + self.motion_coarse(motion)[..., None, None])
        coarse = bent(coarse + self.coarse_out(bent(self.coarse_in(coarse))))
        middle = bent(self.up_middle(torch.cat([_twice(coarse), middle], 1)))
        fine = bent(self.up_fine(torch.cat([_twice(middle), fine], 1)))
        leaves = f.pixel_shuffle(self.leave(fine), 2).float()
        colour = patch[:, :3] + leaves[:, :3]
        colour = colour + (colour.clamp(0, 1) - colour).detach()  # bounded in what it shows, not in what it learns
        return torch.cat([colour, torch.sigmoid(leaves[:, 3:]) * patch[:, 3:]], 1)

    def arrays(self) -> Arrays:
        """As `vivant.finish.network.SHAPES`."""
        state = self.state_dict()  # of which convolutions may lie with their channels last
        return {name: np.ascontiguousarray(value.detach().cpu().numpy(), np.float16) for name, value in state.items()}


def painted(patch: Tensor, answer: Tensor) -> Tensor:
    """(n, 3, h, w) the patch with what was painted laid over it."""
    return patch[:, :3] + answer[:, 3:] * (answer[:, :3] - patch[:, :3])


class Critic(nn.Module):
    """Tells the person's mouth from a painted one, piece by piece (after pix2pix): picture and mask to (n, 1, h / 4, w / 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(4, 24, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(24, 48, 4, 2, 1), nn.GroupNorm(4, 48), nn.LeakyReLU(0.2),
            nn.Conv2d(48, 64, 3, 1, 1), nn.GroupNorm(4, 64), nn.LeakyReLU(0.2),
            nn.Conv2d(64, 1, 3, 1, 1),
        )  # fmt: skip

    def forward(self, picture: Tensor, mask: Tensor) -> Tensor:
        return self.layers(torch.cat([picture, mask], 1))


def _twice(x: Tensor) -> Tensor:
    return f.interpolate(x, scale_factor=2.0, mode="nearest")
